"""The four verbs for Template. Verifying is all declared in connector.yaml, so three are left: read, look up, send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from hub.sdk.api import (
    Change,
    ChannelError,
    Connector,
    GoneError,
    Outcome,
    OutcomeUnknownError,
    Page,
    Plain,
    ReadAsk,
    Receipt,
    RefusedError,
    UnavailableError,
    Window,
    body_json,
    pieces,
    plain_decimal,
)

MICROS_PER_MILLI: Final = 1_000
SAID_NOTHING: Final = "answered success, but it still shows what it showed"


class Template(Connector):
    """One shop."""

    def opened(self) -> None:
        """What every request carries. Nothing is asked here: a hub that starts must not need the platform."""
        self.headers = {"authorization": f"Bearer {self.secrets['token']}"}

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next page: of everything there is (`ask.full`), or of what changed since the last reading began."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        query = {"size": str(ask.page_max)}
        if window.since is not None:
            query["changed_since"] = str(window.since // MICROS_PER_MILLI)
        if window.page:
            query["page"] = window.page
        told = self.asked("/items", query, "read items")
        if not window.page:
            # By their clock, and by the first page's: what changes while the rest is read must be found by the next reading.
            window = window.saw([int(told["now"]) * MICROS_PER_MILLI])
        body, following = body_json({"items": told["items"]}), told.get("next")
        if following:
            return Page(body, window.next_page(following), True, told["total"])
        return Page(body, window.closed(self.manifest.streams["items"].overlap_seconds), False, told["total"])

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These items as they are now. Only a clear "not found" makes one gone; any other failure is raised."""
        found: list[Plain] = []
        gone: list[str] = []
        for listing in ids:
            try:
                found.append(self.asked(f"/items/{listing}", {}, "look up items"))
            except GoneError:
                gone.append(listing)
        return Page(body_json({"items": found}), "", False, gone=tuple(gone))

    def asked(self, path: str, query: dict[str, str], operation: str) -> dict[str, Plain]:
        """The answer to a read, a JSON object; Unavailable for anything else."""
        told = self.client.json("GET", path, operation=operation, writes=False, query=query, headers=self.headers)
        if not isinstance(told, dict) or not ({"items", "now", "total"} <= set(told) or "id" in told):
            raise UnavailableError("answered with something else", channel=self.context.channel, operation=operation)
        return told

    # sending

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Absolute figures; `raw` is the one as this platform writes it, in thousandths of a piece."""
        return self.each(changes, self.put_stock)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Prices as exact text with their currency."""
        return self.each(changes, self.put_price)

    def send_listing(self, changes: Sequence[Change]) -> list[Receipt]:
        """Words and state of a listing, spelled as the mapping's `sends` declare."""
        return self.each(changes, self.put_listing)

    def put_stock(self, change: Change) -> Receipt:
        """One figure, judged by the figure in the answer."""
        shown = self.put(change, "stock", {"quantity": pieces(change.after["raw"])})
        raw = int(Decimal(shown["stock"]) * 1000)
        return self.judged(change, shown, raw == change.after["raw"], {"raw": raw})

    def put_price(self, change: Change) -> Receipt:
        """One price, judged by the price in the answer."""
        after, tax = change.after, self.settings["tax"]
        if after.get("tax", tax) != tax:
            return Receipt(change.id, Outcome.REFUSED, f"prices there have tax {tax}, this one has it {after['tax']}")
        shown = self.put(change, "price", {"amount": plain_decimal(Decimal(after["amount"])), "currency": after["currency"]})
        price = shown["price"]
        same = Decimal(price["amount"]) == Decimal(after["amount"]) and price["currency"] == after["currency"]
        return self.judged(change, shown, same, {"amount": price["amount"], "currency": price["currency"], "tax": tax})

    def put_listing(self, change: Change) -> Receipt:
        """The words of one listing, judged by the words in the answer."""
        asked = self.context.express("listing", change.after)
        shown = self.put(change, "listing", asked)
        return self.judged(change, shown, all(shown.get(name) == value for name, value in asked.items()), None)

    def put(self, change: Change, what: str, body: dict[str, Plain]) -> dict[str, Plain]:
        """The item as the answer to this write shows it."""
        told = self.client.json(
            "PUT",
            f"/items/{change.key.listing}/{what}",
            operation=f"send {what}",
            writes=True,
            headers={**self.headers, "idempotency-key": change.id},
            json=body,
        )
        if not isinstance(told, dict) or not {"stock", "price", "version"} <= set(told):
            raise OutcomeUnknownError("answered without the item", channel=self.context.channel, operation=f"send {what}")
        return told

    def judged(self, change: Change, shown: dict[str, Plain], same: bool, shows: Plain) -> Receipt:
        """The status said yes; whether it was done is what the item shows."""
        outcome, words = (Outcome.APPLIED, "") if same else (Outcome.REFUSED, SAID_NOTHING)
        return Receipt(change.id, outcome, words, shows=shows, version=shown["version"])

    def each(self, changes: Sequence[Change], put: Callable[[Change], Receipt]) -> list[Receipt]:
        """One call and one receipt per change. A refused one does not stop its neighbours; a channel that fails does."""
        receipts: list[Receipt] = []
        for place, change in enumerate(changes):
            try:
                receipts.append(put(change))
            except (RefusedError, GoneError) as bad:
                receipts.append(Receipt(change.id, Outcome.REFUSED, bad.message, bad.request_id))
            except ChannelError as bad:
                if not receipts:
                    raise
                # Receipts that we have must not be lost with the call that failed.
                outcome = Outcome.UNKNOWN if isinstance(bad, OutcomeUnknownError) else Outcome.NOT_SENT
                receipts.append(Receipt(change.id, outcome, bad.message, bad.request_id))
                rest = changes[place + 1 :]
                return receipts + [Receipt(one.id, Outcome.NOT_SENT, "the call before it failed") for one in rest]
        return receipts
