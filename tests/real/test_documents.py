"""Documents and movements against the real ERP: the connector itself books, credits, corrects and reads there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desks import Clerk
from systems import RealTryton

from connectors.tryton.connector import TrytonConnector
from hub.canonical.json import read_json
from hub.canonical.order import conserved
from hub.clock import SystemClock
from hub.files import read_yaml
from hub.flow import Change, Key, Outcome
from hub.mapping.mappings import load_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, ReadAsk
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket
from hub.sdk.transport import HttpTransport

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]
ALL_MAX = 50


class Office:
    """A real ERP with a service product and a store beside its warehouse, and the connector at it."""

    def __init__(self, erp: RealTryton) -> None:
        self.clerk = Clerk(erp)
        self.cap = str(self.clerk.articles()["CAP-001"]["id"])
        self.storage, self.floor = self.clerk.storage(), self._store()
        (self.tax,) = self.clerk.call("account.tax.search", [], 0, 1, None)
        self.settings = {
            "database": erp.database, "username": erp.user, "currency": "DKK", "price_tax": "excluded", "product_filter": "[]",
            "shipping_product": self._parcel(), "other_product": "", "invoice_method": "fulfillment", "payment_term": "",
        }  # fmt: skip
        clock, manifest = SystemClock(), Manifest.model_validate(read_yaml(ROOT / "connectors/tryton/connector.yaml").plain())
        bucket = Bucket.full(manifest.pace.per_second, manifest.pace.burst, clock.now())
        client = Client(channel="erp", transport=HttpTransport(clock), clock=clock, base_url=erp.base_url, bucket=bucket)
        person = {"full_name": "Made Buyer", "street": "Made Street 1", "city": "Madetown", "customer": "5"}
        context = ChannelContext(
            channel="erp", settings=self.settings, secrets={"password": erp.password}, client=client, clock=clock,
            express=lambda name, canonical: {}, places={"warehouse": str(self.storage), "aarhus": str(self.floor)},
            party=lambda _: person,
        )  # fmt: skip
        self.connector = TrytonConnector(manifest, context)
        self.mappings = load_mappings([ROOT / "mappings"], "tryton", settings=self.settings)

    def book(self, pieces: int, number: str, **more: Any) -> Outcome:
        """Caps at 199.95 each as a document of this number, and a parcel at 39.00 with the same sign."""
        sign = 1 if pieces > 0 else -1
        one = {
            "line": "1", "listing": self.cap, "sku": "", "title": "Cap", "kind": "stocked", "quantity": 1000 * pieces,
            "amount_minor": 19995 * pieces, "tax_minor": 3999 * pieces, "tax_percent": "25", "refs": {},
        }  # fmt: skip
        parcel = {"charge": "s", "kind": "shipping", "title": "Parcel", "amount_minor": 3900 * sign, "tax_minor": 780 * sign,
                  "tax_percent": "25"}  # fmt: skip
        after = {
            "fact": "placed", "number": number, "placed_at": 1, "currency": "DKK", "tax": "included", "lines": [one],
            "total_minor": 19995 * pieces + 3900 * sign, "charges": [parcel], "payments": [], "place": "",
            "taxes": {"25": str(self.tax)}, **more,
        }  # fmt: skip
        change = Change("c", Key("erp", "our-1", "order", "placed"), "our-1", None, after, {}, 0)
        (receipt,), (found,) = self.connector.send("order", [change]), self.connector.find("order", [change])
        assert (receipt.outcome is Outcome.APPLIED) == (found.outcome is Outcome.APPLIED), receipt.words
        return receipt.outcome

    def told(self, stream: str, cursor: str = "") -> tuple[list[dict[str, Any]], str]:
        """What the connector reads and the mappings make of it, and the cursor to read on from."""
        page = self.connector.read(stream, ReadAsk(cursor, not cursor, ALL_MAX, 0))
        entity = {"orders": "order", "movements": "movement"}[stream]
        records = read_json(page.body)["records"]
        return [one for record in records for one in self.mappings.understand(entity, record)], page.cursor

    def all_of(self, model: str, *fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clerk.call(f"{model}.search_read", [], 0, ALL_MAX, [["id", "ASC"]], list(fields))
        return found

    def _store(self) -> int:
        zones = [{"name": name, "code": name, "type": "storage"} for name in ("SIN", "SOUT", "FLOOR")]
        incoming, outgoing, floor = self.clerk.call("stock.location.create", zones)
        house = {"name": "Store", "type": "warehouse", "input_location": incoming, "output_location": outgoing}
        self.clerk.call("stock.location.create", [{**house, "storage_location": floor}])
        return int(floor)

    def _parcel(self) -> str:
        (accounts,) = self.clerk.call("product.category.search", [["accounting", "=", True]], 0, 1, None)
        price = {"__class__": "Decimal", "decimal": "0"}
        made = {"name": "Parcel", "type": "service", "default_uom": 1, "list_price": price, "salable": True, "sale_uom": 1}
        (template,) = self.clerk.call(
            "product.template.create", [{**made, "account_category": accounts, "products": [["create", [{}]]]}]
        )
        (product,) = self.clerk.call("product.product.search", [["template", "=", template]], 0, 1, None)
        return str(product)


@pytest.fixture
def office(fresh_tryton: Callable[[], RealTryton]) -> Iterator[Office]:
    opened = Office(fresh_tryton())
    yield opened
    opened.clerk.leave()


def test_what_moves_elsewhere_is_money_only_and_corrected_by_a_further_sale(office: Office) -> None:
    assert office.book(3, "WEB-41", stock="elsewhere") is Outcome.APPLIED
    (sale,) = office.all_of("sale.sale", "state", "shipments", "total_amount", "invoices.total_amount", "invoices.state")
    assert (sale["state"], sale["shipments"], sale["total_amount"]["decimal"]) == ("processing", [], "638.85")
    assert [(one["state"], one["total_amount"]["decimal"]) for one in sale["invoices."]] == [("draft", "638.85")]
    assert office.book(2, "WEB-41", stock="elsewhere") is Outcome.APPLIED
    assert office.book(2, "WEB-41", stock="elsewhere", state="cancelled") is Outcome.APPLIED
    sales = office.all_of("sale.sale", "reference", "total_amount")
    assert [(one["reference"], one["total_amount"]["decimal"]) for one in sales] == [
        ("WEB-41", "638.85"), ("WEB-41~1", "-199.95"), ("WEB-41~2", "-438.90"),
    ]  # fmt: skip
    assert [one["reference"] for one in office.told("orders")[0]] == ["WEB-41"]
    assert office.all_of("stock.shipment.out", "state") == office.all_of("stock.shipment.out.return", "state") == []


def test_a_credit_waits_for_its_goods_and_tells_when_they_are_back(office: Office) -> None:
    assert office.book(-2, "WEB-41/R1", of="WEB-41") is Outcome.APPLIED
    (told,), cursor = office.told("orders")
    assert (told["reference"], told["total_minor"], told["returns"]) == ("WEB-41/R1", -43890, [])
    (back,) = office.all_of("stock.shipment.out.return", "state")
    for verb in ("receive", "do"):
        office.clerk.call(f"stock.shipment.out.return.{verb}", [back["id"]])
    (told,), _ = office.told("orders", cursor)
    assert conserved(told) == told
    assert [(part["quantity"], part["restocked"]) for part in told["returns"][0]["parts"]] == [(2000, True)]
    assert (told["lines"][0]["quantity"], told["charges"][0]["kind"], told["fulfilments"]) == (-2000, "shipping", [])
    assert office.clerk.articles()["CAP-001"]["quantity"] == 62
    invoices = office.all_of("sale.sale", "invoices.total_amount")[0]["invoices."]
    assert sum(Decimal(one["total_amount"]["decimal"]) for one in invoices) == Decimal("-438.90")


def test_goods_on_their_way_are_told_as_they_leave_and_arrive(office: Office) -> None:
    way = {"from_location": office.storage, "to_location": office.floor}
    moves = [["create", [{**way, "product": int(office.cap), "quantity": 20, "unit": 1}]]]
    (shipment,) = office.clerk.call("stock.shipment.internal.create", [{**way, "moves": moves}])
    _, cursor = office.told("movements")

    def press(*verbs: str) -> list[tuple[int, int, int]]:
        for verb in verbs:
            office.clerk.call(f"stock.shipment.internal.{verb}", [shipment])
        (told,), _ = office.told("movements", cursor)
        assert (told["from"], told["to"]) == (str(office.storage), str(office.floor))
        return [(part["planned"], part["dispatched"], part["received"]) for part in told["parts"]]

    assert press("wait", "assign_try", "pack") == [(20000, 0, 0)]
    assert press("ship") == [(20000, 20000, 0)]
    (arriving,) = office.clerk.call("stock.move.search", [["to_location", "=", office.floor]], 0, 2, None)
    office.clerk.call("stock.move.write", [arriving], {"quantity": 18})
    # The clerk says yes to the warning that two are missing; it is named after the shipment.
    warning = hashlib.md5(f"stock.shipment.internal,{shipment}".encode(), usedforsecurity=False).hexdigest()
    office.clerk.call("res.user.warning.skip", f"{warning}.check_quantity_product")
    assert press("do") == [(20000, 20000, 18000)]
    assert office.told("movements")[0][0]["state"] == "received"
