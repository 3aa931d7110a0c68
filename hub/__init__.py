"""Samklang: a merchant says once who is right about what; the hub brings every channel to agree and can explain each number.

Read `flow.py` first (the values that pass between the stations), then `walk.py` (the stations in their order).
"""

__version__ = "0.1.0"
