"""All that looks over the hub's shoulder, in one place: the line, the store, money; hung up by the simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.sdk.wire import Request, Transport
from hub.simulate.checkers import Findings
from hub.simulate.crew import HubCrew
from hub.simulate.evidence import Evidence
from hub.simulate.kept import StoreJudge
from hub.simulate.money import left_unpaid, told_twice, wrong_money
from hub.simulate.retailer import Retailer
from hub.simulate.sends import SendJudge
from hub.simulate.truth import Truth

COMMITTED, READ = "after transaction", "after read"
WALK: Final = "walk"
"""The worker that works out what is dirty."""


class Watch:
    """Judges of what leaves, what is stored, and what is paid; `crew` gives the hub's crew once there is one."""

    def __init__(self, retailer: Retailer, truth: Truth, crew: Callable[[], HubCrew], findings: Findings) -> None:
        self._retailer = retailer
        self._truth = truth
        self._findings = findings
        self._sends = SendJudge(retailer, crew, findings)
        self._kept = StoreJudge(retailer, crew, findings)
        self._former: Callable[[], bool] = lambda: False
        self._evidence = Evidence(retailer, crew, findings)

    def over(self, channel: str, line: Transport, writes: Callable[[Request], bool]) -> Transport:
        """The line, listened to."""
        return self._sends.over(channel, line, writes)

    def not_of(self, former: Callable[[], bool]) -> None:
        """What is heard while this holds comes from a worker that the hub's own has replaced."""
        self._sends.deaf = self._former = former

    def hang_up(self, crew: HubCrew) -> None:
        """Look at every commit and every delivery that is taken."""
        crew.store.transaction(self._kept.watches)
        passed = crew.store.seam
        assert passed is not None

        def seam(where: str) -> None:
            if where == COMMITTED:
                if self._former():
                    self._findings.found("one worker", "a worker stores something after another one has taken its store over")
                self._kept.committed()
                self._evidence.committed()
            elif where == READ and self._findings.scheduler.working == WALK:
                self._kept.walk_read()
            passed(where)

        crew.store.seam = seam
        crew.taken = self._kept.taken

    def arrived(self, channel: str, writes: bool) -> None:
        """A request had its effect."""
        if writes or self._evidence.doubts(channel):
            self._evidence.passed(channel)

    def drifted(self, channel: str, stream: str, since: int) -> None:
        """Records drifted there for a while."""
        waiting = {sale.their: sale.open for sale in self._truth.waiting() if sale.origin == channel}
        self._kept.drifted(channel, stream, since, waiting)

    def restarted(self) -> None:
        """The hub begins anew."""
        self._sends.restarted()

    def look(self) -> None:
        """Now and then."""
        self._kept.look()

    def at_rest(self) -> None:
        """Once, when everything agrees or the time for it is over."""
        self._kept.look(all_of_it=True)
        for words in wrong_money(self._retailer, self._truth):
            self._findings.found("money", words)
        for words in left_unpaid(self._truth):
            self._findings.found("paid first", words)
        for words in told_twice(self._retailer):
            self._findings.found("told once", words)
