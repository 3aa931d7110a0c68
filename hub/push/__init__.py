"""Tell them: which change first, how many together, how sent, and what became of each.

It may never decide what a listing should show. The channel's turn calls it; receipts and observations are what it leaves.
"""
