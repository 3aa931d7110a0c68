"""The world of two webshops as a user runs it: both shops, the till, the books and the social shop agree in the end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.simulate.trade import Bought
from hub.simulate.webshops import OUTLET, Webshops
from hub.simulate.world import ERP, SHOP, SOCIAL, TILL, WAREHOUSE, WEBSHOP

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 400
LAST_LINE = r"converged: 5 channels, 12 items, 0 differences, [1-9]\d* pushes in \d+ s · [1-9]\d* orders, 0 lost, 0 doubled"
PLACES = {(SHOP, TILL): "L1", (SHOP, ERP): "11", (WAREHOUSE, ERP): "3", (SHOP, WEBSHOP): "2", (WAREHOUSE, WEBSHOP): "1"}


@pytest.mark.demo
def test_two_shops_the_till_the_books_and_the_social_shop_agree() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "demo", "--world", "webshops", "--items", "12", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4_000:] + ended.stderr[-4_000:]
    assert re.fullmatch(LAST_LINE, ended.stdout.strip().splitlines()[-1])
    for shop in (WEBSHOP, OUTLET):
        assert re.search(rf"orders .* in the {shop}, to fetch it in the shop", ended.stdout)
        assert re.search(rf"{shop}-\S+: its shipping is paid back", ended.stdout)
        assert re.search(rf"of {shop}-\S+ comes back over the counter", ended.stdout)


def test_one_shop_shows_what_is_free_at_each_place_and_the_other_what_is_free_at_both() -> None:
    world = Webshops(1, 12, PLACES)
    sku = world.skus[0]
    world.shelf[SHOP, sku], world.shelf[WAREHOUSE, sku], world.list_ore[sku] = 4, 10, 16_000
    world.bought.append(Bought(OUTLET, "7", "outlet-7", WAREHOUSE, {sku: 3}, 60_000))
    assert world.expected(WEBSHOP, sku).pieces == {"2": 4, "1": 7}
    assert world.expected(OUTLET, sku).pieces == {"": 11}
    assert world.expected(SOCIAL, sku).pieces == {"": 10}
    assert (world.expected(WEBSHOP, sku).price, world.expected(OUTLET, sku).price) == ("199.95", "200.00")
