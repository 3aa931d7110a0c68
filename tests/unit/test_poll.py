"""Reading a stream: page and cursor together, a listing cut short is no listing, and pages that repeat are given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import cast

import pytest

from hub.canonical.json import body_json
from hub.channel import Channel
from hub.clock import ManualClock
from hub.errors import UnavailableError
from hub.flow import Door
from hub.intake.poll import NOT_THERE_SECONDS, Poll
from hub.sdk.contract import Page, ReadAsk
from hub.store import channels, cursors, inbox
from hub.store.cursors import Kind, Reading
from hub.store.database import Database
from hub.store.inbox import Waiting
from hub.store.sqlite import SqliteDatabase
from hub.store.vault import Vault


class Platform:
    """Answers with the pages it is given, each taking two seconds, and remembers what it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.pages: list[Page | Exception] = []
        self.asked: list[ReadAsk] = []

    def read(self, stream: str, ask: ReadAsk) -> Page:
        self.asked.append(ask)
        return self._next()

    def look_up(self, stream: str, ids: Sequence[str]) -> Page:
        return self._next()

    def _next(self) -> Page:
        self.clock.advance(2)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


class Ground:
    """A poll over one stream of such a platform, and what is in the store."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.platform = Platform(self.clock)
        self.vault = Vault({"testkey1": b"k" * 32}, "testkey1", self.clock.bytes)
        self.database: Database = SqliteDatabase(":memory:", threaded=False)
        stream = SimpleNamespace(page_max=2, records="items")
        stood = SimpleNamespace(reads=0, page=nullcontext)
        manifest, client = SimpleNamespace(streams={"items": stream}, sends={}), stood
        named = SimpleNamespace(name="till", manifest=manifest, connector=self.platform, client=client)
        self.poll = Poll(cast(Channel, named), self.database, self.vault, self.clock)

    def reads(self, kind: Kind, *pages: Page | Exception) -> Reading:
        self.platform.pages = list(pages)
        for _ in pages:
            reading = self.poll.page("items", kind)
        return reading

    def inbox(self) -> list[Waiting]:
        return self.database.read(lambda tx: inbox.waiting(tx, self.vault, 100))

    def cursor(self, kind: Kind) -> Reading:
        return self.database.read(lambda tx: cursors.reading(tx, "till", "items", kind))


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.database.close()


def page(*ids: str, cursor: str = "", more: bool = False, total: int | None = None) -> Page:
    return Page(body_json({"items": [{"id": each} for each in ids]}), cursor, more, total)


def test_a_sweep_reads_all_pages_and_the_next_one_begins_anew(ground: Ground) -> None:
    done = ground.reads("sweep", page("1", "2", cursor="p2", more=True), page("3", cursor="since-9"))
    assert (done.under_way, done.pages, done.number) == (False, 2, 1)
    assert done.completed_at > done.started_at
    assert len(ground.inbox()) == 2
    ground.reads("sweep", page("1", cursor="since-9"))
    assert [ask.cursor for ask in ground.platform.asked] == ["", "p2", ""]
    assert all(ask.full for ask in ground.platform.asked)


def test_polls_go_on_from_where_the_first_sweep_began(ground: Ground) -> None:
    ground.reads("sweep", page("1", cursor="since-9"))
    ground.reads("poll", page("2", cursor="since-12"))
    ground.reads("sweep", page("1", cursor="since-5"))
    ground.reads("poll", page("3", cursor="since-15"))
    polls = [ask for ask in ground.platform.asked if not ask.full]
    assert [ask.cursor for ask in polls] == ["since-9", "since-12"]


def test_a_failed_page_moves_nothing(ground: Ground) -> None:
    ground.reads("sweep", page("1", "2", cursor="p2", more=True))
    with pytest.raises(UnavailableError):
        ground.reads("sweep", UnavailableError("down"))
    assert (ground.cursor("sweep").cursor, ground.cursor("sweep").under_way, len(ground.inbox())) == ("p2", True, 1)
    assert ground.reads("sweep", page("3", cursor="c")).under_way is False
    assert ground.platform.asked[-1].cursor == "p2"


@pytest.mark.parametrize(("total", "complete"), [(3, True), (2, True), (4, False), (None, True), (0, True)])
def test_a_listing_cut_short_is_never_success(ground: Ground, total: int | None, complete: bool) -> None:
    done = ground.reads("sweep", page("1", "2", cursor="p2", more=True, total=total), page("3", cursor="since-9", total=total))
    assert done.under_way is False
    assert bool(done.completed_at) is complete
    assert ground.cursor("poll").cursor == ("since-9" if complete else "")


def test_a_listing_cut_short_later_leaves_the_former_one_standing(ground: Ground) -> None:
    first = ground.reads("sweep", page("1", "2", cursor="c", total=2))
    ground.clock.advance(600)
    second = ground.reads("sweep", page("1", cursor="c", total=2))
    assert second.completed_at == first.completed_at
    assert second.completed_at < second.started_at


def test_a_page_that_repeats_itself_is_given_up_and_begun_anew(ground: Ground) -> None:
    ground.reads("sweep", page("1", cursor="p2", more=True))
    with pytest.raises(UnavailableError, match="repeats"):
        ground.reads("sweep", page("1", cursor="p2", more=True))
    assert (ground.cursor("sweep").under_way, ground.cursor("sweep").completed_at) == (False, 0)
    ground.reads("sweep", page("1", cursor="c"))
    assert ground.platform.asked[-1].cursor == ""


def test_a_page_knows_when_it_was_asked_for(ground: Ground) -> None:
    began, before = ground.clock.now(), ground.database.next()
    ground.reads("sweep", page("1", cursor="c"))
    (came,) = ground.inbox()
    after = ground.database.next()
    assert came.envelope.received_at == began
    assert before < came.envelope.begun < came.envelope.answered < after
    assert (came.envelope.door, came.envelope.stream, came.envelope.sweep) == (Door.SWEEP, "items", 1)


def test_a_look_up_is_done_once_its_answer_is_stored(ground: Ground) -> None:
    ground.database.transaction(lambda tx: channels.ask(tx, [("till", "items", "7", "why")], 1, 0))

    def due() -> list[channels.LookUp]:
        return ground.database.read(lambda tx: channels.due_look_ups(tx, "till", ground.clock.now(), 10))

    ground.platform.pages = [UnavailableError("down"), Page(body_json({"items": [{"id": "7"}]}), "", False)]
    with pytest.raises(UnavailableError):
        ground.poll.look_up("items", due())
    assert len(due()) == 1
    ground.poll.look_up("items", due())
    assert due() == []
    (came,) = ground.inbox()
    assert (came.envelope.door, came.gone) == (Door.LOOKUP, ())


def test_what_is_looked_up_and_not_there_is_gone_when_it_is_not_there_a_while_later_either(ground: Ground) -> None:
    ground.database.transaction(lambda tx: channels.ask(tx, [("till", "items", "7", "why")], 1, 0))

    def due() -> list[channels.LookUp]:
        return ground.database.read(lambda tx: channels.due_look_ups(tx, "till", ground.clock.now(), 10))

    empty = body_json({"items": []})
    ground.platform.pages = [Page(empty, "", False, gone=("7",)), Page(empty, "", False, gone=("7",))]
    ground.poll.look_up("items", due())
    assert due() == [], "at once it would be answered the same"
    ground.clock.advance(NOT_THERE_SECONDS)
    ground.poll.look_up("items", due())
    assert due() == []
    assert [came.gone for came in ground.inbox()] == [("7",)], "the same page is kept once"
