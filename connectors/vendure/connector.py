"""Vendure: reads variants, stock levels, prices and orders; writes stock on hand, prices and what became of an order.

Facts checked on 3.7.3. Orders have their own files: `order_reading.py`, `order_records.py`, `order_sending.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.vendure.admin_api import AdminApi, RejectedError
from connectors.vendure.documents import PROBE, READ_ITEMS, READ_STOCK, SEND_PRICE, SEND_STOCK, TERMS
from connectors.vendure.money import amount_of, hundredths
from connectors.vendure.order_reading import OrderReader
from connectors.vendure.order_sending import OrderSender
from connectors.vendure.reading import Reading
from hub.sdk.api import (
    THOUSAND,
    Change,
    Connector,
    Outcome,
    Page,
    Plain,
    Planned,
    ReadAsk,
    Receipt,
    anchored,
    body_json,
    compared,
    cut,
    iso,
    not_sent,
    pairs_in,
    plain_decimal,
    read_time,
    refused,
    send_in_parts,
    unsure,
    whole_figure,
)

INT_MAX: Final = 2**31 - 1
"""GraphQL's Int has 32 bits; Money is carried in the same range here."""
FAULTS_MAX: Final = 16
"""Unexplained failures of parts of one batch (one bad change in a hundred costs eight) until the rest is left for later."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the shop's channel says of itself and its stock locations."""

    tax: str
    currencies: frozenset[str]
    locations: frozenset[str]


class VendureConnector(Connector):
    """One Vendure channel, by its Admin API."""

    def opened(self) -> None:
        """Prepare signing in; nothing is asked yet."""
        self._api = AdminApi(self.context)
        self._known: Terms | None = None
        overlap = self.manifest.streams["orders"].overlap_seconds
        places = pairs_in("pickup_methods", self.settings.get("pickup_methods", ""))
        self._orders = OrderReader(self._api, self.context.channel, overlap, places)
        self._facts = OrderSender(self._api)

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next variants with product, options, prices and stock levels; a poll asks for those changed since."""
        reading = Reading.at(ask.cursor)
        if not reading.under_way:
            begun = self._opened_reading(reading, ask.full, self.manifest.streams["items"].overlap_seconds)
            if begun is None:
                return Page(body_json({"data": {"productVariants": {"totalItems": 0, "items": []}}}), reading.cursor(), False, 0)
            reading = begun
        return self._page(READ_ITEMS, "read items", reading, ask.page_max)

    def read_stock(self, ask: ReadAsk) -> Page:
        """The next variants with their stock levels only: always the whole listing."""
        reading = Reading.at(ask.cursor)
        if not reading.under_way:
            reading = Reading(under_way=True)
        return self._page(READ_STOCK, "read stock", reading, ask.page_max)

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These variants as they are now; those that the channel no longer lists are gone."""
        return self._look_up(READ_ITEMS, "look up items", ids)

    def look_up_stock(self, ids: Sequence[str]) -> Page:
        """The stock levels of these variants as they are now; those that the channel no longer lists are gone."""
        return self._look_up(READ_STOCK, "look up stock", ids)

    def read_orders(self, ask: ReadAsk) -> Page:
        """The next placed orders, whole; a poll gives those edited or placed since, and those that moved silently."""
        return self._orders.read(ask)

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """These orders as they are now; those that the channel does not have are gone."""
        return self._orders.look_up(ids)

    def _opened_reading(self, stored: Reading, full: bool, overlap_seconds: int) -> Reading | None:
        """A reading that has begun; None when a poll finds the shop exactly as the last reading left it."""
        since = None if full else stored.since
        newest, count = self._probe(since)
        if since is not None and (newest, count) == (stored.newest, stored.count):
            return None
        begun = Reading.begun(since, newest, overlap_seconds)
        if begun.next_since != since:
            count = self._probe(begun.next_since)[1]
        return begun.counted(count)

    def _probe(self, since: int | None) -> tuple[int | None, int]:
        """The newest change in the shop, and how many variants changed since."""
        window = {"take": 1, **_changed_after(since)}
        newest = {"take": 1, "sort": {"updatedAt": "DESC"}}
        found, _ = self._api.ask("probe", PROBE, {"window": window, "newest": newest}, writes=False)
        times = [read_time(item["updatedAt"]) for item in found["newest"]["items"]]
        return max(times, default=None), found["window"]["totalItems"]

    def _page(self, document: str, operation: str, reading: Reading, page_max: int) -> Page:
        def listed(skip: int, take: int) -> tuple[list[dict[str, Plain]], int]:
            window = {"skip": skip, "take": take, "sort": {"id": "ASC"}, **_changed_after(reading.since)}
            listing = self._list(document, operation, window)
            return listing["items"], listing["totalItems"]

        stretch = anchored(listed, reading.spot, page_max, channel=self.context.channel, operation=operation)
        after, total = reading.read(stretch), stretch.total or 0
        more = after.skip < total
        cursor = after.cursor() if more else after.closed().cursor()
        listing = {"totalItems": total, "items": stretch.rows}
        return Page(body_json({"data": {"productVariants": listing}}), cursor, more, total)

    def _look_up(self, document: str, operation: str, ids: Sequence[str]) -> Page:
        asked = sorted(set(ids))
        listing = self._list(document, operation, {"take": len(asked), "filter": {"id": {"in": asked}}})
        found = {item["id"] for item in listing["items"]}
        gone = tuple(one for one in asked if one not in found)
        return Page(body_json({"data": {"productVariants": listing}}), "", False, len(found), gone)

    def _list(self, document: str, operation: str, options: dict[str, Plain]) -> dict[str, Plain]:
        found, _ = self._api.ask(operation, document, {"options": options}, writes=False)
        listing: dict[str, Plain] = found["productVariants"]
        return listing

    # sending

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets stockOnHand, absolute, at the change's location or the channel's one; the answer is compared with it."""
        receipts, planned = [], []
        pool = self.settings["stock_location"]
        terms = self._terms({change.place_ref or pool for change in changes}, set())
        for change in changes:
            place = change.place_ref or pool
            pieces = whole_figure(change, INT_MAX)
            if pieces is None:
                receipts.append(refused(change, "Vendure counts whole pieces from 0 up"))
            elif place not in terms.locations:
                receipts.append(refused(change, f"the shop has no stock location {place}"))
            else:
                given = {"id": change.key.listing, "stockLevels": [{"stockLocationId": place, "stockOnHand": pieces}]}
                planned.append(Planned(change, given, _stock_judge(change, place, pieces)))
        return receipts + self._send("send stock", SEND_STOCK, planned, self.manifest.sends["stock"].batch_max)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets the variant's price in the change's currency; the answer is compared with it."""
        receipts, planned = [], []
        terms = self._terms(set(), {change.after["currency"] for change in changes})
        for change in changes:
            currency, tax = change.after["currency"], change.after.get("tax", self.settings["prices_tax"])
            try:
                minor = hundredths(Decimal(change.after["amount"]))
            except ValueError as bad:
                receipts.append(refused(change, str(bad)))
                continue
            if currency not in terms.currencies:
                receipts.append(refused(change, f"the shop's channel has no prices in {currency}"))
            elif tax != terms.tax:
                receipts.append(refused(change, f"the shop's prices have tax {terms.tax}, this one has it {tax}"))
            elif not 0 <= minor <= INT_MAX:
                receipts.append(refused(change, "the amount is out of range"))
            else:
                given = {"id": change.key.listing, "prices": [{"currencyCode": currency, "price": minor}]}
                planned.append(Planned(change, given, _price_judge(change, currency, minor, tax)))
        return receipts + self._send("send price", SEND_PRICE, planned, self.manifest.sends["price"].batch_max)

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Tells of parcels, cancellations, refunds and what is ready to be fetched, each once however often it is sent."""
        return [self._facts.send(change) for change in changes]

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether these facts stand in their orders."""
        return [self._facts.find(change) for change in changes]

    def _terms(self, places: set[str], currencies: set[str]) -> Terms:
        """The shop's terms, asked for once, and again when these places and currencies are not all among them."""
        known = self._known
        if known is None or not (places <= known.locations and currencies <= known.currencies):
            found, _ = self._api.ask("read terms", TERMS, {}, writes=False)
            known = self._known = Terms(
                tax="included" if found["activeChannel"]["pricesIncludeTax"] else "excluded",
                currencies=frozenset(found["activeChannel"]["availableCurrencyCodes"]),
                locations=frozenset(place["id"] for place in found["stockLocations"]["items"]),
            )
        return known

    def _send(self, operation: str, document: str, planned: list[Planned], batch_max: int) -> list[Receipt]:
        """One receipt each. Vendure takes a batch whole or not at all, so a refused one is halved until the bad one is alone."""
        faults = 0

        def post(part: list[Planned]) -> tuple[list[Receipt], list[Planned]]:
            nonlocal faults
            if faults > FAULTS_MAX:
                return [not_sent(one, "not sent: too many parts of this batch failed without a reason") for one in part], []
            try:
                answer, ident = self._api.ask(operation, document, {"input": [one.given for one in part]}, writes=True)
            except RejectedError as no:
                faults += not no.meant
                if len(part) > 1:
                    return [], part
                outcome = Outcome.REFUSED if no.meant else Outcome.NOT_SENT
                return [Receipt(part[0].id, outcome, no.message, no.request_id)], []
            shown = {variant["id"]: variant for variant in answer["updateProductVariants"] if variant}
            return [_judged(one, shown, ident) for one in part], []

        return send_in_parts(cut(planned, batch_max), post)


def _changed_after(since: int | None) -> dict[str, Plain]:
    return {} if since is None else {"filter": {"updatedAt": {"after": iso(since)}}}


def _judged(one: Planned, shown: dict[str, dict[str, Plain]], ident: str) -> Receipt:
    variant = shown.get(one.change.key.listing)
    if variant is None:
        return unsure(one, "the answer does not show this variant", ident)
    return one.judge(variant)


def _stock_judge(change: Change, place: str, pieces: int) -> Callable[[dict[str, Plain]], Receipt]:
    def judge(variant: dict[str, Plain]) -> Receipt:
        levels = [level for level in variant["stockLevels"] if level["stockLocationId"] == place]
        if not levels:
            return refused(change, f"accepted, but the variant shows no stock at location {place}")
        on_hand, allocated = levels[0]["stockOnHand"], levels[0]["stockAllocated"]
        shows = {"raw": on_hand * THOUSAND, "sellable": (on_hand - allocated) * THOUSAND}
        if variant["trackInventory"] == "FALSE":
            return refused(change, "this variant does not track its stock, so it sells without limit")
        return compared(change, pieces, on_hand, shows, unit="on hand")

    return judge


def _price_judge(change: Change, currency: str, minor: int, tax: str) -> Callable[[dict[str, Plain]], Receipt]:
    def judge(variant: dict[str, Plain]) -> Receipt:
        prices = [price["price"] for price in variant["prices"] if price["currencyCode"] == currency]
        if not prices:
            return refused(change, f"accepted, but the variant shows no price in {currency}")
        asked, shown = plain_decimal(amount_of(minor)), plain_decimal(amount_of(int(prices[0])))
        return compared(change, asked, shown, {"amount": shown, "currency": currency, "tax": tax})

    return judge
