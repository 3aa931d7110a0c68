"""The seeded scheduler: workers as greenlets on one thread and one virtual clock, switched at the seams of production.

A worker gives way when it waits by the clock, before and after it uses the store, and on both ways of a request. Which of those
that may go on goes on is drawn from one seed, so the same seed is the same run to the byte. A crew that dies takes all its
workers with it at whatever seam they stand; from then on they can do nothing more to the world.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from greenlet import getcurrent, greenlet

from hub.clock import Wake

START: Final = 1_789_970_400_000_000
"""A Monday, six in the morning UTC."""
SPRING: Final = 1_774_677_600_000_000
"""Saturday, 28 March 2026, six in the morning UTC: in the night that follows Europe's clocks go forward."""
AUTUMN: Final = 1_792_821_600_000_000
"""Saturday, 24 October 2026, likewise: they go back."""
STARTS: Final = (START, SPRING, AUTUMN)


def start_of(seed: int) -> int:
    """When the days of a seed begin: seeds take turns with an ordinary week and the two nights on which clocks change."""
    return STARTS[seed % len(STARTS)]


WORLD: Final = "world"
"""The crew of everybody but the hub: nothing happens to a platform but by them, requests under way included."""
STILL_MAX: Final = 200_000
"""So many times workers may be switched without time going on: more is a hub that runs in circles."""


class KilledError(BaseException):
    """The crew of this worker is dead."""


class StuckError(Exception):
    """Time stands still: something is done again and again at one moment."""


class Flag:
    """A flag that one worker waits for and another raises."""

    __slots__ = ("_raised",)

    def __init__(self) -> None:
        self._raised = False

    def set(self) -> None:
        """Raise it."""
        self._raised = True

    def clear(self) -> None:
        """Lower it."""
        self._raised = False

    def is_set(self) -> bool:
        """Whether it is raised."""
        return self._raised


@dataclass(slots=True, eq=False)
class Task:
    """One worker: goes on when its time has come or its flag is raised."""

    name: str
    crew: str
    let: greenlet
    at: int
    flag: Flag | None = None
    dead: bool = False


@dataclass(slots=True)
class Scheduler:
    """Time, workers and the order in which they go on. `switching` is the share of store seams at which a worker gives way."""

    seed: int
    switching: float = 0.25
    lingers: float = 0.0
    """How many seconds a worker that gives way at a seam is away at most: a store that takes its time."""
    now: int = START
    began: int = field(init=False)
    """When it began."""
    steps: int = 0
    failures: list[BaseException] = field(default_factory=list)
    """What ended a worker that should have gone on."""
    crashing: Callable[[Task, str], bool] = lambda _task, _where: False
    """Asked at every seam of a worker whether its crew dies right there."""
    died: Callable[[str], None] = lambda _crew: None
    """Told of a crew that died so."""
    pausing: Callable[[Task, str], bool] = lambda _task, _where: False
    """Asked likewise whether its crew was put on hold right there."""
    _random: random.Random = field(init=False)
    _tasks: list[Task] = field(default_factory=list)
    _main: greenlet = field(default_factory=getcurrent)
    _current: Task | None = None
    _quiet: int = 0
    _still: int = 0
    _doomed: str = ""
    _world_moved: bool = False
    _held: dict[str, list[Task]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(f"order of workers {self.seed}")
        self.began = self.now

    @property
    def working(self) -> str:
        """The name of the worker that is at work; "" while nobody else may go on, and between two."""
        return self._current.name if self._current is not None and not self._quiet else ""

    @property
    def crew(self) -> str:
        """The crew of the worker that is at work; "" for none."""
        return self._current.crew if self._current is not None else ""

    # who takes part

    def start(self, name: str, work: Callable[[], None], crew: str = WORLD) -> None:
        """A new worker, which goes on from now."""
        self._tasks.append(Task(name, crew, greenlet(lambda: self._run(work), parent=self._main), self.now))

    def _run(self, work: Callable[[], None]) -> None:
        task = self._current
        assert task is not None
        try:
            work()
        except KilledError:
            pass
        except Exception as bad:
            self.failures.append(bad)
        task.dead = True

    def kill(self, crew: str) -> None:
        """This crew dies: its workers do nothing more, not even what they would do at their end. Not for workers to call."""
        doomed = [task for task in self._tasks if task.crew == crew and not task.dead]
        for task in doomed:
            task.dead = True
        for task in doomed:
            if task.let:
                self._current = task
                task.let.throw(KilledError)
        self._current = None
        self._tasks = [task for task in self._tasks if not task.dead]

    def doom(self, crew: str) -> None:
        """This crew dies as soon as the worker that says so gives way."""
        self._doomed = crew

    def hold(self, crew: str, name: str) -> None:
        """This crew is paused at whatever seams its workers stand, and has that name from now on; until `let_go`."""
        self._held[name] = [task for task in self._tasks if task.crew == crew]
        self._tasks = [task for task in self._tasks if task.crew != crew]
        for task in self._held[name]:
            task.crew = name

    def let_go(self, name: str) -> None:
        """The crew that was put on hold under this name goes on."""
        self._tasks += self._held.pop(name, [])

    def lives(self, crew: str) -> bool:
        """Whether this crew has workers."""
        return any(task.crew == crew and not task.dead for task in self._tasks)

    # seams

    def pause(self, where: str) -> None:
        """A seam: maybe somebody else goes on first, maybe the crew dies here."""
        task = self._current
        if task is None or self._quiet or getcurrent() is not task.let:
            return
        if task.dead:
            raise KilledError
        if self.crashing(task, where):
            self._doomed = task.crew
            self._give_way(task)
        if self.pausing(task, where):
            task.at, task.flag = self.now, None
            self._give_way(task)
        if self._random.random() < self.switching:
            away = self._random.random() * self.lingers if self.lingers else 0.0
            task.at, task.flag = self.now + round(away * 1_000_000), None
            self._give_way(task)

    def sleep(self, seconds: float) -> None:
        """Let that much time pass for this worker; outside of workers the world itself goes on meanwhile."""
        self.wait(None, seconds)

    def wait(self, flag: Flag | None, seconds: float) -> bool:
        """Wait until the flag is raised or the time is over; says whether it is raised."""
        task = self._current
        if task is None or getcurrent() is not task.let:
            raise RuntimeError("only a worker can wait")
        if task.dead:
            raise KilledError
        if flag is None or not flag.is_set():
            task.at, task.flag = self.now + max(0, round(seconds * 1_000_000)), flag
            self._give_way(task)
        return flag is not None and flag.is_set()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, nobody gives way: for judges that look at the store, and for what is one step in production."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def _give_way(self, task: Task) -> None:
        self._main.switch()
        if task.dead:
            raise KilledError

    # the run

    def run(self, until: int, each: Callable[[], None] = lambda: None) -> None:
        """Let everybody work until that time; `each` is called whenever the world has done something. What a worker failed of is
        raised."""
        while self.step(until):
            if self._world_moved:
                each()
        self.now = max(self.now, until)

    def step(self, until: int) -> bool:
        """Let one worker go on to its next seam; False when nobody has anything to do before that time."""
        ready = self._ready()
        if not ready:
            following = min([task.at for task in self._tasks], default=until + 1)
            if following > until:
                return False
            self.now, self._still = following, 0
            ready = self._ready()
        task = ready[0] if len(ready) == 1 else ready[int(self._random.random() * len(ready))]
        self._switch(task)
        if self.failures:
            raise self.failures[0]
        return True

    def _ready(self) -> list[Task]:
        """The workers that wait no longer: their time has come, or their flag is raised."""
        now = self.now
        return [task for task in self._tasks if task.at <= now or (task.flag is not None and task.flag.is_set())]

    def _switch(self, task: Task) -> None:
        self.steps += 1
        self._still += 1
        if self._still > STILL_MAX:
            raise StuckError(f"{task.name} and others run in circles at {self.now}")
        self._current = task
        self._world_moved = task.crew == WORLD
        task.let.switch()
        self._current = None
        if self._doomed:
            crew, self._doomed = self._doomed, ""
            self.kill(crew)
            self.died(crew)
        elif task.dead:
            self._tasks = [each for each in self._tasks if not each.dead]


class VirtualClock:
    """The clock of workers: their scheduler's time, and chance from one seed."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._random = random.Random(f"names and nonces {scheduler.seed}")

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self._scheduler.now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self._scheduler.now - self._scheduler.began) / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Let others go on for that long."""
        self._scheduler.sleep(seconds)

    def wake(self) -> Wake:
        """A new flag."""
        return Flag()

    def wait(self, wake: Wake, seconds: float) -> bool:
        """Let others go on until the flag is raised, at most that long."""
        assert isinstance(wake, Flag)
        return self._scheduler.wait(wake, seconds)

    def token(self) -> str:
        """A name that nobody else draws."""
        return f"{self._random.getrandbits(128):032x}"

    def bytes(self, count: int) -> bytes:
        """Bytes for nonces."""
        return self._random.randbytes(count)

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()
