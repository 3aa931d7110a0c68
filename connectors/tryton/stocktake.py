"""Figures are set by stocktakes: one per location, made, compared and confirmed in one go.

The platform keeps in each line the quantity that it expected when the line was made, and on confirmation moves the difference:
so a sale between making and confirming stays counted, but two stocktakes of one product and location that overlap are both
applied, and the figure is wrong by one difference (observed on SQLite and PostgreSQL). Hence: nobody else may count what the
hub counts, a stocktake is never left open, and what an earlier call left open is cancelled before a new one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from connectors.tryton.rpc import Session
from hub.sdk.api import (
    THOUSAND,
    Change,
    ChannelError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    RefusedError,
    broken_off,
    not_sent,
    quantity,
    refused,
    unsure,
)

INVENTORY: Final = "stock.inventory"
LINE: Final = "stock.inventory.line"
LEFT_OPEN_MAX: Final = 1_000

Figure = Callable[[Sequence[int], int], dict[int, Decimal]]


class Stocktake:
    """Sets many figures; `figure` reads what one location holds of some products."""

    def __init__(self, session: Session, figure: Figure) -> None:
        self._session = session
        self._figure = figure
        self._countable: dict[int, str] = {}

    def set_all(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """One receipt per change; raises only while nothing at all was sent yet."""
        groups: dict[int, list[Change]] = {}
        for change in changes:
            refusal = _refused_before(change, {one.key.listing for one in groups.get(_place(change), [])})
            if refusal is not None:
                yield refusal
            else:
                groups.setdefault(_place(change), []).append(change)
        for count, place in enumerate(sorted(groups)):
            group = groups[place]
            try:
                if words := self._uncountable(place):
                    yield from (refused(one, words) for one in group)
                    continue
                yield from self._set(group, place)
            except ChannelError as bad:
                if count == 0 and not isinstance(bad, OutcomeUnknownError):
                    raise
                # A stocktake that is only made moves nothing: without a confirmation that may have arrived, nothing happened.
                yield from broken_off(group, (), bad)

    def _set(self, group: Sequence[Change], place: int) -> list[Receipt]:
        """The group's receipts; where a rule refuses it as a whole, each change is tried by itself."""
        self._cancel_left_open(group, place)
        number = 0
        try:
            number = self._make(group, place)
            receipts, kept = self._compare(group, number)
            if not kept:
                self._cancel([number])
                return receipts
            self._call("confirm", [number])
        except RefusedError as bad:
            if number:
                self._cancel([number])
            if len(group) == 1:
                return [refused(group[0], bad.message, bad.request_id)]
            return [receipt for one in group for receipt in self._alone(one, place)]
        return receipts + self._outcomes(kept, number, place)

    def _alone(self, one: Change, place: int) -> list[Receipt]:
        try:
            return self._set([one], place)
        except ChannelError as bad:
            return broken_off([one], (), bad)

    def _uncountable(self, place: int) -> str:
        """Why figures of this location cannot be set ("" when they can). A stocktake counts the location itself, while the
        figure that is read has everything inside it."""
        if place not in self._countable:
            found = self._session.search_read("stock.location", [["id", "=", place]], ("type", "childs"), limit=1)
            words = "" if found else "the location is not there"
            if found and found[0]["type"] != "storage":
                words = f"a figure is set at a storage location, this one is a {found[0]['type']}"
            elif found and found[0]["childs"]:
                words = "the location has locations inside it: name those instead"
            self._countable[place] = words
        return self._countable[place]

    def _make(self, group: Sequence[Change], place: int) -> int:
        lines = [{"product": _product(one), "quantity": one.after["raw"] // THOUSAND} for one in group]
        made = self._call("create", [{"location": place, "lines": [["create", lines]]}])
        if not isinstance(made, list) or len(made) != 1:
            raise OutcomeUnknownError("a stocktake was made without an id")
        return int(made[0])

    def _compare(self, group: Sequence[Change], number: int) -> tuple[list[Receipt], list[Change]]:
        """Receipts of the changes that cannot be made now (their lines are taken out), and the rest."""
        lines = self._session.search_read(
            LINE, [["inventory", "=", number]], ("product", "expected_quantity"), limit=max(1, len(group))
        )
        by_product = {line["product"]: line for line in lines}
        receipts, kept, stale = [], [], []
        for one in group:
            line = by_product.get(_product(one))
            if line is None:
                # Lines of what has no stock (a service) are dropped without a word.
                receipts.append(refused(one, "they took the stocktake but not this product's line"))
                continue
            expected = quantity(line["expected_quantity"])
            if one.before is not None and one.before.get("raw") not in (None, expected):
                words = "the figure is another one by now"
                receipts.append(Receipt(one.id, Outcome.CONFLICT, words, shows={"raw": expected}))
                stale.append(line["id"])
            else:
                kept.append(one)
        if stale and kept:
            self._session.call(f"model.{LINE}.delete", stale, operation="take out lines", writes=True)
        return receipts, kept

    def _outcomes(self, kept: Sequence[Change], number: int, place: int) -> list[Receipt]:
        """What the confirmed stocktake did, by its state and by the figures shown now."""
        try:
            states = self._session.search_read(INVENTORY, [["id", "=", number]], ("state",), limit=1)
            figures = self._figure([_product(one) for one in kept], place)
        except ChannelError:
            return [unsure(one, "confirmed, but not read back") for one in kept]
        done = bool(states) and states[0]["state"] == "done"
        if not done:
            self._cancel([number] if states else [])
        return [_outcome(one, figures.get(_product(one)), done) for one in kept]

    def _cancel_left_open(self, group: Sequence[Change], place: int) -> None:
        # Our own only: an open stocktake of a person stays theirs. A number of ours cannot be given to it (read-only field).
        domain: list[Plain] = [
            ["inventory.state", "=", "draft"],
            ["inventory.location", "=", place],
            ["inventory.create_uid", "=", self._session.user],
            ["product", "in", [_product(one) for one in group]],
        ]
        lines = self._session.search_read(LINE, domain, ("inventory",), limit=LEFT_OPEN_MAX)
        self._cancel(sorted({line["inventory"] for line in lines}))

    def _cancel(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            try:
                self._call("cancel", [number])
            except RefusedError:
                # Gone or closed by now: it moves nothing any more, and what it moved shows in the figures compared.
                continue

    def _call(self, verb: str, first: Plain) -> Plain:
        return self._session.call(f"model.{INVENTORY}.{verb}", first, operation=f"{verb} stocktake", writes=True)


def _refused_before(change: Change, listed: set[str]) -> Receipt | None:
    """Why this change is not sent at all; None when it may be."""
    raw = change.after["raw"]
    words = ""
    if not _product(change):
        words = "the listing is no product of theirs"
    elif not _place(change):
        words = "no location: a figure is kept per location here"
    elif raw < 0:
        words = "a counted figure cannot be negative here"
    elif raw % THOUSAND:
        words = "a counted figure is whole pieces here"
    elif change.key.listing in listed:
        return not_sent(change, "one figure of a product and location at a time")
    return refused(change, words) if words else None


def _outcome(change: Change, shown: Decimal | None, done: bool) -> Receipt:
    shows = None if shown is None else {"raw": quantity(shown)}
    before = None if change.before is None else change.before.get("raw")
    unmoved = shows is not None and shows["raw"] == before != change.after["raw"]
    if not done or unmoved:
        words = "they said yes, but the stocktake is not confirmed" if not done else "they said yes, but the figure did not move"
        return refused(change, words, shows=shows)
    # Another figure than asked is a movement of theirs since: the reading shows it and the next plan sees to it.
    return Receipt(change.id, Outcome.APPLIED, shows=shows)


def _product(change: Change) -> int:
    return int(change.key.listing) if change.key.listing.isascii() and change.key.listing.isdigit() else 0


def _place(change: Change) -> int:
    return int(change.place_ref) if change.place_ref.isascii() and change.place_ref.isdigit() else 0
