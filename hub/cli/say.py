"""How commands speak: tables to a terminal, tabs into a pipe, one JSON document with --json; and which exit code follows.

Text of platforms may hold anything: what would move a terminal's cursor is taken out before it is shown.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hub.errors import ConfigError, HubError

FINE: Final = 0
FOUND: Final = 1
USAGE: Final = 2
ROWS_SHOWN_MAX: Final = 500

ConfigOption = Annotated[
    Path, typer.Option("--config", envvar="SAMKLANG_CONFIG", help="Folder of the configuration", show_default="this folder")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document")]
WaitOption = Annotated[float, typer.Option("--wait", min=0, max=3600, help="Seconds to wait for the answer")]
HERE: Final = Path()
WAIT_SECONDS: Final = 30.0


def document(value: Any) -> None:
    """Print one JSON document with sorted keys."""
    print(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def line(text: str = "") -> None:
    """Print one line."""
    print(clean(text))


def trouble(text: str) -> None:
    """Print one line to standard error."""
    print(clean(text), file=sys.stderr)


def lines(texts: Iterable[str], indent: str = "") -> None:
    """Print these lines."""
    for text in texts:
        line(f"{indent}{text}")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print the rows: as a table to a terminal, otherwise a heading and a line each, with tabs between the cells."""
    cells = [[clean(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty() or not cells:
        if title:
            line(title)
        if cells:
            print("\t".join(columns))
        for row in cells:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", show_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in cells[:ROWS_SHOWN_MAX]:
        made.add_row(*(Text(cell) for cell in row))
    Console().print(made)
    if len(cells) > ROWS_SHOWN_MAX:
        line(f"… and {len(cells) - ROWS_SHOWN_MAX} more: into a pipe, or with --json, all are told")


def clean(text: str) -> str:
    """The text without characters that would act on a terminal; tabs and line ends become blanks."""
    return "".join(each if each.isprintable() else " " for each in text)


@contextlib.contextmanager
def outcome(as_json: bool = False) -> Iterator[None]:
    """What goes wrong inside ends the command with words, never with a traceback: 2 for configuration and usage, else 1."""
    try:
        yield
    except HubError as bad:
        said = str(bad).splitlines()
        if as_json:
            document({"problems": said})
        for each in said:
            trouble(each)
        raise typer.Exit(USAGE if isinstance(bad, ConfigError) else FOUND) from None


def ends(found: bool) -> None:
    """End with 1 when something was found, else with 0."""
    raise typer.Exit(FOUND if found else FINE)


@contextlib.contextmanager
def progress(words: str) -> Iterator[Any]:
    """A moving line on a terminal while something is waited for; gives a function that says how far it is."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(words) as moving:
        yield lambda told: moving.update(f"{words}: {clean(told)}")
