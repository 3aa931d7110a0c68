"""Tryton: products, stock per location and list prices, read by polling and written through stocktakes and optimistic locks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from connectors.tryton.movement_records import (
    INTERNAL,
    MOVEMENT_FIELDS,
    MOVEMENT_MODELS,
    MOVEMENT_PREFIXES,
    movement_record,
    movement_times,
)
from connectors.tryton.order_records import ORDER_FIELDS, ORDER_MODELS, PREFIXES, SALE, amended, order_record, order_times
from connectors.tryton.order_sending import OrderSender
from connectors.tryton.rpc import (
    ACTIVE_OR_NOT,
    NEVER,
    Domain,
    Session,
    changed_since,
    decimal_tag,
    time_of,
    times_in,
)
from connectors.tryton.stocktake import Stocktake
from hub.sdk.api import (
    Change,
    ChannelError,
    ConfigError,
    ConflictError,
    Connector,
    Outcome,
    OutcomeUnknownError,
    Page,
    Plain,
    ReadAsk,
    Receipt,
    RefusedError,
    Window,
    not_sent,
    plain_decimal,
    refused,
    unit_price,
    unsure,
    write_json,
)

PRODUCT: Final = "product.product"
TEMPLATE: Final = "product.template"
MOVE: Final = "stock.move"
TIMES: Final = ("write_date", "create_date")
TEMPLATE_TIMES: Final = ("template.write_date", "template.create_date")
ITEM_FIELDS: Final = (
    "code",
    "name",
    "description",
    "type",
    "active",
    "template",
    "template.active",
    "list_price_used",
    "identifiers.type",
    "identifiers.code",
    *TIMES,
    *TEMPLATE_TIMES,
)
SOLD: Final = ["type", "in", ["goods", "service"]]
STOCKED: Final = ["type", "=", "goods"]

Row = dict[str, Plain]


class TrytonConnector(Connector):
    """One database of one Tryton server."""

    def opened(self) -> None:
        """Read the settings; ConfigError for a filter that is not a domain."""
        settings = self.settings
        self.session = Session(self.client, settings["database"], settings["username"], self.secrets["password"])
        self.stocktake = Stocktake(self.session, self.figure)
        self.orders = OrderSender(self.session, self.context)
        try:
            self.filter: Domain = json.loads(settings["product_filter"])
        except ValueError:
            raise ConfigError('product_filter: not JSON; write a Tryton domain such as [["salable", "=", true]]') from None
        if not isinstance(self.filter, list):
            raise ConfigError("product_filter: a Tryton domain is a list of clauses")

    # items and prices

    def read_items(self, ask: ReadAsk) -> Page:
        """The next page of products by id: the active ones (full), or all that changed since the window's beginning."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        domain = [SOLD, *self.filter]
        if not ask.full:
            domain.append(ACTIVE_OR_NOT)
        if window.since is not None:
            domain.append(changed_since(window.since, "", "template."))
        rows = self._page_of(PRODUCT, domain, ITEM_FIELDS, window.page, ask.page_max)
        window = self._pinned(window, ask, rows, (PRODUCT, TEMPLATE), more=len(rows) == ask.page_max)
        return self._page("items", rows, window, more=len(rows) == ask.page_max, last=_last(rows))

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These products as they are now; one that no longer meets the filter is said with `"listed": false`."""
        by_id = [["id", "in", _numbers(ids)], ACTIVE_OR_NOT]
        rows = self._read(PRODUCT, [*by_id, SOLD, *self.filter], ITEM_FIELDS, len(ids))
        missing = set(_numbers(ids)) - {row["id"] for row in rows}
        if missing:
            by_id[0] = ["id", "in", sorted(missing)]
            rows += [{**row, "listed": False} for row in self._read(PRODUCT, [*by_id, SOLD], ITEM_FIELDS, len(missing))]
        return _looked_up(ids, rows, {str(row["id"]) for row in rows})

    # stock

    def read_stock(self, ask: ReadAsk) -> Page:
        """The next page of figures, one per product and configured location: of all active goods (full), or of those that
        were moved or made since the window's beginning."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        places = self._places()
        if not places:
            return Page(write_json({"records": []}).encode(), window.closed(0), False)
        most = max(1, ask.page_max // len(places))
        if ask.full or window.since is None:
            found = self._page_of(PRODUCT, [STOCKED, *self.filter], TIMES, window.page, most)
            window = self._pinned(window, ask, found, (MOVE, PRODUCT), at_start=True, more=len(found) == most)
            more, last, products = len(found) == most, _last(found), [row["id"] for row in found]
        else:
            moved, made, after = self._moved_since(window, most)
            window = self._pinned(window, ask, [*moved, *made], (MOVE, PRODUCT), more=bool(after))
            products = sorted({row["product"] for row in moved} | {row["id"] for row in made})
            more, last = bool(after), after
        return self._page("stock", self._figures(products, self.filter), window, more=more, last=last)

    def look_up_stock(self, ids: Sequence[str]) -> Page:
        """The figures of these products at every configured location, as they are now."""
        known = self._read(PRODUCT, [["id", "in", _numbers(ids)], ACTIVE_OR_NOT], ("code",), len(ids))
        return _looked_up(ids, self._figures([row["id"] for row in known], []), {str(row["id"]) for row in known})

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Set figures by one confirmed stocktake per location; see `stocktake.py`."""
        return list(self.stocktake.set_all(changes))

    def figure(self, products: Sequence[int], place: int) -> dict[int, Decimal]:
        """On hand of these products at one location (its inner locations included), in pieces."""
        context = {"locations": [place], "with_childs": True, "stock_date_end": NEVER}
        domain = [["id", "in", list(products)], ACTIVE_OR_NOT]
        rows = self.session.search_read(PRODUCT, domain, ("quantity",), limit=max(1, len(products)), context=context)
        return {row["id"]: Decimal(row["quantity"]) for row in rows}

    # prices out

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Write list prices, each only while product and template are as they were read right before."""
        fields = ("list_price", "list_price_used", "_timestamp", "template._timestamp", "template.products")
        ids = _numbers([change.key.listing for change in changes])
        rows = {row["id"]: row for row in self._read(PRODUCT, [["id", "in", ids], ACTIVE_OR_NOT], fields, len(ids))}
        receipts: list[Receipt] = []
        written: list[Change] = []
        for place, change in enumerate(changes):
            row = rows.get(_number(change.key.listing))
            refusal = self._price_refused(change, row)
            if row is None or refusal is not None:
                receipts.append(refusal or refused(change, "the product is no longer there"))
                continue
            try:
                self._write_price(change, row)
                written.append(change)
            except (ConflictError, RefusedError) as bad:
                outcome = Outcome.CONFLICT if isinstance(bad, ConflictError) else Outcome.REFUSED
                receipts.append(Receipt(change.id, outcome, bad.message, bad.request_id))
            except OutcomeUnknownError as bad:
                receipts.append(unsure(change, bad.message, bad.request_id))
                receipts += [not_sent(rest, bad.message) for rest in changes[place + 1 :]]
                break
            except ChannelError as bad:
                if not receipts and not written:
                    raise
                receipts += [not_sent(rest, bad.message) for rest in changes[place:]]
                break
        return receipts + self._price_receipts(written)

    def _price_refused(self, change: Change, row: Row | None) -> Receipt | None:
        after, before = change.after, change.before
        for name, ours in (("currency", self.settings["currency"]), ("tax", self.settings["price_tax"])):
            if after.get(name) not in (None, ours):
                return refused(change, f"list prices here have {name} {ours}, not {after[name]}")
        shown = _price(row) if row is not None else None
        if row is not None and before is not None and before.get("amount") is not None and shown != unit_price(before["amount"]):
            return Receipt(change.id, Outcome.CONFLICT, "the price is another one by now", shows=self._shows(shown))
        return None

    def _write_price(self, change: Change, row: Row) -> None:
        # A variant's own price hides its template's; the template's is shared by all variants that have none.
        own = row["list_price"] is not None or len(row["template."]["products"]) > 1
        model, number = (PRODUCT, row["id"]) if own else (TEMPLATE, row["template."]["id"])
        seen = row["_timestamp"] if own else row["template."]["_timestamp"]
        price = {"list_price": decimal_tag(unit_price(change.after["amount"]))}
        lock = {"_timestamp": {f"{model},{number}": seen}}
        self.session.call(f"model.{model}.write", [number], price, operation="write price", writes=True, context=lock)

    def _price_receipts(self, written: Sequence[Change]) -> list[Receipt]:
        if not written:
            return []
        ids = _numbers([change.key.listing for change in written])
        try:
            rows = self._read(PRODUCT, [["id", "in", ids], ACTIVE_OR_NOT], ("list_price_used",), len(ids))
        except ChannelError:
            return [unsure(change, "written, but not read back") for change in written]
        shown = {str(row["id"]): _price(row) for row in rows}
        return [self._price_receipt(change, shown.get(change.key.listing)) for change in written]

    def _price_receipt(self, change: Change, shown: Decimal | None) -> Receipt:
        if shown is not None and shown == unit_price(change.after["amount"]):
            return Receipt(change.id, Outcome.APPLIED, shows=self._shows(shown))
        words = "they said yes, but the price shown is not the one written"
        return refused(change, words, shows=self._shows(shown))

    def _shows(self, amount: Decimal | None) -> Plain:
        if amount is None:
            return None
        return {"amount": plain_decimal(amount), "currency": self.settings["currency"], "tax": self.settings["price_tax"]}

    # orders

    def read_orders(self, ask: ReadAsk) -> Page:
        """The next page of sales by id: all of them (full), or those of which sale, line, move or shipment changed since."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        domain = [] if window.since is None else [changed_since(window.since, *PREFIXES)]
        rows = self._page_of(SALE, domain, ORDER_FIELDS, window.page, ask.page_max)
        window = self._pinned(window, ask, rows, ORDER_MODELS, at_start=True, more=len(rows) == ask.page_max)
        if not window.page:
            window = window.saw(order_times(rows))
        return self._page("orders", self._sales(rows), window, more=len(rows) == ask.page_max, last=_last(rows))

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """These sales as they are now."""
        rows = self._read(SALE, [["id", "in", _numbers(ids)]], ORDER_FIELDS, len(ids))
        return _looked_up(ids, self._sales(rows), {str(row["id"]) for row in rows})

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Book or correct orders as sales; see `order_sending.py`."""
        return self.orders.send_all(changes)

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """What became of orders, by our number in the reference of their sales."""
        return [self.orders.find(change) for change in changes]

    def _sales(self, rows: Sequence[Row]) -> list[Row]:
        # What amends a document of ours is told by nobody: together with its sale it says what we said ourselves.
        own = [row for row in rows if not amended(row)]
        return [order_record(row, self.settings["shipping_product"]) for row in own]

    # movements

    def read_movements(self, ask: ReadAsk) -> Page:
        """The next page of internal shipments by id: all (full), or those of which shipment or move changed since."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        domain = [] if window.since is None else [changed_since(window.since, *MOVEMENT_PREFIXES)]
        rows = self._page_of(INTERNAL, domain, MOVEMENT_FIELDS, window.page, ask.page_max)
        window = self._pinned(window, ask, rows, MOVEMENT_MODELS, at_start=True, more=len(rows) == ask.page_max)
        if not window.page:
            window = window.saw(movement_times(rows))
        return self._page("movements", self._movements(rows), window, more=len(rows) == ask.page_max, last=_last(rows))

    def look_up_movements(self, ids: Sequence[str]) -> Page:
        """These internal shipments as they are now."""
        rows = self._read(INTERNAL, [["id", "in", _numbers(ids)]], MOVEMENT_FIELDS, len(ids))
        return _looked_up(ids, self._movements(rows), {str(row["id"]) for row in rows})

    def _movements(self, rows: Sequence[Row]) -> list[Row]:
        places = set(self.context.places.values())
        return [movement_record(row, places) for row in rows]

    # reading

    def _places(self) -> list[int]:
        return sorted({_number(place) for place in self.context.places.values()})

    def _read(self, model: str, domain: Domain, fields: Sequence[str], limit: int) -> list[Row]:
        return self.session.search_read(model, domain, fields, limit=max(1, limit))

    def _page_of(self, model: str, domain: Domain, fields: Sequence[str], page: str, limit: int) -> list[Row]:
        after = [["id", ">", int(page)]] if page else []
        return self._read(model, [*domain, *after], fields, limit)

    def _moved_since(self, window: Window, most: int) -> tuple[list[Row], list[Row], str]:
        """Moves and new products of this page, and where the next page begins ("" at the end): first moves, then products."""
        assert window.since is not None
        since, (phase, _, token) = window.since, (window.page or "m").partition(":")
        moved: list[Row] = []
        if phase == "m":
            domain = [["state", "in", ["done", "cancelled"]], changed_since(since, "")]
            moved = self._page_of(MOVE, domain, ("product", *TIMES), token, most)
            if len(moved) == most:
                return moved, [], f"m:{_last(moved)}"
            token = ""
        domain = [STOCKED, *self.filter, ACTIVE_OR_NOT, changed_since(since, "")]
        made = self._page_of(PRODUCT, domain, TIMES, token, most)
        return moved, made, f"p:{_last(made)}" if len(made) == most else ""

    def _figures(self, products: Sequence[int], filtered: Domain) -> list[Row]:
        if not products:
            return []
        records: list[Row] = []
        domain = [["id", "in", list(products)], STOCKED, ACTIVE_OR_NOT, *filtered]
        for place in self._places():
            context = {"locations": [place], "with_childs": True, "stock_date_end": NEVER}
            rows = self.session.search_read(PRODUCT, domain, ("code", "quantity"), limit=len(products), context=context)
            records += [
                {"product": row["id"], "location": place, "code": row["code"], "quantity": row["quantity"]} for row in rows
            ]
        return records

    def _pinned(
        self, window: Window, ask: ReadAsk, rows: Sequence[Row], models: Sequence[str], *, more: bool, at_start: bool = False
    ) -> Window:
        """The window with the newest time known at the reading's first page: what changes later on an earlier page must be
        found by the next reading, so times of later pages do not count.

        Pages go by id, so where there are more of them the first one's own times say nothing of how far the reading reaches:
        then the newest there is at all is asked for. Else many changes at once would be read again by every reading after.
        """
        if window.page:
            return window
        times = [] if at_start else times_in(rows)
        if ask.full or window.since is None or more:
            for model in models:
                for name in TIMES:
                    newest = self.session.search_read(model, [[name, "!=", None]], (name,), limit=1, order=name, descending=True)
                    times = [at for row in newest if (at := time_of(row[name])) is not None] + times
        return window.saw(times)

    def _page(self, stream: str, rows: Sequence[Row], window: Window, *, more: bool, last: str) -> Page:
        overlap = self.manifest.streams[stream].overlap_seconds
        cursor = window.next_page(last) if more else window.closed(overlap)
        return Page(write_json({"records": list(rows)}).encode(), cursor, more)


def _looked_up(ids: Sequence[str], records: Sequence[Row], known: set[str]) -> Page:
    gone = tuple(one for one in ids if one not in known)
    return Page(write_json({"records": list(records)}).encode(), "", False, gone=gone)


def _price(row: Row) -> Decimal | None:
    tag = row["list_price_used"]
    return unit_price(tag["decimal"]) if tag else None


def _last(rows: Sequence[Row]) -> str:
    return str(rows[-1]["id"]) if rows else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _numbers(ids: Sequence[str]) -> list[int]:
    """The ids as numbers; what is no number can be no product of theirs (0 is nobody's id)."""
    return sorted({_number(one) for one in ids})
