"""Metrics: the only door to prometheus, with a registry of our own and every name declared once, here.

`count`, `gauge` and `observe` speak to this process's registry; `text` is the exposition that an operator's scraper reads.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hub.errors import InvariantError

T = TypeVar("T")


class Declared(NamedTuple):
    """What a metric means and the labels that tell its series apart; `buckets` are for observed sizes and seconds only."""

    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


SIZES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)

COUNTERS: Final[dict[str, Declared]] = {
    "deliveries": Declared("Deliveries by what became of them", ("channel", "verdict")),
    "intake_commits": Declared("Commits of received deliveries"),
    "oversells": Declared("Promises beyond what is there, and whether the hub could have known", ("channel", "known")),
    "reloads": Declared("Configurations taken up or refused while running", ("verdict",)),
}
GAUGES: Final[dict[str, Declared]] = {
    "intake_queue": Declared("Verified deliveries that wait for their commit"),
}
SIZES_OBSERVED: Final[dict[str, Declared]] = {
    "intake_commit_rows": Declared("Deliveries in one commit", (), SIZES),
}


class Metrics:
    """One process's numbers. A name that is not declared, or labels other than the declared ones, is an InvariantError."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {name: Counter(f"samklang_{name}", *self._said(what)) for name, what in COUNTERS.items()}
        self._gauges = {name: Gauge(f"samklang_{name}", *self._said(what)) for name, what in GAUGES.items()}
        self._sizes = {
            name: Histogram(f"samklang_{name}", what.meaning, what.labels, registry=self.registry, buckets=what.buckets)
            for name, what in SIZES_OBSERVED.items()
        }

    def _said(self, what: Declared) -> tuple[str, tuple[str, ...], str, str, str, CollectorRegistry]:
        return what.meaning, what.labels, "", "", "", self.registry

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = _declared(self._counters, COUNTERS, name, labels)
        (counter.labels(**labels) if labels else counter).inc(amount)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Say what a gauge shows now."""
        gauge = _declared(self._gauges, GAUGES, name, labels)
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one observed size or number of seconds."""
        sizes = _declared(self._sizes, SIZES_OBSERVED, name, labels)
        (sizes.labels(**labels) if labels else sizes).observe(value)

    def text(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self.registry)


def _declared(made: dict[str, T], declared: dict[str, Declared], name: str, labels: dict[str, str]) -> T:
    if name not in made or set(labels) != set(declared[name].labels):
        raise InvariantError(f"metric {name} with labels {sorted(labels)} is not declared")
    return made[name]


PROCESS: Final = Metrics()
"""The numbers of this process."""

count = PROCESS.count
gauge = PROCESS.gauge
observe = PROCESS.observe
text = PROCESS.text
