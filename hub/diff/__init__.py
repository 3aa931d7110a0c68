"""Target against observation: the changes that are needed, in a safe order, and those that a guard holds.

It may never read the store, a clock or a channel. The walk and the plan call it.
"""
