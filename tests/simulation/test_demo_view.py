"""What is seen of the demo: the table names what differs, and nothing is drawn where nobody looks."""

from __future__ import annotations

import io
from decimal import Decimal

from rich.console import Console

from hub.simulate.view import Lines, LiveTable, cell, table
from hub.simulate.world import CHANNELS, Expected

WANTED = Expected({"3": 10, "": 14}, 19_995)


def seen(pieces: int, price: str = "199.95") -> dict[str, object]:
    return {"stock": {"3": 10, "11": pieces}, "price": Decimal(price)}


def test_a_cell_shows_what_is_and_what_should_be() -> None:
    assert cell(WANTED, seen(4)).plain == "10/14 · 199.95"
    assert cell(WANTED, seen(6)).plain == "10/16 → 10/14 · 199.95"
    assert cell(WANTED, seen(4, "189.95")).plain == "10/14 · 189.95 → 199.95"
    assert cell(WANTED, None).plain == "not there yet"


def test_a_long_table_says_how_much_it_leaves_out() -> None:
    expected = {channel: {f"S{number}": WANTED for number in range(9)} for channel in CHANNELS}
    out = io.StringIO()
    Console(file=out, width=140).print(table(expected, {}, 4))
    assert "S3" in out.getvalue()
    assert "S4" not in out.getvalue()
    assert "and 5 more" in out.getvalue()


def test_lines_are_plain_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    view = Lines(out)
    view.say("09:06  the till sells 1 of A")
    view.show({}, {})
    view.close()
    assert out.getvalue() == "09:06  the till sells 1 of A\n"


def test_the_live_table_keeps_the_last_words_below_it() -> None:
    out = io.StringIO()
    view = LiveTable(out)
    view.show({channel: {"A": WANTED} for channel in CHANNELS}, {channel: {"A": seen(4)} for channel in CHANNELS})
    for number in range(12):
        view.say(f"word {number}")
    view.close()
    assert "10/14 · 199.95" in out.getvalue()
    assert "word 11" in out.getvalue()
    assert "word 4" not in out.getvalue()
