"""Rules about deliveries: theirs pass, everything else is refused in constant time, and a doubled one does no harm."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from unittest import mock

from hub.errors import UnverifiedError
from hub.flow import Outcome
from hub.kit.config import TESTED
from hub.kit.stage import Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable
from hub.sdk.manifest import Deliveries, Verify
from hub.sdk.signature import declared_topics, sign
from hub.sdk.wire import Request

UNTIL_TOLD_SECONDS: Final = 60
BEYOND_SECONDS: Final = 10
REPLAY_WINDOW_SECONDS_MAX: Final = 3_600
ENVELOPES_MAX: Final = 100
PLACES: Final = 12
"""At so many places of a body one byte is changed."""


def a_good_delivery_passes(subject: Subject) -> str:
    """What the small platform tells is verified, and its topic is understood or ignored by name."""
    stage, told = _told(subject)
    known = declared_topics(_declared(subject))
    topics = []
    for request in told:
        try:
            verdict = stage.verified(TESTED, request)
        except UnverifiedError as bad:
            raise BrokenError(f"a good delivery was refused: {bad}") from bad
        demand(verdict.topic in known, f"topic `{verdict.topic}` is neither understood nor ignored by name")
        topics.append(verdict.topic)
    return f"{len(told)} deliveries: {', '.join(sorted(set(topics)))}"


def a_wrong_signature_is_refused(subject: Subject) -> str:
    """A signature of the right shape that is another one, or only the beginning or the double of the right one, is refused."""
    stage, told = _told(subject)
    name, good = _signature(subject, stage, told[0])
    prefix = _declared(subject).verify.prefix
    sign = good.removeprefix(prefix)
    other = ("0" if sign[0] != "0" else "1") + sign[1:]
    forged = [other, sign[:-1], sign[: len(sign) // 2], sign + sign, sign[::-1], sign[0], "0" * len(sign)]
    for value in forged:
        _demand_refused(stage, _with(told[0], name, prefix + value), f"the signature {_shape(value, good)}")
    return f"{len(forged)} wrong signatures refused"


def an_empty_signature_is_refused(subject: Subject) -> str:
    """The header is there and says nothing, or nothing behind its prefix."""
    stage, told = _told(subject)
    name, _ = _signature(subject, stage, told[0])
    values = {"", " ", _declared(subject).verify.prefix}
    for value in values:
        _demand_refused(stage, _with(told[0], name, value), f"the signature {value!r}")
    return f"{len(values)} empty signatures refused"


def a_missing_signature_is_refused(subject: Subject) -> str:
    """Without the header, and without any header at all."""
    stage, told = _told(subject)
    name, _ = _signature(subject, stage, told[0])
    bare = {key: value for key, value in told[0].headers.items() if key.lower() != name}
    _demand_refused(stage, replace(told[0], headers=bare), "no signature")
    _demand_refused(stage, replace(told[0], headers={}), "no header at all")
    return "refused"


def a_stale_delivery_is_refused(subject: Subject) -> str:
    """Where deliveries carry a signed time of sending, one from outside the replay window, past or future, is refused."""
    verify = _declared(subject).verify
    if not verify.timestamp_header:
        not_applicable("its deliveries carry no signed time of sending")
    window = verify.replay_window_seconds
    demand(window <= REPLAY_WINDOW_SECONDS_MAX, f"replay_window_seconds: {window} keeps nothing out")
    stage, told = _told(subject)
    stage.verified(TESTED, told[0])
    stage.clock.advance(verify.replay_window_seconds + BEYOND_SECONDS)
    _demand_refused(stage, told[0], f"a delivery sent {verify.replay_window_seconds + BEYOND_SECONDS} seconds ago")
    header = verify.timestamp_header.lower()
    given = next(value for key, value in told[0].headers.items() if key.lower() == header)
    fresh = str(int(given) + verify.replay_window_seconds + BEYOND_SECONDS) if given.isdigit() else given + "0"
    _demand_refused(stage, _with(told[0], header, fresh), "an old delivery under a new time")
    for value in ("", "soon", "-1", "9" * 30):
        _demand_refused(stage, _with(told[0], header, value), f"a time of sending {value[:10]!r}")
    return f"refused beyond {verify.replay_window_seconds} seconds"


def a_delivery_changed_in_one_byte_is_refused(subject: Subject) -> str:
    """One byte of the body is another, is missing or is added; where the address is signed too, it is another one."""
    stage, told = _told(subject)
    body = told[0].body
    demand(bool(body), "the delivery has no body that could be changed")
    step = max(1, len(body) // PLACES)
    for place in range(0, len(body), step):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        _demand_refused(stage, replace(told[0], body=changed), f"byte {place} of {len(body)} was changed")
    for changed in (body[:-1], body + b" ", b""):
        _demand_refused(stage, replace(told[0], body=changed), f"a body of {len(changed)} instead of {len(body)} bytes")
    if "url" in _declared(subject).verify.over:
        _demand_refused(stage, replace(told[0], url=told[0].url + "x"), "another address")
    return f"{len(range(0, len(body), step)) + 3} changed bodies refused"


def signatures_are_compared_in_constant_time(subject: Subject) -> str:
    """`hmac.compare_digest` decides: it says yes to the good signature and no to a wrong one of the same shape."""
    stage, told = _told(subject)
    name, good = _signature(subject, stage, told[0])
    prefix = _declared(subject).verify.prefix
    with _comparisons() as answers:
        stage.verified(TESTED, told[0])
    demand(True in answers, "a good delivery passed without hmac.compare_digest saying that its signature is equal")
    sign = good.removeprefix(prefix)
    with _comparisons() as answers, contextlib.suppress(UnverifiedError):
        stage.verified(TESTED, _with(told[0], name, prefix + ("0" if sign[0] != "0" else "1") + sign[1:]))
    demand(False in answers, "a wrong signature was decided without hmac.compare_digest")
    return "decided by hmac.compare_digest"


def without_its_secret_nothing_is_verified(subject: Subject) -> str:
    """A channel whose secrets are empty or another's refuses every delivery, also one that is signed with an empty secret."""
    _, told = _told(subject)
    verify = _declared(subject).verify
    for words, value in (("empty", ""), ("another's", "a-secret-of-somebody-else")):
        receiver = {
            name: value if subject.manifest.secrets[name].needed_by == "receiver" else given
            for name, given in subject.stated["secrets"].items()
        }
        stage = subject.stage(1, secrets=receiver)
        _demand_refused(stage, told[0], f"the channel's secret is {words}")
        if verify.scheme == "hmac_sha256" and not value:
            forged = _with(told[0], verify.header.lower(), _signed_with(verify, "", told[0]))
            _demand_refused(stage, forged, "the channel's secret is empty and so is the forger's")
    return "refused"


def a_doubled_delivery_is_one_envelope_and_marks_again(subject: Subject) -> str:
    """The same delivery twice is kept once; coming again later it makes the hub look again."""
    _declared(subject)
    stage = subject.settled()
    stage.sandbox.outbox.clear()
    for request in _elicited(stage):
        if stage.verified(TESTED, request).topic in _declared(subject).topics:
            break
    else:
        not_applicable("no delivery of it means anything to the hub")
    for _ in range(3):
        stage.post(TESTED, request)
    kept = len(stage.hooked())
    demand(kept == 1, f"one delivery that came three times is kept {kept} times")
    stage.sandbox.outbox.clear()
    stage.run(UNTIL_TOLD_SECONDS)
    demand(not stage.hooked() and stage.marks() == 0, "the hub did not come to rest after a doubled delivery")
    stage.post(TESTED, request)
    demand(len(stage.hooked()) == 1, "a delivery that came again later was not taken up again")
    _, read_now = stage.hub.walk.told.step(ENVELOPES_MAX, stage.hub.walk.heard())
    demand(stage.marks() + len(read_now) > 0, "a delivery that came again marks nothing to look at")
    stage.run(1)
    demand(not stage.dead_letters(), f"a doubled delivery left dead letters: {stage.dead_letters()[:2]}")
    return "kept once, looked at again"


def _declared(subject: Subject) -> Deliveries:
    declared = subject.manifest.deliveries
    return declared if declared is not None else not_applicable("this platform sends no deliveries")


def _told(subject: Subject) -> tuple[Stage, list[Request]]:
    """A stage and the deliveries that its small platform has just sent, with a body and the platform's signature."""
    _declared(subject)
    stage = subject.stage()
    return stage, _elicited(stage)


def _elicited(stage: Stage) -> list[Request]:
    sku = stage.skus[0]
    acts: tuple[Callable[[], object], ...] = (
        lambda: stage.hands.count(sku, 5, stage.place),
        lambda: stage.hands.set_price(sku, stage.hands.shown()[sku]["price"] + 1),
        lambda: _write(stage, sku),
    )
    for act in acts:
        act()
        if stage.sandbox.outbox:
            return list(stage.sandbox.outbox)
    raise BrokenError(f"the small platform told nothing to {stage.sandbox.hook_url}: nobody's edit, no write of ours")


def _write(stage: Stage, sku: str) -> None:
    """Some platforms only tell of the end of what the hub itself sent."""
    for aspect, _ in stage.sends[:1]:
        sent = stage.changes(aspect, [sku])
        demand(stage.send(aspect, sent)[sent[0].id].outcome is Outcome.APPLIED, f"{aspect} of {sku} was not applied")
        stage.clock.advance(UNTIL_TOLD_SECONDS)
        stage.observed()


def _signature(subject: Subject, stage: Stage, told: Request) -> tuple[str, str]:
    """The header that carries the signature, and its value: the declared one, else the one that cannot be left out."""
    named = _declared(subject).verify.header.lower()
    for name, value in told.headers.items():
        if named:
            if name.lower() == named:
                return named, value
            continue
        without = {key: given for key, given in told.headers.items() if key != name}
        if not _passes(stage, replace(told, headers=without)):
            return name.lower(), value
    raise BrokenError(f"no header of the delivery carries a signature ({named or 'every one can be left out'})")


def _signed_with(verify: Verify, secret: str, told: Request) -> str:
    """The signature that this secret gives for the delivery, by the declared scheme."""
    stamp = next((value for name, value in told.headers.items() if name.lower() == verify.timestamp_header.lower()), "")
    parts = {"url": told.url.encode(), "body": told.body, "timestamp": stamp.encode()}
    return verify.prefix + sign(secret, b"".join(parts[name] for name in verify.over), verify.encoding)


def _with(told: Request, name: str, value: str) -> Request:
    kept = {key: given for key, given in told.headers.items() if key.lower() != name}
    return replace(told, headers={**kept, name: value})


def _passes(stage: Stage, request: Request) -> bool:
    try:
        stage.verified(TESTED, request)
    except UnverifiedError:
        return False
    return True


def _demand_refused(stage: Stage, request: Request, words: str) -> None:
    demand(not _passes(stage, request), f"taken, though {words}" if "secret is" in words else f"taken with {words}")


def _shape(value: str, good: str) -> str:
    return f"of {len(value)} characters, another than the right one of {len(good)}"


@contextlib.contextmanager
def _comparisons() -> Iterator[list[bool]]:
    """What `compare_digest` answered meanwhile, wherever it was called from."""
    answers: list[bool] = []
    real = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        answers.append(real(one, other))
        return answers[-1]

    with mock.patch.object(hmac, "compare_digest", counted):
        yield answers


RULES: Final[tuple[Rule, ...]] = (
    a_good_delivery_passes,
    a_wrong_signature_is_refused,
    an_empty_signature_is_refused,
    a_missing_signature_is_refused,
    a_stale_delivery_is_refused,
    a_delivery_changed_in_one_byte_is_refused,
    signatures_are_compared_in_constant_time,
    without_its_secret_nothing_is_verified,
    a_doubled_delivery_is_one_envelope_and_marks_again,
)
