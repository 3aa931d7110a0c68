"""A merchant's own configuration is simulated as it is: its prices, its shares of the stock, its names for places and taxes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from hub.canonical.values import THOUSAND
from hub.desired.price import price
from hub.desired.rules import Rules
from hub.desired.stock import Pool, sellable
from hub.errors import ConfigError
from hub.paths import shipped_config
from hub.settings.model import AllocationRule, AllocationSettings, ChannelPricing, Config, PriceList, PricingSettings
from hub.simulate.asked import asks, rule_of, shows
from hub.simulate.retailer import generated, own

ROOT = Path(__file__).parents[2]
Edits = Mapping[str, tuple[tuple[str, str], ...]]

ALLOCATION = """
rules:
  - {channels: [webshop], safety_per_location: {aarhus: 1}, share_percent: 80, remainder: true, threshold: 2}
  - {channels: [social], safety_stock: 1, share_percent: 30, cap: 12}
"""
GERMAN: Edits = {
    "locations.yaml": (('erp: "3"', 'erp: "4"'), ('erp: "11"', 'erp: "27"'), ("till: LAARHUS000001", "till: L88917AVBK2S5")),
    "pricing.yaml": (
        ("country: DK", "country: DE"),
        ("DK: 25", "DE: 19"),
        ("till: {list: retail, tax: included}", "till: {list: retail, tax: included, ending: 0.95}"),
        ("webshop: {list: retail, tax: included}", "webshop: {list: retail, tax: excluded, markup_percent: 3, rounding: up}"),
        (
            "social: {list: retail, tax: included}",
            "social: {list: retail, tax: included, markup_percent: 2.5, ending: 0.5, ending_rule: up, floor: 120}",
        ),
        ("guards: {to_zero_min: 1000}", ""),
    ),
    "channels/webshop.yaml": (
        ("prices_tax: included", "prices_tax: excluded"),
        ('stock_location: "1"', 'stock_location: "7"'),
        ("take_in: true", "take_in: true\n  prefix: WEB\n  pay_refunds: true"),
    ),
    "channels/erp.yaml": (
        ("mode: live", "mode: observe"),
        ('taxes: {"25": "1", "0": ""}', 'taxes: {"19": "44", "0": ""}'),
        ('suspense_tax: "1"', 'suspense_tax: "44"'),
        ("suspense_payment: other", "payments: {klarna: card}"),
        ("shipping: SHIPPING", "shipping: FREIGHT-1"),
        ("catch_all_item: OTHER", "catch_all_item: MISC"),
    ),
}
BOOKS_WITHOUT_THE_STORE: Edits = {
    "locations.yaml": (('    erp: "11"\n', ""),),
    "channels/erp.yaml": (("figures_at: [aarhus]\n", ""),),
}
EURO = "currency: DKK", "currency: EUR"
NET_SHOPS: Edits = {
    "locations.yaml": (('erp: "3"', 'erp: "5"'), ('erp: "11"', 'erp: "9"'), ('erp: "14"', 'erp: "120"')),
    "pricing.yaml": (
        EURO,
        ("outlet: {list: retail, tax: included}", "outlet: {list: retail, tax: excluded, rounding: down}"),
        ("boutique: {list: retail, tax: included}", "boutique: {list: retail, tax: excluded, ending: 0.99, ending_rule: down}"),
    ),
    "channels/outlet.yaml": (("prices_tax: included", "prices_tax: excluded"), EURO),
    "channels/webshop.yaml": (EURO,),
    "channels/erp.yaml": (EURO,),
    "channels/social.yaml": (EURO,),
}


def folder_of(folder: Path, world: str, edits: Edits, more: str = "") -> Path:
    """The configuration of a shipped retailer, edited."""
    source = shipped_config() / world
    for file in sorted(source.rglob("*.yaml")):
        name = file.relative_to(source).as_posix()
        text = file.read_text(encoding="utf-8")
        for was, becomes in edits.get(name, ()):
            assert text.count(was) == 1, f"{name}: {was}"
            text = text.replace(was, becomes)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if more:
        (folder / "allocation.yaml").write_text(more, encoding="utf-8")
    return folder


def simulated(folder: Path) -> subprocess.CompletedProcess[str]:
    started = [sys.executable, "-m", "hub.cli.main", "simulate", "--config", str(folder), "--items", "5", "--customers", "30"]
    return subprocess.run(
        [*started, "--faults", "usual", "--seed", "3"], capture_output=True, text=True, timeout=300, check=False, cwd=ROOT
    )


@pytest.mark.parametrize(
    ("world", "edits", "allocation"),
    [("small", GERMAN, ALLOCATION), ("small", BOOKS_WITHOUT_THE_STORE, ""), ("seven", NET_SHOPS, "")],
    ids=[
        "prices, shares and names of one's own",
        "books without the store",
        "shops in another currency that ask prices without tax",
    ],
)
def test_a_configuration_of_ones_own_agrees_in_the_end(tmp_path: Path, world: str, edits: Edits, allocation: str) -> None:
    ended = simulated(folder_of(tmp_path, world, edits, allocation))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 of 1 seeds agree in the end and broke no promise" in ended.stdout


def test_the_judge_works_prices_out_by_the_merchants_rules(tmp_path: Path) -> None:
    config = own(folder_of(tmp_path, "small", GERMAN, ALLOCATION))
    assert asks(config, "till", Decimal("100.00")) == Decimal("118.95")
    assert asks(config, "webshop", Decimal("100.01")) == Decimal("103.02")
    assert asks(config, "social", Decimal("100.00")) == Decimal("122.50")
    assert asks(config, "social", Decimal("10.00")) == Decimal("120.00")
    assert asks(config, "erp", Decimal("100.00")) is None


def test_what_the_simulation_cannot_do_without_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"channels/till\.yaml:\d+: the simulation needs the orders of till: set `orders"):
        own(shipped_config() / "example")


def test_an_order_that_would_never_come_to_the_books_is_named(tmp_path: Path) -> None:
    edits = {"channels/erp.yaml": (("export_from: [webshop, till]", "export_from: [till]"),)}
    with pytest.raises(ConfigError, match=r"channels/erp\.yaml:\d+: .* name it in `orders: export_from` of erp"):
        own(folder_of(tmp_path, "small", edits))


def test_a_tax_of_half_a_percent_is_named(tmp_path: Path) -> None:
    ended = simulated(folder_of(tmp_path, "small", {"pricing.yaml": (("DK: 25", "DK: 7.5"),)}))
    assert ended.returncode != 0
    assert "whole percents of tax only, not 7.5" in ended.stdout + ended.stderr


def priced(luck: Random) -> tuple[PricingSettings, Decimal]:
    ending = luck.choice([None, None, Decimal("0.95"), Decimal("0.5"), Decimal(0), Decimal("0.99")])
    rule = ChannelPricing(
        list="retail",
        tax=luck.choice(["included", "excluded"]),
        markup_percent=Decimal(luck.choice(["0", "2.5", "-10", "33.333"])),
        rounding=luck.choice(["half_up", "half_even", "down", "up"]),
        ending=ending,
        ending_rule=luck.choice(["down", "up", "nearest"]),
        floor=luck.choice([None, None, Decimal("15"), Decimal("80.005")]),
    )
    currency = luck.choice(["DKK", "DKK", "JPY"])
    lists = {"retail": PriceList(currency=currency, tax=luck.choice(["included", "excluded"]), country="DK")}
    taxes = {"DK": Decimal(luck.choice([25, 19, 7, 0]))}
    return PricingSettings(lists=lists, channels={"shop": rule}, taxes=taxes), Decimal(luck.randrange(1, 30_000)).scaleb(-2)


def test_the_judges_prices_are_those_of_the_rules() -> None:
    luck, config = Random(1), generated("small")
    for _ in range(3_000):
        pricing, amount = priced(luck)
        of = pricing.lists["retail"]
        listed = {"amount": str(amount), "currency": of.currency, "tax": of.tax, "from": []}
        found = price("shop", "", listed, pricing).value
        assert found is not None
        judged = asks(config.model_copy(update={"pricing": pricing}), "shop", amount)
        assert judged == Decimal(found["amount"]), (pricing, amount)


def allotted(luck: Random, config: Config) -> Config:
    rules = tuple(
        AllocationRule(
            channels=(name,),
            safety_stock=luck.choice([0, 0, 1, 3]),
            share_percent=luck.choice([100, 80, 50, 33, 0]),
            remainder=luck.random() < 0.5,
            cap=luck.choice([None, None, 4]),
            threshold=luck.choice([0, 2, 5]),
        )
        for name in config.channels
    )
    return config.model_copy(update={"allocation": AllocationSettings(rules=rules)})


def test_the_judges_shares_are_those_of_the_rules() -> None:
    luck = Random(2)
    for _ in range(1_000):
        config = allotted(luck, generated("seven"))
        pieces = luck.randrange(0, 40)
        for name in ("webshop", "outlet", "social"):
            shown, _ = sellable(name, "TEE", "", Pool(pieces * THOUSAND, []), Rules(config))
            assert shows(config, "TEE", pieces, rule_of(config, name, "TEE")) * THOUSAND == shown, (
                config.allocation,
                name,
                pieces,
            )
