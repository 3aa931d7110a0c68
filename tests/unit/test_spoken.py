"""Whose order a record is: by our number, by that of one of its documents, by the origin's number; never by a guess."""

from __future__ import annotations

from typing import Any

import pytest

from hub.desired.spoken import numbers_in, referred

OURS = {"WEB-41": "o1", "AMZ-7": "o2"}
PREFIXES = ("WEB", "AMZ")


def record(**more: Any) -> dict[str, Any]:
    line = {"line": "1", "quantity": 1000, "amount_minor": 100}
    return {"state": "release", "total_minor": 100, "lines": [line], **more}


BACK = {"lines": [{"line": "1", "quantity": -1000, "amount_minor": -100}], "total_minor": -100, "state": "ended"}


@pytest.mark.parametrize(
    ("told", "whose"),
    [
        (record(reference="WEB-41"), ("o1", "export")),
        (record(reference="WEB-41/aarhus"), ("o1", "export")),
        (record(reference="WEB-41/R1", **BACK), ("o1", "credit")),
        (record(reference="WEB-41", **BACK), ("o1", "return")),
        (record(reference="WEB-41", state="ended", place="L1"), ("o1", "receipt")),
        (record(reference="WEB-41", state="ended", place="L1", fulfilments=[{"state": "handed_over"}]), ("o1", "export")),
        (record(origin_reference="7"), ("o2", "export")),
        (record(reference="WEB-411"), ("", "")),
        (record(origin_reference="41x"), ("", "")),
        (record(), ("", "")),
    ],
)
def test_whose_order_a_record_is(told: dict[str, Any], whose: tuple[str, str]) -> None:
    known = {name: OURS[name] for name in numbers_in(told, PREFIXES) if name in OURS}
    assert referred(told, known, PREFIXES) == whose


def test_an_origins_number_that_two_channels_use_is_no_proof() -> None:
    ours = {"WEB-7": "o1", "AMZ-7": "o2"}
    assert referred(record(origin_reference="7"), ours, PREFIXES) == ("", "")
