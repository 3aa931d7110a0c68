"""Reading what changed since: nothing written late is lost, and a reading never goes back further than it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.canonical.values import Plain
from hub.errors import UnavailableError
from hub.sdk.paging import Bookmark, Spot, Window, anchored

SECOND = 1_000_000


def test_an_empty_cursor_opens_everything() -> None:
    assert Window.from_cursor("", full=False) == Window()


def test_a_window_is_read_page_by_page_and_reopened_with_an_overlap() -> None:
    first = Window.from_cursor("", full=False).saw([100 * SECOND, 300 * SECOND])
    second = Window.from_cursor(first.next_page("p2"), full=False)
    assert (second.since, second.page) == (None, "p2")
    closed = second.saw([200 * SECOND]).closed(overlap_seconds=60)
    assert Window.from_cursor(closed, full=False) == Window(since=240 * SECOND, newest=300 * SECOND)


def test_a_full_reading_has_no_lower_end() -> None:
    cursor = Window(since=5 * SECOND, newest=9 * SECOND, page="p2").next_page("p3")
    assert Window.from_cursor(cursor, full=True) == Window(since=None, newest=9 * SECOND, page="p3")


def test_a_reading_that_saw_nothing_stays_where_it_was() -> None:
    cursor = Window(since=5 * SECOND, newest=9 * SECOND).closed(60)
    assert Window.from_cursor(Window.from_cursor(cursor, full=False).saw([]).closed(60), full=False).since == 5 * SECOND


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=6), min_size=1, max_size=6), st.integers(0, 600))
def test_every_reading_begins_late_enough_and_early_enough(readings: list[list[int]], overlap: int) -> None:
    cursor, before = "", None
    seen: list[int] = []
    for times in readings:
        window = Window.from_cursor(cursor, full=False)
        for number, time in enumerate(times):
            window = Window.from_cursor(window.saw([time * SECOND]).next_page(f"p{number}"), full=False)
        seen += times
        cursor = window.closed(overlap)
        since = Window.from_cursor(cursor, full=False).since
        assert Window.from_cursor(cursor, full=False).page == ""
        if seen:
            assert since is not None
            # All that was written within the overlap before the newest is read again, unless it was read twice already.
            assert since <= max(max(seen) - overlap, before or 0) * SECOND
            assert before is None or since >= before * SECOND
            before = since // SECOND


@dataclass(frozen=True, slots=True)
class Reading(Bookmark):
    since: int | None = None
    moved: tuple[str, ...] = ()
    skip: int = 0


def test_a_bookmark_comes_back_from_its_cursor_as_it_was() -> None:
    kept = Reading(since=5, moved=("a", "b"), skip=7)
    assert Reading.at(kept.cursor()) == kept
    assert Reading.at("") == Reading()


Rows = list[dict[str, Plain]]


def shop(ids: list[int]) -> Callable[[int, int], tuple[Rows, int]]:
    """A list that pages by number and may change between pages."""
    return lambda skip, take: ([{"id": one} for one in ids[skip : skip + take]], len(ids))


def read_on(ids: list[int], spot: Spot, page_max: int) -> tuple[list[int], Spot]:
    stretch = anchored(shop(ids), spot, page_max, channel="shop", operation="read")
    return [row["id"] for row in stretch.rows], stretch.after(len(stretch.rows))


@given(st.integers(0, 30), st.integers(1, 7), st.dictionaries(st.integers(0, 6), st.integers(0, 29)))
def test_nothing_that_stays_slips_through_the_gap_of_what_is_deleted(count: int, page_max: int, deleted: dict[int, int]) -> None:
    ids, spot, seen, page = list(range(count)), Spot(), [], 0
    while True:
        if page in deleted and deleted[page] in ids:
            ids.remove(deleted[page])
        rows, spot = read_on(ids, spot, page_max)
        seen += rows
        page += 1
        if spot.skip >= len(ids):
            break
    assert set(ids) <= set(seen)
    if not deleted:
        assert seen == ids


def test_a_page_of_which_only_a_part_was_used_goes_on_behind_that_part() -> None:
    stretch = anchored(shop([1, 2, 3, 4]), Spot(1, "1"), 3, channel="shop", operation="read")
    assert stretch.after(2) == Spot(3, "3")
    assert stretch.after(0) == Spot(1, "1")


def test_a_list_that_ends_before_its_count_is_no_success() -> None:
    with pytest.raises(UnavailableError, match="after 0 of 3"):
        anchored(lambda skip, take: ([], 3), Spot(), 5, channel="shop", operation="read")
    # Where nobody counts, an empty page is the end.
    assert anchored(lambda skip, take: ([], None), Spot(), 5, channel="shop", operation="read").rows == []
