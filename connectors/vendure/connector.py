"""Vendure: reads variants, stock levels, prices and orders; writes stock on hand, prices and what became of an order.

Facts checked on 3.7.3. Orders have their own files: `order_reading.py`, `order_records.py`, `order_sending.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.vendure.admin_api import AdminApi, RejectedError
from connectors.vendure.documents import PROBE, READ_ITEMS, READ_STOCK, SEND_PRICE, SEND_STOCK, TERMS
from connectors.vendure.money import amount_of, hundredths
from connectors.vendure.order_reading import OrderReader, pickups
from connectors.vendure.order_sending import OrderSender
from connectors.vendure.reading import Reading
from hub.sdk.api import (
    Change,
    ChannelError,
    Connector,
    Outcome,
    OutcomeUnknownError,
    Page,
    Plain,
    ReadAsk,
    Receipt,
    UnavailableError,
    body_json,
    iso,
    micros,
    plain_decimal,
)

THOUSAND: Final = 1000
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


@dataclass(frozen=True, slots=True)
class Planned:
    """One change with the input that expresses it and the judge of the variant shown in the answer."""

    change: Change
    given: dict[str, Plain]
    judge: Callable[[dict[str, Plain]], Receipt]


class VendureConnector(Connector):
    """One Vendure channel, by its Admin API."""

    def opened(self) -> None:
        """Prepare signing in; nothing is asked yet."""
        self._api = AdminApi(self.context)
        self._known: Terms | None = None
        overlap, places = self.manifest.streams["orders"].overlap_seconds, pickups(self.settings.get("pickup_methods", ""))
        self._orders = OrderReader(self._api, self.context.channel, overlap, places)
        self._facts = OrderSender(self._api)

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next variants with product, options, prices and stock levels; a poll asks for those changed since."""
        reading = Reading.from_cursor(ask.cursor)
        if not reading.under_way:
            begun = self._opened_reading(reading, ask.full, self.manifest.streams["items"].overlap_seconds)
            if begun is None:
                return Page(body_json({"data": {"productVariants": {"totalItems": 0, "items": []}}}), reading.cursor(), False, 0)
            reading = begun
        return self._page(READ_ITEMS, "read items", reading, ask.page_max)

    def read_stock(self, ask: ReadAsk) -> Page:
        """The next variants with their stock levels only: always the whole listing."""
        reading = Reading.from_cursor(ask.cursor)
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
        times = [_micros(item["updatedAt"]) for item in found["newest"]["items"]]
        return max(times, default=None), found["window"]["totalItems"]

    def _page(self, document: str, operation: str, reading: Reading, page_max: int) -> Page:
        anchor = 1 if reading.last else 0
        listing = self._list(
            document,
            operation,
            {
                "skip": reading.skip - anchor,
                "take": page_max + anchor,
                "sort": {"id": "ASC"},
                **_changed_after(reading.since),
            },
        )
        items, total = listing["items"], listing["totalItems"]
        if anchor and (not items or items[0]["id"] != reading.last):
            # Something before this place was deleted: step back, so that nothing slips through the gap.
            return self._page(document, operation, reading.stepped_back(page_max), page_max)
        items = listing["items"] = items[anchor:]
        after = reading.read([item["id"] for item in items])
        more = after.skip < total
        if more and not items:
            raise UnavailableError(
                f"the listing ended after {after.skip} of {total}", channel=self.context.channel, operation=operation
            )
        cursor = after.cursor() if more else after.closed().cursor()
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
            pieces, rest = divmod(change.after["raw"], THOUSAND)
            if rest or not 0 <= pieces <= INT_MAX:
                receipts.append(_refused(change, "Vendure counts whole pieces from 0 up"))
            elif place not in terms.locations:
                receipts.append(_refused(change, f"the shop has no stock location {place}"))
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
                receipts.append(_refused(change, str(bad)))
                continue
            if currency not in terms.currencies:
                receipts.append(_refused(change, f"the shop's channel has no prices in {currency}"))
            elif tax != terms.tax:
                receipts.append(_refused(change, f"the shop's prices have tax {terms.tax}, this one has it {tax}"))
            elif not 0 <= minor <= INT_MAX:
                receipts.append(_refused(change, "the amount is out of range"))
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
        waiting = [planned[start : start + batch_max] for start in range(0, len(planned), batch_max)]
        receipts: list[Receipt] = []
        faults = 0
        while waiting:
            part = waiting.pop(0)
            try:
                answer, ident = self._api.ask(operation, document, {"input": [one.given for one in part]}, writes=True)
            except RejectedError as refused:
                faults += not refused.meant
                if faults > FAULTS_MAX:
                    return receipts + _unsent(part, waiting, refused)
                if len(part) > 1:
                    middle = len(part) // 2
                    waiting[:0] = [part[:middle], part[middle:]]
                else:
                    outcome = Outcome.REFUSED if refused.meant else Outcome.NOT_SENT
                    receipts.append(Receipt(part[0].change.id, outcome, refused.message, refused.request_id))
                continue
            except ChannelError as failed:
                if not receipts:
                    raise
                return receipts + _unsent(part, waiting, failed)
            shown = {variant["id"]: variant for variant in answer["updateProductVariants"] if variant}
            receipts += [_judged(one, shown, ident) for one in part]
        return receipts


def _micros(text: str) -> int:
    return micros(dt.datetime.fromisoformat(text))


def _changed_after(since: int | None) -> dict[str, Plain]:
    return {} if since is None else {"filter": {"updatedAt": {"after": iso(since)}}}


def _judged(one: Planned, shown: dict[str, dict[str, Plain]], ident: str) -> Receipt:
    variant = shown.get(one.change.key.listing)
    if variant is None:
        return Receipt(one.change.id, Outcome.UNKNOWN, "the answer does not show this variant", ident)
    return one.judge(variant)


def _stock_judge(change: Change, place: str, pieces: int) -> Callable[[dict[str, Plain]], Receipt]:
    def judge(variant: dict[str, Plain]) -> Receipt:
        levels = [level for level in variant["stockLevels"] if level["stockLocationId"] == place]
        if not levels:
            return _refused(change, f"accepted, but the variant shows no stock at location {place}")
        on_hand, allocated = levels[0]["stockOnHand"], levels[0]["stockAllocated"]
        shows = {"raw": on_hand * THOUSAND, "sellable": (on_hand - allocated) * THOUSAND}
        if variant["trackInventory"] == "FALSE":
            return Receipt(change.id, Outcome.REFUSED, "this variant does not track its stock, so it sells without limit")
        if on_hand != pieces:
            return Receipt(change.id, Outcome.REFUSED, f"asked for {pieces} on hand, the shop shows {on_hand}", shows=shows)
        return Receipt(change.id, Outcome.APPLIED, shows=shows)

    return judge


def _price_judge(change: Change, currency: str, minor: int, tax: str) -> Callable[[dict[str, Plain]], Receipt]:
    def judge(variant: dict[str, Plain]) -> Receipt:
        prices = [price["price"] for price in variant["prices"] if price["currencyCode"] == currency]
        if not prices:
            return _refused(change, f"accepted, but the variant shows no price in {currency}")
        shows = {"amount": plain_decimal(amount_of(int(prices[0]))), "currency": currency, "tax": tax}
        if prices[0] != minor:
            words = f"asked for {minor} hundredths, the shop shows {prices[0]}"
            return Receipt(change.id, Outcome.REFUSED, words, shows=shows)
        return Receipt(change.id, Outcome.APPLIED, shows=shows)

    return judge


def _refused(change: Change, words: str) -> Receipt:
    return Receipt(change.id, Outcome.REFUSED, words)


def _unsent(part: Iterable[Planned], rest: Iterable[Iterable[Planned]], failed: ChannelError) -> list[Receipt]:
    """Receipts of a batch that a failure broke off after other parts of it were answered."""
    outcome = Outcome.UNKNOWN if isinstance(failed, OutcomeUnknownError) else Outcome.NOT_SENT
    receipts = [Receipt(one.change.id, outcome, failed.message, failed.request_id) for one in part]
    later = [one for part in rest for one in part]
    return receipts + [Receipt(one.change.id, Outcome.NOT_SENT, "not sent: an earlier part failed") for one in later]
