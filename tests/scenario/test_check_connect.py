"""`check --connect`: one small read of each channel, and for each way to fail the words that say what to mend."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from stage import TILL

from hub.check import Connected, connect
from hub.sdk.wire import NotSentError, Request, Response

TILL_SECRETS = TILL.replace('access_token: "env:X"', "access_token: env:TILL_TOKEN")
Answer = Callable[[Request], Response]


class Faulty:
    """A transport that answers every request in one way and counts them."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = 0

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The one answer."""
        self.asked += 1
        return self.answer(request)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path, {"channels/till.yaml": TILL_SECRETS})
    made.close()
    monkeypatch.setenv("X", "some-secret-text")
    monkeypatch.setenv("TILL_TOKEN", made.secrets["till"]["access_token"])
    made.platforms["till"].add_item("TEE-001", "T-shirt", price=Decimal("100"))
    return made


def till(desk: Desk, answer: Answer | None = None) -> tuple[Connected, int]:
    """What is said of the till, and how many requests it took."""
    faulty = Faulty(answer) if answer is not None else None
    found = connect(desk.config, desk.clock, lambda settings: faulty or desk.platforms[settings.channel])
    calls = faulty.asked if faulty is not None else len(desk.platforms["till"].calls)
    return next(each for each in found if each.channel == "till"), calls


def test_a_channel_that_answers_is_reached_with_a_small_read(desk: Desk) -> None:
    said, calls = till(desk)
    assert (said.ok, said.words) == (True, "items can be read at https://till.example")
    assert calls <= 3
    assert not any(call.writes for call in desk.platforms["till"].calls)


def test_a_wrong_secret_is_named_with_its_line_and_never_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILL_TOKEN", "quite-another-token")
    said, _ = till(desk)
    assert not said.ok
    assert said.words.startswith(f"it does not accept our sign-in: mend the secrets [{desk.folder / 'channels' / 'till.yaml'}:8]")
    assert "quite-another-token" not in said.words


def refuse_connection(request: Request) -> Response:
    """Nobody listens."""
    raise NotSentError("no connection: ConnectError")


FAILURES: list[tuple[Answer, str]] = [
    (refuse_connection, "it cannot be reached"),
    (lambda _: Response(404, {}, b"no such page"), "it answers, but not at this address"),
    (lambda _: Response(429, {"retry-after": "60"}, b""), "it answers, and asks us to wait"),
    (lambda _: Response(400, {}, b"bad"), "it answers, and refuses what was asked"),
    (lambda _: Response(200, {}, b"<html>"), "it cannot be reached, or does not answer as it should"),
]


@pytest.mark.parametrize(("answer", "words"), FAILURES, ids=["closed", "404", "429", "400", "no JSON"])
def test_each_failure_has_its_words_and_is_given_up_soon(desk: Desk, answer: Answer, words: str) -> None:
    said, calls = till(desk, answer)
    assert not said.ok
    assert said.words.startswith(words)
    assert calls <= 4 * len(desk.config.channels)
