"""The hub under the scheduler: its workers run the rounds of production on a store that outlives them; it dies, starts anew."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from hub.app import Hub, TransportFor, build
from hub.canonical.values import Plain
from hub.errors import InvariantError, UnverifiedError
from hub.rounds import Rounds
from hub.sdk.contract import Delivery
from hub.sdk.registry import Registry
from hub.sdk.wire import Request
from hub.settings.model import Config
from hub.simulate.scheduler import Flag, Scheduler, VirtualClock
from hub.simulate.seat import Seat
from hub.store import requests
from hub.store.database import Tx
from hub.store.sqlite import DISK_FULL, EngineError, SqliteDatabase, SqliteTx
from hub.store.vault import Vault

T = TypeVar("T")
HUB: Final = "hub"
WALK_WAIT_SECONDS: Final = 60.0
"""Here every delivery wakes the walk: it need not look for what another process has stored."""

ASKED_AGAIN_SECONDS: Final = 60.0


class MemoryStore(SqliteDatabase):
    """The store of production, in memory; its seams are the scheduler's."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(":memory:", threaded=False)
        self._scheduler = scheduler
        self.seam = scheduler.pause
        self.full = False
        """Whether its disk is full: nothing can be made durable."""

    def tables_with(self, word: str) -> set[str]:
        """The tables in which this word stands in plain, in lower case or capitalised, as text or within bytes."""
        within = {each.encode().hex() for each in (word, word.capitalize())}
        dumped = ((line, line.lower()) for line in self._writer.iterdump())
        lines = (line for line, low in dumped if word in low or any(each in low for each in within))
        return {line.split('"')[1] if '"' in line else line[:40] for line in lines}

    def _look_inline(self, unit: Callable[[Tx], T]) -> T:
        # Nobody else goes on inside a read, and there is one connection: each read is a snapshot as it is.
        self._inside = True
        try:
            return unit(SqliteTx(self._writer))
        finally:
            self._inside = False

    def _inline(self, unit: Callable[[Tx], T]) -> T:
        def fails(tx: Tx) -> T:
            unit(tx)
            raise EngineError(DISK_FULL)

        return super()._inline(fails if self.full else unit)

    @contextlib.contextmanager
    def _drawing(self) -> Any:
        # In production a lock keeps others out while numbers are drawn.
        with self._scheduler.alone():
            yield

    def _sequence_lock(self) -> Any:
        return self._drawing()


class HubCrew:
    """One hub that may die at any seam; `hub` is the one that lives now, or lived last."""

    def __init__(
        self,
        config: Config,
        scheduler: Scheduler,
        clock: VirtualClock,
        transport_for: TransportFor,
        registry: Registry,
        secrets: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._config = config
        self._scheduler = scheduler
        self._clock = clock
        self._transport_for = transport_for
        self._registry = registry
        self._secrets = secrets
        self._vault = Vault({"testkey1": b"k" * 32}, "testkey1", clock.bytes)
        self.store = MemoryStore(scheduler)
        self.seat = Seat(self.store)
        """The store as the hub that lives now has it."""
        self._asked = 0
        self.unstored = 0
        """Deliveries that found no room."""
        self.starts = 0
        self.refused = 0
        """Deliveries that were not theirs."""
        self.taken: Callable[[str, bytes], None] = lambda _channel, _body: None
        """Hears of each delivery that is answered with yes."""
        self._walk_wake = Flag()
        self._turn = contextlib.ExitStack()
        self.hub = self._build({})

    def _build(self, wakes: Mapping[str, Flag]) -> Hub:
        return build(
            self._config,
            self._clock,
            self._transport_for,
            self.seat,
            self._vault,
            registry=self._registry,
            secrets=self._secrets,
            wake=lambda name: wakes[name].set(),
        )

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._scheduler.lives(HUB)

    def start(self) -> None:
        """A new hub on the store as it is, with a worker for the walk and one for each channel."""
        while self.store.full:
            # Who cannot take its turn ends, and is started again.
            self._scheduler.sleep(ASKED_AGAIN_SECONDS)
        self.seat = Seat(self.store)
        with self._scheduler.alone():
            self._turn.enter_context(self.seat.alone(0.0))
        wakes = {name: Flag() for name in self._config.channels}
        self._walk_wake = Flag()
        self.hub = self._build(wakes)
        rounds = Rounds(self.hub, wakes, self._walk_wake, WALK_WAIT_SECONDS)
        self.starts += 1
        never = Flag()
        self._scheduler.start("walk", lambda: rounds.walk(never), HUB)
        for name in self._config.channels:
            self._scheduler.start(f"channel {name}", lambda name=name: rounds.channel(name, never), HUB)  # type: ignore[misc]

    def ask(self, kind: str, body: Plain) -> None:
        """What a person asks of the hub by a command, tried again for as long as its store takes nothing."""
        self._asked += 1
        name = f"person-{self._asked}"
        self._scheduler.start(name, lambda: self._ask(name, kind, body))

    def _ask(self, name: str, kind: str, body: Plain) -> None:
        while self.store.full:
            self._scheduler.sleep(ASKED_AGAIN_SECONDS)
        with self._scheduler.alone():
            now = self._scheduler.now
            self.store.transaction(lambda tx: requests.ask(tx, name, kind, body, now))
        self._walk_wake.set()

    def post(self, channel: str, request: Request, taken: Flag) -> None:
        """Hand it a delivery, as its receiver takes one: `taken` is raised once it is stored, or refused as not theirs."""
        self._scheduler.start(f"delivery of {channel}", lambda: self._receive(channel, request, taken), HUB)

    def _receive(self, channel: str, request: Request, taken: Flag) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Delivery(request.method, request.url, headers, request.query, request.body)
        try:
            verdict = self.hub.channels[channel].connector.verify(delivery)
        except UnverifiedError:
            if self._scheduler.crew != HUB:
                # Who was replaced meanwhile answers nobody: it comes again, to the other worker.
                return
            self.refused += 1
        else:
            try:
                self.hub.walk.receive(channel, verdict.topic, verdict.delivery_id, request.body)
            except EngineError:
                # What could not be stored is not taken, and comes again.
                self.unstored += 1
                return
            except InvariantError:
                if self._scheduler.crew == HUB:
                    raise
                # Another worker has taken the store over since: it comes again, to that one.
                return
            self._walk_wake.set()
            self.taken(channel, request.body)
        taken.set()
