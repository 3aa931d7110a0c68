"""Is this delivery theirs? A verified one becomes a row to store; any other is counted and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.clock import Clock
from hub.errors import UnverifiedError
from hub.sdk.contract import Connector, Delivery, Verdict
from hub.store.deliveries import NewDelivery

KEPT_HEADERS: Final = ("content-type", "content-encoding")
"""What is stored of the headers besides those that a door names: nothing that could be a credential."""
ID_CHARS_MAX: Final = 200
TIME_MAX: Final = 2**62
"""Microseconds; far beyond any real time and within a 64-bit column."""


class Became(StrEnum):
    """What became of a request at a hook address; counted per channel."""

    STORED = "stored"
    CHALLENGED = "challenged"
    UNVERIFIED = "unverified"
    UNKNOWN_CHANNEL = "unknown_channel"
    WRONG_METHOD = "wrong_method"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    CUT_OFF = "cut_off"
    QUEUE_FULL = "queue_full"
    NOT_STORED = "not_stored"
    """Verified, but the disk refused it: answered 503, so that the platform sends it again."""
    FAILED = "failed"
    """The connector's own code broke while verifying."""


@dataclass(frozen=True, slots=True)
class ChannelDoor:
    """What the receiver needs of a channel: how to verify its deliveries and answer its challenges, and its limits."""

    channel: str
    verify: Callable[[Delivery], Verdict]
    challenge: Callable[[Delivery], bytes | None]
    body_bytes_max: int
    methods: frozenset[str] = frozenset({"POST"})
    kept_headers: tuple[str, ...] = KEPT_HEADERS

    @classmethod
    def of(cls, channel: str, connector: Connector, body_bytes_max: int) -> ChannelDoor | None:
        """The door of a connected channel; None for one whose platform sends no deliveries."""
        declared = connector.manifest.deliveries
        if declared is None:
            return None
        return cls(channel, connector.verify, connector.challenge, body_bytes_max, frozenset(declared.methods))


def admit(door: ChannelDoor, delivery: Delivery, clock: Clock) -> NewDelivery:
    """The row to store, verified on the raw bytes; UnverifiedError when it is not theirs. The body is not understood here."""
    delivery_id, topic, sent_at = _verdict(door.verify(delivery))
    given = delivery.headers
    headers = {name: given[name] for name in door.kept_headers if name in given}
    return NewDelivery(door.channel, delivery_id, topic, clock.now(), sent_at, headers, delivery.body)


def challenged(door: ChannelDoor, delivery: Delivery) -> bytes:
    """The answer to a subscription challenge; UnverifiedError when it is none of theirs."""
    answer = door.challenge(delivery)
    if answer is None:
        raise UnverifiedError("no challenge of theirs")
    return answer


def _verdict(said: Verdict) -> tuple[str, str, int | None]:
    """What a store's columns can hold, whatever a platform signed: bounded text without NUL or half characters."""
    delivery_id, topic, sent_at = said.delivery_id, said.topic, said.sent_at
    if sent_at is not None and not 0 <= sent_at <= TIME_MAX:
        sent_at = None
    return _clean(delivery_id), _clean(topic), sent_at


def _clean(text: str) -> str:
    if len(text) > ID_CHARS_MAX:
        text = text[:ID_CHARS_MAX]
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
