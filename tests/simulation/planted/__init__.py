"""Bugs planted on purpose: each is an edit of a real module of the hub, and the simulator must find it."""
