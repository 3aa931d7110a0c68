"""What other systems must know of an order, as targets: the document in the books, the parcel in the shop, the credit note.

Everything walks like stock: a fact is a target of the system that must know it, a receipt or what it tells is the observation.
It may never read the store or a channel; only the order station calls it.
"""
