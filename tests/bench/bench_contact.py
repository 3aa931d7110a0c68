"""First contact with a running shop: 5,000 products with 12,000 variants and a year of orders, met by a hub that dies half-way.

Calls and time are the shop's own: the platform's declared pace on a clock that only waits. Memory is what the whole process
grew by while reading, platform in small and answers included.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scenario"))

from running_shop import TILL, RunningShop

from hub.contact.report import report
from hub.first_reading import read_all
from hub.sdk.wire import Request, Response

PRODUCTS, VARIANTS, ORDERS = 5_000, 12_000, 2_000
DIES_AFTER = 1_800


class DiedError(Exception):
    """The process was killed here."""


class Line:
    """The shop's line; the process dies on it after so many calls."""

    def __init__(self, platform: Any, calls: int) -> None:
        self.platform = platform
        self.left = calls

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The platform's answer, or the end."""
        self.left -= 1
        if self.left < 0:
            raise DiedError
        answer: Response = self.platform.send(request, deadline_seconds, answer_bytes_max)
        return answer


def measure(
    products: int = PRODUCTS, variants: int = VARIANTS, orders: int = ORDERS, dies_after: int = DIES_AFTER
) -> dict[str, float]:
    """What meeting the shop costs; AssertionError when something is lost, doubled, or written."""
    with tempfile.TemporaryDirectory() as folder:
        here = RunningShop(Path(folder), products, variants, orders, **TILL)
        try:
            return _meet(here, dies_after)
        finally:
            here.close()


def _meet(here: RunningShop, dies_after: int) -> dict[str, float]:
    line = Line(here.shop, dies_after)
    before, began, used = _memory(), here.clock.now(), time.process_time()
    hub = here.met(lambda settings: line if settings.channel == "webshop" else here.platforms[settings.channel])
    try:
        read_all(hub)
    except DiedError:
        known = _known(here, hub)
    else:
        raise AssertionError("it should have died")
    hub = here.met()
    assert read_all(hub) == []
    minutes, used = (here.clock.now() - began) / 60_000_000, time.process_time() - used
    grown = _memory() - before
    found = report(here.config, {n: c.manifest for n, c in hub.channels.items()}, here.database, here.clock.now())
    assert found.whole
    assert not found.needs_a_person, "the shop and its books agree: everything is matched, nothing differs"
    assert not [call for call in here.shop.calls if call.writes]
    calls = sum(each.calls for each in found.streams if each.channel == "webshop")
    return {
        "contact_calls": float(len(here.shop.calls)),
        "contact_calls_again_after_death": float(len(here.shop.calls) - calls),
        "contact_variants_known_at_death": float(known),
        "contact_minutes_at_the_shops_pace": round(minutes, 1),
        "contact_cpu_seconds": round(used, 1),
        "contact_memory_mib": round(grown / 1024, 1),
    }


def _known(here: RunningShop, hub: Any) -> int:
    """How many variants were stored when it died: none of them is read again."""
    from hub.store import catalogue

    hub.walk.step()
    return len(here.database.read(lambda tx: catalogue.bindings_in(tx, "webshop")))


def _memory() -> int:
    """The most memory that this process has had, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
