"""What stands in a log: events with their fields, without secrets and without persons, whoever wrote the line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, kept = list(root.handlers), root.level, structlog.get_config()
    log.configure(now=lambda: 1_790_000_000_123_456, as_json=True, stream=stream)
    yield stream
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_with_its_fields_and_the_clocks_time(lines: io.StringIO) -> None:
    with log.bound(channel="webshop"):
        log.logger("push").info("batch sent", changes=12)
    assert read(lines) == [
        {
            "event": "batch sent",
            "changes": 12,
            "channel": "webshop",
            "level": "info",
            "logger": "push",
            "at": "2026-09-21T14:13:20.123Z",
        }
    ]


def test_no_secret_reaches_a_line(lines: io.StringIO) -> None:
    log.remember_secret("t0p-s3cret/value")
    log.remember_secret("t0p-s3cret/value-and-more")
    log.logger("sdk").warning(
        "refused t0p-s3cret/value-and-more", answer={"deep": ["a t0p-s3cret/value b"]}, url="?t=t0p-s3cret%2Fvalue"
    )
    logging.getLogger("some.package").warning("calling %s", "t0p-s3cret/value")
    try:
        raise ValueError("bad t0p-s3cret/value")
    except ValueError:
        log.logger("sdk").exception("failed")
    text = lines.getvalue()
    assert "s3cret" not in text
    assert len(read(lines)) == 3
    assert read(lines)[0]["event"] == "refused <secret>"
    assert "ValueError: bad <secret>" in str(read(lines)[2]["exception"])


def test_no_person_reaches_a_line(lines: io.StringIO) -> None:
    log.logger("walk").info("order read", order="1001", email="a@b.example", customer={"x": 1}, parts={"Phone": "1", "sku": "A"})
    (line,) = read(lines)
    assert line["order"] == "1001"
    assert line["parts"] == {"sku": "A"}
    assert "email" not in line
    assert "customer" not in line


def test_lines_stay_bounded(lines: io.StringIO) -> None:
    log.logger("walk").info("large", body="x" * 100_000)
    assert len(lines.getvalue()) < log.LINE_CHARS_MAX + 300


def test_libraries_speak_only_when_something_is_wrong(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://x")
    log.logger("walk").debug("unseen")
    assert lines.getvalue() == ""


def test_a_terminal_gets_plain_lines() -> None:
    root, stream, kept = logging.getLogger(), io.StringIO(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    log.configure(now=lambda: 0, as_json=False, stream=stream)
    log.logger("walk").info("seen", keys=3)
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)
    assert "seen" in stream.getvalue()
    assert "keys=3" in stream.getvalue()


def test_a_value_too_short_to_be_found_is_no_secret() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        log.remember_secret("abc")
