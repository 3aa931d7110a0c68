"""What is theirs is on the disk before it is answered, whatever it says and whatever happens next."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import DOORS, QUICK, Running, signed, stored_in, until

from hub.clock import SystemClock
from hub.errors import ConfigError
from hub.server.receiver import INTAKE_FILE, POSITION_FILE, Receiver, intake_in
from hub.store.deliveries import DeliveryReader, StoredDelivery, write_position
from hub.store.vault import Vault

BODY = b'{"sku": "00123", "quantity": "7"}'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    receiver = Running(tmp_path)
    yield receiver
    receiver.stop()


def test_a_delivery_is_stored_as_it_came(running: Running) -> None:
    headers = {
        "x-made-signature": signed(BODY),
        "x-made-id": "d-1",
        "x-made-topic": "stock.changed",
        "content-type": "application/json",
        "authorization": "Bearer made",
    }
    status, _, answer = running.ask("POST", "/hooks/till", BODY, headers)
    assert (status, answer) == (200, b"{}")
    (kept,) = running.stored()
    assert (kept.seq, kept.channel, kept.delivery_id, kept.topic, kept.body) == (1, "till", "d-1", "stock.changed", BODY)
    assert kept.headers == {"content-type": "application/json"}
    until(lambda: running.counted("till", "stored") == 1, "the delivery counted")


@pytest.mark.parametrize(
    "body",
    [b"not JSON", b"", b"\xff\xfe\x00", '{"navn": "Ærø"}'.encode("latin-1"), b"\x00" * 100, b'{"a": [[[['],
    ids=["not json", "empty", "bytes", "latin-1", "nul", "cut json"],
)
def test_what_is_signed_is_stored_though_nobody_can_read_it(running: Running, body: bytes) -> None:
    assert running.deliver(body) == 200
    assert [kept.body for kept in running.stored()] == [body]


def test_a_doubled_delivery_is_stored_twice_and_told_apart_later(running: Running) -> None:
    assert [running.deliver(BODY, ident="d-1"), running.deliver(BODY, ident="d-1")] == [200, 200]
    first, second = running.stored()
    assert (first.digest, first.delivery_id) == (second.digest, second.delivery_id)
    assert first.seq < second.seq


def test_odd_ids_do_not_hold_their_neighbours_up(running: Running) -> None:
    assert running.deliver(BODY, ident="d\x85\xff" + "x" * 5_000) == 200
    assert running.deliver(BODY, ident="d-2") == 200
    assert [len(kept.delivery_id) for kept in running.stored()] == [200, 3]


def test_the_answer_comes_after_the_commit(tmp_path: Path) -> None:
    """At the moment of each answer another connection already sees the row; and the trace has the commit first."""
    running = Running(tmp_path)
    seen: list[bool] = []

    def look(event: str, seq: int) -> None:
        if event == "answering":
            with contextlib.closing(sqlite3.connect(tmp_path / INTAKE_FILE)) as connection:
                seen.append(connection.execute("SELECT max(last_seq) FROM deliveries").fetchone()[0] >= seq)

    running.look = look
    try:
        senders = [threading.Thread(target=lambda: [running.deliver(BODY) for _ in range(10)]) for _ in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert seen == [True] * 80
        places = {event: place for place, event in enumerate(running.events)}
        assert all(places["committed", seq] < places["answering", seq] for seq in range(1, 81))
    finally:
        running.stop()


def test_no_answer_while_the_commit_is_held_up_and_many_share_the_next_one(running: Running) -> None:
    statuses: list[int] = []
    running.gate.clear()
    senders = [threading.Thread(target=lambda: statuses.append(running.deliver(BODY))) for _ in range(12)]
    for sender in senders:
        sender.start()
    until(lambda: running.receiver._commits._held == 12, "twelve deliveries wait")
    assert statuses == []
    assert running.stored() == []
    running.gate.set()
    for sender in senders:
        sender.join()
    assert statuses == [200] * 12
    assert len(running.stored()) == 12
    with contextlib.closing(sqlite3.connect(running.folder / INTAKE_FILE)) as connection:
        commits = connection.execute("SELECT count(*) FROM deliveries").fetchone()[0]
    assert commits <= 3


def test_a_full_queue_asks_them_to_come_back(tmp_path: Path) -> None:
    running = Running(tmp_path, dataclasses.replace(QUICK, queue_max=3, ready_seconds=0.2))
    try:
        running.gate.clear()
        senders = [threading.Thread(target=running.deliver, args=(BODY,)) for _ in range(3)]
        for sender in senders:
            sender.start()
        until(lambda: running.receiver._commits._held == 3, "the queue is full")
        status, headers, body = running.ask("POST", "/hooks/till", BODY, {"x-made-signature": signed(BODY)})
        assert (status, headers["retry-after"], body) == (503, "5", b"")
        assert running.ask("GET", "/ready")[0] == 503
        assert running.ask("GET", "/health")[0] == 200
        assert running.deliver(BODY, signature="forged") == 401
        running.gate.set()
        for sender in senders:
            sender.join()
        assert len(running.stored()) == 3
        assert running.deliver(BODY) == 200
        until(lambda: running.ask("GET", "/ready")[0] == 200, "ready again")
    finally:
        running.stop()


def test_a_disk_that_refuses_is_503_and_not_ready_and_mends(tmp_path: Path) -> None:
    running = Running(tmp_path)
    try:
        running.trouble = sqlite3.OperationalError("database or disk is full")
        status, headers, _ = running.ask("POST", "/hooks/till", BODY, {"x-made-signature": signed(BODY)})
        assert (status, headers["retry-after"]) == (503, "5")
        status, _, body = running.ask("GET", "/ready")
        assert (status, body) == (503, b'{"ready":false,"because":"the disk refuses writes"}')
        running.trouble = None
        assert running.deliver(BODY) == 200
        until(lambda: running.ask("GET", "/ready")[0] == 200, "ready again")
        assert [kept.body for kept in running.stored()] == [BODY]
    finally:
        running.stop()


def test_a_disk_that_hangs_is_answered_in_time(tmp_path: Path) -> None:
    running = Running(tmp_path, dataclasses.replace(QUICK, commit_seconds_max=0.2))
    try:
        running.gate.clear()
        assert running.deliver(BODY) == 503
        running.gate.set()
        until(lambda: len(running.stored()) == 1, "stored after all: it will be told apart when they send it again")
        assert running.deliver(BODY) == 200
    finally:
        running.stop()


def test_a_challenge_is_answered_to_whom_it_is_due(running: Running) -> None:
    assert running.ask("GET", "/hooks/social?token=made-token&challenge=4711%20x")[::2] == (200, b"4711 x")
    assert running.ask("GET", "/hooks/social?token=guessed&challenge=4711")[::2] == (401, b"")
    assert running.ask("GET", "/hooks/till?token=made-token&challenge=4711")[0] == 405
    assert running.stored() == []
    assert running.deliver(BODY, channel="social") == 200


def test_the_signed_address_is_the_public_one(tmp_path: Path) -> None:
    limits = dataclasses.replace(QUICK, public_url="https://shop.example/samklang/")
    running = Running(tmp_path, limits)
    try:
        good = signed(b"https://shop.example/samklang/hooks/bound?a=%20b" + BODY)
        assert running.ask("POST", "/hooks/bound?a=%20b", BODY, {"x-made-signature": good})[0] == 200
        assert running.ask("POST", "/hooks/bound?a=c", BODY, {"x-made-signature": good})[0] == 401
    finally:
        running.stop()


@pytest.mark.parametrize(("trusted", "status"), [(("127.0.0.0/8",), 200), (("10.0.0.1",), 401), ((), 401)])
def test_forwarded_headers_count_only_from_a_trusted_proxy(tmp_path: Path, trusted: tuple[str, ...], status: int) -> None:
    running = Running(tmp_path, dataclasses.replace(QUICK, trusted_proxies=trusted))
    try:
        headers = {
            "x-made-signature": signed(b"https://shop.example/hooks/bound" + BODY),
            "x-forwarded-proto": "https",
            "x-forwarded-host": "shop.example",
        }
        assert running.ask("POST", "/hooks/bound", BODY, headers)[0] == status
    finally:
        running.stop()


def test_the_worker_is_woken_by_each_commit(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    running = Running(tmp_path, wake_fd=writing)
    try:
        assert running.deliver(BODY) == 200
        assert os.read(reading, 10) == b"\0"
    finally:
        running.stop()
        os.close(reading)
        os.close(writing)


def test_copied_deliveries_are_dropped_after_a_while_and_no_number_is_used_twice(tmp_path: Path) -> None:
    running = Running(tmp_path, dataclasses.replace(QUICK, keep_seconds=0))
    try:
        assert [running.deliver(b"1"), running.deliver(b"2"), running.deliver(b"3")] == [200] * 3
        write_position(tmp_path / POSITION_FILE, 2)
        until(lambda: [kept.seq for kept in running.stored()] == [3], "what was copied is gone, the rest is not")
        write_position(tmp_path / POSITION_FILE, 3)
        until(lambda: running.stored() == [], "all gone")
        assert running.deliver(b"4") == 200
        assert [kept.seq for kept in running.stored()] == [4]
    finally:
        running.stop()
    assert [kept.seq for kept in stored_in(tmp_path)] == [4]


def test_a_worker_that_is_too_far_behind_stops_the_intake_in_time(tmp_path: Path) -> None:
    running = Running(tmp_path, dataclasses.replace(QUICK, behind_max=2))
    try:
        until(lambda: running.deliver(BODY) == 503, "no more are taken")
        assert len(running.stored()) > 2
        write_position(tmp_path / POSITION_FILE, len(running.stored()))
        until(lambda: running.deliver(BODY) == 200, "the worker has caught up")
    finally:
        running.stop()


def test_a_reader_continues_where_it_was(running: Running) -> None:
    for number in range(7):
        assert running.deliver(b"%d" % number) == 200
    reader = DeliveryReader(running.folder / INTAKE_FILE, running.vault)
    assert [kept.seq for kept in reader.after(2, 3)] == [3, 4, 5]
    assert reader.last_seq() == 7
    reader.close()


def test_a_reader_before_the_first_receiver_finds_nothing_and_then_all(tmp_path: Path) -> None:
    reader = DeliveryReader(tmp_path / INTAKE_FILE, Vault.from_file(tmp_path / "key", SystemClock()))
    assert (reader.after(0, 10), reader.last_seq(), reader.counts()) == ([], 0, {})
    running = Running(tmp_path)
    try:
        assert running.deliver(BODY) == 200
        found: list[StoredDelivery] = []
        thread = threading.Thread(target=lambda: found.extend(reader.after(0, 10)))
        thread.start()
        thread.join()
        assert [kept.body for kept in found] == [BODY]
    finally:
        reader.close()
        running.stop()


def test_only_one_receiver_has_the_file(running: Running) -> None:
    clock = SystemClock()
    second = Receiver(DOORS, intake_in(running.folder, running.vault, clock), QUICK, clock, host="127.0.0.1", port=0)
    with pytest.raises(ConfigError, match="another receiver"):
        second.run()
    assert running.deliver(BODY) == 200


def test_a_port_that_is_taken_is_named(running: Running, tmp_path: Path) -> None:
    clock = SystemClock()
    intake = intake_in(tmp_path / "other", running.vault, clock)
    second = Receiver(DOORS, intake, QUICK, clock, host="127.0.0.1", port=running.port)
    with pytest.raises(ConfigError, match=f"port {running.port}"):
        second.run()


def test_a_reload_serves_the_new_doors_and_only_them(running: Running) -> None:
    running.receiver.reload({"new": dataclasses.replace(DOORS["till"], channel="new")})
    assert running.deliver(BODY, channel="new") == 200
    assert running.deliver(BODY, channel="till") == 404
