"""What the facts told to the shop have in common: how they are asked for, and the receipts that answer them."""

from __future__ import annotations

from typing import Final

from connectors.vendure.admin_api import AdminApi
from connectors.vendure.order_records import Row
from hub.sdk.api import Change, Outcome, Plain, Receipt, one_line, refused, strange_line

OVER: Final = ("Cancelled", "Failed")
"""States of parcels and refunds that count for nothing any more."""


def strange(order: Row, parts: dict[str, int]) -> str:
    """The first line that is not the order's own, "" when all are."""
    return strange_line(parts, {line["id"] for line in order["lines"]})


def asked(api: AdminApi, operation: str, document: str, variables: dict[str, Plain]) -> Row:
    """The one field of a mutation's answer."""
    said, _ = api.ask(operation, document, variables, writes=True)
    (answer,) = said.values()
    return answer  # type: ignore[no-any-return]


def applied(change: Change, order: Row, words: str = "", **more: Plain) -> Receipt:
    """The fact stands in this order."""
    return Receipt(change.id, Outcome.APPLIED, words, shows={"their": order["id"], **more})


def denied(change: Change, said: Row) -> Receipt:
    """Refused in the platform's own words."""
    words = f"{said.get('errorCode', said.get('state', ''))}: {said.get('message', '')}"
    return refused(change, one_line(words))
