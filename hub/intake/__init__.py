"""What did they say? Deliveries and read pages become envelopes in the inbox.

It may never understand a body nor decide what follows from one. The server (deliveries), the walk and the schedule call it.
"""
