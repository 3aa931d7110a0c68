"""The hub dies after everything that it does, and right after every write of its: click and collect, and a return, still once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from merchant import AARHUS, Merchant, merchant

from hub.sdk.wire import Request, Response


class KilledError(BaseException):
    """The process ends here: nothing may catch it."""


STANDS = (
    "SELECT channel, their, role, value FROM order_bindings ORDER BY channel, their",
    'SELECT "order", line, part, place, quantity, state FROM reservations ORDER BY "order", line, part',
    "SELECT channel, listing, aspect, place, value FROM targets ORDER BY channel, listing, aspect, place",
    "SELECT channel, listing, aspect, place, state FROM changes ORDER BY channel, listing, aspect, place",
)
"""What the hub knows, wants and does, but for when it last looked."""


def lives_short(shop: Merchant, seconds: float) -> int:
    """Let the hub work for so long; whenever it has moved anything it dies and starts again. Gives how often it died."""
    stage, deaths = shop.stage, 0
    end = stage.clock.now() + round(seconds * 1_000_000)
    while stage.clock.now() < end:
        stage.deliver()
        before = standing(shop)
        worked, killed = one_thing(shop)
        if killed or standing(shop) != before:
            stage.restart()
            deaths += 1
        elif not worked and not any(platform.outbox for platform in stage.platforms.values()):
            stage.clock.advance(max(0.001, min(stage.hub.next_at(), end) / 1_000_000 - stage.clock.now() / 1_000_000))
    return deaths


def standing(shop: Merchant) -> list[Any]:
    """What stands in the store."""
    return shop.stage.hub.database.read(lambda tx: [tx.query(text) for text in STANDS])


def one_thing(shop: Merchant) -> tuple[bool, bool]:
    """The hub does the next thing there is to do; whether there was one, and whether it died of it."""
    try:
        return shop.stage.hub.walk.step() or any(turn.step() == "worked" for turn in shop.stage.hub.turns.values()), False
    except KilledError:
        return True, True


@contextmanager
def deadly_writes(shop: Merchant) -> Iterator[list[str]]:
    """Whatever writes on a platform has its effect, and the hub is dead before it hears of it; gives what was written."""
    written: list[str] = []
    for name, platform in shop.stage.platforms.items():
        platform.send = _deadly(name, platform, written)
    yield written
    for platform in shop.stage.platforms.values():
        del platform.send


def _deadly(name: str, platform: Any, written: list[str]) -> Any:
    answered = platform.send

    def send(request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        answer: Response = answered(request, deadline_seconds, answer_bytes_max)
        if platform.is_write(request) and "login" not in request.url:
            written.append(name)
            raise KilledError
        return answer

    return send


def lived(shop: Merchant, seconds: float, deadly: bool) -> None:
    """Some time in which the hub dies again and again."""
    if not deadly:
        assert lives_short(shop, seconds) > 0, "nothing moved in that time: nobody died"
        return
    with deadly_writes(shop) as written:
        lives_short(shop, seconds)
    assert written, "nothing was written in that time: nobody died"


@pytest.mark.parametrize("deadly", [False, True])
def test_click_and_collect(tmp_path: Path, deadly: bool) -> None:
    shop = merchant(tmp_path, {"LAMP": (3, 0)}, {"LAMP": "796.00"})
    order = shop.webshop.order({"LAMP": 1}, pickup="fetch-aarhus")
    lived(shop, 400, deadly)
    assert shop.shops("LAMP") == (2, 2)
    (waiting,) = shop.till.orders_shown()
    shop.till.prepare(waiting)
    lived(shop, 300, deadly)
    assert len([note for note in shop.webshop.orders_shown()[order]["notes"] if "Shop in Aarhus" in note]) == 1
    shop.till.collect(waiting)
    lived(shop, 400, deadly)
    shop.run(600)
    assert (shop.at_till("LAMP"), shop.shops("LAMP")) == (2, (2, 2))
    assert [sale["total_minor"] for sale in shop.sales()] == [99500]
    assert list(shop.till.orders_shown()) == [waiting]
    shown = shop.webshop.orders_shown()[order]
    assert ([line["fulfilled"] for line in shown["lines"]], len(shown["fulfilments"])) == ([1], 1)
    assert shop.quiet()


@pytest.mark.parametrize("deadly", [False, True])
def test_bought_online_and_returned_in_the_store(tmp_path: Path, deadly: bool) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)})
    order = shop.webshop.order({"TEE": 3}, shipping=Decimal("39.00"))
    lived(shop, 400, deadly)
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, tracking="GLS-1")
    lived(shop, 400, deadly)
    number = f"webshop-{shop.webshop.orders_shown()[order]['number']}"
    shop.till.take_back("TEE", 2, AARHUS, reference=number, damaged=1)
    lived(shop, 400, deadly)
    shop.run(600)
    assert (shop.in_warehouse("TEE"), shop.at_till("TEE"), shop.shops("TEE")) == (7, 5, (12, 12))
    assert sorted(sale["total_minor"] for sale in shop.sales()) == [-39990, 63885]
    shown = shop.webshop.orders_shown()[order]
    assert (len(shown["fulfilments"]), shown["refunded_minor"]) == (1, 0)
    assert len([note for note in shown["notes"] if "399.90" in note]) == 1
    assert shop.quiet()
