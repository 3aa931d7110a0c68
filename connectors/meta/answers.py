"""Answers understood: pages, validation words, a finished batch per item, and what an item shows afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.meta import figures, payload
from connectors.meta.payload import Handle
from hub.sdk.api import (
    THOUSAND,
    ChannelError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    RefusedError,
    UnavailableError,
    plain_decimal,
)

WORDS_CHARS_MAX: Final = 200
READ_TEXTS: Final = {"title": "name", "text": "description", "picture": "image_url", "link": "url", "category": "product_type"}
"""Canonical listing fields by the names under which reading answers them."""

Shown = tuple[bool, str, Plain]
"""Whether an item read back shows what was asked, what it shows in words, and the same as a receipt's `shows`."""


def products_of(told: Mapping[str, Plain], operation: str) -> list[dict[str, Plain]]:
    """The items of a page; UnavailableError where there is no list of them."""
    rows = told.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnavailableError("answered without a list of items", operation=operation)
    return rows


def following(told: Mapping[str, Plain]) -> str:
    """The cursor of the next page; "" at the end, where they still give a cursor but no next address."""
    paging = told.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    return str(paging.get("cursors", {}).get("after") or "")


def validation(rows: Plain) -> tuple[dict[str, str], dict[str, str]]:
    """What an answer to a batch says at once: errors, then warnings, each by listing."""
    refused: dict[str, str] = {}
    warned: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        for kind, told in (("errors", refused), ("warnings", warned)):
            words = [str(one.get("message", "")) for one in row.get(kind) or [] if isinstance(one, dict)]
            if words:
                told[str(row.get("retailer_id", ""))] = "; ".join(words)
    return refused, warned


def by_listing(rows: Plain) -> dict[str, str]:
    """Errors or warnings of a finished batch by listing."""
    told: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            told[row["id"]] = "; ".join(filter(None, (told.get(row["id"], ""), str(row.get("message", "")))))
    return told


def ended(parts: Handle, refused: Mapping[str, str], warned: Mapping[str, str], hidden: bool) -> Receipt:
    """One change of a finished batch: refused, applied as far as the batch says, or unknown where errors name no item."""
    words = (refused.get(parts.listing) or warned.get(parts.listing, ""))[:WORDS_CHARS_MAX]
    if parts.listing in refused and parts.asked != payload.GONE:
        return Receipt(parts.change, Outcome.REFUSED, words)
    if hidden and parts.asked != payload.GONE:
        return Receipt(parts.change, Outcome.UNKNOWN, "the batch has errors and does not say of which items")
    return Receipt(parts.change, Outcome.APPLIED, words)


def outcome_of(failed: ChannelError) -> Outcome:
    """What a failed call means for each of its changes."""
    if isinstance(failed, OutcomeUnknownError):
        return Outcome.UNKNOWN
    return Outcome.REFUSED if isinstance(failed, RefusedError) else Outcome.NOT_SENT


def shown_stock(product: Mapping[str, Plain] | None, asked: str) -> Shown:
    """What may be bought now, in thousandths."""
    pieces = figures.sellable(product) if product is not None else None
    if pieces is None:
        return False, "no figure" if product is not None else payload.GONE, None
    thousandths = pieces * THOUSAND
    return str(thousandths) == asked.partition(payload.BEFORE)[0], str(thousandths), {"raw": thousandths, "sellable": thousandths}


def shown_price(product: Mapping[str, Plain] | None, asked: str) -> Shown:
    """The effective price."""
    if product is None:
        return False, payload.GONE, None
    try:
        amount = plain_decimal(figures.effective_price(product))
    except ValueError as bad:
        return False, str(bad), None
    said = payload.asked_price(amount, product["currency"])
    return said == asked, said, {"amount": amount, "currency": product["currency"]}


def shown_listing(product: Mapping[str, Plain] | None, asked: str) -> Shown:
    """The listing's state and texts; of the texts only those that were asked are compared."""
    wanted, *marks = asked.split(" ")
    if product is None:
        return wanted == payload.GONE, payload.GONE, {"state": payload.GONE}
    shows = {ours: product[theirs] for ours, theirs in READ_TEXTS.items() if product.get(theirs)}
    try:
        state = figures.state(product)
    except ValueError as bad:
        return False, str(bad), shows
    other = [name for name, _, seen in (one.partition("=") for one in marks) if payload.mark(shows.get(name, "")) != seen]
    said = ", ".join([state, *(f"another {name}" for name in other)])
    return wanted in (state, payload.SHOWN) and not other, said, {**shows, "state": state}
