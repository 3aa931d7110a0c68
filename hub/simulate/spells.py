"""What goes wrong for a while with one channel, or with the hub's own disk: it begins, lasts, and ends by itself or by a person.

Every kind has a worker and luck of its own; `end` ends all that is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.sdk.contract import Subscribes
from hub.simulate.crew import HubCrew
from hub.simulate.drifting import MANNERS, Drift, Drifts
from hub.simulate.faults import Faults, Mischief
from hub.simulate.line import Line
from hub.simulate.replica import Replica, behind_max, visible_after
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import Truth
from hub.simulate.weather import Quota

STORM_MINUTES_MAX: Final = 1.5
CUT_TO: Final = 0.5
"""What is left of the requests that a platform admits while its quota is cut."""

SESSION_SHARE: Final = 0.5
"""How often it is only the session that ends, where there are sessions."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One that has begun: how it is told, how long it lasts, and what ends it."""

    words: str
    minutes: float
    end: Callable[[], None]


class Spells:
    """Starts a worker for each kind; `tell` hears what happens in words, `drifted` which stream of which channel since when."""

    def __init__(
        self,
        retailer: Retailer,
        truth: Truth,
        crew: HubCrew,
        lines: Mapping[str, Line],
        drifts: Drifts,
        scheduler: Scheduler,
        mischief: Mischief,
        tell: Callable[[str], None],
        drifted: Callable[[str, str, int], None],
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._drifted = drifted
        self._crew = crew
        self._lines = lines
        self._drifts = drifts
        self._scheduler = scheduler
        self._mischief = mischief
        self._tell = tell
        self._open: dict[tuple[str, str], Spell] = {}
        kinds: dict[str, Callable[[str], Spell | None]] = {
            "storms_per_day": self._storm,
            "quota_cuts_per_day": self._quota_cut,
            "logins_ended_per_day": self._login_ended,
            "subscriptions_lost_per_day": self._subscription_lost,
            "disk_full_per_day": self._disk_full,
            "lags_per_day": self._lags,
            "drifts_per_day": self._drift,
            "tills_offline_per_day": self._till_offline,
        }
        for kind, begin in kinds.items():
            scheduler.start(kind, lambda kind=kind, begin=begin: self._come(kind, begin))  # type: ignore[misc]

    def end(self) -> None:
        """From now on none begins any more, and those under way end."""
        while self._open:
            self._open.popitem()[1].end()

    def _come(self, kind: str, begin: Callable[[str], Spell | None]) -> None:
        luck = self._mischief.luck(kind)
        while (seconds := self._mischief.seconds_to_next(kind)) is not None:
            self._scheduler.sleep(seconds)
            channel = luck.choice(sorted(self._retailer.platforms))
            if self._mischief.on and channel in self._lines and (spell := begin(channel)) is not None:
                self._mischief.came(kind)
                self._tell(spell.words)
                self._open[kind, channel] = spell
                self._scheduler.sleep(spell.minutes * 60)
                if self._open.pop((kind, channel), None) is not None:
                    spell.end()

    # kinds

    def _storm(self, channel: str) -> Spell:
        """Everybody is turned away."""
        weather, minutes = self._lines[channel].weather, self._minutes("storms_per_day", STORM_MINUTES_MAX)

        def end() -> None:
            weather.storm = False

        weather.storm = True
        return Spell(f"the {channel} answers 429 to everything for {minutes:.1f} minutes", minutes, end)

    def _quota_cut(self, channel: str) -> Spell:
        """Half as many requests as it says are let in."""
        about = self._retailer.config.channels[channel]
        pace, share = self._retailer.registry.manifest(about.connector).pace, float(about.pace_share or 1) * CUT_TO
        weather, minutes = self._lines[channel].weather, self._minutes("quota_cuts_per_day", self._faults.quota_cut_minutes_max)
        platform = self._retailer.platforms[channel]

        def end() -> None:
            weather.quota, platform.admits = None, 1.0

        if pace.unit == "request":
            weather.quota = Quota(float(pace.per_second) * share, max(1.0, pace.burst * share), self._scheduler.now)
        else:
            # What a call costs only the platform knows.
            platform.admits = CUT_TO
        return Spell(f"the {channel} admits half as many calls for {minutes:.0f} minutes", minutes, end)

    def _login_ended(self, channel: str) -> Spell | None:
        """A session ends: the hub signs in again. Or the key is refused, until a person gives a good one and says so."""
        kind, platform = "logins_ended_per_day", self._retailer.platforms[channel]
        if self._mischief.luck(kind).random() < SESSION_SHARE and platform.end_sign_ins():
            return Spell(f"the {channel} ends all sessions", 0.0, lambda: None)
        if platform.faults.unauthorized:
            return None
        minutes = self._minutes(kind, self._faults.login_minutes_max)

        def end() -> None:
            platform.faults.unauthorized = False
            self._crew.ask("resume", {"channel": channel})
            self._tell(f"somebody signs the hub in to the {channel} again")

        platform.faults.unauthorized = True
        return Spell(f"the {channel} knows the hub no more", minutes, end)

    def _subscription_lost(self, channel: str) -> Spell | None:
        """It tells of nothing any more, until the hub sees it, or a person where the hub cannot."""
        platform, connector = self._retailer.platforms[channel], self._crew.hub.channels[channel].connector
        url = platform.hook_url
        if not url:
            return None
        platform.stop_telling()
        if isinstance(connector, Subscribes):
            return Spell(f"the {channel} tells of nothing any more", 0.0, lambda: None)
        minutes = self._minutes("subscriptions_lost_per_day", self._faults.subscription_minutes_max)

        def end() -> None:
            platform.hook_url = url

        return Spell(f"the {channel} tells of nothing any more, for {minutes:.0f} minutes", minutes, end)

    def _lags(self, channel: str) -> Spell | None:
        """Some reads go to a copy that is seconds behind."""
        kind, weather = "lags_per_day", self._lines[channel].weather
        if weather.replica is not None:
            return None
        manifest = self._retailer.registry.manifest(self._retailer.config.channels[channel].connector)
        seconds = min(self._mischief.luck(kind).uniform(1, self._faults.lag_seconds_max), behind_max(manifest))
        platform, at_once = self._retailer.platforms[channel], not visible_after(manifest)
        replica = Replica(platform, seconds, at_once, self._mischief.luck(kind), lambda: int(platform.touched))
        minutes = self._minutes(kind, self._faults.lag_minutes_max)

        def follows() -> None:
            while weather.replica is replica:
                replica.follow(self._scheduler.now)
                self._scheduler.sleep(seconds)

        def end() -> None:
            weather.replica = None

        weather.replica = replica
        self._scheduler.start(f"copy of {channel}", follows)
        return Spell(f"the {channel} shows for {minutes:.0f} minutes what was there {seconds:.1f} seconds ago", minutes, end)

    def _till_offline(self, _: str) -> Spell | None:
        """A till sells on and uploads its receipts later, each with the time at which it was rung up."""
        kind, offline = "tills_offline_per_day", self._truth.offline
        till, minutes = (
            self._mischief.luck(kind).choice(self._retailer.tills),
            self._minutes(kind, self._faults.till_offline_minutes_max),
        )

        def end() -> None:
            kept = offline.pop(till)
            for upload in kept:
                upload()
            self._tell(f"the {till} uploads {len(kept)} receipts")

        offline[till] = []
        return Spell(f"the {till} is offline for {minutes:.0f} minutes", minutes, end)

    def _drift(self, channel: str) -> Spell | None:
        """A field of its records is not as it was; when that is over somebody lets the hub read again what it could not."""
        kind, luck = "drifts_per_day", self._mischief.luck("drifts_per_day")
        if channel in self._drifts.now:
            return None
        about = self._crew.hub.channels[channel]
        stream, manner = luck.choice(sorted(about.manifest.streams)), luck.choice(MANNERS)
        minutes = self._minutes(kind, self._faults.drift_minutes_max)
        drift, since = Drift(stream, manner, about.mappings, luck), self._scheduler.now

        def end() -> None:
            del self._drifts.now[channel]
            if drift.noticed:
                self._drifted(channel, stream, since)
                self._crew.ask("replay", {"all": True})
                self._tell(f"somebody lets the hub read the {stream} of the {channel} again")

        self._drifts.now[channel] = drift
        return Spell(f"a field of the {stream} of the {channel} drifts for {minutes:.0f} minutes: {manner}", minutes, end)

    def _disk_full(self, _: str) -> Spell | None:
        """Nothing can be stored."""
        store, minutes = self._crew.store, self._minutes("disk_full_per_day", self._faults.disk_full_minutes_max)

        def end() -> None:
            store.full = False

        store.full = True
        return Spell(f"the hub's disk is full for {minutes:.0f} minutes", minutes, end)

    @property
    def _faults(self) -> Faults:
        return self._mischief.faults

    def _minutes(self, kind: str, most: float) -> float:
        return self._mischief.luck(kind).uniform(min(1.0, most), most)
