"""A shop that may be asked once in twenty seconds: the look before a write is paid once, together with the write."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from merchant import AARHUS, merchant

from hub.sdk.pace import burst_of

SHARE = Decimal("0.0025")


def test_what_was_sold_is_told_where_a_look_and_a_write_are_more_than_there_is_at_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)})
    declared = shop.stage.hub.channels["webshop"].manifest.pace
    bucket = shop.stage.hub.channels["webshop"].client.bucket
    bucket.per_second, bucket.burst = float(declared.per_second * SHARE), float(burst_of(declared.burst, SHARE))
    bucket.tokens, bucket.at = 0.0, shop.stage.clock.now()
    shop.till.ring_up({"TEE": 2}, place=AARHUS)
    shop.run(600)
    assert shop.shops("TEE")[0] == 13


def test_a_share_of_a_burst_is_two_where_the_platform_allows_two() -> None:
    assert [burst_of(burst, SHARE) for burst in (1, 2, 40, 2_000)] == [1, 2, 2, 5]
    assert burst_of(40, Decimal("0.5")) == 20
