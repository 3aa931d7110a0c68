"""Facts that the shop has no field for: notes in an order's history that its customer can read.

A note moves neither money nor stock. It is found again by our mark in it, and rewritten when the fact is told otherwise.
"""

from __future__ import annotations

from typing import Final

from connectors.vendure.admin_api import AdminApi
from connectors.vendure.order_documents import ADD_NOTE, UPDATE_NOTE
from connectors.vendure.order_facts import applied, asked
from connectors.vendure.order_records import Row
from hub.sdk.api import Change, Receipt, from_minor, named_mark, not_sent, one_line, refused

TITLE_CHARS_MAX: Final = 120


def found_note(change: Change, order: Row) -> Receipt:
    """Whether the note stands in the order's history as it is told now."""
    notes = _ours(change, order)
    if len(notes) > 1:
        return refused(change, f"the order shows it {len(notes)} times")
    if notes and notes[0]["data"]["note"] == _text(change):
        return applied(change, order)
    return not_sent(change)


def note(api: AdminApi, change: Change, order: Row) -> Receipt:
    """Write the note, or rewrite the one that we wrote of this fact before."""
    text, notes = _text(change), _ours(change, order)
    if change.after["fact"] == "refund_noted" and int(change.after["amount_minor"]) <= 0:
        return refused(change, "a refund is an amount above zero")
    if notes:
        said = asked(api, "rewrite a note", UPDATE_NOTE, {"input": {"noteId": notes[0]["id"], "note": text}})
        if said["data"].get("note") != text:
            return refused(change, "accepted, but the order shows another note")
    else:
        asked(api, "add a note", ADD_NOTE, {"input": {"id": order["id"], "note": text, "isPublic": True}})
    return applied(change, order)


def _ours(change: Change, order: Row) -> list[Row]:
    return [one for one in order["history"]["items"] if named_mark(change) in str(one["data"].get("note") or "")]


def _text(change: Change) -> str:
    said = change.after
    if said["fact"] == "ready":
        where = one_line(said.get("where"), TITLE_CHARS_MAX)
        words = f"Ready to be collected at {where}" if where else "Ready to be collected"
    else:
        by, currency = one_line(said.get("by"), TITLE_CHARS_MAX), str(said["currency"])
        words = f"{from_minor(int(said['amount_minor']), currency)} {currency} refunded" + (f" by {by}" if by else "")
    return f"{words} ({named_mark(change)})"
