"""A webshop that shows a figure for every place: what its customers buy there is a sale, not somebody's edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from merchant import AUTHORITY, LOCATIONS, Merchant, merchant

from hub.flow import Door, Envelope
from hub.sdk.contract import Page, ReadAsk
from hub.sdk.wire import Request, Response
from hub.store import changes, cursors, inbox, requests

AARHUS, WAREHOUSE = "70000002", "70000001"
BOUTIQUE = """
channel: boutique
connector: shopify
role: webshop
mode: live
base_url: https://boutique.example
settings: {shop: made-shop.myshopify.com}
secrets: {access_token: "env:A", client_secret: "env:B"}
figures_at: [aarhus, warehouse]
streams: {items: {sweep_seconds: 600}, stock: {poll_seconds: 60, sweep_seconds: 600}, orders: {poll_seconds: 300}}
orders_since: "2020-01-01"
orders: {take_in: true}
"""
PLACES = LOCATIONS.replace("webshop: aarhus}", f'webshop: aarhus, boutique: "{AARHUS}"}}').replace(
    '{erp: "3"}', f'{{erp: "3", boutique: "{WAREHOUSE}"}}'
)
BOOKS = "orders: {take_in: true, export_from: [webshop, boutique, till], suspense_payment: other, suspense_tax: '1'}\n"


def with_boutique(folder: Path) -> tuple[Merchant, Any]:
    """The merchant with one more shop, which shows 5 of a thing in Aarhus and 20 in the warehouse."""
    extra = {"channels/boutique.yaml": BOUTIQUE, "locations.yaml": PLACES, "authority.yaml": AUTHORITY}
    shop = merchant(folder, {"TEE": (5, 20)}, extra=extra, erp=BOOKS)
    boutique = shop.stage.platforms["boutique"]
    boutique.add_item("TEE", "Thing TEE", price=1)
    shop.run(710)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 20}
    return shop, boutique


def test_customers_who_buy_the_same_thing_again_and_again_are_no_second_integration(tmp_path: Path) -> None:
    """Seed 2 of the seven channels: after three sales of a day its figure was held, and showed more than there was."""
    shop, boutique = with_boutique(tmp_path)
    for sold in range(1, 7):
        # The figure is heard of before the order is: what fell there is sold, and is not put back.
        boutique.order({"TEE": 1}, place=WAREHOUSE)
        boutique.outbox.clear()
        for _ in range(6):
            shop.run(20)
            assert boutique.shown()["TEE"]["stock"][WAREHOUSE] <= 20 - sold
        shop.run(400)
        assert boutique.shown()["TEE"]["stock"][WAREHOUSE] == 20 - sold
        assert shop.shops("TEE") == (25 - sold, 25 - sold)
    assert shop.quiet()


def test_what_was_called_off_goes_back_on_sale_there_and_is_nobodys_edit(tmp_path: Path) -> None:
    """Hostile days of the seven channels: after three called-off orders of a day the figure was held, and showed too much."""
    shop, boutique = with_boutique(tmp_path)
    for _ in range(5):
        order = boutique.order({"TEE": 2}, place=WAREHOUSE)
        shop.run(700)
        boutique.cancel(order)
        boutique.outbox.clear()
        shop.run(700)
    boutique.order({"TEE": 3}, place=WAREHOUSE)
    shop.erp.receive("TEE", 5, "3")
    shop.run(700)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 22}
    assert shop.shops("TEE") == (27, 27)
    assert shop.quiet()
    # Somebody who types it up again and again is told apart.
    for _ in range(4):
        boutique.count("TEE", 50, WAREHOUSE)
        shop.run(700)
    assert boutique.shown()["TEE"]["stock"][WAREHOUSE] == 50
    assert "flipped_back" in {hold.guard for hold in shop.stage.hub.database.read(requests.holds)}


def test_what_left_from_nobody_knows_where_is_taken_from_no_place_once_a_figure_has_it(tmp_path: Path) -> None:
    """Hostile week 5: the whole pool was right at once, and Aarhus alone was decided as if it had left from there, for ever."""
    shop, boutique = with_boutique(tmp_path)
    order = shop.webshop.order({"TEE": 2})
    shop.run(130)
    # Its own people mark it as sent; the warehouse counts what is left.
    shop.webshop.ship(order)
    shop.run(20)
    shop.erp.count("TEE", 18, "3")
    shop.run(130)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 18}
    assert shop.shops("TEE") == (23, 23)
    assert shop.quiet()


def came_to_nothing(platform: Any) -> None:
    """The next write is answered with an error of the platform's own and has no effect."""
    route = platform.route

    def broken(request: Request) -> Response:
        if not platform.is_write(request):
            return route(request)
        platform.route = route
        return Response(500, {}, b"internal error")

    platform.route = broken


def test_what_is_bought_there_while_nobody_knows_what_became_of_a_write_is_not_offered_again(tmp_path: Path) -> None:
    """A look that finds neither the old figure nor the new one has found a sale, at whichever place."""
    shop, boutique = with_boutique(tmp_path)
    came_to_nothing(boutique)
    shop.webshop.order({"TEE": 2}, pickup="fetch-aarhus")
    shop.run(0.5)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 20}
    boutique.order({"TEE": 1}, place=AARHUS)
    boutique.outbox.clear()
    shop.run(30)
    assert boutique.shown()["TEE"]["stock"][AARHUS] <= 2
    shop.run(700)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 2, WAREHOUSE: 20}
    assert shop.shops("TEE") == (22, 22)
    assert shop.quiet()


def test_what_is_bought_there_while_a_fall_of_as_much_came_to_nothing_is_heard_of_at_once(tmp_path: Path) -> None:
    """The look finds just what was to be written, and cannot tell who lowered it: the orders are read, and do not wait."""
    shop, boutique = with_boutique(tmp_path)
    came_to_nothing(boutique)
    shop.webshop.order({"TEE": 2}, pickup="fetch-aarhus")
    shop.run(0.5)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 20}
    boutique.order({"TEE": 2}, place=AARHUS)
    boutique.outbox.clear()
    shop.run(30)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 1, WAREHOUSE: 20}
    assert shop.shops("TEE") == (21, 21)
    shop.run(700)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 1, WAREHOUSE: 20}
    assert shop.shops("TEE") == (21, 21)
    assert shop.quiet()


def test_a_rise_whose_answer_was_lost_and_that_is_all_sold_by_then_is_not_written_once_more(tmp_path: Path) -> None:
    """The old figure was shown, so the write had come to nothing, it seemed; but what it had brought was sold."""
    shop, boutique = with_boutique(tmp_path)
    boutique.faults.lose_answer_next = 1
    shop.erp.receive("TEE", 3, "3")
    for _ in range(200):
        shop.run(1)
        if boutique.faults.spent:
            break
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 23}
    boutique.order({"TEE": 3}, place=WAREHOUSE)
    boutique.outbox.clear()
    for _ in range(100):
        shop.run(1)
        assert boutique.shown()["TEE"]["stock"][WAREHOUSE] == 20
    shop.run(600)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 20}
    assert shop.shops("TEE") == (25, 25)
    assert shop.quiet()


def test_a_write_that_met_another_figure_is_made_again_after_hours_in_which_nobody_could_look(tmp_path: Path) -> None:
    """Hostile week 1: the look that was to follow was given up in a long outage, every later page said what was known already,
    and the shop showed the old figure for ever."""
    shop, boutique = with_boutique(tmp_path)
    route = boutique.route

    def typed_meanwhile(request: Request) -> Response:
        if not boutique.is_write(request):
            return route(request)
        boutique.count("TEE", 19, WAREHOUSE)
        answer = route(request)
        boutique.count("TEE", 20, WAREHOUSE)
        boutique.outbox.clear()
        boutique.route, boutique.faults.down = route, True
        return answer

    boutique.route = typed_meanwhile
    shop.erp.receive("TEE", 3, "3")
    shop.run(130)
    assert boutique.faults.down
    shop.run(3 * 3600)
    boutique.faults.down = False
    shop.run(1_300)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 5, WAREHOUSE: 23}
    assert shop.shops("TEE") == (28, 28)
    assert shop.quiet()


def test_what_falls_at_two_places_at_once_counts_as_sold_at_both(tmp_path: Path) -> None:
    """One look tells of both: while the orders cannot be read, nobody else offers what went at either."""
    shop, boutique = with_boutique(tmp_path)
    read, route = [False], boutique.route
    boutique.route = lambda request: route(request) if read[0] or b"orders(" not in request.body else Response(500, {}, b"")
    boutique.order({"TEE": 2}, place=AARHUS)
    boutique.order({"TEE": 4}, place=WAREHOUSE)
    told = [each for each in boutique.outbox if each.headers["x-shopify-topic"].startswith("inventory_levels/")]
    boutique.outbox.clear()
    boutique.outbox.extend(told)
    shop.run(30)
    assert shop.shops("TEE") == (19, 19)
    read[0] = True
    shop.run(700)
    assert boutique.shown()["TEE"]["stock"] == {AARHUS: 3, WAREHOUSE: 16}
    assert shop.shops("TEE") == (19, 19)
    assert shop.quiet()


def test_all_orders_are_read_again_where_a_page_of_them_costs_more_than_the_points_at_hand(tmp_path: Path) -> None:
    """A full-size hostile day: the second page was begun anew for ever, by what a sweep leaves for pushes."""
    shop, boutique = with_boutique(tmp_path)
    boutique.count("TEE", 100, WAREHOUSE)
    for _ in range(60):
        boutique.order({"TEE": 1}, place=WAREHOUSE)
    hub = shop.stage.hub
    hub.database.transaction(lambda tx: cursors.restart(tx, "boutique"))
    shop.run(300)
    swept = hub.database.read(lambda tx: cursors.reading(tx, "boutique", "orders", "sweep"))
    assert (swept.under_way, swept.completed_at > 0) == (False, True)
    shop.run(300)
    assert len(shop.erp.orders_shown()) == 60


def test_a_letter_about_a_listing_is_closed_when_the_listing_is_understood_again(tmp_path: Path) -> None:
    """A hostile day with drifting fields: a platform that names records otherwise than listings had them open for ever."""
    shop, _ = with_boutique(tmp_path)
    connector = shop.stage.hub.channels["boutique"].connector
    read = connector.read

    def drifted(stream: str, ask: ReadAsk) -> Page:
        page = read(stream, ask)
        return replace(page, body=page.body.replace(b'"value":"Default Title"', b'"value":["Default Title"]'))

    connector.read = drifted  # type: ignore[method-assign]
    shop.run(700)
    assert [each.path for each in shop.stage.letters()] == ["selectedOptions.0.value"]
    connector.read = read  # type: ignore[method-assign]
    shop.run(700)
    assert shop.stage.letters() == []


def hears(shop: Merchant, channel: str) -> None:
    """Put what a channel says of its stock into the inbox, as the answer to a look; nobody has understood it yet."""
    hub, at = shop.stage.hub, shop.stage.clock.now()
    begun = hub.database.next()
    page = hub.channels[channel].connector.read("stock", ReadAsk("", True, 100, at))
    seq, answered = hub.database.next_block(2)
    envelope = Envelope(seq, channel, Door.LOOKUP, "stock", "", at, page.body, "", begun, answered)
    hub.database.transaction(lambda tx: inbox.store(tx, hub.vault, [inbox.Arrival(envelope)]))


def test_what_was_decided_while_a_write_was_under_way_is_not_forgotten_when_it_meets_another_figure(tmp_path: Path) -> None:
    """Seed 2 of a full-size hostile day: the look after the conflict said what was known, and nobody compared it."""
    shop, boutique = with_boutique(tmp_path)
    hub, route = shop.stage.hub, boutique.route
    boutique.route = lambda request: Response(500, {}, b"") if b"orders(" in request.body else route(request)
    shop.erp.count("TEE", 15, "3")
    hears(shop, "erp")
    hub.walk.step()
    boutique.order({"TEE": 1}, place=WAREHOUSE)
    boutique.outbox.clear()
    hears(shop, "boutique")
    hub.walk.told.step(100, hub.walk.heard())
    stirred = []

    def meanwhile(request: Request) -> Response:
        if not stirred and hub.database.read(lambda tx: changes.open_in(tx, "boutique", ["sent"], 1)):
            stirred.append(request)
            hub.walk.step()
        return Response(500, {}, b"") if b"orders(" in request.body else route(request)

    boutique.route = meanwhile
    hub.turns["boutique"].step()
    assert stirred
    shop.run(5)
    assert boutique.shown()["TEE"]["stock"][WAREHOUSE] == 14
