"""Orders that wait for their money: their goods are kept, and nobody is told to book or send anything before it is there."""

from __future__ import annotations

from pathlib import Path

from merchant import Merchant, merchant


def authorised(shop: Merchant, pieces: int = 2, **how: str) -> str:
    """An order in the webshop whose payment is held and not taken: the webshop sends nothing of it yet."""
    order: str = shop.webshop.order({"TEE": pieces}, paid=False, **how)
    shop.webshop.authorise(order)
    shop.run(300)
    return order


def states(shop: Merchant) -> list[tuple[str, int]]:
    """How each sale stands in the books, and its pieces."""
    return [(sale["state"], sum(line["quantity"] for line in sale["lines"] if line["sku"] == "TEE")) for sale in shop.sales()]


def test_what_is_not_paid_yet_is_kept_and_not_booked_until_it_is(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = authorised(shop)
    assert (shop.shops("TEE"), states(shop)) == ((8, 8), [])
    assert shop.quiet()
    shop.webshop.pay(order)
    shop.run(300)
    assert (shop.shops("TEE"), states(shop)) == ((8, 8), [("processing", 2)])
    assert shop.quiet()


def test_what_nobody_pays_is_called_off_and_was_never_in_the_books(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = authorised(shop)
    shop.webshop.cancel(order)
    shop.run(300)
    assert (shop.shops("TEE"), shop.erp.orders_shown()) == ((10, 10), {})
    assert shop.quiet()


def test_what_is_to_be_fetched_waits_at_no_counter_before_it_is_paid(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 5)})
    order = authorised(shop, pickup="fetch-aarhus")
    assert (shop.shops("TEE"), shop.till.orders_shown()) == ((8, 8), {})
    shop.webshop.pay(order)
    shop.run(300)
    assert [sale["state"] for sale in shop.till.orders_shown().values()] == ["OPEN"]
    assert shop.shops("TEE") == (8, 8)


def test_what_is_booked_stays_in_the_books_while_more_is_to_be_paid(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 2})
    shop.run(300)
    shop.webshop.edit(order, "TEE", 3)
    shop.run(300)
    assert shop.webshop.orders_shown()[order]["state"] == "ArrangingAdditionalPayment"
    # What was added to a sale that is worked on already a person must add in the books: the hub says so by name.
    assert (shop.shops("TEE"), states(shop)) == ((7, 7), [("processing", 2)])
