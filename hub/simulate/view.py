"""What is to be seen of a simulated day: a live table at a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.simulate.world import Expected

ROWS_MAX: Final = 24
WORDS_SHOWN: Final = 7
LINES_BELOW: Final = WORDS_SHOWN + 6
Shown = Mapping[str, Mapping[str, Any]]
Picture = Mapping[str, Mapping[str, Expected]]


class View(Protocol):
    """Whoever watches."""

    def say(self, words: str) -> None:
        """Something happened."""
        ...

    def show(self, expected: Picture, shown: Shown) -> None:
        """This is what should be shown and what is."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Lines:
    """One line per happening."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def say(self, words: str) -> None:
        """Print it."""
        print(words, file=self._out, flush=True)

    def show(self, expected: Picture, shown: Shown) -> None:
        """Tables are for terminals."""

    def close(self) -> None:
        """Nothing is open."""


class LiveTable:
    """Item × channel with what should be shown and what is, and the last happenings below."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out)
        self._said: deque[str] = deque(maxlen=WORDS_SHOWN)
        self._table: Table | str = ""
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()

    def say(self, words: str) -> None:
        """Show it among the last happenings."""
        self._said.append(words)
        self._draw()

    def show(self, expected: Picture, shown: Shown) -> None:
        """Draw the table anew."""
        rows = max(4, min(ROWS_MAX, self._console.height - LINES_BELOW))
        self._table = table(expected, shown, rows)
        self._draw()

    def close(self) -> None:
        """Leave the last picture standing."""
        self._live.stop()

    def _draw(self) -> None:
        self._live.update(Group(self._table, Text("\n".join(self._said))), refresh=True)


def table(expected: Picture, shown: Shown, rows_max: int) -> Table:
    """The picture; green where a channel shows what it should, else `shown → target`."""
    drawn = Table(title="shown → target, where they differ")
    drawn.add_column("item")
    for channel in expected:
        drawn.add_column(channel, justify="right", no_wrap=True)
    skus = list(next(iter(expected.values())))
    for sku in skus[:rows_max]:
        cells = [cell(expected[channel][sku], shown.get(channel, {}).get(sku)) for channel in expected]
        drawn.add_row(sku, *cells)
    if len(skus) > rows_max:
        drawn.caption = f"and {len(skus) - rows_max} more"
    return drawn


def cell(wanted: Expected, shown: Mapping[str, Any] | None) -> Text:
    """One listing: pieces and price."""
    if shown is None:
        return Text("not there yet", style="yellow")
    stock, target = _pieces(wanted, shown["stock"]), "/".join(str(each) for each in wanted.pieces.values())
    price = "" if shown["price"] is None else f"{shown['price']:.2f}"
    pieces = stock if stock == target else f"{stock} → {target}"
    money = price if price == wanted.price else f"{price} → {wanted.price}"
    return Text(f"{pieces} · {money}", style="green" if stock == target and price == wanted.price else "bold yellow")


def _pieces(wanted: Expected, stock: Mapping[str, int]) -> str:
    return "/".join(str(stock.get(place, 0) if place else sum(stock.values())) for place in wanted.pieces)
