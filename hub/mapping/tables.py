"""Lookup tables: a value of theirs to a word of ours. A value in no row is refused unless the table has an `else`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.canonical.values import Plain
from hub.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one table; `otherwise` is the word for every other value (None: refuse)."""

    name: str
    rows: Mapping[str, Plain]
    otherwise: str | None = None
    where: str = field(default="", compare=False)

    def reversed(self) -> Table:
        """The same rows from our word to theirs; ConfigError when two of theirs share one of ours."""
        back: dict[str, Plain] = {}
        for theirs, ours in self.rows.items():
            if ours in back:
                raise ConfigError(
                    f"table `{self.name}` goes outward, but `{ours}` is said by both `{back[ours]}` and `{theirs}`: "
                    f"write a table `{self.name}_outward` from our words to theirs",
                    self.where,
                )
            back[ours] = theirs
        return Table(self.name, back, None, self.where)

    def typed(self, wire: str) -> Table:
        """The same rows with values of the wire type: text, flag or whole."""
        rows = {key: typed(said, wire, self.where) for key, said in self.rows.items()}
        return Table(self.name, rows, self.otherwise, self.where)


def typed(said: str, wire: str, where: str) -> Plain:
    """The text of a file as text, flag or whole number; ConfigError when it is none."""
    if wire == "flag":
        if said not in ("true", "false"):
            raise ConfigError(f"`{said}` is neither true nor false", where)
        return said == "true"
    if wire == "whole":
        if not said.removeprefix("-").isdigit() or len(said) > 18:
            raise ConfigError(f"`{said}` is not a whole number", where)
        return int(said)
    return said


def lookup(value: Plain, table: Table) -> Plain:
    """The table's word for the value: text, a whole number, true or false."""
    if type(value) is str:
        key = value
    elif type(value) is bool:
        key = "true" if value else "false"
    elif type(value) is int and abs(value) < 10**18:
        key = str(value)
    else:
        raise ValueError("null" if value is None else f"not a value that table {table.name} could have")
    if key in table.rows:
        return table.rows[key]
    if table.otherwise is None:
        raise ValueError(f"in no row of table {table.name}")
    return table.otherwise
