"""A shop whose lists come slowly: what was read and waits to be understood is waited for, and not read again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from merchant import WAREHOUSE, Merchant, merchant

from hub.store import cursors

WAIT_SECONDS = 0.3
"""Longer than a rise waits before it is looked at again, as a page of a slow shop takes."""


def test_more_goods_are_offered_though_reading_orders_takes_longer_than_the_wait_for_it(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    hub, clock = shop.stage.hub, shop.stage.clock
    shop.erp.count("TEE", 20, WAREHOUSE)
    shop.webshop.order({"TEE": 1}, shipping=Decimal("39.00"))
    shop.stage.lose_deliveries()
    clock.advance(61)
    while hub.turns["erp"].step() == "worked":
        pass
    while hub.walk.step():
        pass
    before = times_read(shop)
    # The walk is busy elsewhere: nothing that is read is understood for three seconds.
    for _ in range(10):
        hub.turns["webshop"].step()
        clock.advance(WAIT_SECONDS)
    assert times_read(shop) == before + 1, "not again and again"
    assert shop.shops("TEE")[0] == 9, "nobody understands yet what the shop sold meanwhile"
    while hub.walk.step():
        pass
    clock.advance(WAIT_SECONDS)
    hub.settle()
    assert shop.shops("TEE")[0] == 19


def times_read(shop: Merchant) -> int:
    """How often the webshop's orders have been polled."""
    return shop.stage.hub.database.read(lambda tx: cursors.reading(tx, "webshop", "orders", "poll")).number
