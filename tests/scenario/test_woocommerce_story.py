"""A WooCommerce shop beside an ERP that keeps the books: an order that its clerk calls off when it has left already."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from merchant import Merchant, merchant

WEBSHOP = """
channel: webshop
connector: woocommerce
role: webshop
mode: live
base_url: https://webshop.example
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:X", consumer_secret: "env:X", hook_secret: "env:X"}
sells_from: [aarhus, warehouse]
orders_since: 2020-01-01
orders: {take_in: true}
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, orders: {poll_seconds: 60, sweep_seconds: 3600}}
"""


@pytest.fixture
def crossed(tmp_path: Path) -> tuple[Merchant, str]:
    """Two TEEs were ordered and sent, and the shop's clerk called the order off before the shop heard of that."""
    shop = merchant(tmp_path, {"TEE": (0, 10)}, extra={"channels/webshop.yaml": WEBSHOP})
    order: str = shop.webshop.order({"TEE": 2})
    shop.run(180)
    shop.webshop.faults.down = True
    for number in shop.erp.orders_shown():
        shop.erp.ship(number, tracking="GLS-1")
    shop.run(180)
    shop.webshop.faults.down = False
    shop.webshop.cancel(order)
    return shop, order


def lived(shop: Merchant) -> list[dict[str, Any]]:
    """The books after a quarter of an hour; the pieces are sold, and the shop was told nothing that it turns away."""
    shop.run(900)
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (8, (8, 8))
    assert shop.stage.letters() == []
    return shop.sales()


def test_what_nobody_paid_back_is_for_a_person(crossed: tuple[Merchant, str]) -> None:
    shop, _ = crossed
    assert [sale["total_minor"] for sale in lived(shop)] == [2 * 19995]
    words = "called off in the webshop when 2 of TEE had left: 399.90 DKK of it are credited nowhere, a person sees to it"
    assert shop.stuck() == [words]


def test_what_was_paid_back_is_a_credit(crossed: tuple[Merchant, str]) -> None:
    shop, order = crossed
    shop.webshop.refund(order, Decimal("399.90"))
    assert [sale["total_minor"] for sale in lived(shop)] == [2 * 19995, -2 * 19995]
    assert shop.stuck() == []


def test_of_what_was_paid_back_in_part_the_rest_is_for_a_person(crossed: tuple[Merchant, str]) -> None:
    shop, order = crossed
    shop.webshop.refund(order, Decimal("199.95"))
    assert [sale["total_minor"] for sale in lived(shop)] == [2 * 19995, -19995]
    words = "called off in the webshop when 2 of TEE had left: 199.95 DKK of it are credited nowhere, a person sees to it"
    assert shop.stuck() == [words]
