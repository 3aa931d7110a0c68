"""The common language: what a quantity, an amount, an item, a figure, a price and a listing are.

It may never do I/O, read a clock, or say the name of a platform. Every other room speaks in these words.
"""
