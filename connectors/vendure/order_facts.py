"""What every fact told to the shop has in common: its mark, its pieces, and the receipts that answer it."""

from __future__ import annotations

import hashlib
from typing import Final

from connectors.vendure.admin_api import AdminApi
from connectors.vendure.order_records import Row
from hub.sdk.api import Change, Outcome, Plain, Receipt

THOUSAND: Final = 1000
MARK_CHARS: Final = 10
WORDS_CHARS_MAX: Final = 200
OVER: Final = ("Cancelled", "Failed")
"""States of parcels and refunds that count for nothing any more."""


def mark(change: Change) -> str:
    """Our mark of this fact: the same for every try of it, and of no other."""
    told = f"{change.key.listing}\n{change.key.place}\n{change.after['their']}"
    return f"Samklang {hashlib.sha256(told.encode()).hexdigest()[:MARK_CHARS]}"


def pieces(said: Plain) -> dict[str, int] | None:
    """Whole pieces by line; None where a part of a piece is asked for, or less than one."""
    parts: dict[str, int] = {}
    for part in said.get("parts") or []:
        whole, rest = divmod(int(part["quantity"]), THOUSAND)
        if rest or whole < 1:
            return None
        parts[str(part["line"])] = parts.get(str(part["line"]), 0) + whole
    return parts


def strange(order: Row, parts: dict[str, int]) -> str:
    """The first line that is not the order's own: the shop itself would fulfil a line of anybody's."""
    own = {line["id"] for line in order["lines"]}
    return next((line for line in parts if line not in own), "")


def asked(api: AdminApi, operation: str, document: str, variables: dict[str, Plain]) -> Row:
    """The one field of a mutation's answer."""
    said, _ = api.ask(operation, document, variables, writes=True)
    (answer,) = said.values()
    return answer  # type: ignore[no-any-return]


def applied(change: Change, order: Row, words: str = "", **more: Plain) -> Receipt:
    """The fact stands in this order."""
    return Receipt(change.id, Outcome.APPLIED, words, shows={"their": order["id"], **more})


def not_sent(change: Change, words: str = "") -> Receipt:
    """The fact certainly does not stand there, or only by half."""
    return Receipt(change.id, Outcome.NOT_SENT, words)


def refused(change: Change, words: str) -> Receipt:
    """The fact cannot be made true, in these words."""
    return Receipt(change.id, Outcome.REFUSED, words)


def denied(change: Change, said: Row) -> Receipt:
    """Refused in the platform's own words."""
    words = f"{said.get('errorCode', said.get('state', ''))}: {said.get('message', '')}"
    return refused(change, " ".join(words.split())[:WORDS_CHARS_MAX])
