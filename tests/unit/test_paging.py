"""Reading what changed since: nothing written late is lost, and a reading never goes back further than it must."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.paging import Window

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
