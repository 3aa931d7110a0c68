"""At rest the hub is quiet: it reads by the schedule and writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import SKUS, Shop, until

from hub.sdk.registry import Registry
from hub.settings.load import load
from hub.settings.model import StreamRhythm

QUIET_SECONDS = 20
POLL_SECONDS = 1
KIND = {"till": "square", "webshop": "vendure"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    # Few enough that what a poll reads again for safety is one page.
    made = Shop(tmp_path, items=6, till_poll_seconds=POLL_SECONDS, shop_sweep_seconds=4)
    try:
        made.start()
        yield made
    finally:
        made.end()


def reads_max(shop: Shop, channel: str, seconds: float) -> float:
    """How many reads the schedule allows in that time; a tick at either edge may fall inside."""
    config = load(shop.folder)
    streams = config.channels[channel].streams
    allowed = 0.0
    for name, stream in Registry([]).manifest(KIND[channel]).streams.items():
        rhythm = streams.get(name, StreamRhythm())
        every = [rhythm.poll_seconds if stream.poll else 0, rhythm.sweep_seconds]
        allowed += sum(seconds / float(each) + 1 for each in every if each)
    return allowed


def test_after_convergence_nothing_is_written_and_nothing_read_beyond_the_schedule(shop: Shop) -> None:
    shop.deliver(shop.till("sell", SKUS[0], 3))
    until("the sale is shown", shop.agree)
    # The webshop tells of our own write; what that asks to be looked up belongs to the sale.
    shop.deliver(shop.ports["webshop"].take())
    before = {name: len(shop.calls(name)) for name in shop.ports}
    wrote = sum(port.writes() for port in shop.ports.values())
    settles = until("every channel has polled again", lambda: all(len(shop.calls(n)) >= before[n] + 2 for n in before))
    assert settles < 5
    began = time.monotonic()
    first = {name: len(shop.calls(name)) for name in shop.ports}
    until("twenty seconds are over", lambda: time.monotonic() - began >= QUIET_SECONDS, QUIET_SECONDS + 5)
    seconds = time.monotonic() - began
    calls = {name: shop.calls(name)[first[name] :] for name in shop.ports}
    assert [call for each in calls.values() for call in each if call.writes] == []
    assert sum(port.writes() for port in shop.ports.values()) == wrote
    for name, made in calls.items():
        assert len(made) <= reads_max(shop, name, seconds), Counter(call.path for call in made)
    # And it is alive: it did read by the schedule.
    assert len(calls["till"]) >= seconds
    assert len(calls["webshop"]) >= seconds / 2
