"""Calling an order off where it was bought, and giving back what was paid for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.simulate.truth import Sale


def call_off(hand: Any, sale: Sale) -> None:
    """A clerk of the shop whose `hand` this is calls the order off; where that gives no money back, the clerk does."""
    hand.cancel(sale.their)
    kept = int(hand.orders_shown()[sale.their].get("kept_minor", 0))
    if kept > 0:
        hand.refund(sale.their, Decimal(kept).scaleb(-2))
    sale.called_off = True
