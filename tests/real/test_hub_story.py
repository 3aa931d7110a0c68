"""The hub between a real ERP and a real webshop: the first proof on answers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import layout
import pytest
from desks import Clerk, ShopDesk
from hub_run import HOOK_SECRET, RunningHub, free_port, wait_for
from systems import RealTryton, RealVendure

pytestmark = pytest.mark.real
AGREE_SECONDS_MAX = 30


class Story:
    """The two systems, the people at them, and the hub between."""

    def __init__(self, hub: RunningHub, erp: RealTryton, shop: RealVendure) -> None:
        self.hub = hub
        self.clerk = Clerk(erp)
        self.editor = ShopDesk.editor(shop)

    def shop_shows(self) -> dict[str, tuple[int, int]]:
        """What the shop shows of each article: pieces on hand in its warehouse, and the price in minor units."""
        shown = {}
        for sku, article in self.editor.articles().items():
            (level,) = [one for one in article["stockLevels"] if one["stockLocation"]["name"] == "Warehouse"]
            shown[sku] = (int(level["stockOnHand"]), int(article["priceWithTax"]))
        return shown

    def agrees(self, expected: dict[str, tuple[int, int]]) -> bool:
        return self.shop_shows() == expected


@pytest.fixture
def story(
    tmp_path: Path, fresh_tryton: Callable[[], RealTryton], fresh_vendure: Callable[[str, str], RealVendure]
) -> Iterator[Story]:
    hub = RunningHub(tmp_path / "config", free_port())
    erp, shop = fresh_tryton(), fresh_vendure(hub.hook_url, HOOK_SECRET)
    clerk = Clerk(erp)
    hub.configure(erp, clerk.storage(), shop)
    clerk.leave()
    hub.start()
    told = Story(hub, erp, shop)
    yield told
    told.clerk.leave()
    told.editor.leave()
    assert hub.stop() == 0


def test_the_shop_comes_to_show_what_the_erp_says(story: Story) -> None:
    expected = {good.code: (good.on_hand, good.gross_minor) for good in layout.goods()}
    wait_for("first agreement", lambda: story.agrees(expected), AGREE_SECONDS_MAX)

    story.clerk.count({"TEE-001": 17, "MUG-001": 0})
    expected["TEE-001"], expected["MUG-001"] = (17, expected["TEE-001"][1]), (0, expected["MUG-001"][1])
    wait_for("the stocktake is shown", lambda: story.agrees(expected), AGREE_SECONDS_MAX)

    story.clerk.reprice("HOOD-001", Decimal("320.00"))
    expected["HOOD-001"] = (expected["HOOD-001"][0], 40000)
    wait_for("the new price is asked", lambda: story.agrees(expected), AGREE_SECONDS_MAX)

    story.editor.set_stock("CAP-001", "Warehouse", 999)
    wait_for("the edit in the shop is found", lambda: story.shop_shows()["CAP-001"][0] == 60, AGREE_SECONDS_MAX)
    assert story.agrees(expected)

    why = story.hub.command("why", "webshop", "HOOD-001", "price", "--json")
    assert why.returncode == 0, why.stderr
    assert "400" in why.stdout
    assert "320" in why.stdout
    drift = story.hub.command("drift", "--json")
    assert "CAP-001" in drift.stdout or drift.returncode == 0
    assert "made-up-hook-secret" not in story.hub.log()
