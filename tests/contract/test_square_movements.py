"""Movements at Square: what facts elsewhere moved at a shop moves its figure by that much, once, whatever is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from square_channel import AARHUS, ODENSE, ROOT, Channel, records_of, stocked

from hub.errors import OutcomeUnknownError, UnavailableError
from hub.flow import Change, Key, Outcome
from hub.mapping.mappings import load_mappings

MAPPINGS = load_mappings([ROOT / "mappings"], "square", settings={"tax": "included"})


def moved(
    channel: Channel, listing: str, pieces: Decimal | int, kind: str = "receipt", *, fact: str = "T1", **more: Any
) -> Change:
    """A change that by now `pieces` of the listing were moved in Aarhus by that fact."""
    before = more.pop("before", None)
    return Change(
        id=f"m-{listing}-{fact}-{pieces}",
        key=Key("till", listing, "movement", f"aarhus|{fact}"),
        item="item",
        before=None if before is None else {"moved": before * 1000, "kind": kind},
        after={"moved": int(pieces * 1000), "kind": kind},
        refs={},
        at=channel.clock.now(),
        place_ref=more.pop("place", AARHUS),
    )


def shows(channel: Channel, sku: str = "SKU-000", place: str = AARHUS) -> int:
    count: int = channel.sandbox.shown()[sku]["stock"][place]
    return count


def test_what_arrives_and_what_leaves_moves_the_figure_by_that_much() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.sell("SKU-000", 1)
    for change, left, states in (
        (moved(channel, ident, 18), 22, ("NONE", "IN_STOCK")),
        (moved(channel, ident, -2, "handed_over", fact="P1"), 20, ("IN_STOCK", "SOLD")),
        (moved(channel, ident, -1, "correction", fact="C1"), 19, ("IN_STOCK", "WASTE")),
    ):
        [receipt] = channel.connector.send("movement", [change])
        assert (receipt.outcome, receipt.shows) == (Outcome.APPLIED, {"moved": change.after["moved"]})
        assert shows(channel) == left
        adjustment = channel.sandbox.ledger.history[-1][2]["adjustment"]
        assert (adjustment["from_state"], adjustment["to_state"]) == states


def test_a_later_reading_of_the_figure_contains_it() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    [receipt] = channel.connector.send("movement", [moved(channel, ident, 3)])
    counts = records_of("stock", channel.connector.look_up("stock", [ident]))
    [figure] = [one for count in counts for one in MAPPINGS.understand("stock", count)]
    assert (figure["on_hand"], figure["version"]) == (8000, receipt.version)


def test_only_the_difference_to_what_was_acknowledged_is_moved() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    for now, before, left in ((10, None, 15), (12, 10, 17), (11, 12, 16), (11, 11, 16), (0, 11, 5)):
        [receipt] = channel.connector.send("movement", [moved(channel, ident, now, before=before)])
        assert (receipt.outcome, receipt.shows) == (Outcome.APPLIED, {"moved": now * 1000})
        assert shows(channel) == left


def test_a_lost_answer_moves_once_alone_and_in_another_company() -> None:
    channel = Channel()
    first, second = stocked(channel, 2)
    change, neighbour = moved(channel, first, 4), moved(channel, second, 4)
    assert channel.connector.find("movement", [change])[0].outcome is Outcome.NOT_SENT
    channel.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        channel.connector.send("movement", [change])
    [found] = channel.connector.find("movement", [change])
    assert (found.outcome, found.shows) == (Outcome.APPLIED, {"moved": 4000})
    channel.clock.advance(30)
    again = channel.connector.send("movement", [neighbour, change])
    assert [one.outcome for one in again] == [Outcome.APPLIED, Outcome.APPLIED]
    assert (shows(channel), shows(channel, "SKU-001")) == (9, 9)


def test_a_success_that_moved_nothing_is_no_success() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = moved(channel, ident, 4)
    channel.sandbox.faults.ignore_writes_next = 1
    assert channel.connector.send("movement", [change])[0].outcome is Outcome.UNKNOWN
    assert channel.connector.find("movement", [change])[0].outcome is Outcome.NOT_SENT
    assert channel.connector.send("movement", [change])[0].outcome is Outcome.APPLIED
    assert shows(channel) == 9


@pytest.mark.parametrize("error_index", ["yes", "no"])
def test_one_that_cannot_be_moved_does_not_hold_up_its_neighbours(error_index: str) -> None:
    channel = Channel(error_index=error_index)
    ids = stocked(channel, 5)
    good = [moved(channel, one, 2) for one in ids]
    half, nowhere = moved(channel, ids[0], Decimal("0.5"), fact="T2"), moved(channel, ids[0], 1, fact="T3", place="")
    bad = [moved(channel, "VNEVER", 2), half, nowhere, moved(channel, ids[0], 1, fact="T4", place="LNEVER")]
    outcomes = {one.change: one.outcome for one in channel.connector.send("movement", [*bad, *good])}
    assert [outcomes[one.id] for one in good] == [Outcome.APPLIED] * 5
    assert [outcomes[one.id] for one in bad] == [Outcome.REFUSED] * 4
    assert {shows(channel, f"SKU-{number:03d}") for number in range(5)} == {7}


def test_a_count_made_after_the_fact_contains_it_already() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = moved(channel, ident, -1, "handed_over")
    channel.clock.advance(60)
    channel.sandbox.count("SKU-000", 4)
    [receipt] = channel.connector.send("movement", [change])
    assert (receipt.outcome, shows(channel)) == (Outcome.APPLIED, 4)


def test_a_fact_that_waited_for_days_still_arrives_once() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = moved(channel, ident, 6)
    channel.clock.advance(3 * 24 * 3600)
    for _ in range(2):
        channel.clock.advance(60)
        assert channel.connector.send("movement", [change])[0].outcome is Outcome.APPLIED
    assert shows(channel) == 11


def test_a_long_ledger_is_searched_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = moved(channel, ident, 6)
    for _ in range(5):
        channel.sandbox.sell("SKU-000", 1)
    channel.connector.send("movement", [change])
    monkeypatch.setattr("connectors.square.movement.PAGE", 2)
    assert channel.connector.find("movement", [change])[0].outcome is Outcome.APPLIED
    monkeypatch.setattr("connectors.square.movement.PAGES_MAX", 2)
    with pytest.raises(UnavailableError):
        channel.connector.find("movement", [change])


def test_the_same_mark_twice_is_for_a_person() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = moved(channel, ident, 6)
    channel.connector.send("movement", [change])
    channel.sandbox.ledger.history.append(channel.sandbox.ledger.history[-1])
    assert channel.connector.find("movement", [change])[0].outcome is Outcome.REFUSED


def test_another_place_is_left_alone() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.count("SKU-000", 3, ODENSE)
    channel.connector.send("movement", [moved(channel, ident, 2, place=ODENSE)])
    assert (shows(channel), shows(channel, place=ODENSE)) == (5, 5)
