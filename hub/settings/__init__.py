"""What the merchant has declared: channels, locations, who is right about what, allocation and pricing rules.

It may never touch the store or a channel; it reads files once and gives frozen models, or errors with file and line.
"""
