"""Writing stock and prices in batches: each object of an answer is compared with what was asked, because 200 proves nothing.

Simple products go together, variations by their product: that is how the routes are cut. A batch that is too large for the
site (413) had no effect and goes out again in halves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.woocommerce.shop_api import Row, ShopApi, words_of
from hub.sdk.api import (
    THOUSAND,
    Change,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Planned,
    Receipt,
    compared,
    cut,
    not_sent,
    plain_decimal,
    refused,
    send_in_parts,
    unsure,
    whole_figure,
)

BATCH_MAX: Final = 100
"""Objects in one call; the site's own filter may allow fewer."""
CALLS_MAX: Final = 60
"""Calls for one batch of changes (variations of many products); the rest goes with the next one."""
QUANTITY_MAX: Final = 10**9
VARIATION_ELSEWHERE: Final = "woocommerce_rest_invalid_product_id"
"""Said of a variation that was written as a product: our picture of it is old."""


class FigureSender:
    """Sends the figures of one shop."""

    def __init__(self, api: ShopApi, settings: Mapping[str, str]) -> None:
        self._api = api
        self._currency = settings.get("currency", "")
        self._tax = settings.get("prices_tax", "")
        self._manage = settings.get("unmanaged", "refuse") == "manage"
        given = settings.get("batch_max", "")
        self._size = max(1, min(int(given), BATCH_MAX)) if given.isdecimal() else BATCH_MAX

    def stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets the quantity, absolute, where the product manages its stock itself."""
        receipts, planned = [], []
        for change in changes:
            pieces = whole_figure(change, QUANTITY_MAX)
            if pieces is None:
                receipts.append(refused(change, "the shop counts whole pieces from 0 up"))
                continue
            given: Row = {"stock_quantity": pieces}
            if self._manage:
                given["manage_stock"] = True
            planned.append(Planned(change, given, _stock_judge(change, pieces)))
        return receipts + self._send(planned, "send stock")

    def price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets the regular price and ends a sale, so that this is what a customer pays."""
        receipts, planned = [], []
        for change in changes:
            asked = change.after
            try:
                amount = Decimal(str(asked["amount"]))
            except InvalidOperation:
                amount = Decimal(-1)
            if not amount.is_finite() or amount < 0:
                receipts.append(refused(change, "a price is an amount from 0 up"))
            elif asked["currency"] != self._currency:
                receipts.append(refused(change, f"the shop's prices are in {self._currency}"))
            elif asked.get("tax", self._tax) != self._tax:
                receipts.append(refused(change, f"the shop's prices have tax {self._tax}"))
            elif change.refs.get("kind") == "pool":
                receipts.append(refused(change, "a variable product has no price of its own"))
            else:
                # A dot, no separator of thousands, no exponent: a comma is dropped and the price is a hundred times as much.
                text = price_text(amount)
                given = {"regular_price": text, "sale_price": ""}
                planned.append(Planned(change, given, _price_judge(change, amount, self._currency, self._tax)))
        return receipts + self._send(planned, "send price")

    def _send(self, planned: Sequence[Planned], operation: str) -> list[Receipt]:
        receipts: list[Receipt] = []
        parts = [part for group in _by_route(planned, receipts).values() for part in cut(group, self._size)]
        calls = 0

        def post(group: list[Planned]) -> tuple[list[Receipt], list[Planned]]:
            nonlocal calls
            if calls >= CALLS_MAX:
                return [not_sent(one, "with the next batch: these are many products") for one in group], []
            calls += 1
            objects = [{"id": int(one.change.key.listing), **one.given} for one in group]
            route = _route(group[0])
            status, said = self._api.write("POST", route, {"update": objects}, operation, statuses=frozenset({413}))
            if status != 413:
                return _judged(group, said), []
            if len(group) == 1:
                return [refused(group[0], f"the site takes no batch at all: {words_of(said)}")], []
            self._size = max(1, len(group) // 2)
            return [], group

        return receipts + send_in_parts(parts, post)


def price_text(amount: Decimal) -> str:
    """The amount as the shop must be told it: digits, one dot, at least two decimals where there are any."""
    text = plain_decimal(amount)
    head, found, decimals = text.partition(".")
    return f"{head}.{decimals.ljust(2, '0')}" if found else text


def _by_route(planned: Sequence[Planned], receipts: list[Receipt]) -> dict[str, list[Planned]]:
    """The changes by the route that writes them; what is no id of the shop is refused here."""
    routes: dict[str, list[Planned]] = {}
    for one in planned:
        listing = one.change.key.listing
        if not (listing.isascii() and listing.isdigit()):
            receipts.append(refused(one, "the shop has no such product"))
            continue
        routes.setdefault(_route(one), []).append(one)
    return routes


def _route(one: Planned) -> str:
    parent = one.change.refs.get("parent", "")
    return f"products/{parent}/variations/batch" if parent.isdigit() and parent != "0" else "products/batch"


def _judged(group: Sequence[Planned], said: Row) -> list[Receipt]:
    rows = said.get("update")
    shown = {str(row.get("id")): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
    if not shown:
        raise OutcomeUnknownError("the answer shows none of the products", operation="send")
    receipts = []
    for one in group:
        row = shown.get(one.change.key.listing)
        if row is None:
            receipts.append(unsure(one, "the answer does not show this product"))
        elif "error" in row:
            receipts.append(_of_error(one.change, row["error"]))
        else:
            receipts.append(one.judge(row))
    return receipts


def _of_error(change: Change, error: Plain) -> Receipt:
    if not isinstance(error, dict):
        return unsure(change, "an error without words")
    inside = error.get("data")
    status = inside.get("status") if isinstance(inside, dict) else inside
    if error.get("code") == VARIATION_ELSEWHERE:
        return Receipt(change.id, Outcome.CONFLICT, words_of(error))
    if isinstance(status, int) and status >= 500:
        return unsure(change, words_of(error))
    return refused(change, words_of(error))


def _stock_judge(change: Change, pieces: int) -> Callable[[Row], Receipt]:
    def judge(row: Row) -> Receipt:
        manages, shown = row.get("manage_stock"), row.get("stock_quantity")
        if manages == "parent":
            return refused(change, "taken, and nothing done: the stock of this variation is kept by its product")
        if manages is not True:
            return refused(change, "taken, and nothing done: this product does not manage its stock, it sells without limit")
        if not isinstance(shown, int | Decimal) or isinstance(shown, bool):
            return unsure(change, "the answer shows no quantity")
        raw = int(shown * THOUSAND)
        return compared(change, pieces, shown, {"raw": raw, "sellable": raw})

    return judge


def _price_judge(change: Change, amount: Decimal, currency: str, tax: str) -> Callable[[Row], Receipt]:
    def judge(row: Row) -> Receipt:
        try:
            shown = Decimal(str(row.get("price", "")))
        except InvalidOperation:
            return refused(change, f"asked for {price_text(amount)}, the shop shows no price")
        shows = {"amount": plain_decimal(shown), "currency": currency, "tax": tax}
        return compared(change, plain_decimal(amount), shows["amount"], shows)

    return judge
