"""First contact with a running shop: how far it is read, what fits together, what differs and what explains it.

It only reads the store, in sets, however large the shop is; it never writes, and no platform is asked. The command line calls it.
"""
