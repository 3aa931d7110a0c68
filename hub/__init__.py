"""Samklang: declare who is right about what; the hub makes every channel agree, and can always say why.

Read `flow.py` first (the values that pass between the stations), then `walk.py` (the stations in their order).
"""

__version__ = "0.1.0"
