"""A shop that may be asked once in twenty seconds: the look before a write is paid once, together with the write."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from merchant import AARHUS, Merchant, merchant

from hub.sdk.pace import burst_of

SHARE = Decimal("0.0025")


def slow(shop: Merchant) -> None:
    """The webshop may be asked once in twenty seconds from now on."""
    declared = shop.stage.hub.channels["webshop"].manifest.pace
    bucket = shop.stage.hub.channels["webshop"].client.bucket
    bucket.per_second, bucket.burst = float(declared.per_second * SHARE), float(burst_of(declared.burst, SHARE))
    bucket.tokens, bucket.at = 0.0, shop.stage.clock.now()


def test_what_was_sold_is_told_where_a_look_and_a_write_are_more_than_there_is_at_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)})
    slow(shop)
    shop.till.ring_up({"TEE": 2}, place=AARHUS)
    shop.run(600)
    assert shop.shops("TEE")[0] == 13


def test_a_sale_is_read_though_changes_wait_all_the_time(tmp_path: Path) -> None:
    """The till sells faster than the shop can be told: its orders are read all the same, and nobody else offers what it sold."""
    shop = merchant(tmp_path, {"TEE": (5, 10), "MUG": (90, 1)})
    slow(shop)
    shop.webshop.order({"TEE": 3})
    shop.stage.lose_deliveries()
    before = shop.stage.writes("webshop")
    for _ in range(20):
        shop.till.ring_up({"MUG": 1}, place=AARHUS)
        shop.run(15)
    assert shop.shops("TEE") == (12, 12)
    assert shop.stage.writes("webshop") >= before + 6


def test_a_share_of_a_burst_is_two_where_the_platform_allows_two() -> None:
    assert [burst_of(burst, SHARE) for burst in (1, 2, 40, 2_000)] == [1, 2, 2, 5]
    assert burst_of(40, Decimal("0.5")) == 20
