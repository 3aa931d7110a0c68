"""What the Tryton connector writes: figures by stocktakes, prices under an optimistic lock, and what it says of each change."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from tryton_stage import listed, of, price_change, stock_change, stocked, wired

from connectors.tryton.connector import TrytonConnector
from connectors.tryton.sandbox import Sandbox
from hub.errors import ThrottledError, UnavailableError
from hub.flow import Change, Outcome, Receipt
from hub.sdk.wire import Request, Response


def outcomes(connector: TrytonConnector, aspect: str, changes: Sequence[Change]) -> dict[str, Receipt]:
    """The receipt of each change, by its id; exactly one each."""
    receipts = connector.send(aspect, changes)
    assert sorted(receipt.change for receipt in receipts) == sorted(change.id for change in changes)
    return {receipt.change: receipt for receipt in receipts}


def stock(sandbox: Sandbox, sku: str, place: str = "3") -> int:
    pieces: int = sandbox.shown()[sku]["stock"][place]
    return pieces


def open_stocktakes(sandbox: Sandbox) -> list[int]:
    return [row["id"] for row in sandbox.books.tables["stock.inventory"].values() if row["state"] == "draft"]


class Interrupted:
    """The sandbox, with somebody doing something right after calls of one method."""

    def __init__(self, sandbox: Sandbox, method: str) -> None:
        self.sandbox, self.method = sandbox, method
        self.times = 1

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        answer = self.sandbox.send(request, deadline_seconds, answer_bytes_max)
        if request.json()["method"] == self.method and self.times:
            self.times -= 1
            self.meanwhile()
        return answer

    def meanwhile(self) -> None:
        self.sandbox.sell("TEE-S", 2)


def test_figures_written_are_the_figures_read() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    told = outcomes(connector, "stock", [
        stock_change("1", 10, 4, number=1), stock_change("2", 10, 17, number=2), stock_change("3", 10, 0, number=3),
        stock_change("4", 10, 10, number=4), stock_change("5", None, 3, place="11", number=5),
    ])  # fmt: skip
    assert {receipt.outcome for receipt in told.values()} == {Outcome.APPLIED}
    assert told["made-stock-2"].shows == {"raw": 17_000}
    shown = {record["code"]: record["quantity"] for record in listed(connector, "stock")[0]}
    assert [shown[sku] for sku in ("TEE-S", "TEE-M", "TEE-L", "CAP", "MUG")] == ["4", "17", "0", "10", "10"]
    assert stock(sandbox, "MUG", "10") == 3
    assert open_stocktakes(sandbox) == []


def test_one_bad_figure_does_not_stop_its_neighbours() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    negative, broken = stock_change("2", 10, -1, number=2), stock_change("5", 10, 1, number=5)
    broken = Change(**{**{name: getattr(broken, name) for name in Change.__slots__}, "after": {"raw": 1_500}})
    told = outcomes(connector, "stock", [
        stock_change("1", 10, 4, number=1), negative, stock_change("999", None, 5, number=3),
        stock_change("4", 9, 5, number=4), broken, stock_change("6", 10, 2, place="5", number=6),
        stock_change("7", 10, 2, place="", number=7), stock_change("3", 10, 6, number=8),
    ])  # fmt: skip
    refused = {number for number in range(1, 9) if told[f"made-stock-{number}"].outcome is Outcome.REFUSED}
    assert refused == {2, 3, 5, 6, 7}
    assert "don't exist" in told["made-stock-3"].words
    assert "warehouse" in told["made-stock-6"].words
    assert told["made-stock-4"].outcome is Outcome.CONFLICT
    assert told["made-stock-4"].shows == {"raw": 10_000}
    assert [stock(sandbox, sku) for sku in ("TEE-S", "TEE-M", "TEE-L", "CAP", "MUG", "BAG", "SOCK")] == [4, 10, 6, 10, 10, 10, 10]
    assert open_stocktakes(sandbox) == []


def test_a_sale_during_a_stocktake_stays_counted() -> None:
    sandbox = stocked()
    connector = wired(Interrupted(sandbox, "model.stock.inventory.create"), sandbox.clock)
    told = outcomes(connector, "stock", [stock_change("1", 10, 15)])
    assert told["made-stock-1"].outcome is Outcome.APPLIED
    assert told["made-stock-1"].shows == {"raw": 13_000}, "15 were counted, 2 of them are sold"
    assert stock(sandbox, "TEE-S") == 13


def test_a_figure_that_moved_before_is_a_conflict_and_stays() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    sandbox.sell("TEE-S", 1)
    told = outcomes(connector, "stock", [stock_change("1", 10, 12)])
    assert told["made-stock-1"].outcome is Outcome.CONFLICT
    assert stock(sandbox, "TEE-S") == 9


def test_an_answer_lost_ends_in_one_effect() -> None:
    for lost in ("create", "confirm"):
        sandbox = stocked()
        connector = wired(sandbox, sandbox.clock)
        listed(connector, "stock")
        if lost == "confirm":
            sandbox.sell("MUG", 1)
            _lose_confirmation(sandbox)
        else:
            sandbox.faults.lose_answer_next = 1
        change = stock_change("1", 10, 25)
        assert outcomes(connector, "stock", [change])[change.id].outcome is Outcome.UNKNOWN
        (seen,) = of(connector.look_up("stock", ["1"]))
        if seen["quantity"] != "25":
            assert outcomes(connector, "stock", [change])[change.id].outcome is Outcome.APPLIED
        assert stock(sandbox, "TEE-S") == 25
        assert open_stocktakes(sandbox) == []
        moved = [row for row in sandbox.books.tables["stock.move"].values() if row["product"] == 1 and row["origin"]]
        assert [row["quantity"] for row in moved] == [Decimal(15)]


def _lose_confirmation(sandbox: Sandbox) -> None:
    route = sandbox.route

    def routed(request: Request) -> Response:
        if request.json()["method"].endswith(".confirm"):
            sandbox.faults.lose_answer_next = 1
        return route(request)

    sandbox.route = routed  # type: ignore[method-assign]


def test_a_person_s_open_stocktake_of_other_goods_stays_open() -> None:
    sandbox = stocked()
    theirs = sandbox.books.make_inventory({"location": 3, "lines": [["create", [{"product": 6, "quantity": 1}]]]})
    outcomes(wired(sandbox, sandbox.clock), "stock", [stock_change("1", 10, 11)])
    assert open_stocktakes(sandbox) == [theirs]


@pytest.mark.parametrize("ignored", ["create", "confirm"])
def test_a_yes_that_changed_nothing_is_noticed(ignored: str) -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    if ignored == "create":
        sandbox.faults.ignore_writes_next = 1
    else:
        books = sandbox.books
        books.confirm = lambda number: None  # type: ignore[method-assign]
    told = outcomes(connector, "stock", [stock_change("1", 10, 4), stock_change("2", 10, 5, number=2)])
    assert {receipt.outcome for receipt in told.values()} == {Outcome.REFUSED}
    assert all(receipt.words for receipt in told.values())
    assert stock(sandbox, "TEE-S") == 10
    sandbox.faults.ignore_writes_next = 1
    priced = outcomes(connector, "price", [price_change("1", "159.96", "1")])
    assert priced["made-price-1"].outcome is Outcome.REFUSED
    assert priced["made-price-1"].shows == {"amount": "159.96", "currency": "DKK", "tax": "excluded"}


def test_busy_is_sent_again_and_too_many_requests_waits() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    change = stock_change("1", 10, 4)
    sandbox.busy_next = 1
    with pytest.raises(UnavailableError, match="could not serialize"):
        connector.send("stock", [change])
    assert outcomes(connector, "stock", [change])[change.id].outcome is Outcome.APPLIED
    sandbox.faults.throttle_next = 1
    with pytest.raises(ThrottledError) as waits:
        connector.send("stock", [change])
    assert waits.value.retry_after_seconds == 1.0


def test_prices_written_are_the_prices_read_and_each_is_judged_alone() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    told = outcomes(connector, "price", [
        price_change("1", "159.96", "149.95", number=1), price_change("2", "1.00", "5", number=2),
        price_change("3", "159.96", "12.34567", number=3), price_change("4", None, "99.5", number=4),
        price_change("5", "159.96", "7", currency="EUR", number=5), price_change("999", None, "1", number=6),
    ])  # fmt: skip
    kinds = {change: receipt.outcome for change, receipt in told.items()}
    applied, conflict, refused = Outcome.APPLIED, Outcome.CONFLICT, Outcome.REFUSED
    assert [kinds[f"made-price-{number}"] for number in range(1, 7)] == [applied, conflict, refused, applied, refused, refused]
    assert "digits" in told["made-price-3"].words
    prices = {sku: said["price"] for sku, said in sandbox.shown().items()}
    assert [prices[sku] for sku in ("TEE-S", "TEE-M", "TEE-L", "CAP", "MUG")] == [
        Decimal("149.95"), Decimal("159.96"), Decimal("159.96"), Decimal("99.5"), Decimal("159.96"),
    ]  # fmt: skip


def test_a_price_edited_between_reading_and_writing_is_a_conflict() -> None:
    sandbox = stocked()
    between = Interrupted(sandbox, "model.product.product.search_read")
    between.meanwhile = lambda: sandbox.set_price("TEE-S", Decimal("170"))  # type: ignore[method-assign]
    told = outcomes(wired(between, sandbox.clock), "price", [price_change("1", "159.96", "150")])
    assert told["made-price-1"].outcome is Outcome.CONFLICT
    assert sandbox.shown()["TEE-S"]["price"] == Decimal(170)


def test_a_variant_s_price_leaves_its_siblings_alone() -> None:
    sandbox = stocked()
    variants = [["create", [{"suffix_code": "-A"}, {"suffix_code": "-B"}]]]
    sandbox.books.make_template({"name": "Two", "code": "TWO", "default_uom": 1, "list_price": "10", "products": variants})
    connector = wired(sandbox, sandbox.clock)
    assert outcomes(connector, "price", [price_change("8", "10", "12")])["made-price-1"].outcome is Outcome.APPLIED
    assert {sku: said["price"] for sku, said in sandbox.shown().items() if sku.startswith("TWO")} == {
        "TWO-A": Decimal(12),
        "TWO-B": Decimal(10),
    }
