"""A till sells, a shop shows it; an ERP changes a price, the shop asks it; and then there is silence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from stage import Stage, stage

SKUS = [f"TEE-{number:03d}" for number in range(1, 13)]


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    made = stage(tmp_path)
    for number, sku in enumerate(SKUS):
        price = Decimal("159.96") + number
        made.platforms["erp"].add_item(sku, f"T-shirt {number}", price=price)
        made.platforms["till"].add_item(sku, f"T-shirt {number}", price=price)
        made.platforms["webshop"].add_item(sku, f"T-shirt {number}", price=price)
        made.platforms["erp"].count(sku, 10, "3")
        made.platforms["till"].count(sku, 5, "LAARHUS000001")
    made.run(5)
    return made


def test_after_the_first_reading_the_shop_shows_both_places_and_the_price_with_tax(shop: Stage) -> None:
    assert {sku: shop.shows("webshop", sku) for sku in SKUS} == dict.fromkeys(SKUS, 15)
    assert shop.price("webshop", "TEE-001") == Decimal("199.95")
    assert shop.price("till", "TEE-002") == Decimal("201.20")
    assert shop.letters() == []


def test_a_sale_at_the_till_lowers_the_shop_at_once(shop: Stage) -> None:
    shop.platforms["till"].sell("TEE-003", 2, "LAARHUS000001")
    shop.run(1)
    assert shop.shows("webshop", "TEE-003") == 13
    shop.platforms["till"].take_back("TEE-003", 1, "LAARHUS000001")
    shop.run(1)
    assert shop.shows("webshop", "TEE-003") == 14


def test_a_price_changed_in_the_erp_is_asked_everywhere(shop: Stage) -> None:
    shop.platforms["erp"].set_price("TEE-004", Decimal("120.00"))
    shop.platforms["erp"].receive("TEE-004", 7, "3")
    shop.run(61)
    assert shop.price("webshop", "TEE-004") == Decimal("150.00")
    assert shop.price("till", "TEE-004") == Decimal("150.00")
    assert shop.shows("webshop", "TEE-004") == 22


def test_after_convergence_nothing_is_written(shop: Stage) -> None:
    before = shop.writes()
    shop.run(1800)
    assert shop.writes() == before
