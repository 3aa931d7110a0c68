"""A person at the command line beside the hub: looks, pauses, binds, mends and replays; with and without a worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk, stocked

from hub.clock import SystemClock
from hub.worker import worker_alive

START_SECONDS_MAX = 30.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = stocked(Desk(tmp_path), 3)
    yield made
    made.close()


def test_status_tells_what_is_read_what_waits_and_who_works(desk: Desk) -> None:
    said = desk.type("status", "--json")
    assert said.code == 0
    channels = {each["channel"]: each for each in said.json["channels"]}
    assert channels["webshop"]["listings"] == {"bound": 3}
    assert channels["webshop"]["changes"] == {}
    assert all(stream["swept_at"] for stream in channels["erp"]["streams"])
    assert not any(stream["late"] for each in channels.values() for stream in each["streams"])
    assert (said.json["working"], said.json["dirty"], said.json["inbox_waiting"], said.json["dead_letters"]) == (False, 0, 0, 0)
    assert said.json["store_bytes"] > 0
    assert "worker not at work; dirty 0, inbox 0" in desk.type("status").out


def test_a_paused_channel_stands_still_until_it_is_let_go_on(desk: Desk) -> None:
    assert desk.type("pause", "webshop", "--why", "stocktaking").code == 0
    desk.platforms["till"].sell("TEE-001", 1, "LAARHUS000001")
    desk.stage.run(2)
    assert desk.stage.shows("webshop", "TEE-001") == 15
    status = next(each for each in desk.type("status", "--json").json["channels"] if each["channel"] == "webshop")
    assert status["paused"] == "stocktaking"
    assert status["changes"] == {"intended": 1}
    assert next(each for each in desk.type("plan", "webshop", "--json").json["channels"])["paused"] == "stocktaking"
    assert desk.type("resume", "webshop").code == 0
    desk.stage.run(2)
    assert desk.stage.shows("webshop", "TEE-001") == 14


def test_a_request_that_cannot_be_done_says_why(desk: Desk) -> None:
    said = desk.type("pause", "webshopp", "--json")
    assert said.code == 1
    assert said.json["state"] == "failed"
    assert said.json["refused"][0]["why"].startswith("no channel webshopp")
    assert desk.type("bind", "webshop", "999", "TEE-001").code == 1
    assert desk.type("bind", "webshop", "999").code == 2
    assert desk.type("approve", "nohold").code == 1


def test_a_listing_without_an_item_is_bound_by_hand_and_then_shows_the_stock(desk: Desk) -> None:
    desk.platforms["webshop"].add_item("TEE-1-BOX", "Three T-shirts", price=Decimal("500"))
    desk.stage.run(601)
    letters = desk.type("dead", "--json")
    assert letters.code == 1
    letter = letters.json["letters"][0]
    assert (letter["value"], letter["reason"]) == ("TEE-1-BOX", "no item has this SKU")
    whole = desk.type("dead", letter["id"][:6])
    assert f"record: {letter['record']}" in whole.out
    assert desk.type("bind", "webshop", letter["record"], "TEE-001", "--factor", "3").code == 0
    desk.stage.run(2)
    assert desk.stage.shows("webshop", "TEE-1-BOX") == 5
    assert desk.type("dead").code == 0
    assert "in units of 3, 0 left over" in desk.type("why", "webshop", "TEE-1-BOX", "stock").out
    assert desk.type("unbind", "webshop", letter["record"]).code == 0
    desk.platforms["erp"].receive("TEE-001", 3, "3")
    desk.stage.run(61)
    assert desk.stage.shows("webshop", "TEE-1-BOX") == 5
    assert desk.stage.shows("webshop", "TEE-001") == 18


def test_dead_letters_are_replayed_or_closed_and_come_back_when_nothing_was_mended(desk: Desk) -> None:
    for sku in ("POSTER-1", "POSTER-2"):
        desk.platforms["webshop"].add_item(sku, "Poster", price=Decimal("20"))
    desk.stage.run(601)
    first, second = (each["id"] for each in desk.type("dead", "--json").json["letters"])
    assert desk.type("discard", first).code == 0
    assert [each["id"] for each in desk.type("dead", "--json").json["letters"]] == [second]
    assert desk.type("replay", second).code == 0
    assert desk.type("dead").code == 0
    desk.stage.run(1)
    assert second in {each["id"] for each in desk.type("dead", "--json").json["letters"]}
    for sku in ("POSTER-1", "POSTER-2"):
        desk.platforms["erp"].add_item(sku, "Poster", price=Decimal("16"))
        desk.platforms["erp"].count(sku, 4, "3")
    desk.stage.run(61)
    assert desk.type("dead").code == 0
    assert desk.stage.shows("webshop", "POSTER-1") == 4
    assert desk.type("replay", "--all", "--json").json["done"] == []


def test_what_a_platform_says_does_not_move_the_terminal(desk: Desk) -> None:
    desk.platforms["webshop"].add_item("EVIL\x1b[2J\tX", "Poster", price=Decimal("20"))
    desk.stage.run(601)
    said = desk.type("dead")
    assert "\x1b" not in said.out
    assert "EVIL" in said.out


@contextlib.contextmanager
def worker(desk: Desk) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process on the desk's files; its channels lead nowhere."""
    for name in desk.platforms:
        path = desk.folder / "channels" / f"{name}.yaml"
        path.write_text(path.read_text().replace(f"https://{name}.example", "http://127.0.0.1:9"))
    command = [sys.executable, "-m", "hub.cli.main", "work", str(desk.folder)]
    env = {**os.environ, "X": "a-secret-for-tests"}
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as running:
        clock = SystemClock()
        ends = clock.monotonic() + START_SECONDS_MAX
        while not worker_alive(desk.folder / "data") and clock.monotonic() < ends and running.poll() is None:
            clock.sleep(0.05)
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(START_SECONDS_MAX)


def test_a_worker_at_work_answers_what_is_asked(tmp_path: Path) -> None:
    desk = stocked(Desk(tmp_path), 1)
    desk.close()
    with worker(desk) as running:
        said = desk.type("pause", "webshop", "--why", "inventory", "--json")
        assert (said.code, said.json["worker"], said.json["done"]) == (0, True, ["webshop is paused"])
        status = desk.type("status", "--json")
        assert status.json["working"] is True
        paused = {each["channel"]: each["paused"] for each in status.json["channels"]}
        assert paused["webshop"] == "inventory"
        assert desk.type("why", "webshop", "TEE-001", "stock").code == 0
        late = desk.type("pause", "webshop", "--wait", "0", "--json")
        assert late.json["state"] in ("waiting", "done")
        assert running.poll() is None
    assert running.returncode == 0
