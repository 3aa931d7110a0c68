"""The four verbs for Template. Verifying is all declared in connector.yaml, so three are left: read, look up, send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from hub.sdk.api import (
    THOUSAND,
    Change,
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
    cut,
    not_sent,
    pieces,
    plain_decimal,
    refused,
    send_in_parts,
)

from .order_sending import OrderSender

MICROS_PER_MILLI: Final = 1_000
SAID_NOTHING: Final = "answered success, but it still shows what it showed"


class Template(Connector):
    """One shop."""

    def opened(self) -> None:
        """What every request carries. Nothing is asked here: a hub that starts must not need the platform."""
        self.headers = {"authorization": f"Bearer {self.secrets['token']}"}
        self.orders = OrderSender(self.context, self.headers)

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next page: of everything there is (`ask.full`), or of what changed since the last reading began."""
        return self.page("items", ask)

    def read_orders(self, ask: ReadAsk) -> Page:
        """The next page of orders, each complete: its lines, charges, payments, parcels, and who it is for."""
        return self.page("orders", ask)

    def page(self, stream: str, ask: ReadAsk) -> Page:
        """The next page of a listing; both have the same manners."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        query = {"size": str(ask.page_max)}
        if window.since is not None:
            query["changed_since"] = str(window.since // MICROS_PER_MILLI)
        if window.page:
            query["page"] = window.page
        told = self.asked(f"/{stream}", query, f"read {stream}")
        if not window.page:
            # By their clock, and by the first page's: what changes while the rest is read must be found by the next reading.
            window = window.saw([int(told["now"]) * MICROS_PER_MILLI])
        body, following = body_json({stream: told[stream]}), told.get("next")
        if following:
            return Page(body, window.next_page(following), True, told["total"])
        return Page(body, window.closed(self.manifest.streams[stream].overlap_seconds), False, told["total"])

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These items as they are now. Only a clear "not found" makes one gone; any other failure is raised."""
        return self.looked_up("items", ids)

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """These orders as they are now."""
        return self.looked_up("orders", ids)

    def looked_up(self, stream: str, ids: Sequence[str]) -> Page:
        """One question for each of these ids."""
        found: list[Plain] = []
        gone: list[str] = []
        for ident in ids:
            try:
                found.append(self.asked(f"/{stream}/{ident}", {}, f"look up {stream}"))
            except GoneError:
                gone.append(ident)
        return Page(body_json({stream: found}), "", False, gone=tuple(gone))

    def asked(self, path: str, query: dict[str, str], operation: str) -> dict[str, Plain]:
        """The answer to a read, a JSON object; Unavailable for anything else."""
        told = self.client.json("GET", path, operation=operation, writes=False, query=query, headers=self.headers)
        if not isinstance(told, dict) or not ({"now", "total"} <= set(told) or "id" in told):
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

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Facts of orders: documents, parcels, cancellations, refunds, notes."""
        return self.each(changes, self.orders.send)

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """What became of facts whose answer was lost."""
        return [self.orders.find(change) for change in changes]

    def send_movement(self, changes: Sequence[Change]) -> list[Receipt]:
        """What facts elsewhere moved here: the figure goes by the difference, never to a number."""
        return self.each(changes, self.move)

    def find_movement(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether each stands among the item's moves, by the change's own mark."""
        return [self.moved(change) for change in changes]

    def move(self, change: Change) -> Receipt:
        """One move, unless it is there already."""
        found = self.moved(change)
        by = int(change.after["moved"]) - int((change.before or {}).get("moved", 0))
        if found.outcome is not Outcome.NOT_SENT:
            return found
        if by % THOUSAND:
            return refused(change, "a part of a piece: Template counts whole ones")
        path, body = f"/items/{change.key.listing}/moves", {"mark": change.id, "by": by // THOUSAND}
        told = self.client.json("POST", path, operation="move", writes=True, headers=self.headers, json=body)
        if not isinstance(told, dict) or change.id not in [one.get("mark") for one in told.get("moves", [])]:
            raise OutcomeUnknownError("answered without the move", channel=self.context.channel, operation="move")
        return Receipt(change.id, Outcome.APPLIED, shows={"moved": change.after["moved"]}, version=told["version"])

    def moved(self, change: Change) -> Receipt:
        """Applied, not there, or there more than once."""
        marks = [one["mark"] for one in self.asked(f"/items/{change.key.listing}/moves", {}, "find a move")["moves"]]
        match marks.count(change.id):
            case 0:
                return not_sent(change)
            case 1:
                return Receipt(change.id, Outcome.APPLIED, shows={"moved": change.after["moved"]})
            case times:
                return refused(change, f"the item was moved {times} times under this mark")

    def put_stock(self, change: Change) -> Receipt:
        """One figure, judged by the figure in the answer."""
        shown = self.put(change, "stock", {"quantity": pieces(change.after["raw"])})
        raw = int(Decimal(shown["stock"]) * THOUSAND)
        return self.judged(change, shown, raw == change.after["raw"], {"raw": raw})

    def put_price(self, change: Change) -> Receipt:
        """One price, judged by the price in the answer."""
        after, tax = change.after, self.settings["tax"]
        if after.get("tax", tax) != tax:
            return refused(change, f"prices there have tax {tax}, this one has it {after['tax']}")
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

        def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
            try:
                return [put(part[0])], []
            except (RefusedError, GoneError) as no:
                return [refused(part[0], no.message, no.request_id)], []

        # Receipts that we have must not be lost with a call that fails: the shared kind sees to that.
        return send_in_parts(cut(changes, 1), post)
