"""A till whose days are booked as one document each: every sale once, in the book of its day or of the day it was heard of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from merchant import AARHUS, BOOKS, LOCATIONS, Merchant, merchant, slowly

DAILY = BOOKS + "  books: {till: daily}\n  time_zone: Europe/Copenhagen\n"
ODENSE = "LODENSE000002"
HOUR = 3600


def opened(folder: Path, erp: str = DAILY, begins: str = "2026-10-24T19:00:00+00:00", **extra: str) -> Merchant:
    """50 T-shirts in Aarhus and 10 in the warehouse, on that morning."""
    shop = merchant(folder, {"TEE": (50, 10)}, extra={**slowly(erp=erp), **extra})
    shop.stage.clock.advance(moment(begins) / 1_000_000 - shop.stage.clock.now() / 1_000_000)
    shop.run(HOUR)
    assert shop.sales() == []
    return shop


def moment(told: str) -> int:
    """A time as text, in microseconds."""
    return round(dt.datetime.fromisoformat(told).timestamp()) * 1_000_000


def until(shop: Merchant, told: str) -> None:
    """Let the hub work until then."""
    shop.run((moment(told) - shop.stage.clock.now()) / 1_000_000)


def books(shop: Merchant) -> list[tuple[str, int, dict[str, int]]]:
    """The documents in the books: number, sum in minor units, pieces by SKU."""
    return sorted(
        (sale["reference"], sale["total_minor"], {line["sku"]: line["quantity"] for line in sale["lines"]})
        for sale in shop.sales()
    )


def test_a_day_is_one_document_with_its_returns_in_it(tmp_path: Path) -> None:
    shop = opened(tmp_path)
    shop.till.sell("TEE", 2, AARHUS)
    shop.till.ring_up({"TEE": 1}, place=AARHUS, tip=Decimal("20.00"))
    sold = shop.till.sell("TEE", 3, AARHUS)
    shop.till.take_back("TEE", 2, AARHUS, of=sold)
    shop.till.ring_up({}, place=AARHUS, gift_cards=[Decimal("500.00")])
    shop.till.ring_up({"TEE": 1}, place=AARHUS, rounding=Decimal("0.05"), tender="CASH")
    shop.run(HOUR)
    assert (books(shop), shop.at_till("TEE"), shop.shops("TEE")) == ([], 45, (55, 55))
    until(shop, "2026-10-24T23:00:00+00:00")
    assert books(shop) == [
        ("till-2026-10-24-aarhus-DKK", 5 * 19995 + 2000 + 50000 + 5, {"TEE": 5, "TIP": 1, "GIFT": 1, "OTHER": 1})
    ]
    assert (shop.in_warehouse("TEE"), shop.at_till("TEE"), shop.shops("TEE")) == (10, 45, (55, 55))
    assert shop.quiet()


def test_two_places_are_two_documents_and_an_empty_day_is_none(tmp_path: Path) -> None:
    locations = 'odense: {title: Shop in Odense, channels: {till: LODENSE000002, erp: "12"}}\n'
    shop = opened(tmp_path, **{"locations.yaml": LOCATIONS + locations})
    shop.till.sell("TEE", 2, AARHUS)
    shop.till.sell("TEE", 1, ODENSE)
    until(shop, "2026-10-25T23:30:00+00:00")
    assert [(number, total) for number, total, _ in books(shop)] == [
        ("till-2026-10-24-aarhus-DKK", 39990),
        ("till-2026-10-24-odense-DKK", 19995),
    ]
    assert shop.quiet()


def test_a_sale_of_yesterday_that_is_told_today_stands_in_todays_book_once(tmp_path: Path) -> None:
    shop = opened(tmp_path)
    shop.till.sell("TEE", 1, AARHUS)
    until(shop, "2026-10-25T01:00:00+00:00")
    assert [total for _, total, _ in books(shop)] == [19995]
    for hour in (10, 11):
        shop.till.sell("TEE", 2, AARHUS, at=moment(f"2026-10-24T{hour}:00:00+00:00"))
    shop.till.sell("TEE", 1, AARHUS)
    for each in list(shop.till.outbox):
        shop.stage.post(each)
    shop.run(HOUR)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (44, (54, 54))
    until(shop, "2026-10-25T23:30:00+00:00")
    assert books(shop) == [
        ("till-2026-10-24-aarhus-DKK", 19995, {"TEE": 1}),
        ("till-2026-10-25-aarhus-DKK", 5 * 19995, {"TEE": 5}),
    ]
    assert shop.quiet()


@pytest.mark.parametrize(
    ("eve", "sold_at"),
    [
        # The clock shows 02:30 twice, then never.
        ("2026-10-24", ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")),
        ("2027-03-27", ("2027-03-28T01:59:00+01:00", "2027-03-28T03:01:00+02:00")),
    ],
)
def test_the_night_in_which_the_clocks_change(tmp_path: Path, eve: str, sold_at: tuple[str, str]) -> None:
    shop = opened(tmp_path, begins=f"{eve}T20:00:00+00:00")
    day = sold_at[0][:10]
    until(shop, f"{eve}T23:59:00{sold_at[0][-6:]}")
    shop.till.sell("TEE", 1, AARHUS)
    for when in sold_at:
        until(shop, when)
        shop.till.sell("TEE", 1, AARHUS)
    until(shop, f"{day}T23:59:00{sold_at[1][-6:]}")
    shop.till.sell("TEE", 2, AARHUS)
    until(shop, f"{day}T23:59:59{sold_at[1][-6:]}")
    assert [(number, total) for number, total, _ in books(shop)] == [(f"till-{eve}-aarhus-DKK", 19995)]
    shop.run(3 * HOUR)
    assert books(shop)[1:] == [(f"till-{day}-aarhus-DKK", 4 * 19995, {"TEE": 4})]
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (45, (55, 55))
    assert shop.quiet()


def test_a_till_that_is_booked_elsewhere_is_not_booked_by_the_hub(tmp_path: Path) -> None:
    shop = opened(tmp_path, erp=BOOKS + "  books: {till: elsewhere}\n")
    sold = shop.till.sell("TEE", 3, AARHUS)
    shop.till.take_back("TEE", 1, AARHUS, of=sold)
    shop.webshop.order({"TEE": 1})
    until(shop, "2026-10-25T01:00:00+00:00")
    assert [total for _, total, _ in books(shop)] == [19995]
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (48, (57, 57))
    assert shop.quiet()
