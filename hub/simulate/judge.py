"""The judge: reads every platform over HTTP as a customer would and compares it with the world. It uses nothing of the hub.

What it knows of a platform stands in that connector's `judge.py`, loaded here by its path; both use the standard library only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Shown = dict[str, dict[str, Any]]
ReadShown = Callable[[str, dict[str, str], dict[str, str]], Shown]


@dataclass(frozen=True)
class Seat:
    """Where the judge looks: a channel, its platform's reader, its address, what a visitor must know to be let in."""

    channel: str
    read: ReadShown
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


def reader(folder: Path) -> ReadShown:
    """`read_shown` of the `judge.py` in this connector's folder."""
    path = folder / "judge.py"
    spec = importlib.util.spec_from_file_location(f"judge_of_{folder.name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: ReadShown = module.read_shown
    return found


def look(seats: list[Seat]) -> dict[str, Shown]:
    """What every channel shows now, by channel and SKU."""
    return {seat.channel: seat.read(seat.url, seat.settings, seat.secrets) for seat in seats}


def differences(expected: Mapping[str, Mapping[str, Any]], shown: Mapping[str, Shown], currency: str) -> list[Difference]:
    """Everything that is not as the world has it: missing and surplus listings, pieces, prices, currencies, states.

    An expectation has `pieces` by place id ("" for all places together) and `price`.
    """
    found: list[Difference] = []
    for channel, listings in expected.items():
        there = shown.get(channel, {})
        found += [Difference(channel, sku, "listing", "none", "one") for sku in sorted(set(there) - set(listings))]
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


def _number(text: object) -> str:
    try:
        return f"{Decimal(str(text)).normalize():f}"
    except InvalidOperation:
        return str(text)
