"""What a connector is, and what all connectors share: manifest, verbs, client, pace, signatures, sandboxes.

It may never know a platform by name, nor the store. Connectors import this room and no other; app, push and intake call it.
"""
