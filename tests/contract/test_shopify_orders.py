"""Stories of Shopify's orders: bought online and at the till, edited, sent in parts, called off, given back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from shopify_rig import DEPOT, STORE, Rig, specified

from hub.sdk.contract import ReadAsk

SHIPPING = Decimal("39.00")


def shop() -> Rig:
    """Ten pieces of three tees at the depot, five at the store."""
    rig = Rig()
    rig.stocked(3)
    for one in range(1, 4):
        rig.sandbox.count(f"TEE-{one:03d}", 5, STORE)
    rig.clock.advance(60)
    return rig


def parts(order: dict[str, Any], state: str) -> dict[str, int]:
    """Pieces by SKU in the fulfilments of this state."""
    skus = {line["line"]: line["sku"] for line in order["lines"]}
    found: dict[str, int] = {}
    for one in order["fulfilments"]:
        for part in one["parts"] if one["state"] == state else []:
            found[skus[part["line"]]] = found.get(skus[part["line"]], 0) + part["quantity"] // 1000
    return found


# what is read


def test_an_order_of_a_web_shop_with_its_money_and_its_person() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    order = rig.order(ident)
    assert (order["state"], order["total_minor"], order["currency"], order["tax"]) == ("release", 63885, "DKK", "included")
    (line,) = order["lines"]
    assert (line["quantity"], line["cancelled"], line["amount_minor"], line["tax_minor"]) == (3000, 0, 59985, 11997)
    assert (line["kind"], line["place"], line["tax_percent"]) == ("stocked", DEPOT, Decimal("25.0"))
    assert [(one["kind"], one["amount_minor"]) for one in order["charges"]] == [("shipping", 3900)]
    assert [(one["kind"], one["amount_minor"]) for one in order["payments"]] == [("captured", 63885)]
    assert parts(order, "planned") == {"TEE-001": 3}
    (record,) = rig.records(rig.connector.look_up("orders", [ident]), "orders")
    (person,) = rig.mappings.understand("party", record)
    assert (person["email"], person["postal_code"], person["country"]) == ("made.buyer@example.com", "1000", "DK")


def test_pages_that_cost_more_than_the_points_at_hand_are_read_to_their_ends() -> None:
    rig = shop()
    rig.sandbox.count("TEE-001", 100, DEPOT)
    bought = [rig.sandbox.order({"TEE-001": 1}) for _ in range(rig.manifest.streams["orders"].page_max)]
    rig.client.leave_tokens = float(rig.manifest.pace.reserve_for_push) * rig.manifest.pace.burst
    for _ in range(4):
        with rig.client.page():
            page = rig.connector.read("orders", ReadAsk("", True, len(bought), rig.clock.now()))
    seen = rig.mappings.understand
    read = [seen("order", record)[0] for record in rig.records(page, "orders")]
    assert [order["number"] for order in read] == [rig.order(ident)["number"] for ident in bought]


def test_persons_are_not_even_asked_for_where_the_channel_says_no() -> None:
    rig = Rig(settings={"persons": "no"})
    rig.stocked(1)
    ident = rig.sandbox.order({"TEE-001": 1})
    (record,) = rig.records(rig.connector.look_up("orders", [ident]), "orders")
    assert rig.mappings.understand("party", record) == []
    assert "example.com" not in json.dumps(record)


def test_a_poll_gives_orders_that_changed() -> None:
    rig = shop()
    first = rig.sandbox.order({"TEE-001": 1})
    rig.clock.advance(600)
    _, cursor = rig.read("orders", full=True)
    rig.clock.advance(600)
    second = rig.sandbox.order({"TEE-002": 1})
    rig.clock.advance(600)
    records, cursor = rig.read("orders", cursor)
    assert [one["id"].rpartition("/")[2] for one in records] == [second]
    rig.clock.advance(600)
    rig.sandbox.ship(first)
    rig.clock.advance(60)
    assert [one["id"].rpartition("/")[2] for one in rig.read("orders", cursor)[0]] == [first]


def test_an_order_of_this_moment_is_read_though_the_search_does_not_know_it_yet() -> None:
    rig = shop()
    rig.sandbox.order({"TEE-001": 1})
    rig.clock.advance(600)
    _, cursor = rig.read("orders", full=True)
    rig.clock.advance(600)
    ident = rig.sandbox.order({"TEE-001": 1})
    assert [one["id"].rpartition("/")[2] for one in rig.read("orders", cursor)[0]] == [ident]


@pytest.mark.parametrize("page_max", [1, 2, 25])
def test_a_full_reading_gives_each_order_once(page_max: int) -> None:
    rig = shop()
    ids = [rig.sandbox.order({"TEE-001": 1}) for _ in range(5)]
    records, _ = rig.read("orders", full=True, page_max=page_max)
    assert [one["id"].rpartition("/")[2] for one in records] == ids


def test_the_states_of_money_and_goods() -> None:
    rig = shop()
    unpaid = rig.sandbox.order({"TEE-001": 1}, paid=False)
    assert rig.order(unpaid)["state"] == "reserve"
    rig.sandbox.authorise(unpaid)
    held = rig.order(unpaid)
    assert (held["state"], [one["kind"] for one in held["payments"]]) == ("release", ["authorised"])
    rig.sandbox.pay(unpaid)
    assert rig.order(unpaid)["state"] == "release"
    rig.sandbox.hold(unpaid)
    assert rig.order(unpaid)["state"] == "reserve"
    sent = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.ship(sent, {"TEE-001": 1}, tracking="TN1")
    assert rig.order(sent)["state"] == "release"
    rig.sandbox.ship(sent)
    rig.sandbox.deliver(sent)
    done = rig.order(sent)
    assert (done["state"], parts(done, "delivered")) == ("ended", {"TEE-001": 2})


def test_every_state_that_the_platform_knows_is_mapped() -> None:
    types = {one["name"]: one for one in specified("admin_2026-10.introspection.json.gz")["data"]["__schema"]["types"]}
    tables = {name: set(table.rows) for name, table in Rig().mappings.mappings["order"].document.tables.items()}
    for table, enum in (
        ("money_state", "OrderDisplayFinancialStatus"),
        ("goods_state", "OrderDisplayFulfillmentStatus"),
        ("parcel_state", "FulfillmentDisplayStatus"),
        ("condition", "ReverseFulfillmentOrderDispositionType"),
    ):
        assert {one["name"] for one in types[enum]["enumValues"]} <= tables[table], enum
    tasks = {f"TASK {one['name']}" for one in types["FulfillmentOrderStatus"]["enumValues"]} - {"TASK CLOSED", "TASK CANCELLED"}
    assert tasks <= tables["parcel_state"]
    parcels = {f"STATUS {one['name']}" for one in types["FulfillmentStatus"]["enumValues"]} - {"STATUS SUCCESS"}
    assert parcels <= tables["parcel_state"]


def test_an_edit_adds_a_line_and_takes_pieces_off() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.edit(ident, "TEE-001", 2)
    rig.sandbox.edit(ident, "TEE-002", 1)
    order = rig.order(ident)
    lines = {line["sku"]: line for line in order["lines"]}
    assert (lines["TEE-001"]["quantity"], lines["TEE-001"]["cancelled"]) == (3000, 1000)
    assert (lines["TEE-001"]["amount_minor"], lines["TEE-002"]["amount_minor"]) == (39990, 19995)
    assert order["total_minor"] == 39990 + 19995 + 3900
    rig.sandbox.edit(ident, "TEE-002", 2)
    assert rig.order(ident)["total_minor"] == 39990 + 39990 + 3900
    assert rig.stock()[f"{lines['TEE-001']['listing']} {DEPOT}"] == 8


def test_what_came_back_is_no_cancellation() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.ship(ident, {"TEE-001": 2})
    rig.sandbox.take_back(ident, {"TEE-001": 1}, STORE)
    rig.sandbox.cancel(ident, {"TEE-001": 1})
    order = rig.order(ident)
    (line,) = order["lines"]
    assert (line["quantity"], line["cancelled"], line["amount_minor"]) == (3000, 1000, 39990)
    assert order["total_minor"] == 39990 + 3900, "the piece that came back was paid for, and its money went back"
    (back,) = order["returns"]
    assert (back["place"], back["parts"][0]["quantity"], back["parts"][0]["condition"]) == (STORE, 1000, "sellable")
    refund = next(one for one in order["payments"] if one["kind"] == "refunded")
    assert (refund["amount_minor"], refund["parts"]) == (
        19995,
        [{"line": line["line"], "quantity": 1000, "amount_minor": 19995}],
    )


def test_a_refund_of_shipping_names_the_charge() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 1}, shipping=SHIPPING)
    rig.sandbox.refund(ident, SHIPPING, shipping=SHIPPING)
    order = rig.order(ident)
    (charge,) = order["charges"]
    refund = order["payments"][-1]
    assert (charge["amount_minor"], order["total_minor"]) == (3900, 19995 + 3900)
    assert refund["parts"] == [{"line": charge["charge"], "quantity": 0, "amount_minor": 3900}]


def test_a_refund_of_money_alone_changes_no_line() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.refund(ident, Decimal("50.00"))
    order = rig.order(ident)
    assert (order["lines"][0]["cancelled"], order["total_minor"], order["payments"][-1]["amount_minor"]) == (0, 39990, 5000)


@pytest.mark.parametrize(
    ("disposition", "condition", "restocked"),
    [
        ("RESTOCKED", "sellable", True),
        ("NOT_RESTOCKED", "damaged", False),
        ("PROCESSING_REQUIRED", "quarantine", False),
        ("MISSING", "lost", False),
    ],
)
def test_a_return_says_in_which_condition_things_came_back(disposition: str, condition: str, restocked: bool) -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.ship(ident)
    rig.sandbox.open_return(ident, "TEE-001", 1)
    assert rig.order(ident)["returns"] == [], "nothing is back yet"
    rig.sandbox.open_return(ident, "TEE-001", 1, disposition, STORE)
    (back,) = rig.order(ident)["returns"]
    assert (back["parts"][0]["condition"], back["parts"][0]["restocked"]) == (condition, restocked)


def test_a_cancelled_order_takes_nothing() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.cancel(ident)
    order = rig.order(ident)
    assert (order["state"], order["lines"][0]["cancelled"], order["total_minor"]) == ("cancelled", 3000, 0)
    assert [one["kind"] for one in order["payments"]] == ["captured", "refunded"]
    assert rig.sandbox.shown()["TEE-001"]["stock"][DEPOT] == 10


def test_a_sale_at_the_till_is_told_apart_and_born_handed_over() -> None:
    rig = shop()
    ident = rig.sandbox.sale({"TEE-001": 1}, STORE, receipt="1234-12-1000", tendered=Decimal("200.00"))
    order = rig.order(ident)
    assert (order["state"], order["place"], order.get("origin_reference")) == ("ended", STORE, None)
    assert parts(order, "handed_over") == {"TEE-001": 1}
    assert [(one["kind"], one["method"], one["amount_minor"]) for one in order["payments"]] == [("captured", "cash", 19995)]
    assert rig.sandbox.shown()["TEE-001"]["stock"] == {DEPOT: 10, STORE: 4}


def test_custom_amounts_tips_and_gift_cards_are_no_goods() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 1})
    rig.sandbox.extra(ident, "Tip", Decimal("20.00"))
    rig.sandbox.extra(ident, "Engraving", Decimal("50.00"))
    card = rig.sandbox.order({"TEE-002": 1})
    rig.sandbox.orders.found(card).lines[0].gift_card = True
    kinds = {line["title"]: (line["kind"], line.get("listing")) for line in rig.order(ident)["lines"]}
    assert kinds["Tip"] == ("tip", None)
    assert kinds["Engraving"] == ("custom", None)
    assert [line["kind"] for line in rig.order(card)["lines"]] == ["gift_card_sale"]


def test_where_an_order_came_from_is_told_by_its_tag_or_its_app() -> None:
    rig = shop()
    tagged, brought, ours = (rig.sandbox.order({"TEE-001": 1}) for _ in range(3))
    rig.sandbox.tag(tagged, "vip", "origin:406-1234567-1234567")
    rig.sandbox.orders.found(brought).source = "marketplace-app"
    rig.sandbox.orders.found(brought).source_id = "111-98567-54"
    rig.sandbox.tag(ours, "samklang:WEB-41")
    assert rig.order(tagged)["origin_reference"] == "406-1234567-1234567"
    assert rig.order(brought)["origin_reference"] == "111-98567-54"
    assert rig.order(ours)["reference"] == "WEB-41"


@pytest.mark.parametrize(("money", "currency", "total"), [("shop", "DKK", 63885), ("presentment", "EUR", 8561)])
def test_an_order_is_told_in_the_shops_money_or_in_the_customers(money: str, currency: str, total: int) -> None:
    rig = Rig(settings={"money": money})
    rig.stocked(1)
    ident = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING, currency="EUR", rate=Decimal("0.134"))
    order = rig.order(ident)
    assert (order["currency"], order["total_minor"]) == (currency, total)
    assert order["payments"][0]["amount_minor"] == total


def test_discounts_are_in_the_lines_and_tax_may_come_on_top() -> None:
    rig = Rig(prices_tax="excluded")
    rig.stocked(1)
    ident = rig.sandbox.order({"TEE-001": 2}, shipping=SHIPPING, discount=Decimal("40.00"))
    order = rig.order(ident)
    assert (order["tax"], order["lines"][0]["amount_minor"], order["lines"][0]["tax_minor"]) == ("excluded", 35990, 8998)
    assert order["total_minor"] == 35990 + 8998 + 3900 + 975
    rig.sandbox.cancel(ident, {"TEE-001": 1})
    less = rig.order(ident)
    assert less["lines"][0]["amount_minor"] == 17995


def test_an_order_of_many_lines_and_parcels_is_read_whole() -> None:
    rig = Rig()
    rig.stocked(60)
    wanted = {f"TEE-{one:03d}": 1 for one in range(1, 61)}
    ident = rig.sandbox.order(wanted)
    order = rig.order(ident)
    assert len(order["lines"]) == 60
    assert parts(order, "planned") == wanted
    rig.sandbox.ship(ident)
    rig.sandbox.cancel(rig.sandbox.order({"TEE-001": 1}), {"TEE-001": 1})
    assert parts(rig.order(ident), "shipped") == wanted


def test_a_delivery_may_name_a_part_of_an_order() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 1})
    task = rig.sandbox.orders.found(ident).tasks[0].id
    page = rig.connector.look_up("orders", [f"gid://shopify/FulfillmentOrder/{task}", "999"])
    assert [one["id"].rpartition("/")[2] for one in rig.records(page, "orders")] == [ident]
    assert page.gone == ("999",)
