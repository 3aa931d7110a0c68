"""The demo: platforms in small, the hub as a user starts it, a day in fast motion, and a judge who has the last word."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

from hub.clock import Clock, SystemClock
from hub.paths import shipped_config, shipped_connectors
from hub.sdk.registry import Registry
from hub.settings.load import load
from hub.settings.model import Config
from hub.simulate import judge
from hub.simulate.day import KINDS, Day, open_world, script
from hub.simulate.hosted import HostedHub, prepare
from hub.simulate.ports import Port, listening_socket
from hub.simulate.postman import Postman
from hub.simulate.view import Lines, LiveTable, View
from hub.simulate.world import CURRENCY, KINDS_BOOKED, Chance, World
from hub.simulate.worlds import WORLDS

STEP_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.5
FIRST_AGREEMENT_SECONDS_MAX: Final = 90.0
FAULTS_SPENT_SECONDS_MAX: Final = 45.0
DUTIES_SECONDS_MAX: Final = 60.0
AGREEMENT_SECONDS_MAX: Final = 120.0
QUIET_SECONDS: Final = 4.0
DIFFERENCES_TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a demo ended: the judge's last look, the faults by kind, the writes that the platforms received."""

    picture: dict[str, Any]
    shown_wrong: list[judge.Difference]
    faults: dict[str, int]
    pushes: int
    seconds: float
    mistaken: list[str]
    orders: int = 0
    tally: judge.Tally = field(default_factory=judge.Tally)

    @property
    def differences(self) -> list[judge.Difference]:
        """All that is not as the world has it, of listings and of orders."""
        return self.shown_wrong + self.tally.differences

    @property
    def missing(self) -> list[str]:
        """Kinds of fault that did not occur."""
        return [kind for kind in KINDS if not self.faults.get(kind)]

    def line(self) -> str:
        """The last line."""
        items = len(next(iter(self.picture.values()), {}))
        lost, doubled = len(self.tally.lost), len(self.tally.doubled)
        word = "differs" if self.differences or lost or doubled else "converged"
        return (
            f"{word}: {len(self.picture)} channels, {items} items, {len(self.differences)} differences, "
            f"{self.pushes} pushes in {self.seconds:.0f} s · {self.orders} orders, {lost} lost, {doubled} doubled"
        )


class Demo:
    """The demo's world on its feet; every wait is bounded."""

    def __init__(self, config: Config, world: type[World], items: int, seed: int, view: View, clock: Clock) -> None:
        self._clock = clock
        self._view = view
        registry = Registry([])
        chance = Chance(seed)
        self._ports = {
            name: Port(name, registry.sandbox_class(settings.connector)(clock, seed, **world.options.get(name, {})), clock)
            for name, settings in config.channels.items()
        }
        self._hears = [name for name, s in config.channels.items() if registry.manifest(s.connector).deliveries is not None]
        places = {(place, name): ident for place, at in config.locations.items() for name, ident in at.channels.items()}
        self._world = world(seed, items, places)
        self._postman = Postman(list(self._ports.values()), clock)
        self._day = Day(self._world, self._ports, self._postman, chance, view.say)
        self._script = script(chance, world.more)
        self._seats = [self._seat(config, name) for name in self._ports]
        self._secrets = {
            reference.removeprefix("env:"): self._ports[name].sandbox_secrets()[secret]
            for name, settings in config.channels.items()
            for secret, reference in settings.secrets.items()
        }
        open_world(self._world, self._ports, chance)

    def run(self, shipped: Path, folder: Path) -> Ended:
        """The whole demo, up to the judge's last look; the hub and the platforms still stand."""
        begun = self._clock.monotonic()
        reserved = listening_socket()
        self._url = prepare(
            shipped, folder / "config", int(reserved.getsockname()[1]), {n: p.url for n, p in self._ports.items()}
        )
        for port in self._ports.values():
            port.start()
        for name in self._hears:
            self._ports[name].sandbox.hook_url = f"{self._url}/hooks/{name}"
        self._postman.start()
        reserved.close()
        self._hub = HostedHub(folder / "config", folder / "hub.log", self._clock, self._secrets)
        self._view.say(f"{len(self._ports)} platforms stand on ports of their own; the hub starts on {self._url}")
        self._hub.wait_ready(self._url)
        self._challenge()
        if not self._agreed(FIRST_AGREEMENT_SECONDS_MAX, 0.0):
            return self._ended(begun)
        self._view.say(f"everything is read and put right after {self._clock.monotonic() - begun:.0f} s; the day begins")
        self._live_the_day()
        self._agreed(AGREEMENT_SECONDS_MAX, QUIET_SECONDS)
        return self._ended(begun)

    def stay(self) -> None:
        """Keep everything standing until somebody interrupts."""
        for name, port in self._ports.items():
            self._view.say(f"{name}: {port.url}")
        self._view.say(f"hub: {self._url}; stays up until you press Ctrl-C")
        while self._hub.alive():
            self._show()
            self._clock.sleep(1.0)

    def close(self) -> None:
        """End everything that was started."""
        if hasattr(self, "_hub"):
            self._hub.stop()
        self._postman.stop()
        for port in self._ports.values():
            port.stop()

    def _seat(self, config: Config, name: str) -> judge.Seat:
        settings, port = config.channels[name], self._ports[name]
        shown, orders = judge.readers(shipped_connectors() / settings.connector)
        return judge.Seat(name, shown, orders, port.url, dict(settings.settings), port.visitor_secrets())

    def _challenge(self) -> None:
        """Where a platform proves the subscriber by a challenge, it does so now."""
        for name in self._hears:
            ask = getattr(self._ports[name].sandbox, "verification", None)
            if ask is not None:
                self._postman.hand_over([ask("made-challenge-4711")])

    def _live_the_day(self) -> None:
        for step in self._script:
            self._day.perform(step)
            self._show()
            self._clock.sleep(STEP_SECONDS)
            self._check_hub()
        self._view.say("the shop closes; no more faults")
        self._wait_for(lambda: not self._day.shoppers.left(), DUTIES_SECONDS_MAX)
        self._wait_for(lambda: not self._day.faults_left() and self._postman.idle(), FAULTS_SPENT_SECONDS_MAX)

    def _wait_for(self, over: Callable[[], bool], seconds_max: float) -> None:
        ends = self._clock.monotonic() + seconds_max
        while not over() and self._clock.monotonic() < ends:
            self._show()
            self._clock.sleep(LOOK_SECONDS)
            self._check_hub()
            self._day.shoppers.work()

    def _agreed(self, seconds_max: float, quiet_seconds: float) -> bool:
        """Wait until the judge finds nothing, and nothing is written for so long after; False when that did not come."""
        ends = self._clock.monotonic() + seconds_max
        while True:
            writes = self._writes()
            if self._right():
                self._clock.sleep(quiet_seconds)
                if self._writes() == writes and self._right():
                    return True
            if self._clock.monotonic() > ends:
                return False
            self._show()
            self._clock.sleep(LOOK_SECONDS)
            self._check_hub()

    def _right(self) -> bool:
        found = judge.differences(self._world.picture(), judge.look(self._seats), CURRENCY, KINDS_BOOKED)
        return not found and self._tally() == judge.Tally()

    def _tally(self) -> judge.Tally:
        return judge.tally(self._world.papers(), judge.look_at_orders(self._seats))

    def _writes(self) -> int:
        return sum(port.writes() for port in self._ports.values())

    def _show(self) -> None:
        self._view.show(self._world.picture(), {name: port.look(_shown) for name, port in self._ports.items()})

    def _check_hub(self) -> None:
        if not self._hub.alive():
            raise RuntimeError(f"the hub ended by itself:\n{self._hub.tail()}")

    def _ended(self, begun: float) -> Ended:
        expected, shown = self._world.picture(), judge.look(self._seats)
        self._show()
        found = judge.differences(expected, shown, CURRENCY, KINDS_BOOKED)
        picture = {
            name: {sku: {"stock": judge.pieces(wanted, shown[name].get(sku)), "price": judge.price(shown[name].get(sku))}
                   for sku, wanted in listings.items()}
            for name, listings in expected.items()
        }  # fmt: skip
        seconds = self._clock.monotonic() - begun
        orders, undone = len(self._world.bought), self._day.shoppers.left()
        mistaken = self._postman.mistaken + undone
        return Ended(picture, found, self._day.counts(), self._writes(), seconds, mistaken, orders, self._tally())


def run_demo(items: int, seed: int, world: str, *, keep: bool = False, as_json: bool = False, out: TextIO | None = None) -> int:
    """Run the demo and print how it ended; 0 only when every channel agrees, no order is lost or doubled, and every kind of fault
    occurred.

    With `as_json` the final picture goes to `out` and everything else to standard error.
    """
    out = out or sys.stdout
    told = sys.stderr if as_json else out
    view: View = LiveTable(told) if told.isatty() else Lines(told)
    shipped = shipped_config() / world
    folder = Path(tempfile.mkdtemp(prefix="samklang-demo-"))
    demo = Demo(load(shipped), WORLDS[world], items, seed, view, SystemClock())
    try:
        with _ended_by_terminate():
            ended = demo.run(shipped, folder)
            code = report(ended, view, told)
            if as_json:
                print(_as_json(ended, seed), file=out, flush=True)
            if keep and code == 0:
                demo.stay()
    except KeyboardInterrupt:
        code = 0 if keep else 1
    except RuntimeError as bad:
        view.close()
        print(bad, file=told)
        code = 1
    finally:
        view.close()
        demo.close()
        shutil.rmtree(folder, ignore_errors=True)
    return code


def report(ended: Ended, view: View, out: TextIO) -> int:
    """Print how it ended, the last line last; gives the exit code."""
    view.close()
    print("faults: " + ", ".join(f"{kind} {ended.faults.get(kind, 0)}" for kind in KINDS), file=out)
    for difference in ended.differences[:DIFFERENCES_TOLD_MAX]:
        print(difference, file=out)
    for words in (*ended.tally.lost, *ended.tally.doubled):
        print(words, file=out)
    for kind in ended.missing:
        print(f"did not occur: {kind}", file=out)
    for words in ended.mistaken:
        print(words, file=out)
    print(ended.line(), file=out, flush=True)
    wrong = ended.differences or ended.tally.lost or ended.tally.doubled or ended.missing or ended.mistaken
    return 1 if wrong else 0


def _as_json(ended: Ended, seed: int) -> str:
    """What must be equal whenever the seed is: no times, no ids, no counts of calls."""
    shown = {
        "seed": seed,
        "shown": ended.picture,
        "differences": len(ended.differences),
        "faults": ended.faults,
        "orders": ended.orders,
        "lost": len(ended.tally.lost),
        "doubled": len(ended.tally.doubled),
    }
    return json.dumps(shown, indent=1, sort_keys=True)


@contextmanager
def _ended_by_terminate() -> Iterator[None]:
    """A polite end from outside is an interrupt like any other, so that everything started is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _shown(sandbox: Any) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.shown()
    return found
