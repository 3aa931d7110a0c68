"""How long channels disagreed with the truth: looked at every few minutes, as a customer who passes by would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hub.simulate.retailer import Retailer
from hub.simulate.truth import Truth
from hub.simulate.verdicts import wrong_numbers

LOOK_SECONDS: Final = 600.0


@dataclass(slots=True)
class Disagreement:
    """`worst` is the longest one in words."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """Channel → how long each disagreement that is over lasted."""
    worst: tuple[float, str] = (0.0, "")
    _since: dict[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)

    def look(self, retailer: Retailer, truth: Truth, now: int) -> None:
        """Look at everything."""
        wrong = {(channel, sku, words.split()[0]): words for channel, sku, words in wrong_numbers(retailer, truth)}
        for key in [key for key in self._since if key not in wrong]:
            since, words = self._since.pop(key)
            lasted = (now - since) / 1_000_000
            self.seconds.setdefault(key[0], []).append(lasted)
            self.worst = max(self.worst, (lasted, f"{key[0]} {key[1]} {words}"))
        for key, words in wrong.items():
            self._since.setdefault(key, (now, words))

    def share(self, channel: str, percent: int) -> float:
        """So many of a hundred disagreements of this channel lasted at most so many seconds."""
        known = sorted(self.seconds.get(channel, []))
        return known[min(len(known) - 1, len(known) * percent // 100)] if known else 0.0
