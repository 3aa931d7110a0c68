"""What is known of each channel and of each stream, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.flow import Door, Envelope
from hub.store import channels, cursors, inbox
from hub.store.channels import ChannelState, LookUp
from hub.store.cursors import Reading
from hub.store.database import Database
from hub.store.vault import Vault


def test_pace_and_pause_do_not_disturb_each_other(database: Database) -> None:
    assert database.read(lambda tx: channels.state(tx, "shop")) == ChannelState("shop")
    database.transaction(lambda tx: channels.pause(tx, "shop", "person"))
    database.transaction(lambda tx: channels.save_pace(tx, "shop", '{"tokens":"3"}', 77, 4))
    database.transaction(lambda tx: channels.save_pace(tx, "till", "", 0, 0))
    paced = ChannelState("shop", '{"tokens":"3"}', 77, "person", 4)
    assert database.read(channels.states) == {"shop": paced, "till": ChannelState("till")}
    database.transaction(lambda tx: channels.pause(tx, "shop", ""))
    assert database.read(lambda tx: channels.state(tx, "shop")) == ChannelState("shop", '{"tokens":"3"}', 0, "", 0)


def test_another_login_ends_what_a_refused_one_paused_and_nothing_that_a_person_did(database: Database) -> None:
    database.transaction(lambda tx: channels.pause(tx, "shop", f"{channels.LOGIN_REFUSED}: 401"))
    database.transaction(lambda tx: channels.pause(tx, "till", "person"))
    for name in ("shop", "till", "never heard of"):
        database.transaction(lambda tx, name=name: channels.let_in(tx, name))  # type: ignore[misc]
    assert {name: each.paused_by for name, each in database.read(channels.states).items()} == {"shop": "", "till": "person"}


def test_a_look_up_asked_again_while_it_is_made_stays(database: Database) -> None:
    database.transaction(lambda tx: channels.ask(tx, [("shop", "stock", "7", "drift"), ("shop", "stock", "8", "drift")], 10, 0))
    due = database.read(lambda tx: channels.due_look_ups(tx, "shop", 5, 9))
    assert due == [LookUp("shop", "stock", "7", 10, 0, 0, "drift"), LookUp("shop", "stock", "8", 10, 0, 0, "drift")]
    database.transaction(lambda tx: channels.ask(tx, [("shop", "stock", "7", "overlap")], 11, 0))
    database.transaction(lambda tx: channels.looked_up(tx, due))
    assert database.read(lambda tx: channels.due_look_ups(tx, "shop", 5, 9)) == [
        LookUp("shop", "stock", "7", 11, 0, 0, "overlap")
    ]
    assert database.read(channels.count_look_ups) == 1


def test_an_earlier_asking_keeps_the_later_time(database: Database) -> None:
    database.transaction(lambda tx: channels.ask(tx, [("shop", "stock", "7", "a")], 1, 500))
    database.transaction(lambda tx: channels.ask(tx, [("shop", "stock", "7", "b")], 2, 100))
    assert database.read(lambda tx: channels.next_look_up_at(tx, "shop")) == 500
    assert database.read(lambda tx: channels.due_look_ups(tx, "shop", 499, 9)) == []
    assert database.read(lambda tx: channels.next_look_up_at(tx, "till")) is None


def test_a_failed_look_up_waits_and_is_counted(database: Database) -> None:
    database.transaction(lambda tx: channels.ask(tx, [("shop", "stock", str(n), "") for n in range(300)], 1, 0))
    due = database.read(lambda tx: channels.due_look_ups(tx, "shop", 0, 200))
    assert len(due) == 200
    database.transaction(lambda tx: channels.postpone_look_ups(tx, due, 50))
    assert len(database.read(lambda tx: channels.due_look_ups(tx, "shop", 49, 999))) == 100
    assert {each.attempts for each in database.read(lambda tx: channels.due_look_ups(tx, "shop", 50, 999))} == {0, 1}


def test_a_reading_goes_on_where_it_stopped(database: Database) -> None:
    fresh = database.read(lambda tx: cursors.reading(tx, "shop", "items", "sweep"))
    assert fresh == Reading("shop", "items", "sweep")
    page = replace(fresh, cursor="page 2 æ", started_at=10, under_way=True, pages=1, records=100, number=3, last_seq=2**53 + 1)
    database.transaction(lambda tx: cursors.save(tx, page))
    database.transaction(lambda tx: cursors.checked(tx, "shop", "items", 2))
    database.transaction(lambda tx: cursors.save(tx, replace(page, pages=2)))
    kept = replace(page, pages=2, checked=2)
    assert database.read(lambda tx: cursors.reading(tx, "shop", "items", "sweep")) == kept
    database.transaction(lambda tx: cursors.save(tx, Reading("till", "sales", "poll", completed_at=9)))
    assert set(database.read(cursors.readings)) == {("shop", "items", "sweep"), ("till", "sales", "poll")}
    assert database.read(lambda tx: cursors.readings(tx, "shop")) == {("shop", "items", "sweep"): kept}


def test_a_sweep_is_acted_upon_once_after_its_end(database: Database) -> None:
    ended = Reading("shop", "items", "sweep", started_at=10, completed_at=20, number=2)
    others = [
        replace(ended, stream="under way again", under_way=True),
        replace(ended, stream="begun again", started_at=30),
        replace(ended, stream="restarted", completed_at=0),
        replace(ended, stream="never begun", started_at=0, completed_at=0),
        replace(ended, kind="poll"),
    ]
    database.transaction(lambda tx: [cursors.save(tx, each) for each in (*others, ended)])
    assert database.read(cursors.unchecked) == [ended]
    database.transaction(lambda tx: cursors.checked(tx, "shop", "items", 2))
    assert database.read(cursors.unchecked) == []
    database.transaction(lambda tx: cursors.save(tx, replace(ended, number=3)))
    assert database.read(cursors.unchecked) == [replace(ended, number=3, checked=2)]


def test_a_restart_reads_from_the_beginning(database: Database) -> None:
    row = Reading("shop", "items", "poll", cursor="x", under_way=True, number=3, completed_at=5, last_seq=8)
    database.transaction(lambda tx: cursors.save(tx, row))
    database.transaction(lambda tx: cursors.restart(tx, "shop"))
    again = database.read(lambda tx: cursors.reading(tx, "shop", "items", "poll"))
    assert again == replace(row, cursor="", under_way=False, completed_at=0)


def test_how_far_deliveries_are_copied(database: Database) -> None:
    assert database.read(lambda tx: cursors.position(tx, "intake")) == 0
    for seq in (5, 2**60):
        database.transaction(lambda tx, seq=seq: cursors.set_position(tx, "intake", seq))  # type: ignore[misc]
        assert database.read(lambda tx: cursors.position(tx, "intake")) == seq
    assert database.next() > 0
    assert database.read(lambda tx: cursors.position(tx, "intake")) == 2**60


def test_a_stream_is_read_past_a_moment_once_its_pages_are_understood(database: Database, vault: Vault) -> None:
    def past(at: int) -> bool:
        return database.read(lambda tx: cursors.read_past(tx, "shop", "orders", at))

    assert past(0) is False
    whole = Reading("shop", "orders", "poll", started_at=100, completed_at=120)
    database.transaction(lambda tx: cursors.save(tx, whole))
    assert (past(99), past(100)) == (True, False)
    page = inbox.Arrival(Envelope(7, "shop", Door.POLL, "orders", "page", 110, b"[]", "p1", 1, 7))
    database.transaction(lambda tx: inbox.store(tx, vault, [page]))
    assert past(99) is False
    assert database.read(lambda tx: cursors.pages_past(tx, "shop", "orders", 99)) is True
    assert database.read(lambda tx: cursors.pages_past(tx, "shop", "orders", 100)) is False
    database.transaction(lambda tx: inbox.understood(tx, [(7, 7, "done")]))
    assert past(99) is True
    database.transaction(lambda tx: cursors.save(tx, replace(whole, under_way=True)))
    assert past(99) is False
    database.transaction(lambda tx: cursors.save(tx, replace(whole, kind="sweep", started_at=200, completed_at=210)))
    assert past(150) is True
