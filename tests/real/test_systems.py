"""The real systems by themselves, without the hub: they start, hold the agreed goods, and behave as the connectors assume."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desks import Clerk, RefusedByThemError, ShopDesk
from layout import goods
from receiver import Receiver
from systems import RealTryton, RealVendure

pytestmark = pytest.mark.real

ADD_TO_ORDER = (
    "mutation($v:ID!,$q:Int!){addItemToOrder(productVariantId:$v,quantity:$q){__typename"
    " ...on Order{totalQuantity subTotalWithTax subTotal} ...on ErrorResult{errorCode}}}"
)


@pytest.fixture
def clerk(real_tryton: RealTryton) -> Iterator[Clerk]:
    desk = Clerk(real_tryton)
    yield desk
    desk.leave()


@pytest.fixture
def editor(real_vendure: RealVendure) -> Iterator[ShopDesk]:
    desk = ShopDesk.editor(real_vendure)
    yield desk
    desk.leave()


@pytest.fixture
def customer(real_vendure: RealVendure) -> Iterator[ShopDesk]:
    desk = ShopDesk(real_vendure)
    yield desk
    desk.leave()


def test_a_fresh_erp_holds_the_goods_with_their_prices_and_stock(fresh_tryton: Callable[[], RealTryton]) -> None:
    clerk = Clerk(fresh_tryton())
    articles = clerk.articles()
    currency = clerk.call("company.company.search_read", [], 0, 2, None, ["currency.code", "party.name"])
    clerk.leave()
    assert {code: article["quantity"] for code, article in articles.items()} == {g.code: g.on_hand for g in goods()}
    prices = {code: Decimal(article["list_price_used"]["decimal"]) for code, article in articles.items()}
    assert prices == {g.code: g.list_price for g in goods()}
    assert prices["TEE-001"] * Decimal("1.25") == Decimal("199.95")
    assert [company["currency."]["code"] for company in currency] == ["DKK"]


def test_a_stocktake_in_the_erp_changes_only_what_was_counted(clerk: Clerk) -> None:
    before = {code: article["quantity"] for code, article in clerk.articles().items()}
    clerk.count({"TEE-001": 33, "TEE-006": 4})
    after = {code: article["quantity"] for code, article in clerk.articles().items()}
    assert after == {**before, "TEE-001": 33, "TEE-006": 4}


def test_a_new_price_in_the_erp_moves_the_template_and_not_the_variant(clerk: Clerk) -> None:
    before = clerk.articles()["TEE-002"]
    clerk.reprice("TEE-002", Decimal("167.9600"))
    after = clerk.articles()["TEE-002"]
    assert after["list_price_used"]["decimal"] == "167.9600"
    assert after["write_date"] == before["write_date"]
    (template,) = clerk.call("product.template.read", [after["template"]], ["write_date", "create_date"])
    assert template["write_date"] is not None


def test_the_erp_refuses_a_wrong_password_and_a_price_with_five_digits(real_tryton: RealTryton, clerk: Clerk) -> None:
    with pytest.raises(RefusedByThemError, match="401"):
        Clerk(real_tryton, "wrong")
    with pytest.raises(RefusedByThemError, match="UserError"):
        clerk.reprice("TEE-003", Decimal("1.23456"))


def test_the_shop_holds_the_same_goods_with_old_prices_including_vat_and_no_stock(editor: ShopDesk) -> None:
    articles = editor.articles()
    assert set(articles) == {good.code for good in goods()}
    mug = articles["MUG-001"]
    assert (mug["priceWithTax"], mug["currencyCode"], mug["trackInventory"]) == (7500, "DKK", "TRUE")
    assert [(level["stockLocation"]["name"], level["stockOnHand"]) for level in mug["stockLevels"]] == [
        ("Warehouse", 0),
        ("Aarhus", 0),
    ]


def test_an_editors_stock_change_is_told_with_a_true_signature(editor: ShopDesk, hook_receiver: Receiver) -> None:
    hook_receiver.forget()
    editor.set_stock("HOOD-002", "Warehouse", 7)
    told = hook_receiver.told("StockMovementEvent")
    expected = hmac.new(Receiver.secret.encode(), told.body, hashlib.sha256).hexdigest()
    assert told.headers["x-signature"] == expected
    body = json.loads(told.body)
    (movement,) = body["stockMovements"]
    assert (body["event"], body["type"], movement["quantity"]) == ("StockMovementEvent", "ADJUSTMENT", 7)


def form(value: object) -> object:
    """The names in a JSON value, in order, without what they say."""
    if isinstance(value, dict):
        return [(name, form(inner)) for name, inner in value.items()]
    return [form(value[0])] if isinstance(value, list) else type(value).__name__


def test_the_events_have_the_recorded_form(editor: ShopDesk, customer: ShopDesk, hook_receiver: Receiver) -> None:
    shared = Path(os.environ.get("SAMKLANG_SHARED") or Path(__file__).parents[3] / "shared")
    recorded = shared / "samples" / "vendure" / "webhooks.jsonl"
    if not recorded.is_file():
        pytest.skip(f"no recorded deliveries at {recorded}")
    bodies = [json.loads(line)["body"] for line in recorded.read_text(encoding="utf-8").splitlines()]
    hook_receiver.forget()
    editor.set_stock("CAP-002", "Warehouse", 5)
    editor.set_price("CAP-002", 14895)
    customer.ask(ADD_TO_ORDER, v=editor.articles()["CAP-002"]["id"], q=1)
    for name in ("StockMovementEvent", "ProductVariantEvent", "OrderLineEvent"):
        told = json.loads(hook_receiver.told(name).body)
        assert form(told) in [form(body) for body in bodies if body["event"] == name]


def test_a_customer_sees_the_editors_price_and_buys_what_is_there(editor: ShopDesk, customer: ShopDesk) -> None:
    editor.set_stock("CAP-001", "Warehouse", 3)
    editor.set_price("CAP-001", 12345)
    cap = editor.articles()["CAP-001"]
    order = customer.ask(ADD_TO_ORDER, v=cap["id"], q=2)["addItemToOrder"]
    assert (order["totalQuantity"], order["subTotalWithTax"], order["subTotal"]) == (2, 24690, 19752)
    with pytest.raises(RefusedByThemError, match="INSUFFICIENT_STOCK"):
        customer.ask(ADD_TO_ORDER, v=cap["id"], q=2)


def test_a_paid_order_is_allocated_and_leaves_the_figure_on_hand_alone(editor: ShopDesk, customer: ShopDesk) -> None:
    editor.set_stock("BAG-001", "Warehouse", 12)
    customer.ask(ADD_TO_ORDER, v=editor.articles()["BAG-001"]["id"], q=2)
    for step in (
        'setCustomerForOrder(input:{firstName:"Test",lastName:"Buyer",emailAddress:"buyer@shop.example"})',
        'setOrderShippingAddress(input:{streetLine1:"1",city:"Aarhus",postalCode:"8000",countryCode:"DK"})',
        'setOrderShippingMethod(shippingMethodId:["1"])',
        'transitionOrderToState(state:"ArrangingPayment")',
    ):
        customer.ask(f"mutation{{{step}{{__typename ...on ErrorResult{{errorCode}}}}}}")
    paid = customer.ask(
        'mutation{addPaymentToOrder(input:{method:"dummy",metadata:{}}){__typename'
        " ...on Order{state totalWithTax} ...on ErrorResult{errorCode}}}"
    )["addPaymentToOrder"]
    assert (paid["state"], paid["totalWithTax"]) == ("PaymentSettled", 2 * 9995 + 3900)
    level = editor.articles()["BAG-001"]["stockLevels"][0]
    assert (level["stockOnHand"], level["stockAllocated"]) == (12, 2)


def test_what_one_run_changed_is_not_there_in_the_next(
    fresh_tryton: Callable[[], RealTryton], fresh_vendure: Callable[[str, str], RealVendure]
) -> None:
    first = Clerk(fresh_tryton())
    first.count({"BAG-001": 1})
    first.leave()
    second = Clerk(fresh_tryton())
    assert second.articles()["BAG-001"]["quantity"] == 100
    second.leave()
    here = ShopDesk.editor(fresh_vendure("", ""))
    here.set_stock("BAG-001", "Aarhus", 9)
    there = ShopDesk.editor(fresh_vendure("", ""))
    assert there.articles()["BAG-001"]["stockLevels"][1]["stockOnHand"] == 0
    here.leave()
    there.leave()


def test_the_shop_refuses_a_wrong_password(real_vendure: RealVendure) -> None:
    with pytest.raises(RefusedByThemError, match="INVALID_CREDENTIALS"):
        ShopDesk.editor(real_vendure, "wrong")
