"""HTTP in: the receiver that stores verified deliveries durably and answers only then.

It may never understand a delivery, nor do more inside a request than size, signature and storing. The commands start it.
"""
