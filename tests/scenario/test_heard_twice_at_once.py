"""One receipt that is heard of twice before anybody understands it, as on a busy day: it stays the one thing that it is."""

from __future__ import annotations

from pathlib import Path

from merchant import AARHUS, merchant


def test_a_receipt_with_the_number_of_an_order_is_its_handing_over_however_often_it_comes_at_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"LAMP": (3, 0)}, {"LAMP": "796.00"})
    order = shop.webshop.order({"LAMP": 1}, pickup="fetch-aarhus")
    shop.run(120)
    number = shop.webshop.orders_shown()[order]["number"]
    (waiting,) = [name for name, told in shop.till.orders_shown().items() if told["number"].endswith(number)]
    shop.till.prepare(waiting)
    shop.run(120)
    hub, clock = shop.stage.hub, shop.stage.clock
    shop.till.ring_up({"LAMP": 1}, place=AARHUS, reference=shop.till.orders_shown()[waiting]["number"])
    # The delivery is looked up and the poll is due as well, while the walk is busy elsewhere.
    shop.stage.deliver()
    hub.walk.step()
    clock.advance(61)
    for _ in range(20):
        hub.turns["till"].step()
    shop.run(600)
    assert (shop.at_till("LAMP"), shop.shops("LAMP")) == (2, (2, 2))
    assert [sale["total_minor"] for sale in shop.sales()] == [99500]
    assert [line["fulfilled"] for line in shop.webshop.orders_shown()[order]["lines"]] == [1]
    assert shop.quiet()
