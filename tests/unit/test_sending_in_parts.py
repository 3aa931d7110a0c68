"""A batch in parts: one wrong change never fails its neighbours, nothing goes out twice, and nothing is left without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvariantError, OutcomeUnknownError, RefusedError, UnavailableError
from hub.flow import Change, Key, Outcome, Receipt
from hub.sdk.api import Planned, broken_off, compared, cut, one_line, send_in_parts, whole_figure


def change(number: int, raw: int = 1_000) -> Change:
    return Change(f"c{number}", Key("shop", str(number), "stock"), f"item-{number}", None, {"raw": raw}, {}, 0)


def taken(part: list[Change]) -> list[Receipt]:
    return [Receipt(one.id, Outcome.APPLIED) for one in part]


@given(st.integers(0, 40), st.integers(1, 12), st.sets(st.integers(0, 39)))
def test_the_bad_ones_are_found_alone_and_every_other_is_applied_once(count: int, size: int, bad: set[int]) -> None:
    wrong, applied = {f"c{number}" for number in bad}, []

    def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        if len(part) == 1 and part[0].id in wrong:
            return [Receipt(part[0].id, Outcome.REFUSED, "no")], []
        if any(one.id in wrong for one in part):
            return [], part
        applied.extend(one.id for one in part)
        return taken(part), []

    changes = [change(number) for number in range(count)]
    receipts = {receipt.change: receipt.outcome for receipt in send_in_parts(cut(changes, size), post)}
    assert receipts == {one.id: Outcome.REFUSED if one.id in wrong else Outcome.APPLIED for one in changes}
    assert len(applied) == len(set(applied))


def test_what_a_call_leaves_goes_out_again_without_the_rest() -> None:
    calls: list[list[str]] = []

    def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        calls.append([one.id for one in part])
        bad = [one for one in part if one.id == "c2"]
        return ([Receipt("c2", Outcome.REFUSED)], [one for one in part if one not in bad]) if bad else (taken(part), [])

    receipts = send_in_parts([[change(1), change(2), change(3)], [change(4)]], post)
    assert calls == [["c1", "c2", "c3"], ["c1", "c3"], ["c4"]]
    assert [receipt.change for receipt in receipts] == ["c2", "c1", "c3", "c4"]


def test_a_first_call_that_fails_is_the_whole_batchs_failure() -> None:
    def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        raise UnavailableError("down")

    with pytest.raises(UnavailableError):
        send_in_parts([[change(1)], [change(2)]], post)


def test_a_later_call_that_fails_leaves_receipts_for_what_it_broke_off() -> None:
    def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        if part[0].id == "c2":
            raise OutcomeUnknownError("no answer", request_id="r-7")
        return taken(part), []

    receipts = send_in_parts([[change(1)], [change(2), change(3)], [change(4)]], post)
    assert [receipt.outcome for receipt in receipts] == [Outcome.APPLIED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NOT_SENT]
    assert receipts[1].request_id == "r-7"


def test_what_was_certainly_not_done_may_be_sent_again() -> None:
    (cut_off, later) = broken_off([change(1)], [change(2)], RefusedError("no such route " + "x" * 500))
    assert (cut_off.outcome, later.outcome) == (Outcome.NOT_SENT, Outcome.NOT_SENT)
    assert len(cut_off.words) == 200


def test_a_call_that_cannot_decide_one_alone_is_our_mistake() -> None:
    with pytest.raises(InvariantError):
        send_in_parts([[change(1)]], lambda part: ([], part))


def test_a_planned_change_is_known_by_its_change() -> None:
    planned = Planned(change(9), {"stock": 1}, lambda row: Receipt("c9", Outcome.APPLIED))
    assert [receipt.change for receipt in broken_off([planned], [], UnavailableError("down"))] == ["c9"]


def test_a_success_that_shows_something_else_is_refused_with_what_it_shows() -> None:
    assert compared(change(1), 5, 5, {"raw": 5_000}) == Receipt("c1", Outcome.APPLIED, shows={"raw": 5_000})
    other = compared(change(1), 5, 4, {"raw": 4_000}, "r-1")
    assert (other.outcome, other.words, other.shows) == (Outcome.REFUSED, "asked for 5, the shop shows 4", {"raw": 4_000})


@pytest.mark.parametrize(("raw", "pieces"), [(0, 0), (7_000, 7), (9_000, 9), (10_000, None), (1_500, None), (-1_000, None)])
def test_only_whole_pieces_from_nought_up_are_a_figure(raw: int, pieces: int | None) -> None:
    assert whole_figure(change(1, raw), most=9) == pieces


def test_words_of_a_platform_become_one_short_line() -> None:
    assert one_line(" not\n  today ") == "not today"
    assert (one_line(None), one_line("x" * 300, 10)) == ("", "x" * 10)
