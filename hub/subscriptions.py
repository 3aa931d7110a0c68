"""A channel's subscriptions: does the platform still tell us of changes? Looked at daily, after a gap, and when a person asks.

Asking belongs to the channel's turn, like every other call: one at a time, at the platform's pace. In `live` what is broken is
mended by itself; before that nothing is made at the platform unless a person says so.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.errors import ChannelError, ConfigError, HubError, ThrottledError, UnavailableError
from hub.log import logger
from hub.sdk.contract import Subscribes
from hub.store import cursors, ledger, requests
from hub.store.database import Database, Tx

DAY_MICROS: Final = 86_400_000_000
AFTER_GAP_MICROS: Final = 3_600_000_000
"""Between two looks that were caused by changes nobody told of."""
AGAIN_MICROS: Final = 600_000_000
"""After a look that failed."""
ASKED_MAX: Final = 100
ROWS_MAX: Final = 1_000
ACTIVE: Final = "active"
NO_PUBLIC_URL: Final = "hub.yaml names no server.public_url: platforms could not be told where to deliver"
_log = logger("subscriptions")


class AskedFor(NamedTuple):
    """A person's request that waits for this channel's turn."""

    request: str
    heal: bool


class Looked(NamedTuple):
    """What a look found: the platform's rows, and in words what was done."""

    rows: list[dict[str, Any]]
    done: list[str]


class Subscriptions:
    """Looks after the subscriptions of one channel."""

    def __init__(self, channel: Channel, public_url: str, database: Database, clock: Clock) -> None:
        self._channel = channel
        self.url = hook_url(public_url, channel.name) if public_url else ""
        self._database = database
        self._clock = clock
        self._asked: deque[AskedFor] = deque()
        self._answered: deque[str] = deque(maxlen=ASKED_MAX)
        self._last: int | None = None
        self._not_before = 0
        self.untold = False
        """Whether a reading found what no delivery has told."""

    @property
    def able(self) -> bool:
        """Whether the platform keeps subscriptions that its connector can look after."""
        return self._channel.manifest.deliveries is not None and isinstance(self._channel.connector, Subscribes)

    def ask(self, request: str, heal: bool) -> None:
        """Take on a person's request; the turn answers it. One that is taken on already is not taken twice."""
        known = request in self._answered or any(each.request == request for each in self._asked)
        if not known and len(self._asked) < ASKED_MAX:
            self._asked.append(AskedFor(request, heal))

    def next_at(self) -> int | None:
        """When the next look is due (microseconds); None when this channel is never looked at by itself."""
        if self._asked:
            return 0
        if not self.able or not self.url:
            return None
        if self._last is None:
            self._last = self._database.read(lambda tx: cursors.position(tx, self._mark))
        wait = AFTER_GAP_MICROS if self.untold else DAY_MICROS
        return max(self._last + wait if self._last else 0, self._not_before)

    def step(self) -> list[str] | None:
        """Do what is due: words of what was mended (then the streams must be read on), None when nothing was due.

        ThrottledError when the platform asks to wait; any other failure is counted and said, and tried again later.
        """
        if self._asked:
            return self._answer(self._asked.popleft())
        due = self.next_at()
        return self._look() if due is not None and due <= self._clock.now() else None

    @property
    def _mark(self) -> str:
        return f"hooks {self._channel.name}"

    def _look(self) -> list[str]:
        """The daily look: heals where the channel is live, else only says what is wrong."""
        now = self._clock.now()
        try:
            found = self._ask(heal=self._channel.settings.mode == "live")
        except ThrottledError:
            self._not_before = now + AGAIN_MICROS
            raise
        except (ChannelError, ConfigError) as bad:
            # A key that may not touch subscriptions still reads and writes: the channel goes on without deliveries.
            self._not_before = now + AGAIN_MICROS
            _log.warning("subscriptions cannot be looked at", channel=self._channel.name, reason=str(bad)[:300])
            self._done("failed", 1, now)
            return []
        wrong = broken(found.rows, self.url)
        for words in found.done:
            _log.warning("subscription mended", channel=self._channel.name, what=words)
        if wrong:
            _log.warning("subscriptions need a person", channel=self._channel.name, count=len(wrong), what=wrong[0])
        self.untold = False
        self._done("mended", len(found.done), now)
        return found.done

    def _answer(self, asked: AskedFor) -> list[str]:
        state, done, answer = "failed", list[str](), dict[str, Plain]()
        try:
            found = self._ask(heal=asked.heal)
        except HubError as bad:
            answer = {"done": [], "refused": [{"key": self._channel.name, "why": str(bad)}]}
            if isinstance(bad, (ThrottledError, UnavailableError)):
                answer["refused"][0]["why"] += ": ask again later"
        else:
            state, done = "done", found.done
            wrong = broken(found.rows, self.url)
            answer = {"done": done, "refused": [], "url": self.url, "hooks": found.rows[:ROWS_MAX], "broken": wrong}
        now = self._clock.now()
        self._answered.append(asked.request)
        self._database.transaction(lambda tx: requests.answer(tx, asked.request, state, answer, now))
        if state == "done" and asked.heal:
            self._done("mended", len(done), now)
        return done

    def _ask(self, *, heal: bool) -> Looked:
        connector = self._channel.connector
        if not isinstance(connector, Subscribes):
            raise ConfigError(f"{self._channel.manifest.title} keeps no subscriptions that can be looked after from here")
        if heal and not self.url:
            raise ConfigError(NO_PUBLIC_URL)
        done = connector.heal_hooks(self.url) if heal else []
        return Looked(connector.hooks(), done)

    def _done(self, what: str, count: int, now: int) -> None:
        def keep(tx: Tx) -> None:
            ledger.count(tx, {("hooks", self._channel.name, what): count})
            cursors.set_position(tx, self._mark, now)

        if what != "failed":
            self._last = now
            self._database.transaction(keep)
        else:
            self._database.transaction(lambda tx: ledger.count(tx, {("hooks", self._channel.name, what): count}))


def hook_url(public_url: str, channel: str) -> str:
    """The address that a platform delivers this channel's news to."""
    return f"{public_url.rstrip('/')}/hooks/{channel}"


def broken(rows: list[dict[str, Any]], url: str) -> list[str]:
    """What is wrong as far as the rows show it, in words: nothing that delivers to us, or subscriptions that are switched off."""
    if not url:
        return []
    ours = [row for row in rows if row.get("url") == url]
    if not any(row.get("status") == ACTIVE for row in ours):
        return ["nothing is delivered here: no active subscription names our address"]
    return [f"{row.get('topic')} ({row.get('id')}) is {row.get('status')}" for row in ours if row.get("status") != ACTIVE]
