"""What a way of writing stock exposes a channel to: sales that fell between the figure a write was based on and its effect.

Measured at the platform: what it shows right before and right after each write, and the sales of the meantime. A sale is undone
where the platform then offers its pieces once more. Which figure the hub meant to write is read from its stored intents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hub.canonical.values import THOUSAND
from hub.flow import Aspect, Manner
from hub.sdk.manifest import Send
from hub.sdk.wire import Request, Response
from hub.simulate.checkers import Findings
from hub.simulate.crew import HubCrew
from hub.simulate.retailer import Retailer
from hub.simulate.truth import Truth
from hub.store import catalogue, changes
from hub.store.database import Tx

BATCH_MAX: Final = 500
SOLD_LATELY_MAX: Final = 2_000
"""So many of the latest sales are looked through for those that fell into a write."""


@dataclass(slots=True)
class Exposed:
    """A channel's stock writes: how they are made, how many took effect, and what was sold meanwhile and undone by them."""

    manner: str
    looks: bool
    """Whether it looks right before it writes."""
    apart: bool
    """Whether the platform keeps its own open orders apart from the figure."""
    writes: int = 0
    sold_between: int = 0
    """Pieces sold between the figure that a write was based on and its effect."""
    undone: int = 0
    """Pieces of these that the platform offered once more after the write."""
    seconds: float = 0.0
    seconds_max: float = 0.0

    def words(self) -> str:
        """The manner in words."""
        more = ["looks right before"] if self.looks else []
        more += ["own open orders apart"] if self.apart else []
        return self.manner + (f" ({', '.join(more)})" if more else "")


class _Meant(NamedTuple):
    change: str
    listing: str
    sku: str
    place: str
    pieces: int
    based_at: int
    expects: int


class Exposure:
    """Looks on at every request to the platforms; `channels` says what came of it, `crew` gives the hub's crew."""

    def __init__(self, retailer: Retailer, truth: Truth, findings: Findings, crew: Callable[[], HubCrew]) -> None:
        self._retailer = retailer
        self._truth = truth
        self._findings = findings
        self._scheduler = findings.scheduler
        self._crew = crew
        self._sends: dict[str, Send] = {}
        for name, about in retailer.config.channels.items():
            send = retailer.registry.manifest(about.connector).sends.get(Aspect.STOCK)
            if send is not None and name in (*retailer.webshops, *retailer.shops):
                self._sends[name] = send
        self.channels = {
            name: Exposed(send.manner, send.look_before, send.own_orders == "subtracted_by_platform")
            for name, send in self._sends.items()
        }
        self._looked: dict[str, int] = {}
        self._judged: set[str] = set()

    def at(self, channel: str, platform: Any) -> Any:
        """The platform, looked at."""
        return _Looked(self, channel, platform) if channel in self._sends else platform

    def request(self, channel: str, platform: Any, request: Request, send: Callable[[], Response]) -> Response:
        """Let a request have its effect, and note what it did to what is shown."""
        if not platform.is_write(request):
            self._looked[channel] = self._scheduler.now
            return send()
        meant = self._meant(channel)
        before = platform.shown() if meant else {}
        try:
            return send()
        finally:
            if meant:
                after, words = platform.shown(), f"{request.path} {request.body.decode('utf-8', 'replace')}"
                for each in meant:
                    self._judge(channel, each, before, after, words)

    def _meant(self, channel: str) -> list[_Meant]:
        with self._scheduler.alone():
            return self._crew().store.read(lambda tx: self._sent(tx, channel))

    def _sent(self, tx: Tx, channel: str) -> list[_Meant]:
        rows = [row for row in changes.open_in(tx, channel, ["sent"], BATCH_MAX) if row.key.aspect == Aspect.STOCK]
        rows = [row for row in rows if row.before is not None]
        bound = catalogue.bindings(tx, [(channel, row.key.listing) for row in rows])
        looks = self._sends[channel].look_before
        return [
            _Meant(
                row.id,
                row.key.listing,
                bound[channel, row.key.listing].sku,
                self._retailer.place(row.key.place, channel) if row.key.place else "",
                int(row.after["sellable"]) // THOUSAND,
                self._looked.get(channel, row.observed_at) if looks else row.observed_at,
                int(row.before.get("raw", row.before["sellable"])) // THOUSAND,
            )
            for row in rows
            if (channel, row.key.listing) in bound
        ]

    def _judge(self, channel: str, meant: _Meant, before: Mapping[str, Any], after: Mapping[str, Any], words: str) -> None:
        was, shows = _pieces(before, meant), _pieces(after, meant)
        if was is None or shows is None or meant.change in self._judged:
            return
        if shows == was and (shows != meant.pieces or (meant.listing not in words and meant.sku not in words)):
            return
        self._judged.add(meant.change)
        self._truth.typed.pop((channel, meant.sku), None)
        exposed, now = self.channels[channel], self._scheduler.now
        sold = self._sold(channel, meant)
        seconds = (now - meant.based_at) / 1_000_000
        exposed.writes += 1
        exposed.seconds += seconds
        exposed.seconds_max = max(exposed.seconds_max, seconds)
        exposed.sold_between += sold
        exposed.undone += min(sold, max(0, shows - max(0, meant.pieces - sold)))
        if exposed.manner == Manner.COMPARE_AND_SET and was != meant.expects:
            words = f"{channel} {meant.sku} showed {was} when {meant.pieces} was written over {meant.expects}"
            self._findings.found("as expected", words)

    def _sold(self, channel: str, meant: _Meant) -> int:
        pieces = 0
        for sale in self._truth.sales[: -SOLD_LATELY_MAX - 1 : -1]:
            if sale.at <= meant.based_at:
                break
            if sale.origin == channel and (not meant.place or self._retailer.place(sale.place, channel) == meant.place):
                pieces += max(0, sale.lines.get(meant.sku, 0))
        return pieces


class _Looked:
    """A platform of which every request is looked at."""

    def __init__(self, exposure: Exposure, channel: str, platform: Any) -> None:
        self._exposure = exposure
        self._channel = channel
        self._platform = platform

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The platform's answer."""

        def effect() -> Response:
            answer: Response = self._platform.send(request, deadline_seconds, answer_bytes_max)
            return answer

        return self._exposure.request(self._channel, self._platform, request, effect)


def _pieces(shown: Mapping[str, Any], meant: _Meant) -> int | None:
    seen = shown.get(meant.sku)
    if seen is None:
        return None
    stock = seen["stock"]
    return int(stock.get(meant.place, 0)) if meant.place else int(sum(stock.values()))
