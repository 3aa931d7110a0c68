"""Is this delivery theirs? Only with the right secret over exactly these bytes, sent just now."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import UnverifiedError
from hub.sdk.contract import Delivery, Verdict
from hub.sdk.manifest import Manifest
from hub.sdk.signature import verify_declared

NOW = 1_790_000_000_000_000
URL = "https://hub.example/hooks/till"
SECRETS = {"key": "s3cret"}
BODY = b'{"type": "stock.changed", "event": {"id": 42}}'


def manifest(**verify: Any) -> Manifest:
    declared = {"scheme": "hmac_sha256", "header": "X-Signature", "secret": "key", **verify}
    return Manifest.model_validate(
        {
            "connector": "made",
            "title": "Made",
            "api_version": "1",
            "checked": dt.date(2026, 11, 21),
            "roles": ["pos"],
            "base_url": "https://till.example",
            "secrets": {"key": {"text": "the key"}},
            "pace": {"per_second": 1, "burst": 1},
            "limits": {},
            "deliveries": {"verify": declared, "topic_from": "body:type", "id_from": "body:event.id", "topics": {}},
        }
    )


def delivery(body: bytes = BODY, url: str = URL, **headers: str) -> Delivery:
    return Delivery("POST", url, {name.replace("_", "-"): value for name, value in headers.items()}, {}, body)


def mac(content: bytes, secret: str = "s3cret") -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def b64(content: bytes, secret: str = "s3cret") -> str:
    return base64.b64encode(mac(content, secret)).decode()


def verdict(given: Delivery, secrets: Mapping[str, str] = SECRETS, **verify: Any) -> Verdict:
    return verify_declared(manifest(**verify), secrets, given, NOW)


def refused(given: Delivery, secrets: Mapping[str, str] = SECRETS, **verify: Any) -> str:
    with pytest.raises(UnverifiedError) as said:
        verdict(given, secrets, **verify)
    return str(said.value)


def test_theirs_is_theirs() -> None:
    assert verdict(delivery(x_signature=b64(BODY))) == Verdict("42", "stock.changed", None)
    hex_encoded = "sha256=" + mac(BODY).hex()
    assert verdict(delivery(x_signature=hex_encoded), prefix="sha256=", encoding="hex").topic == "stock.changed"


def test_what_is_missing_or_wrong_is_refused() -> None:
    assert refused(delivery()) == "signature missing"
    assert refused(delivery(x_signature="")) == "signature missing"
    assert refused(delivery(x_signature=b64(BODY)), {}) == "signature missing"
    assert refused(delivery(x_signature=b64(BODY)), {"key": ""}) == "signature missing"
    assert refused(delivery(x_signature=b64(BODY, "other"))) == "signature wrong"
    assert refused(delivery(x_signature=b64(BODY, ""))) == "signature wrong"
    assert refused(delivery(x_signature=mac(BODY).hex()), prefix="sha256=", encoding="hex") == "signature missing"


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_is_enough(place: int, change: int) -> None:
    altered = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]
    assert refused(delivery(altered, x_signature=b64(BODY))) == "signature wrong"


@given(st.text(max_size=80))
def test_no_text_passes_for_a_signature(text: str) -> None:
    assert refused(delivery(x_signature=text)).startswith("signature")


def test_a_signature_over_the_address_holds_only_there() -> None:
    signed = b64(URL.encode() + BODY)
    assert verdict(delivery(x_signature=signed), over=("url", "body")).delivery_id == "42"
    assert refused(delivery(url=URL + "2", x_signature=signed), over=("url", "body")) == "signature wrong"


TIMED = {"timestamp_header": "X-Time", "over": ("timestamp", "body"), "replay_window_seconds": 300}


@pytest.mark.parametrize(("late", "passes"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_delivery_is_good_for_its_window_only(late: int, passes: bool) -> None:
    stamp = str(NOW // 1_000_000 - late)
    sent = delivery(x_signature=b64(stamp.encode() + BODY), x_time=stamp)
    if passes:
        assert verdict(sent, **TIMED).sent_at == int(stamp) * 1_000_000
    else:
        assert refused(sent, **TIMED) == "sent too long ago"


def test_the_time_is_signed_as_well() -> None:
    stamp, later = str(NOW // 1_000_000 - 200), str(NOW // 1_000_000)
    assert refused(delivery(x_signature=b64(stamp.encode() + BODY), x_time=later), **TIMED) == "signature wrong"


@pytest.mark.parametrize("stamp", ["", "now", "-5", "1e9", "²", "١٧٩", "9" * 17, "1790000000.5"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    assert refused(delivery(x_signature=b64(stamp.encode() + BODY), x_time=stamp), **TIMED) == "time of sending missing"


def test_theirs_but_unreadable_is_kept_without_a_topic() -> None:
    for body in (b"", b"not json", b"\xff", b"[" * 10_000):
        assert verdict(delivery(body, x_signature=b64(body))) == Verdict("", "", None)
