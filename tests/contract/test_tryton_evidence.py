"""The small Tryton against recorded calls of a real 8.2.1, and the judge against both doors of the small one.

The recorded calls are replayed in their order, each at the moment at which the real server wrote, so answers must be equal to
the last digit. Calls in between that were not recorded but whose effect shows are made here, and say so.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tryton_stage import GOODS, ROOT, price_change, stock_change, stocked, wired

from connectors.tryton.judge import read_orders, read_shown
from connectors.tryton.sandbox import Sandbox
from hub.clock import ManualClock
from hub.flow import Outcome
from hub.sdk.wire import Request, Response

SAMPLES = Path(os.environ.get("SAMKLANG_SHARED") or ROOT.parent / "shared") / "samples" / "tryton"
LATER = {
    "10-price-list": "price lists are not read",
    "20-pos-sale-create": "tills come later", "20-pos-read": "tills come later", "21-pos-payment": "tills come later",
    "22-pos-process": "tills come later", "22-pos-post": "tills come later", "23-pos-lines": "tills come later",
    "23-pos-read": "tills come later",
}  # fmt: skip
REPLAYED = 41
WROTE_AT = {
    "03-template-create": (19, 7, 3, 386045),
    "06-inventory-confirm": (19, 7, 4, 181656),
    "09-price-write": (19, 7, 6, 612541),
    "09-price-str": (19, 7, 6, 877790),
    # Their queue processed the sale in a transaction right after the confirmation, and that one shows.
    "13-sale-confirm": (19, 7, 7, 916590),
    "14-shipment-pick": (19, 7, 9, 624861),
    "14-shipment-do": (19, 7, 10, 197394),
}
"""When the real server wrote, as its later answers show."""


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """The samples in the order of their calls."""
    if not SAMPLES.is_dir():
        pytest.skip(f"no recorded calls: {SAMPLES} is not there (set SAMKLANG_SHARED)")
    found = [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in SAMPLES.glob("*.json")]
    return sorted(found, key=lambda named: named[1]["request"]["body"]["id"])


class Replay:
    """A small Tryton with the recorded database and user, and the session of the recorded person."""

    def __init__(self) -> None:
        self.clock = ManualClock(start=_at(19, 7, 1, 0))
        self.sandbox = Sandbox(
            self.clock, database="hub", username="admin", password="REDACTED", currency="USD", tax_percent="21"
        )
        self.session = ""

    def ask(self, method: str, params: list[Any], number: int = 0, path: str = "/hub/rpc/") -> Response:
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if self.session:
            headers["authorization"] = self.session
        body = json.dumps({"id": number, "method": method, "params": params}).encode()
        return self.sandbox.route(Request("POST", f"http://127.0.0.1:8001{path}", headers, body))

    def at(self, moment: tuple[int, int, int, int]) -> None:
        self.clock.advance((_at(*moment) - self.clock.now()) / 1_000_000)

    def unrecorded(self, before: str) -> None:
        """What happened between two recorded calls without being recorded itself."""
        context = {"company": 1}
        if before == "08-inventory-reconfirm":
            line = [["create", [{"product": 1, "quantity": 40.0}]]]
            self.at((19, 7, 4, 900000))
            self.ask("model.stock.inventory.create", [[{"location": 3, "lines": line}], context])
            self.at((19, 7, 5, 101082))
            self.ask("model.stock.inventory.confirm", [[2], context])
        elif before == "31-stale-write":
            self.at((19, 7, 13, 54831))
            self.ask("model.product.template.write", [[1], {"name": "T-shirt 2"}, context])
        elif before == "33-read-deleted":
            self.ask("model.product.template.create", [[{"name": "Brief", "default_uom": 1}], context])
            self.ask("model.product.template.delete", [[2], context])


def _at(hour: int, minute: int, second: int, rest: int) -> int:
    moment = dt.datetime(2026, 11, 21, hour, minute, second, tzinfo=dt.UTC)
    return int(moment.timestamp()) * 1_000_000 + rest


def test_recorded_calls_have_the_same_answers() -> None:
    replay, replayed = Replay(), []
    for name, sample in recorded():
        if name in LATER:
            continue
        if name in WROTE_AT:
            replay.at(WROTE_AT[name])
        replay.unrecorded(before=name)
        asked = sample["request"]["body"]
        path = sample["request"]["url"].removeprefix("http://127.0.0.1:8001")
        params = ["admin", {"password": "wrong"}, "en"] if name == "01-login-bad" else asked["params"]
        answer = replay.ask(asked["method"], params, asked["id"], path)
        assert answer.status == sample["status"], name
        assert answer.headers["content-type"] == sample["response_headers"]["Content-Type"], name
        said: Any = json.loads(answer.body) if "json" in answer.headers["content-type"] else answer.body.decode()
        assert _comparable(name, said) == _comparable(name, sample["response"]), name
        if name == "01-login":
            user, token, _ = said["result"]
            replay.session = "Session " + base64.b64encode(f"admin:{user}:{token}".encode()).decode()
        replayed.append(name)
    assert len(replayed) == REPLAYED


def _comparable(name: str, said: Any) -> Any:
    if name == "01-login":
        # The token is redacted in the sample.
        return [said["result"][0], type(said["result"][1]), said["result"][2]]
    if name == "02-preferences":
        # Another company and other groups; the same fields of the same kinds.
        return {key: type(value) for key, value in said["result"].items()}, said["result"]["locale"]
    if name == "16-moves":
        # Newest first; of equal ones their order of creation differs by the database.
        return sorted(said["result"], key=lambda row: int(row["id"]))
    if name == "15-sale-read":
        # When their queue worked off what the shipment told the sale is its own affair.
        return [{key: value for key, value in row.items() if key != "write_date"} for row in said["result"]]
    return said


def test_every_recorded_call_is_replayed_or_left_for_later_by_name() -> None:
    names = {name for name, _ in recorded()}
    assert set(LATER) <= names
    assert len(names) == REPLAYED + len(LATER)


@pytest.fixture
def served() -> Iterator[tuple[Sandbox, str]]:
    """A small Tryton on a loopback port."""
    sandbox = stocked()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = sandbox.send(Request("POST", f"http://127.0.0.1{self.path}", headers, body), 30.0, 10_000_000)
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield sandbox, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_judge_sees_what_was_written_and_what_people_did(served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    connector = wired(sandbox, sandbox.clock)
    sent = connector.send("stock", [stock_change("1", 10, 4)]) + connector.send("price", [price_change("2", None, "99.95")])
    assert {receipt.outcome for receipt in sent} == {Outcome.APPLIED}
    sandbox.receive("CAP", 5, "11")
    sandbox.sell("MUG", 2)
    sandbox.withdraw("BAG")
    for number in range(250):
        sandbox.add_item(f"MANY-{number}", "One of many", price=sandbox.shown()["MUG"]["price"])
    seen = read_shown(url, Sandbox.CHANNEL["settings"], Sandbox.CHANNEL["secrets"])
    assert len(seen) == len(GOODS) + 250
    assert seen["TEE-S"] == {"stock": {"3": "4", "10": "0"}, "price": "159.96", "currency": "DKK", "state": "active"}
    assert seen["TEE-M"]["price"] == "99.95"
    assert seen["CAP"]["stock"] == {"3": "10", "10": "5"}
    assert seen["MUG"]["stock"]["3"] == "8"
    assert seen["BAG"]["state"] == "inactive"
    truth = sandbox.shown()
    for sku, said in seen.items():
        assert {place: str(pieces) for place, pieces in truth[sku]["stock"].items()} == said["stock"], sku


def test_the_judge_sees_orders_and_what_left_of_them(served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    number = sandbox.phone_order({"CAP": 3, "MUG": 1})
    sandbox.ship(number, {"CAP": 1})
    sandbox.edit(number, "CAP", 2)
    seen = read_orders(url, Sandbox.CHANNEL["settings"], Sandbox.CHANNEL["secrets"])
    assert seen[number] == {
        "number": "1", "reference": None, "state": "processing", "lines": {"CAP": 2, "MUG": 1}, "shipped": {"CAP": 1},
        "total": "799.80",
    }  # fmt: skip


def test_the_judge_shares_no_code_with_the_hub() -> None:
    source = (ROOT / "connectors" / "tryton" / "judge.py").read_text(encoding="utf-8")
    imported = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in imported if "hub" in line or "connectors" in line]


def test_two_stocktakes_that_overlap_spoil_the_figure_as_the_real_ones_do() -> None:
    sandbox = stocked()
    first, second = (
        sandbox.books.make_inventory({"location": 3, "lines": [["create", [{"product": 1, "quantity": counted}]]]})
        for counted in (15, 25)
    )
    sandbox.books.confirm(first)
    sandbox.books.confirm(second)
    # 10 + 5 + 15: each moved its difference to the ten that both expected.
    assert sandbox.shown()["TEE-S"]["stock"]["3"] == 30
