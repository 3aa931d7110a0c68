"""The judge of the contest about the pace: kroner at risk per hour because of what a channel shows, added up over time.

It knows what nobody else knows: how many pieces an hour customers really want there, what really is on the shelves and
promised, and the real price. It shares no formula with the hub.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from hub.simulate.truth import with_tax

TERMS_MAX: Final = 400
TOO_MANY, TOO_FEW, WRONG_PRICE = "shows too many", "shows too few", "wrong price"


class Weights(BaseModel):
    """What the judge weighs, as `campaign.yaml` explains it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    look_seconds: int = Field(ge=1)
    oversold_percent: int = Field(ge=0)
    not_sold_percent: int = Field(ge=0)
    wrong_price_percent: int = Field(ge=0)


@dataclass(slots=True)
class Shelves:
    """What is there in truth: pieces by (place, SKU), pieces promised by SKU, and the list prices."""

    price: Mapping[str, Decimal]
    there: dict[tuple[str, str], int] = field(default_factory=dict)
    promised: Counter[str] = field(default_factory=Counter)
    oversold: Counter[str] = field(default_factory=Counter)
    """Channel → pieces sold there that nobody had."""

    def free(self, sku: str) -> int:
        """Pieces that may be sold."""
        return max(0, sum(pieces for (_, each), pieces in self.there.items() if each == sku) - self.promised[sku])

    def all_free(self) -> dict[str, int]:
        """SKU → pieces that may be sold, of everything."""
        whole: Counter[str] = Counter()
        for (_, sku), pieces in self.there.items():
            whole[sku] += pieces
        return {sku: max(0, pieces - self.promised[sku]) for sku, pieces in whole.items()}

    def asked(self, sku: str) -> Decimal:
        """What a shop asks for it, with tax."""
        return with_tax(self.price[sku])


@dataclass(slots=True)
class Wants:
    """How many pieces an hour are wanted of each thing on the channel, stretch by stretch."""

    stretches: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    def add(self, until: int, per_hour: dict[str, float]) -> None:
        """One more stretch, which ends then."""
        self.stretches.append((until, per_hour))

    def at(self, now: int) -> dict[str, float]:
        """Those of this moment."""
        return next((per_hour for until, per_hour in self.stretches if now < until), self.stretches[-1][1])


class Judge:
    """Looks at what the channel shows, again and again."""

    def __init__(self, weights: Weights, shelves: Shelves, wants: Wants) -> None:
        self._weights = weights
        self._shelves = shelves
        self._wants = wants
        self.at_risk = {TOO_MANY: 0.0, TOO_FEW: 0.0, WRONG_PRICE: 0.0}
        self.wrong_hours = 0.0
        self._since: dict[tuple[str, str], int] = {}
        self._longest = 0

    @property
    def longest_minutes(self) -> float:
        """How long the number that was wrong longest was wrong without a break."""
        return self._longest / 60_000_000

    def look(self, shown: Mapping[str, Mapping[str, Any]], now: int) -> None:
        """Count what is shown now as what is shown until the next look."""
        hours = self._weights.look_seconds / 3_600
        wants = self._wants.at(now)
        wrong: set[tuple[str, str]] = set()
        for sku, free in self._shelves.all_free().items():
            price, seen = self._shelves.asked(sku), shown[sku]
            pieces, asks = sum(int(each) for each in seen["stock"].values()), Decimal(seen["price"])
            if pieces != free:
                over, under = (TOO_MANY, self._weights.oversold_percent), (TOO_FEW, self._weights.not_sold_percent)
                cause, percent = over if pieces > free else under
                wanted = expected_between(wants[sku], min(pieces, free), max(pieces, free))
                self.at_risk[cause] += wanted * float(price) * percent / 100 * hours
                wrong.add((sku, "stock"))
            if asks != price:
                sold = expected_between(wants[sku], 0, free)
                self.at_risk[WRONG_PRICE] += sold * float(abs(asks - price)) * self._weights.wrong_price_percent / 100 * hours
                wrong.add((sku, "price"))
        self.wrong_hours += len(wrong) * hours
        self._since = {key: self._since.get(key, now) for key in wrong}
        self._longest = max([self._longest, *(now - since for since in self._since.values())])


def expected_between(per_hour: float, low: int, high: int) -> float:
    """How many pieces beyond the first `low`, up to `high`, are wanted within an hour of a Poisson draw, on average."""
    chance, below, found = math.exp(-per_hour), 0.0, 0.0
    for wanted in range(min(high, TERMS_MAX)):
        below += chance
        if wanted >= low:
            found += max(0.0, 1.0 - below)
        chance *= per_hour / (wanted + 1)
    return found
