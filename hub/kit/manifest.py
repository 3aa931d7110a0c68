"""Rules about the folder itself: is it whole, does its manifest hold, does its small platform answer what is promised?"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.flow import Outcome
from hub.kit.config import TESTED
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand, not_applicable
from hub.sdk.contract import Delivery, ReadAsk

FILES: Final = ("connector.yaml", "connector.py", "sandbox.py", "README.md")
ANSWER_BYTES_MAX: Final = 67_108_864
"""As large as an answer may be declared: it is held in memory."""
DEADLINE_SECONDS_MAX: Final = Decimal(300)
DELIVERY_BYTES_MAX: Final = 16_777_216
CHALLENGE: Final = "1158201444"


def the_folder_is_whole(subject: Subject) -> str:
    """Manifest, code, small platform, README and hand-made samples are there."""
    missing = [name for name in FILES if not (subject.folder / name).is_file()]
    demand(not missing, f"missing: {', '.join(missing)}")
    samples = sorted(path.name for path in (subject.folder / "samples" / "made").glob("*") if path.is_file())
    demand(bool(samples), "samples/made is empty: a few small deliveries and answers made by hand are wanted")
    return f"{', '.join(FILES)} and {len(samples)} samples"


def the_manifest_is_valid(subject: Subject) -> str:
    """It loads, names only methods that exist, its limits are bounds, and the small platform's settings and secrets fit it."""
    manifest = subject.manifest
    subject.registry.connector_class(subject.name)
    limits = manifest.limits
    demand(0 < limits.answer_bytes_max <= ANSWER_BYTES_MAX, f"answer_bytes_max: at most {ANSWER_BYTES_MAX}")
    demand(0 < limits.deadline_seconds <= DEADLINE_SECONDS_MAX, f"deadline_seconds: at most {DEADLINE_SECONDS_MAX}")
    demand(0 < limits.delivery_bytes_max <= DELIVERY_BYTES_MAX, f"delivery_bytes_max: at most {DELIVERY_BYTES_MAX}")
    for kind, known in (("settings", set(manifest.settings)), ("secrets", set(manifest.secrets))):
        strange = sorted(set(subject.stated[kind]) - known)
        demand(not strange, f"Sandbox.CHANNEL names {kind} that connector.yaml does not: {', '.join(strange)}")
    stage = subject.stage(1)
    unmapped = sorted(
        {name for stream in manifest.streams.values() for name in stream.maps} - set(stage.channel.mappings.entities)
    )
    demand(not unmapped, f"streams name mappings that there are none of: {', '.join(unmapped)}")
    return f"{len(manifest.streams)} streams, {len(manifest.sends)} sends, limits bounded"


def every_capability_is_answered_by_the_sandbox(subject: Subject) -> str:
    """Every stream, look-up, send and challenge that the manifest declares works against the small platform."""
    stage, answered = subject.stage(3), []
    connector, streams = stage.channel.connector, stage.channel.manifest.streams
    for stream, declared in streams.items():
        page = connector.read(stream, ReadAsk("", True, declared.page_max, stage.clock.now()))
        there = bool(stage.records(stream, page.body)) or not stage.lists(stream)
        demand(there, f"read {stream}: no record, where 3 items are on sale")
        answered.append(f"read {stream}")
        if declared.look_up:
            found = stage.records(stream, connector.look_up(stream, [stage.listings[stage.skus[0]]]).body)
            demand(bool(found) or not stage.lists(stream), f"look up {stream}: no record of a listing that is there")
            answered.append(f"look up {stream}")
    for aspect, _ in stage.sends:
        change = stage.changes(aspect, stage.skus[:1])[0]
        receipt = stage.send(aspect, [change])[change.id]
        demand(receipt.outcome is Outcome.APPLIED, f"send {aspect}: {receipt.outcome} {receipt.words}")
        answered.append(f"send {aspect}")
    demand(bool(stage.spy.exchanges), "nothing was asked of the platform at all")
    others = sorted(set(stage.channel.manifest.sends) - {aspect for aspect, _ in stage.sends})
    return ", ".join([*answered, *(f"send {aspect} not tried: the suite makes none" for aspect in others)])


def a_challenge_of_a_stranger_is_not_answered(subject: Subject) -> str:
    """Where subscriptions are challenged by GET, one without the right token gets no answer."""
    deliveries = subject.manifest.deliveries
    if deliveries is None or "GET" not in deliveries.methods:
        not_applicable("its deliveries are not challenged by GET")
    stage = subject.stage(1)
    query = {"hub.mode": "subscribe", "hub.challenge": CHALLENGE, "hub.verify_token": "a-stranger's", "challenge": CHALLENGE}
    delivery = Delivery("GET", f"https://hub.example/hooks/{TESTED}", {}, query, b"")
    try:
        answer = stage.channel.connector.challenge(delivery)
    except Exception as bad:
        return f"refused: {type(bad).__name__}"
    demand(answer is None, "a challenge with a strange token was answered")
    return "no answer"


RULES: Final[tuple[Rule, ...]] = (
    the_folder_is_whole,
    the_manifest_is_valid,
    every_capability_is_answered_by_the_sandbox,
    a_challenge_of_a_stranger_is_not_answered,
)
