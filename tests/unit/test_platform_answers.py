"""Answers are read the same way everywhere: their time, their errors, their JSON object; and settings of pairs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.clock import ManualClock
from hub.errors import ConfigError, OutcomeUnknownError, UnavailableError
from hub.sdk.api import Client, Response, answered_at, errors_said, pairs_in, read_time
from hub.sdk.pace import Bucket
from hub.sdk.wire import Request

MINUTE = 60_000_000


class Silent:
    """A transport that nobody should use."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        raise AssertionError("nothing is asked here")


def client() -> Client:
    bucket = Bucket.full(Decimal(1), 1, 0)
    return Client(channel="shop", transport=Silent(), clock=ManualClock(), base_url="https://shop.example", bucket=bucket)


def test_an_answers_time_is_its_own_clocks() -> None:
    def answered(date: str) -> int | None:
        return answered_at(Response(200, {"date": date}))

    noon = read_time("2026-11-22T12:00:00Z")
    assert answered("Sun, 22 Nov 2026 12:00:00 GMT") == noon
    assert answered("Sun, 22 Nov 2026 12:00:00 GMT+00:00") == noon
    assert (answered(""), answered("yesterday"), answered("never GMT")) == (None, None, None)
    assert answered_at(Response(200)) is None


def test_a_records_time_has_a_zone() -> None:
    assert read_time("1970-01-01T01:01:00+01:00") == MINUTE
    assert read_time("1970-01-01T00:01:00.0000009Z") == MINUTE
    for text in ("1970-01-01T00:01:00", "soon", ""):
        with pytest.raises(ValueError):
            read_time(text)


def test_only_an_object_is_an_answer() -> None:
    assert client().told(Response(200, {}, b'{"price": 19.95}'), "look", writes=False) == {"price": Decimal("19.95")}
    for body in (b"<html>", b"[1]", b"", b"null"):
        with pytest.raises(UnavailableError):
            client().told(Response(200, {}, body), "look", writes=False)
        with pytest.raises(OutcomeUnknownError) as said:
            client().told(Response(200, {"x-request-id": "r-1"}, body), "set a price", writes=True)
        assert (said.value.channel, said.value.operation, said.value.request_id) == ("shop", "set a price", "r-1")


def test_errors_are_told_by_code_and_words() -> None:
    first = {"message": "Too\n often", "extensions": {"code": "THROTTLED"}}
    said = errors_said({"data": None, "errors": [first, {"message": "no"}, "odd"]})
    assert said is not None
    assert (said.codes, said.words, len(said.errors)) == (frozenset({"THROTTLED", ""}), "Too often", 2)


def test_errors_may_be_a_sentence_or_say_nothing() -> None:
    sentence, nothing = errors_said({"errors": "Not Found"}), errors_said({"errors": [{}]})
    assert sentence is not None
    assert nothing is not None
    assert (sentence.words, nothing.words) == ("Not Found", "an error without words")
    assert errors_said({"data": {}}) is None
    assert errors_said({"errors": []}) is None


def test_a_setting_of_pairs() -> None:
    assert pairs_in("pickup", " collect = store , post:2=hall,") == {"collect": "store", "post:2": "hall"}
    assert pairs_in("pickup", "") == {}


@pytest.mark.parametrize("text", ["collect", "collect=", "=store", "a=1, a=2"])
def test_a_setting_that_is_not_pairs_names_itself(text: str) -> None:
    with pytest.raises(ConfigError, match="pickup"):
        pairs_in("pickup", text)
