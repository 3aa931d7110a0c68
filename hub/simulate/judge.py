"""The judge: reads every platform over HTTP as a customer would and compares it with the world. It uses nothing of the hub.

What it knows of a platform stands in that connector's `judge.py`, loaded here by its path; both use the standard library only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Shown = dict[str, dict[str, Any]]
Read = Callable[[str, dict[str, str], dict[str, str]], Shown]


@dataclass(frozen=True)
class Seat:
    """Where the judge looks: a channel, its platform's readers, its address, what a visitor must know to be let in.

    A platform that takes no orders has no reader of them.
    """

    channel: str
    read: Read
    read_orders: Read | None
    url: str
    settings: dict[str, str]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """One number that is not as it should be."""

    channel: str
    sku: str
    what: str
    expected: str
    shown: str

    def __str__(self) -> str:
        return f"{self.channel} {self.sku} {self.what}: should be {self.expected}, shows {self.shown}"


@dataclass(frozen=True)
class Tally:
    """What became of the orders: words for each that is lost, doubled or not as its buyer knows it."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def readers(folder: Path) -> tuple[Read, Read | None]:
    """`read_shown` of the `judge.py` in this connector's folder, and `read_orders` where there is one."""
    path = folder / "judge.py"
    spec = importlib.util.spec_from_file_location(f"judge_of_{folder.name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read_shown, getattr(module, "read_orders", None)


def look(seats: list[Seat]) -> dict[str, Shown]:
    """What every channel shows now, by channel and SKU."""
    return {seat.channel: seat.read(seat.url, seat.settings, seat.secrets) for seat in seats}


def look_at_orders(seats: list[Seat]) -> dict[str, Shown]:
    """The orders that every channel holds now, by channel and their id."""
    return {seat.channel: seat.read_orders(seat.url, seat.settings, seat.secrets) for seat in seats if seat.read_orders}


def differences(
    expected: Mapping[str, Mapping[str, Any]], shown: Mapping[str, Shown], currency: str, besides: Collection[str] = ()
) -> list[Difference]:
    """Everything that is not as the world has it: missing and surplus listings, pieces, prices, currencies, states.

    An expectation has `pieces` by place id ("" for all places together) and `price`. `besides` are SKUs that may be anywhere.
    """
    found: list[Difference] = []
    for channel, listings in expected.items():
        there = shown.get(channel, {})
        found += [Difference(channel, sku, "listing", "none", "one") for sku in sorted(set(there) - set(listings) - set(besides))]
        for sku, wanted in listings.items():
            if sku not in there:
                found.append(Difference(channel, sku, "listing", "one", "none"))
                continue
            found += _one(channel, sku, wanted, there[sku], currency)
    return found


def _one(channel: str, sku: str, wanted: Any, shown: Mapping[str, Any], currency: str) -> list[Difference]:
    seen = pieces(wanted, shown)
    pairs = [(f"stock at {place}" if place else "stock", str(count), seen[place]) for place, count in wanted.pieces.items()]
    pairs.append(("price", _number(wanted.price), price(shown)))
    pairs.append(("currency", currency, str(shown["currency"])))
    pairs.append(("state", "active", str(shown["state"])))
    return [Difference(channel, sku, what, should, does) for what, should, does in pairs if should != does]


def pieces(wanted: Any, shown: Mapping[str, Any] | None) -> dict[str, str]:
    """What is shown at each place that is spoken of, "" being all places together."""
    stock = shown["stock"] if shown else {}
    together = str(sum(int(_number(each)) for each in stock.values()))
    return {place: together if place == "" else _number(stock.get(place, "0")) for place in wanted.pieces}


def price(shown: Mapping[str, Any] | None) -> str:
    """The price that is shown, without needless digits; "" when there is none."""
    return _number(shown["price"]) if shown and shown["price"] is not None else ""


def tally(expected: Mapping[str, list[Any]], held: Mapping[str, Shown]) -> Tally:
    """What became of the orders: each paper that is expected of a channel is looked for among the orders that it holds.

    A paper is found by `their` (the channel's id of it), else by `number` (what the order there carries as its reference);
    credits carry that number with a stroke and more after it. What nobody expected is doubled.
    """
    found = Tally()
    for channel, papers in expected.items():
        left = dict(held.get(channel, {}))
        for paper in sorted(papers, key=lambda one: one.their == ""):
            same = [paper.their] if paper.their else [ident for ident, row in left.items() if row["reference"] == paper.number]
            same = [ident for ident in same if ident in left]
            rows = [left.pop(ident) for ident in same]
            if not rows and paper.needless:
                continue
            if not rows:
                found.lost.append(f"{channel} does not hold {paper.name}")
                continue
            found.doubled.extend(f"{channel} holds {paper.name} once more" for _ in rows[1:])
            found.differences.extend(_order(channel, paper, rows[0]))
        for paper in papers:
            _credits(channel, paper, left, found)
        found.doubled.extend(f"{channel} holds {row['reference'] or ident}, which nobody bought" for ident, row in left.items())
    return found


def _order(channel: str, paper: Any, row: Mapping[str, Any]) -> list[Difference]:
    # What was called off while it was a draft keeps its lines.
    called_off = str(row["state"]).lower().startswith("cancel")
    pairs = [("pieces", paper.lines, {} if called_off else row["lines"]), ("handed out", paper.shipped, row["shipped"])]
    seen = [(what, _basket(should), _basket(does)) for what, should, does in pairs if should is not None]
    if paper.total is not None:
        seen.append(("total", _number(Decimal(paper.total).scaleb(-2)), _number(row["total"])))
    return [Difference(channel, paper.name, what, should, does) for what, should, does in seen if should != does]


def _credits(channel: str, paper: Any, left: Shown, found: Tally) -> None:
    """Sums given back later, each once."""
    if not paper.number:
        return
    wanted = [_number(Decimal(-amount).scaleb(-2)) for amount in paper.credited]
    for ident in [ident for ident, row in left.items() if str(row["reference"]).startswith(f"{paper.number}/")]:
        total = _number(left.pop(ident)["total"])
        if total in wanted:
            wanted.remove(total)
        else:
            found.doubled.append(f"{channel} holds a credit of {total} for {paper.name}, which nobody was given")
    found.lost.extend(f"{channel} holds no credit of {total} for {paper.name}" for total in wanted)


def _basket(pieces: Mapping[str, int]) -> str:
    """Pieces by SKU as words; what has no SKU is not goods."""
    return ", ".join(f"{count} {sku}" for sku, count in sorted(pieces.items()) if sku and count) or "nothing"


def _number(text: object) -> str:
    try:
        return f"{Decimal(str(text)).normalize():f}"
    except InvalidOperation:
        return str(text)
