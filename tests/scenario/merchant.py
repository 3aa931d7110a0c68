"""The merchant of the order stories: a shop in Aarhus with a till, a warehouse with an ERP that keeps the books, a webshop whose
orders are sent or fetched in Aarhus, and a social shop. Everything is read and right, nothing is under way."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from fault_stage import FOUR
from stage import FILES, Stage, stage

AARHUS, WAREHOUSE = "LAARHUS000001", "3"
KINDS = {"SHIPPING": "Shipping", "OTHER": "Other", "GIFT": "Gift card", "TIP": "Tip"}
LOCATIONS = """
aarhus: {title: Shop in Aarhus, channels: {till: LAARHUS000001, erp: "11", webshop: aarhus}}
warehouse: {title: Warehouse, channels: {erp: "3"}}
"""
AUTHORITY = """
items: [{channel: erp}]
stock:
  - {channel: till, covers: [aarhus], contains: ["till:*"]}
  - {channel: erp, covers: [warehouse], contains: ["own:shipped"], demand: read}
prices: [{channel: erp, list: retail}]
"""
ORDERS = ", orders: {poll_seconds: 60, sweep_seconds: 3600}}\n"
BOOKS = """orders:
  take_in: true
  export_from: [webshop, till]
  suspense_payment: other
  suspense_tax: "1"
  taxes: {"25": "1", "0": ""}
  items: {gift_card_sale: GIFT, tip: TIP, shipping: SHIPPING}
  catch_all_item: OTHER
"""


def files(**more: str) -> dict[str, str]:
    """The merchant's configuration; `more` replaces the till's, webshop's or ERP's part on orders (`till=…`)."""
    channel = {name: FOUR.get(f"channels/{name}.yaml", FILES[f"channels/{name}.yaml"]) for name in ("till", "erp", "webshop")}
    read = {name: text.replace("sweep_seconds: 600}}\n", "sweep_seconds: 600}" + ORDERS) for name, text in channel.items()}
    webshop = read["webshop"].replace("username: superadmin}", 'username: superadmin, pickup_methods: "fetch-aarhus=aarhus"}')
    never = ", ".join(KINDS)
    return {
        **FOUR,
        "locations.yaml": LOCATIONS,
        "authority.yaml": more.get("authority", AUTHORITY),
        "channels/till.yaml": read["till"] + more.get("till", "orders: {take_in: true, export_from: [webshop]}\n"),
        "channels/webshop.yaml": webshop + more.get("webshop", "orders: {take_in: true}\n"),
        "channels/erp.yaml": read["erp"] + more.get("erp", BOOKS),
        "channels/social.yaml": FOUR["channels/social.yaml"].replace("offer: all", f"offer: all, never_skus: [{never}]"),
    }


def slowly(**more: str) -> dict[str, str]:
    """The same with channels that are read every hour: for stories of whole days."""
    slow = {name: text for name, text in files(**more).items() if name.startswith("channels/")}
    for often, seldom in (("poll_seconds: 60,", "poll_seconds: 3600,"), ("sweep_seconds: 600}", "sweep_seconds: 14400}")):
        slow = {name: text.replace(often, seldom) for name, text in slow.items()}
    movements = "streams: {movements: {poll_seconds: 3600, sweep_seconds: 14400}, "
    return {**slow, "channels/erp.yaml": slow["channels/erp.yaml"].replace("streams: {", movements)}


class Merchant:
    """The stage in the words of its people."""

    def __init__(self, made: Stage) -> None:
        self.stage = made
        self.till, self.erp = made.platforms["till"], made.platforms["erp"]
        self.webshop, self.social = made.platforms["webshop"], made.platforms["social"]

    def run(self, seconds: float) -> None:
        """Let the hub work and that much time pass."""
        self.stage.run(seconds)

    def shops(self, sku: str) -> tuple[int, int]:
        """What customers can buy in the webshop and in the social shop."""
        return self.stage.shows("webshop", sku), self.stage.shows("social", sku)

    def at_till(self, sku: str) -> int:
        """The till's own figure in Aarhus."""
        return int(self.till.shown()[sku]["stock"][AARHUS])

    def in_warehouse(self, sku: str) -> int:
        """The ERP's own figure of the warehouse."""
        return int(self.erp.shown()[sku]["stock"][WAREHOUSE])

    def sales(self) -> list[dict[str, Any]]:
        """What stands in the books and was not called off, the oldest first; credits have negative totals."""
        return [sale for sale in self.erp.orders_shown().values() if sale["state"] != "cancelled"]

    def booked(self) -> int:
        """The sum of the books in minor units."""
        return sum(int(sale["total_minor"]) for sale in self.sales())

    def stuck(self) -> list[str]:
        """Why orders are stuck, in the hub's words."""
        from hub.store import orders

        found = self.stage.hub.database.read(lambda tx: orders.latest(tx, 100, stuck=True))
        return ["; ".join(filter(None, (order.words, order.asks))) for order in found]

    def quiet(self) -> bool:
        """Whether the hub writes nothing more and nothing is wrong."""
        before = self.stage.writes()
        self.run(300)
        return self.stage.writes() == before and self.stage.letters() == [] and self.stuck() == []


def merchant(
    folder: Path,
    stock: dict[str, tuple[int, int]],
    prices: dict[str, str] | None = None,
    *,
    seed: int = 0,
    extra: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
    **more: str,
) -> Merchant:
    """A merchant with these things: SKU → (pieces in Aarhus, pieces in the warehouse); prices are without tax.

    `extra` are further files of the configuration, `options` what its platforms are made with.
    """
    made = stage(folder, files={**files(**more), **(extra or {})}, options=options, seed=seed)
    for sku, title in KINDS.items():
        made.platforms["erp"].add_intangible(sku, title)
    for sku, (aarhus, warehouse) in stock.items():
        price = Decimal((prices or {}).get(sku, "159.96"))
        for channel in ("erp", "till", "webshop"):
            made.platforms[channel].add_item(sku, f"Thing {sku}", price=price)
        made.platforms["erp"].count(sku, warehouse, WAREHOUSE)
        made.platforms["till"].count(sku, aarhus, AARHUS)
    made.run(60)
    here = Merchant(made)
    for sku, (aarhus, warehouse) in stock.items():
        assert here.shops(sku) == (aarhus + warehouse,) * 2, sku
    assert made.letters() == []
    return here
