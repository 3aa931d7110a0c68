"""What goes wrong, by name: how often each kind, and the draws. Every kind has luck of its own, so one can be turned without the
others changing. From `stop` on nothing goes wrong any more."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from hub.clock import Clock
from hub.files import read_yaml, validate
from hub.simulate.line import OF_READS, OF_WRITES, Mishap
from hub.simulate.skewed import SkewedClock

Share = Decimal
PAGE_SIZE_MAX: Final = 5_000
LATE_SECONDS_USUAL: Final = 3_600


class Faults(BaseModel):
    """How often what goes wrong: shares (of 1) of all deliveries or requests, and times a day."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    delivery_lost: Share = Field(default=Decimal(0), ge=0, le=1)
    delivery_doubled: Share = Field(default=Decimal(0), ge=0, le=1)
    delivery_late: Share = Field(default=Decimal(0), ge=0, le=1)
    late_seconds_max: int = Field(default=LATE_SECONDS_USUAL, ge=1)
    """How late a late delivery is at most."""
    delivery_reordered: Share = Field(default=Decimal(0), ge=0, le=1)
    """Deliveries that others overtake within a minute."""
    delivery_forged: Share = Field(default=Decimal(0), ge=0, le=1)
    """Deliveries of which a stranger sends a forgery as well."""
    request_refused: Share = Field(default=Decimal(0), ge=0, le=1)
    request_lost: Share = Field(default=Decimal(0), ge=0, le=1)
    """Requests that never arrive."""
    answer_lost: Share = Field(default=Decimal(0), ge=0, le=1)
    """Requests whose effect takes place and whose answer never comes."""
    error_500: Share = Field(default=Decimal(0), ge=0, le=1)
    torn_500: Share = Field(default=Decimal(0), ge=0, le=1)
    """Requests answered with 500 although they had their effect."""
    torn_batch: Share = Field(default=Decimal(0), ge=0, le=1)
    """Writes of several things, of which the first are done when they break off: where the platform does them one by one."""
    answer_garbage: Share = Field(default=Decimal(0), ge=0, le=1)
    answer_endless: Share = Field(default=Decimal(0), ge=0, le=1)
    listing_short: Share = Field(default=Decimal(0), ge=0, le=1)
    """Reads of a listing that give half a page and say that this was all."""
    lags_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that some reads of one channel show for a while what was there seconds ago."""
    lag_seconds_max: int = Field(default=3, ge=1)
    """How many seconds at most; never more than its manifest declares."""
    lag_minutes_max: int = Field(default=10, ge=1)
    drifts_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that a field of one channel's records appears, disappears or changes its type for a while."""
    drift_minutes_max: int = Field(default=60, ge=1)
    page_size_max: int = Field(default=PAGE_SIZE_MAX, ge=1)
    """So many records a page has at most: small pages change while they are read."""
    throttled: Share = Field(default=Decimal(0), ge=0, le=1)
    """Requests turned away with 429; it says nothing of waiting, or a number of seconds, or a date."""
    storms_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that one channel answers 429 to everything for a minute."""
    quota_cuts_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that one channel admits half as many requests as it says."""
    quota_cut_minutes_max: int = Field(default=60, ge=1)
    logins_ended_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that one channel knows the hub no more: its session ends, or its key does until a person has seen to it."""
    login_minutes_max: int = Field(default=30, ge=1)
    """How long a person takes for it at most."""
    subscriptions_lost_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that one channel stops telling of changes, without a word."""
    subscription_minutes_max: int = Field(default=240, ge=1)
    """How long until a person sees it, where the hub cannot mend it itself."""
    disk_full_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that the hub's disk is full: nothing can be stored."""
    disk_full_minutes_max: int = Field(default=10, ge=1)
    store_seconds_max: Share = Field(default=Decimal(0), ge=0)
    """What the hub's store does at once otherwise takes so many seconds at most, now and then: a slow disk."""
    clock_skew_seconds_max: int = Field(default=0, ge=0)
    """So many seconds a platform's clock is before or behind at most; how many is drawn for each."""
    outages_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that one channel is down."""
    outage_minutes_max: int = Field(default=60, ge=1)
    tills_offline_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that a till cannot reach its platform, sells on and uploads its receipts later, with their old times."""
    till_offline_minutes_max: int = Field(default=60, ge=1)
    edits_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that a person types a stock or a price into a channel that is not right about it."""
    order_edits_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that a clerk changes how many pieces of an order are wanted, in the webshop's own admin."""
    crashes_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that the hub dies at whatever it is doing."""
    pauses_per_day: Share = Field(default=Decimal(0), ge=0)
    """Times a day that the hub is paused at whatever it is doing, and another worker takes its store over before it wakes up."""
    pause_seconds_max: int = Field(default=120, ge=1)
    """How long after that it wakes up at most."""


PRESETS: Final = {
    "none": Faults(),
    "usual": Faults(
        delivery_lost=Decimal("0.02"),
        delivery_doubled=Decimal("0.03"),
        delivery_late=Decimal("0.03"),
        delivery_reordered=Decimal("0.05"),
        delivery_forged=Decimal("0.01"),
        request_refused=Decimal("0.005"),
        request_lost=Decimal("0.003"),
        answer_lost=Decimal("0.005"),
        error_500=Decimal("0.005"),
        torn_500=Decimal("0.003"),
        torn_batch=Decimal("0.01"),
        answer_garbage=Decimal("0.002"),
        answer_endless=Decimal("0.0005"),
        listing_short=Decimal("0.001"),
        lags_per_day=Decimal(2),
        drifts_per_day=Decimal(1),
        page_size_max=100,
        throttled=Decimal("0.005"),
        storms_per_day=Decimal(2),
        clock_skew_seconds_max=30,
        quota_cuts_per_day=Decimal(1),
        logins_ended_per_day=Decimal(1),
        subscriptions_lost_per_day=Decimal("0.5"),
        disk_full_per_day=Decimal("0.2"),
        store_seconds_max=Decimal("0.05"),
        outages_per_day=Decimal(1),
        tills_offline_per_day=Decimal("0.5"),
        edits_per_day=Decimal(3),
        order_edits_per_day=Decimal(2),
        crashes_per_day=Decimal(2),
        pauses_per_day=Decimal(1),
    ),
    "hostile": Faults(
        delivery_lost=Decimal("0.15"),
        delivery_doubled=Decimal("0.15"),
        delivery_late=Decimal("0.15"),
        late_seconds_max=86_400,
        delivery_reordered=Decimal("0.2"),
        delivery_forged=Decimal("0.05"),
        request_refused=Decimal("0.02"),
        request_lost=Decimal("0.02"),
        answer_lost=Decimal("0.03"),
        error_500=Decimal("0.03"),
        torn_500=Decimal("0.02"),
        torn_batch=Decimal("0.1"),
        answer_garbage=Decimal("0.01"),
        answer_endless=Decimal("0.002"),
        listing_short=Decimal("0.01"),
        lags_per_day=Decimal(8),
        drifts_per_day=Decimal(6),
        drift_minutes_max=120,
        lag_seconds_max=5,
        lag_minutes_max=20,
        page_size_max=25,
        throttled=Decimal("0.03"),
        storms_per_day=Decimal(12),
        quota_cuts_per_day=Decimal(6),
        clock_skew_seconds_max=600,
        quota_cut_minutes_max=180,
        logins_ended_per_day=Decimal(6),
        login_minutes_max=120,
        subscriptions_lost_per_day=Decimal(3),
        subscription_minutes_max=480,
        disk_full_per_day=Decimal(3),
        disk_full_minutes_max=20,
        store_seconds_max=Decimal("0.5"),
        outages_per_day=Decimal(4),
        outage_minutes_max=360,
        tills_offline_per_day=Decimal(3),
        till_offline_minutes_max=240,
        edits_per_day=Decimal(8),
        order_edits_per_day=Decimal(8),
        crashes_per_day=Decimal(12),
        pauses_per_day=Decimal(6),
    ),
}


def faults_of(named: str) -> Faults:
    """The faults of this preset, or of this YAML file; ConfigError with file and line where something in it does not fit."""
    return PRESETS[named] if named in PRESETS else validate(read_yaml(Path(named)), Faults)


class Mischief:
    """Draws what goes wrong; `counts` says how often each kind came."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.on = True
        self.counts: dict[str, int] = {}
        self._luck = {name: Random(f"{name} {seed}") for name in Faults.model_fields}

    def stop(self) -> None:
        """From now on all goes well."""
        self.on = False

    def luck(self, kind: str) -> Random:
        """The luck of this kind."""
        return self._luck[kind]

    def clock_of(self, right: Clock) -> Callable[[str], Clock]:
        """The clock that each channel's platform goes by."""
        kind = "clock_skew_seconds_max"
        most = self.faults.clock_skew_seconds_max

        def of(_: str) -> Clock:
            skew = self._luck[kind].randint(-most, most)
            if not skew:
                return right
            self.came(kind)
            return SkewedClock(right, skew * 1_000_000)

        return of

    def mishap(self, channel: str, writes: bool) -> Mishap:
        """What goes wrong with a request."""
        found = Mishap.NONE
        for kind, mishap in _OF_REQUESTS.items():
            hit = self.drawn(kind) and mishap not in (OF_READS if writes else OF_WRITES)
            if hit and found == Mishap.NONE:
                found = mishap
                if mishap not in SEEN_THERE:
                    self.came(kind)
        return found

    def drawn(self, kind: str) -> bool:
        """Whether this kind's luck says that it happens now; its share is asked for each time, so the draws stay its own."""
        hit = self._luck[kind].random() < float(getattr(self.faults, kind))
        return hit and self.on

    def came(self, kind: str) -> None:
        """Count one."""
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def seconds_to_next(self, kind: str) -> float | None:
        """How long until this happens next, for what happens so many times a day; None when it never does."""
        per_day = float(getattr(self.faults, kind))
        return self._luck[kind].expovariate(per_day) * 86_400 if per_day else None


_OF_REQUESTS: Final = {
    "request_refused": Mishap.REFUSED,
    "request_lost": Mishap.LOST,
    "answer_lost": Mishap.ANSWER_LOST,
    "error_500": Mishap.BROKEN,
    "torn_500": Mishap.TORN,
    "throttled": Mishap.THROTTLED,
    "torn_batch": Mishap.TORN_BATCH,
    "answer_garbage": Mishap.GARBAGE,
    "answer_endless": Mishap.ENDLESS,
    "listing_short": Mishap.SHORT,
}
SEEN_THERE: Final = {Mishap.TORN_BATCH, Mishap.SHORT}
"""Whether these come depends on the request: the line counts them."""
