"""A changed configuration under way: taken up without losing a delivery, or refused with its line while the old one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from running import PIECES, PRICING, SKUS, TAKEN_UP, WEBSHOP, Posting, Shop, kept_ids, until

from hub.simulate.postman import post

REFUSED = "the new configuration is refused"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"))
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    """One run for all these tests: each has things of its own to sell, and leaves the configuration as it found it."""
    files = running.files()
    yield running
    running.put_back(files)


def refusals(shop: Shop) -> str:
    """Every line in which a new configuration was refused."""
    return "\n".join(line for line in shop.log().splitlines() if REFUSED in line)


def test_a_changed_allocation_takes_effect_and_no_delivery_is_lost(shop: Shop) -> None:
    halves = shop.halves()
    posting = Posting(shop, SKUS[:4])
    posting.start()
    shop.write("allocation.yaml", "rules: [{channels: [webshop], safety_stock: 5}]\n")
    shop.reload()
    resting = SKUS[-1]
    until("five of each are kept back", lambda: shop.shows()[resting] == PIECES - 5)
    (shop.folder / "allocation.yaml").unlink()
    shop.reload()
    until("nothing is kept back", lambda: shop.shows()[resting] == PIECES)
    posting.finish()
    until("webshop and till agree", shop.agree)
    assert posting.sold > 0
    assert shop.halves() == halves
    assert shop.turned_away == 0
    ids = {each.json()["event_id"] for each in shop.answered}
    until("every delivery is understood", lambda: ids <= kept_ids(shop.folder / "data", "till"))


def test_a_changed_price_rule_takes_effect(shop: Shop) -> None:
    shop.write("pricing.yaml", PRICING.replace("tax: included}}", "tax: included, ending: 0.95, ending_rule: nearest}}"))
    shop.reload()
    until("all prices end in .95", lambda: {str(price)[-3:] for price in shop.prices().values()} == {".95"})


def test_a_broken_configuration_is_refused_with_its_line_and_the_old_one_goes_on(shop: Shop) -> None:
    shop.write("allocation.yaml", "rules:\n  - channels: [webshop]\n    safety_stock: five\n")
    shop.reload()
    until("both halves refuse it", lambda: refusals(shop).count("allocation.yaml:3") == 2)
    shop.deliver(shop.till("sell", SKUS[4], 2))
    until("the sale is shown", lambda: shop.shows()[SKUS[4]] == PIECES - 2)
    # A half that dies now cannot start; the other goes on, and it comes back when the file is mended.
    shop.kill("work")
    shop.deliver(shop.till("sell", SKUS[4], 1))
    until("the worker cannot start", lambda: '"code": 2' in shop.log())
    assert shop.deliver(shop.till("sell", SKUS[5], 1)) == 1
    shop.write("allocation.yaml", "rules:\n  - channels: [webshop]\n    safety_stock: 1\n")
    shop.reload()
    until("the sales are shown, less one", lambda: shop.shows()[SKUS[4]] == PIECES - 4 and shop.shows()[SKUS[5]] == PIECES - 2)


def test_what_only_a_start_can_take_up_is_refused_with_its_line(shop: Shop) -> None:
    text = (shop.folder / "hub.yaml").read_text(encoding="utf-8")
    shop.write("hub.yaml", text + "folder: elsewhere\n")
    shop.reload()
    until("both halves refuse it", lambda: refusals(shop).count("hub.yaml:7") == 2)
    assert not (shop.folder / "elsewhere").exists()
    assert "only a start takes this up" in refusals(shop)


def test_a_channel_is_taken_away_and_put_back(shop: Shop) -> None:
    event = shop.ports["webshop"].act(lambda webshop: webshop.count(SKUS[6], 3))[0]  # type: ignore[attr-defined]
    shop.deliver([event])
    until("the edit is repaired", shop.agree)
    taken = shop.log().count(TAKEN_UP)
    (shop.folder / "channels/webshop.yaml").unlink()
    shop.write("pricing.yaml", "lists: {shop: {currency: DKK, tax: included, country: DK}}\ntaxes: {DK: 25}\n")
    shop.reload()
    until("its door is closed", lambda: post(event) == 404)
    until("the worker has let go of it", lambda: shop.log().count(TAKEN_UP) > taken)
    shop.deliver(shop.till("sell", SKUS[7], 3))
    assert shop.shows()[SKUS[7]] == PIECES
    shop.write("channels/webshop.yaml", WEBSHOP.format(url=shop.ports["webshop"].url, sweep=3600))
    shop.write("pricing.yaml", PRICING)
    shop.reload()
    until("it shows the sale of meanwhile", lambda: shop.shows()[SKUS[7]] == PIECES - 3)
    until("its door is open", lambda: post(event) == 200)


def test_a_changed_secret_is_taken_up(shop: Shop) -> None:
    old = shop.till("sell", SKUS[8], 1)
    options = shop.ports["till"].sandbox.options
    options["signature_key"], known = "another-made-up-key", options["signature_key"]
    new = shop.till("sell", SKUS[8], 1)
    assert post(new[0]) == 401
    shop.write("secrets/signature_key", "another-made-up-key")
    shop.reload()
    until("the new signature is known", lambda: post(new[0]) == 200)
    assert post(old[0]) == 401
    until("the sales are shown", lambda: shop.shows()[SKUS[8]] == PIECES - 2)
    assert "made-up-key" not in shop.log()
    options["signature_key"] = known


def test_a_secret_that_is_gone_is_refused_and_the_old_one_goes_on(shop: Shop) -> None:
    (shop.folder / "secrets/signature_key").unlink()
    shop.reload()
    until("both halves refuse it", lambda: refusals(shop).count("channels/till.yaml:7") == 2)
    shop.deliver(shop.till("sell", SKUS[9], 1))
    until("the sale is shown", lambda: shop.shows()[SKUS[9]] == PIECES - 1)


def test_the_command_reload_checks_first_and_asks_the_running_pair(shop: Shop) -> None:
    shop.write("allocation.yaml", "rules: [{channels: [webshop], safety_stock: 5}]\n")
    assert shop.command("reload").returncode == 0
    until("five of each are kept back", lambda: shop.shows()[SKUS[10]] == PIECES - 5)
    shop.write("allocation.yaml", "rules: [{channels: [shop]}]\n")
    refused = shop.command("reload")
    assert refused.returncode == 2
    assert "allocation.yaml:1" in refused.stderr
    status = json.loads(shop.command("status", "--json").stdout)
    assert status
