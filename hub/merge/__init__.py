"""Claims to canonical: whose word counts, which item a listing is, and what holds in the end.

It may never read the store or a clock; it is handed sets and gives sets. Only the walk calls it.
"""
