"""The pace of a channel: never more than the platform allows, over any span of time; told to wait, it waits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.pace import RETRY_AFTER_SECONDS_MAX, Bucket, retry_after_seconds

NOW = 1_790_000_000_000_000
SECOND = 1_000_000


def bucket(per_second: str = "2", burst: int = 5) -> Bucket:
    return Bucket.full(Decimal(per_second), burst, NOW)


def drain(filled: Bucket, now: int = NOW) -> None:
    filled.take(filled.tokens, now)


@given(
    per_second=st.sampled_from(["0.5", "1", "2", "10", "33.3"]),
    burst=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=80),
    costs=st.lists(st.sampled_from([1.0, 1.0, 2.0, 0.5]), min_size=80, max_size=80),
)
def test_over_no_span_more_is_taken_than_burst_and_rate_allow(
    per_second: str, burst: int, gaps: list[int], costs: list[float]
) -> None:
    filled = bucket(per_second, burst)
    now, calls = NOW, []
    for gap, cost in zip(gaps, costs, strict=False):
        now += gap
        cost = min(cost, float(burst))
        # Rounded up to the next microsecond, as a waiting worker wakes not before its time.
        now += -int(-filled.wait_seconds(cost, now) * SECOND // 1)
        filled.take(cost, now)
        calls.append((now, cost))
    for first in range(len(calls)):
        taken = 0.0
        for at, cost in calls[first:]:
            taken += cost
            allowed = burst + (at - calls[first][0]) / SECOND * float(per_second)
            assert taken <= allowed + 1e-3


def test_a_full_bucket_serves_its_burst_at_once_and_then_its_rate() -> None:
    filled = bucket("2", 3)
    for _ in range(3):
        assert filled.wait_seconds(1, NOW) == 0
        filled.take(1, NOW)
    assert filled.wait_seconds(1, NOW) == pytest.approx(0.5)
    assert filled.wait_seconds(1, NOW + SECOND) == 0


def test_a_sweep_leaves_tokens_for_pushes() -> None:
    filled = bucket("1", 10)
    filled.take(6, NOW)
    assert filled.wait_seconds(1, NOW, leave=3) == 0
    filled.take(1, NOW)
    assert filled.wait_seconds(1, NOW, leave=3) == pytest.approx(1)
    assert filled.wait_seconds(1, NOW) == 0


def test_a_call_dearer_than_the_bucket_is_paid_off_afterwards() -> None:
    filled = bucket("1", 5)
    assert filled.wait_seconds(50, NOW) == 0
    filled.take(50, NOW)
    assert filled.wait_seconds(1, NOW) == pytest.approx(46)


def test_the_platforms_own_count_outranks_ours() -> None:
    filled = bucket("2", 5)
    filled.learn(0, NOW)
    assert filled.wait_seconds(1, NOW) == pytest.approx(0.5)
    filled.learn(100, NOW)
    assert filled.tokens == 5
    filled.learn(100, NOW, burst=50, per_second=10)
    assert (filled.tokens, filled.per_second) == (50, 10)


def test_time_that_goes_back_refills_nothing() -> None:
    filled = bucket("1", 5)
    drain(filled)
    assert filled.wait_seconds(1, NOW - 3_600 * SECOND) == pytest.approx(1)
    assert filled.tokens == 0


def test_told_to_wait_it_waits_that_long() -> None:
    filled = bucket()
    assert filled.throttled(7, NOW) == 7
    assert filled.wait_seconds(1, NOW) == pytest.approx(7)
    assert filled.wait_seconds(1, NOW + 7 * SECOND) == 0


def test_a_wait_of_nothing_still_costs_a_token() -> None:
    filled = bucket("2", 5)
    filled.throttled(0, NOW)
    assert filled.wait_seconds(1, NOW) == pytest.approx(0.5)


def test_unsaid_waits_grow_until_something_goes_through() -> None:
    filled = bucket()
    waits = [filled.throttled(None, NOW) for _ in range(8)]
    assert waits == [5, 10, 20, 40, 80, 160, 160, 160]
    filled.went_through()
    assert filled.throttled(None, NOW) == 5


def test_a_longer_pause_that_is_known_stays_and_none_is_endless() -> None:
    filled = bucket()
    filled.throttled(60, NOW)
    filled.throttled(1, NOW)
    assert filled.wait_seconds(1, NOW) == pytest.approx(60)
    assert filled.throttled(10**9, NOW) == RETRY_AFTER_SECONDS_MAX
    assert filled.wait_seconds(1, NOW) == pytest.approx(RETRY_AFTER_SECONDS_MAX)


def test_a_pause_outlives_a_restart() -> None:
    filled = bucket()
    filled.take(4, NOW)
    filled.throttled(60, NOW)
    again = bucket()
    again.restore(filled.state())
    assert again.wait_seconds(1, NOW) == pytest.approx(60)
    assert again.tokens == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("Mon, 21 Sep 2026 14:14:40 GMT", 80),
        ("Mon, 21 Sep 2026 14:00:00 GMT", 0),
        ("Monday, 21-Sep-26 14:14:40 GMT", 80),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-5", None),
        ("1_0", None),
        ("²", None),
        ("Mon, 99 Sep 2026 14:13:20 GMT", None),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    # NOW is 21 September 2026, 14:13:20 UTC.
    assert retry_after_seconds(header, NOW) == seconds
