"""An order in a real webshop becomes one sale in a real ERP, is shipped there, and the shop shows it shipped."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desks import Clerk, ShopDesk
from hub_run import HOOK_SECRET, RunningHub, free_port, wait_for
from systems import RealTryton, RealVendure

pytestmark = pytest.mark.real
AGREE_SECONDS_MAX = 60
KILLS = 10
CHECKOUT = (
    'setCustomerForOrder(input:{firstName:"Made",lastName:"Buyer",emailAddress:"made.buyer@shop.example"})',
    'setOrderShippingAddress(input:{fullName:"Made Buyer",streetLine1:"1",city:"Aarhus",postalCode:"8000",countryCode:"DK"})',
    'setOrderShippingMethod(shippingMethodId:["1"])',
    'transitionOrderToState(state:"ArrangingPayment")',
    'addPaymentToOrder(input:{method:"dummy",metadata:{}})',
)
ADD = "mutation($v:ID!,$q:Int!){addItemToOrder(productVariantId:$v,quantity:$q){__typename ...on ErrorResult{errorCode}}}"
ORDERS = (
    "{orders(options:{take:20,filter:{active:{eq:false}}})"
    "{items{id code state fulfillments{state trackingCode} lines{id quantity} payments{refunds{state total}}}}}"
)
CANCEL = "mutation($i:CancelOrderInput!){cancelOrder(input:$i){__typename ...on ErrorResult{errorCode}}}"


class Story:
    """The shop's customer and editor, the ERP's clerk, and the hub between."""

    def __init__(self, hub: RunningHub, erp: RealTryton, shop: RealVendure) -> None:
        self.hub = hub
        self.shop = shop
        self.clerk = Clerk(erp)
        self.editor = ShopDesk.editor(shop)

    def buy(self, sku: str, pieces: int) -> None:
        """A customer pays for these pieces."""
        customer = ShopDesk(self.shop)
        customer.ask(ADD, v=self.editor.articles()[sku]["id"], q=pieces)
        for step in CHECKOUT:
            customer.ask(f"mutation{{{step}{{__typename ...on ErrorResult{{errorCode}}}}}}")
        customer.leave()

    def on_sale(self, sku: str) -> int:
        """How many a customer can buy."""
        (level,) = [one for one in self.editor.articles()[sku]["stockLevels"] if one["stockLocation"]["name"] == "Warehouse"]
        return int(level["stockOnHand"]) - int(level["stockAllocated"])

    def sales(self) -> list[dict[str, Any]]:
        """The sales that the ERP holds."""
        fields = ["reference", "state", "shipments", "lines"]
        found: list[dict[str, Any]] = self.clerk.call("sale.sale.search_read", [], 0, 100, [["id", "ASC"]], fields)
        return found

    def ship(self, sale: dict[str, Any], tracking: str) -> None:
        """The clerk packs and sends what the sale asks for."""
        out = "stock.shipment.out"
        shipments = sale["shipments"]
        self.clerk.call(f"{out}.write", shipments, {"reference": tracking})
        self.clerk.call(f"{out}.assign_try", shipments)
        for verb in ("pick", "pack", "ship", "do"):
            self.clerk.call(f"{out}.{verb}", shipments)

    def shop_orders(self) -> list[dict[str, Any]]:
        """What the shop says of its orders."""
        found: list[dict[str, Any]] = self.editor.ask(ORDERS)["orders"]["items"]
        return found

    def cancel(self, pieces: int) -> None:
        """An editor cancels pieces of the only order."""
        (order,) = self.shop_orders()
        (line,) = order["lines"]
        part = {"orderLineId": line["id"], "quantity": pieces}
        self.editor.ask(CANCEL, i={"orderId": order["id"], "lines": [part], "reason": "made", "cancelShipping": False})

    def to_ship(self) -> float:
        """The pieces that are on their way out of the ERP's warehouse by its shipments."""
        fields = ["outgoing_moves.quantity", "outgoing_moves.state"]
        shipments = self.clerk.call("stock.shipment.out.search_read", [["state", "!=", "cancelled"]], 0, 100, None, fields)
        moves = [move for shipment in shipments for move in shipment["outgoing_moves."]]
        return sum(move["quantity"] for move in moves if move["state"] != "cancelled")

    def refunds(self) -> list[tuple[str, int]]:
        """What the shop gave back: state and amount in minor units."""
        payments = [payment for order in self.shop_orders() for payment in order["payments"]]
        return [(one["state"], int(one["total"])) for payment in payments for one in payment["refunds"]]

    def booked(self, count: int) -> bool:
        """Whether exactly so many sales are being worked off."""
        sales = self.sales()
        return len(sales) == count and all(sale["state"] == "processing" and sale["shipments"] for sale in sales)

    def shipped(self, tracking: str) -> bool:
        """Whether the shop shows this parcel as sent."""
        parcels = [parcel for order in self.shop_orders() for parcel in order["fulfillments"]]
        return [p["state"] in ("Shipped", "Delivered") for p in parcels if tracking in (p["trackingCode"] or "")] == [True]


@pytest.fixture
def story(
    tmp_path: Path, fresh_tryton: Callable[[], RealTryton], fresh_vendure: Callable[[str, str], RealVendure]
) -> Iterator[Story]:
    hub = RunningHub(tmp_path / "config", free_port())
    erp, shop = fresh_tryton(), fresh_vendure(hub.hook_url, HOOK_SECRET)
    clerk = Clerk(erp)
    (tax,) = clerk.call("account.tax.search", [], 0, 1, None)
    service = {"name": "Parcel", "type": "service", "default_uom": 1, "list_price": {"__class__": "Decimal", "decimal": "0"}}
    accounts = clerk.call("product.category.search", [["accounting", "=", True]], 0, 1, None)
    made = {**service, "salable": True, "sale_uom": 1, "account_category": accounts[0], "products": [["create", [{}]]]}
    (template,) = clerk.call("product.template.create", [made])
    (product,) = clerk.call("product.product.search", [["template", "=", template]], 0, 1, None)
    hub.configure(erp, clerk.storage(), shop, shipping=str(product), tax=str(tax))
    clerk.leave()
    webshop = hub.folder / "channels/webshop.yaml"
    settings = webshop.read_text(encoding="utf-8").replace("{take_in: true}", "{take_in: true, pay_refunds: true}")
    webshop.write_text(settings, encoding="utf-8")
    hub.start()
    told = Story(hub, erp, shop)
    wait_for("the shop shows the stock", lambda: told.on_sale("CAP-001") == 60, AGREE_SECONDS_MAX)
    yield told
    told.clerk.leave()
    told.editor.leave()
    assert hub.stop() == 0


def test_an_order_is_one_sale_and_one_parcel(story: Story) -> None:
    story.buy("CAP-001", 2)
    wait_for("the order is booked", lambda: story.booked(1), AGREE_SECONDS_MAX)
    assert story.on_sale("CAP-001") == 58
    story.ship(story.sales()[0], "GLS-4711")
    wait_for("the shop shows the parcel", lambda: story.shipped("GLS-4711"), AGREE_SECONDS_MAX)
    wait_for("the stock is right", lambda: story.on_sale("CAP-001") == 58, AGREE_SECONDS_MAX)
    assert story.clerk.articles()["CAP-001"]["quantity"] == 58
    assert len(story.sales()) == 1
    assert "made.buyer" not in story.hub.log()


def test_a_sale_at_the_erps_own_till_leaves_fewer_in_the_shop(story: Story) -> None:
    story.clerk.ring_up("CAP-001", 3)
    assert story.clerk.articles()["CAP-001"]["quantity"] == 57
    wait_for("the shop shows fewer", lambda: story.on_sale("CAP-001") == 57, AGREE_SECONDS_MAX)
    assert story.sales() == []


def test_pieces_cancelled_in_the_shop_are_not_shipped_and_pieces_credited_in_the_erp_are_paid_back(story: Story) -> None:
    story.buy("CAP-001", 3)
    wait_for("the order is booked", lambda: story.booked(1), AGREE_SECONDS_MAX)
    assert story.to_ship() == 3
    story.cancel(1)
    wait_for("the ERP ships one less", lambda: story.to_ship() == 2, AGREE_SECONDS_MAX)
    wait_for("the cancelled piece is for sale", lambda: story.on_sale("CAP-001") == 58, AGREE_SECONDS_MAX)
    (sale,) = story.sales()
    story.ship(sale, "GLS-0815")
    wait_for("the shop shows the parcel", lambda: story.shipped("GLS-0815"), AGREE_SECONDS_MAX)
    assert story.clerk.articles()["CAP-001"]["quantity"] == 58

    story.clerk.take_back(sale["reference"], "CAP-001", 1)
    price = int(story.editor.articles()["CAP-001"]["priceWithTax"])
    wait_for("the shop pays it back", lambda: story.refunds() == [("Settled", price)], AGREE_SECONDS_MAX)
    wait_for("what came back is for sale", lambda: story.on_sale("CAP-001") == 59, AGREE_SECONDS_MAX)
    assert len(story.sales()) == 2


def test_killed_at_ten_random_moments_it_is_still_once(story: Story) -> None:
    chance = random.Random(4711)
    for number in range(KILLS):
        story.buy("CAP-001", 1)
        time.sleep(chance.uniform(0.0, 1.5))
        story.hub.kill()
        story.hub.start()
        if number == KILLS // 2:
            wait_for("orders so far are booked", lambda: story.booked(KILLS // 2 + 1), AGREE_SECONDS_MAX)
    wait_for("every order is booked once", lambda: story.booked(KILLS), AGREE_SECONDS_MAX)
    for place, sale in enumerate(story.sales()):
        story.ship(sale, f"GLS-{place:03d}")
    for place in range(KILLS):
        wait_for("every parcel is shown once", lambda: story.shipped(f"GLS-{place:03d}"), AGREE_SECONDS_MAX)  # noqa: B023
    wait_for("the stock is right", lambda: story.on_sale("CAP-001") == 60 - KILLS, AGREE_SECONDS_MAX)
    assert len(story.sales()) == KILLS
