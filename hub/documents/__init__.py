"""What other systems must know of an order, as targets: the document in the books, the parcel in the shop, the credit note.

Everything walks like stock: a fact is a target of the system that must know it, a receipt or what it tells is the observation.
It may never read the store or a channel; only the order station calls it.
"""

from __future__ import annotations

from hub.documents.all import documents
from hub.documents.around import Around
from hub.documents.moved import since as moved_since

__all__ = ["Around", "documents", "moved_since"]
