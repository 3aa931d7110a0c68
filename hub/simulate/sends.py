"""What leaves the hub for a platform, as the hub sees it: nothing twice without a look, no rise without the order barrier.

Judged on the hub's side of the line, where it is known what the hub was told. Of its store only what was intended is looked at.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from hub.channel import ORDERS
from hub.flow import Aspect, Key
from hub.sdk.manifest import Manifest
from hub.sdk.wire import NotSentError, Request, Response, Transport
from hub.simulate.checkers import Findings
from hub.simulate.crew import HubCrew
from hub.simulate.retailer import Retailer
from hub.store import changes, cursors
from hub.store.changes import OpenChange
from hub.store.database import Tx

SENT_MAX: Final = 10_000
LOOKED_MICROS: Final = 10_000_000
"""A look is right before a write when it is so near to its intent."""
CIRCLES: Final = 30
CIRCLES_MICROS: Final = 600_000_000
"""So many writes of one number within so short a time do not follow the world: they follow one another."""
TOLD_SLACK_MICROS: Final = 50_000


class _Try(NamedTuple):
    """One sending of a change, and how many answers to reads its channel had given by then."""

    change: str
    attempts: int
    at: int
    answers: int


@dataclass(slots=True)
class _Channel:
    """What is known of one channel's line."""

    answers: int = 0
    """Reads that were answered."""
    read_at: int = -LOOKED_MICROS
    quiet_until: int = 0
    flying: list[Key] = field(default_factory=list)
    """Keys of what is being sent now."""


class SendJudge:
    """Hears of every request as the hub's transport does."""

    def __init__(self, retailer: Retailer, crew: Callable[[], HubCrew], findings: Findings) -> None:
        self._retailer = retailer
        self._crew = crew
        self._findings = findings
        self._channels = {name: _Channel() for name in retailer.config.channels}
        self._tries: dict[Key, _Try] = {}
        self._unclear: set[Key] = set()
        self._times: dict[Key, deque[int]] = {}
        self.deaf: Callable[[], bool] = lambda: False
        """Whether it is not the hub's own worker that speaks, but one that it has replaced."""
        self.waits: Counter[str] = Counter()
        """Channel → how often it said how long to wait."""

    def over(self, channel: str, line: Transport, writes: Callable[[Request], bool]) -> Transport:
        """The line, listened to from the hub's side."""
        return _Heard(channel, line, writes, self)

    def restarted(self) -> None:
        """A hub that died may have forgotten how long it was told to wait."""
        for known in self._channels.values():
            known.quiet_until = 0

    def _manifest(self, channel: str) -> Manifest:
        return self._retailer.registry.manifest(self._retailer.config.channels[channel].connector)

    # before a request leaves

    def leaves(self, channel: str, writes: bool) -> None:
        """A request is about to leave."""
        if self.deaf():
            return
        known, now = self._channels[channel], self._findings.scheduler.now
        if now < known.quiet_until - TOLD_SLACK_MICROS:
            seconds = (known.quiet_until - now) / 1_000_000
            self._findings.found("told to wait", f"{channel} is asked {seconds:.1f} s before the end of what it was told to wait")
        if not writes:
            return
        with self._findings.scheduler.alone():
            sent, readings = self._crew().store.read(lambda tx: self._intended(tx, channel))
        known.flying = [change.key for change in sent]
        for change in sent:
            self._sent(change, known, readings)

    def _intended(self, tx: Tx, channel: str) -> tuple[list[OpenChange], list[cursors.Reading]]:
        readings = cursors.readings(tx, channel).values()
        return changes.open_in(tx, channel, ["sent"], SENT_MAX), [each for each in readings if each.stream == ORDERS]

    def _sent(self, change: OpenChange, known: _Channel, readings: list[cursors.Reading]) -> None:
        old, now, since = self._tries.get(change.key), self._findings.scheduler.now, change.observed_at
        if old is not None and (old.change, old.attempts) == (change.id, change.attempts):
            return
        if change.key in self._unclear and old is not None:
            self._unclear.discard(change.key)
            # One that had not left yet when its batch broke off is decided anew, and needs no such look.
            since = max(since, old.at) if old.change == change.id else since
            if old.answers >= known.answers:
                words = (
                    f"{change.key} is sent again {(now - old.at) / 1_000_000:.1f} s after a sending of unknown outcome, unlooked"
                )
                self._findings.found("looked up before sent again", words)
        self._tries[change.key] = _Try(change.id, change.attempts, now, known.answers)
        times = self._times.setdefault(change.key, deque(maxlen=CIRCLES))
        times.append(now)
        if len(times) == CIRCLES and now - times[0] < CIRCLES_MICROS:
            self._findings.found(
                "in circles", f"{change.key} is written {CIRCLES} times within {CIRCLES_MICROS // 60_000_000} min"
            )
        if "amount" in change.after:
            self._price(change)
        if change.key.aspect == Aspect.STOCK and change.before is not None:
            self._stock(change, known, readings, since)

    def _price(self, change: OpenChange) -> None:
        pricing = self._retailer.config.pricing
        rule = pricing.channels.get(change.key.channel)
        if rule is None:
            return
        amount, currency = Decimal(str(change.after["amount"])), change.after.get("currency")
        if rule.floor is not None and amount < rule.floor:
            self._findings.found("price floor", f"{change.key} is to ask {amount}, never less than {rule.floor}")
        if currency != pricing.lists[rule.list].currency:
            self._findings.found("currency", f"{change.key} is to ask {amount} {currency}")

    def _stock(self, change: OpenChange, known: _Channel, readings: list[cursors.Reading], since: int) -> None:
        """A figure is written: not over what was not looked at, and a rise only when what was bought `since` then was heard."""
        name = change.key.channel
        declared = self._manifest(name).sends.get(Aspect.STOCK)
        if declared is not None and declared.look_before and known.read_at < change.sent_at - LOOKED_MICROS:
            self._findings.found("looked before written", f"{change.key} is written over what was not looked at right before")
        if not self._retailer.takes_orders(name) or change.after["sellable"] <= change.before["sellable"]:
            return
        past = any(not each.under_way and each.completed_at >= each.started_at > since for each in readings)
        if not past:
            words = f"{change.key} rises although no orders were read since it was seen, or written with unknown outcome"
            self._findings.found("order barrier", words)

    # what came of it, as far as the hub can know

    def unclear(self, channel: str, writes: bool) -> None:
        """Nobody knows whether it had its effect."""
        if self.deaf():
            return
        known = self._channels[channel]
        if writes:
            for key in known.flying:
                last = self._tries[key]
                self._tries[key] = last._replace(answers=known.answers)
                self._unclear.add(key)

    def answered(self, channel: str, writes: bool, answer: Response) -> None:
        """The hub was given this answer."""
        if self.deaf():
            return
        known, now = self._channels[channel], self._findings.scheduler.now
        told = _seconds(answer.headers.get("retry-after", ""), now) if answer.status == 429 else None
        if told is not None:
            self.waits[channel] += 1
            known.quiet_until = max(known.quiet_until, now + round(told * 1_000_000))
        if answer.status >= 500:
            self.unclear(channel, writes)
        elif not writes and answer.status < 300:
            known.answers += 1
            known.read_at = now


class _Heard:
    """A transport that tells the judge what passes."""

    def __init__(self, channel: str, line: Transport, writes: Callable[[Request], bool], judge: SendJudge) -> None:
        self._channel = channel
        self._line = line
        self._writes = writes
        self._judge = judge

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """As the line does it."""
        writes = self._writes(request)
        self._judge.leaves(self._channel, writes)
        try:
            answer = self._line.send(request, deadline_seconds, answer_bytes_max)
        except NotSentError:
            raise
        except BaseException:
            # No answer, or the hub dies while it waits.
            self._judge.unclear(self._channel, writes)
            raise
        self._judge.answered(self._channel, writes, answer)
        return answer

    def close(self) -> None:
        """The line is nobody's to close."""


def _seconds(told: str, now: int) -> float | None:
    """How long a Retry-After header asks to wait; None when it says nothing that can be read."""
    if told.strip().isdigit():
        return float(told)
    try:
        return parsedate_to_datetime(told).timestamp() - now / 1_000_000 if told.strip() else None
    except (TypeError, ValueError):
        return None
