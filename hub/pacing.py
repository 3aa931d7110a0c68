"""How many calls changes take and how long they take at a channel's pace: arithmetic for the plan, on what manifests declare."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.flow import Key
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket, burst_of
from hub.settings.model import ChannelSettings
from hub.store.channels import ChannelState


class Calls(NamedTuple):
    """What the changes take: writing batches, look-ups right before them, and askings what became of accepted ones."""

    writes: int
    look_ups: int
    follows: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.writes + self.look_ups + self.follows


NO_CALLS: Final = Calls(0, 0, 0)


def calls_for(manifest: Manifest, to_send: Sequence[tuple[Key, Plain]]) -> Calls:
    """The calls for these (key, what is shown): batches go by aspect, and what is made apart from what is changed."""
    groups: Counter[tuple[str, bool]] = Counter((key.aspect, before is None) for key, before in to_send)
    writes = look_ups = follows = 0
    for (aspect, makes), count in sorted(groups.items()):
        send = manifest.sends.get(aspect)
        if send is None:
            continue
        batches = math.ceil(count / send.batch_max)
        writes += batches
        if send.look_before and not makes:
            most = manifest.streams[send.stream].look_up_max
            last = count - (batches - 1) * send.batch_max
            look_ups += (batches - 1) * math.ceil(send.batch_max / most) + math.ceil(last / most)
        if send.follow:
            follows += batches
    return Calls(writes, look_ups, follows)


def seconds_for(settings: ChannelSettings, manifest: Manifest, state: ChannelState, calls: Calls, now: int) -> int:
    """How many seconds (rounded up) these calls take from now, by the channel's own share of the pace and what is left of it."""
    if not calls.total:
        return 0
    share = settings.pace_share if settings.pace_share else Decimal(1)
    bucket = Bucket.full(manifest.pace.per_second * share, burst_of(manifest.pace.burst, share), now)
    if state.bucket:
        bucket.restore(json.loads(state.bucket))
    pause = max(0.0, (max(bucket.paused_until, state.paused_until) - now) / 1_000_000)
    bucket.paused_until = 0
    bucket.wait_seconds(0.0, now)
    lacking = max(0.0, calls.total - bucket.tokens)
    return math.ceil(pause + lacking / bucket.per_second)
