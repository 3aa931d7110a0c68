"""Writing prices: of the variants themselves, product by product in one document, or fixed in the price list of a market."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.catalogue import Catalogue, Terms
from connectors.shopify.documents import LOOK_AT_PRICES, SET_LIST_PRICES, set_prices
from connectors.shopify.gids import gid, is_id, number
from connectors.shopify.parts import user_errors
from hub.sdk.api import (
    Change,
    OutcomeUnknownError,
    Plain,
    Receipt,
    compared,
    cut,
    exact_minor,
    plain_decimal,
    refused,
    send_in_parts,
    unsure,
)

PRODUCTS_MAX: Final = 20
"""Products in one document: a mutation costs 10 points, a document may cost 1,000."""
LIST_PRICES_MAX: Final = 100


class PriceSender:
    """Sends price changes of one channel."""

    def __init__(self, api: AdminApi, catalogue: Catalogue) -> None:
        self._api = api
        self._catalogue = catalogue

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change."""
        terms = self._catalogue.terms()
        if any(_unfit(change, terms) for change in changes):
            terms = self._catalogue.terms(fresh=True)
        receipts = [refused(change, words) for change in changes if (words := _unfit(change, terms))]
        held = {receipt.change for receipt in receipts}
        ids = sorted({change.key.listing for change in changes if change.id not in held and is_id(change.key.listing)})
        products = self._products(ids)
        unknown = [one for one in changes if one.id not in held and one.key.listing not in products]
        receipts += [refused(one, "the shop has no such variant") for one in unknown]
        held |= {one.id for one in unknown}
        left = [one for one in changes if one.id not in held]
        return receipts + (self._into_list(left, terms) if terms.price_list else self._into_shop(left, products))

    def _products(self, ids: Sequence[str]) -> dict[str, str]:
        if not ids:
            return {}
        answer = self._api.ask("look at prices", LOOK_AT_PRICES, {"ids": [gid("ProductVariant", one) for one in ids]})
        nodes = [node for node in answer.told.get("nodes") or [] if node and node["__typename"] == "ProductVariant"]
        return {number(node["id"]): str(node["product"]["id"]) for node in nodes}

    def _into_shop(self, changes: list[Change], products: dict[str, str]) -> list[Receipt]:
        groups: dict[str, list[Change]] = {}
        for change in changes:
            groups.setdefault(products[change.key.listing], []).append(change)
        known = list(groups)
        parts = [known[start : start + PRODUCTS_MAX] for start in range(0, len(known), PRODUCTS_MAX)]

        def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
            together = {product: groups[product] for product in dict.fromkeys(products[one.key.listing] for one in part)}
            asked: dict[str, Plain] = {}
            for place, (product, group) in enumerate(together.items()):
                asked[f"p{place}"] = product
                asked[f"v{place}"] = [
                    {"id": gid("ProductVariant", one.key.listing), "price": one.after["amount"]} for one in group
                ]
            answer = self._api.ask("set prices", set_prices(len(together)), asked, writes=True)
            receipts: list[Receipt] = []
            for place, group in enumerate(together.values()):
                receipts += _judged_product(group, answer.told.get(f"m{place}"), answer.request_id)
            return receipts, []

        return send_in_parts([[one for product in part for one in groups[product]] for part in parts], post)

    def _into_list(self, changes: list[Change], terms: Terms) -> list[Receipt]:
        def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
            prices = [
                {
                    "variantId": gid("ProductVariant", one.key.listing),
                    "price": {"amount": one.after["amount"], "currencyCode": terms.currency},
                }
                for one in part
            ]
            asked = {"list": gid("PriceList", terms.price_list), "prices": prices}
            answer = self._api.ask("set list prices", SET_LIST_PRICES, asked, writes=True)
            payload = answer.told.get("priceListFixedPricesAdd")
            if not isinstance(payload, dict):
                words = "the answer does not speak of it"
                raise OutcomeUnknownError(words, channel=self._api.context.channel, operation="set list prices")
            errors = user_errors(payload, ("prices",))
            if errors.by_place:
                # One that is wrong leaves all undone: the others go again without it.
                bad = [refused(part[at], error["message"]) for at, error in errors.by_place.items() if at < len(part)]
                return bad, [one for at, one in enumerate(part) if at not in errors.by_place]
            if errors.whole:
                return [refused(one, errors.whole["message"]) for one in part], []
            shown = {number(one["variant"]["id"]): one["price"] for one in payload.get("prices") or []}
            return [_judged_list(one, shown.get(one.key.listing), answer.request_id) for one in part], []

        return send_in_parts(cut(changes, LIST_PRICES_MAX), post)


def _unfit(change: Change, terms: Terms) -> str:
    """Why this price cannot be put to the shop; "" when it can."""
    currency, tax = change.after["currency"], change.after.get("tax") or terms.tax
    if currency != terms.currency:
        return f"prices here are in {terms.currency}, this one is in {currency}"
    if tax != terms.tax:
        return f"the shop's prices have tax {terms.tax}, this one has it {tax}"
    try:
        minor_units = exact_minor(Decimal(change.after["amount"]), currency)
    except (ValueError, ArithmeticError) as bad:
        return str(bad) or "not an amount"
    return "" if minor_units >= 0 else "a price is not below zero"


def _judged_product(group: list[Change], payload: Plain, ident: str) -> list[Receipt]:
    """What the answer shows of the variants of one product; valid ones are kept beside wrong ones."""
    if not isinstance(payload, dict):
        return [unsure(one, "the answer does not speak of it", ident) for one in group]
    errors = user_errors(payload, ("variants",))
    shown = {number(one["id"]): one["price"] for one in payload.get("productVariants") or [] if one}
    receipts = []
    for place, change in enumerate(group):
        error = errors.by_place.get(place)
        if error is not None:
            receipts.append(refused(change, f"{error['code']} {error['message']}".strip()))
        elif change.key.listing in shown:
            receipts.append(_judged(change, Decimal(str(shown[change.key.listing])), ident))
        elif errors.whole is not None:
            receipts.append(refused(change, f"{errors.whole['code']} {errors.whole['message']}".strip()))
        else:
            receipts.append(unsure(change, "answered success without this variant", ident))
    return receipts


def _judged_list(change: Change, price: Plain, ident: str) -> Receipt:
    if price is None:
        return unsure(change, "answered success without this variant", ident)
    return _judged(change, Decimal(str(price["amount"])), ident)


def _judged(change: Change, amount: Decimal, ident: str) -> Receipt:
    shows = {"amount": plain_decimal(amount), "currency": change.after["currency"]}
    if change.after.get("tax"):
        shows["tax"] = change.after["tax"]
    return compared(change, plain_decimal(Decimal(change.after["amount"])), shows["amount"], shows, ident)
