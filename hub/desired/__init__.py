"""Canonical to target: what each listing should show, with the derivation. Pure functions of what they are given.

It may never read the store, a clock or a channel. Only the walk calls it.
"""
