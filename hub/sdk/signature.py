"""Declared signatures: is this delivery theirs? Everything is compared in constant time and fails closed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.canonical.json import read_json
from hub.canonical.values import Plain
from hub.errors import UnverifiedError

if TYPE_CHECKING:
    from hub.sdk.contract import Delivery, Verdict
    from hub.sdk.manifest import Deliveries, Manifest, Verify

ID_CHARS_MAX = 200


def sign(secret: str, content: bytes, encoding: str) -> str:
    """The HMAC-SHA-256 of the content under the secret, as hex or base64 text."""
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def verify_declared(manifest: Manifest, secrets: Mapping[str, str], delivery: Delivery, now: int) -> Verdict:
    """The verdict by the manifest's declared scheme; UnverifiedError when anything is missing, wrong or stale."""
    from hub.sdk.contract import Verdict

    declared = manifest.deliveries
    if declared is None:
        raise UnverifiedError("this channel takes no deliveries")
    sent_at = _check(declared.verify, secrets, delivery, now)
    body: Plain = None
    if "body:" in declared.topic_from + declared.id_from:
        try:
            body = read_json(delivery.body)
        except ValueError:
            # Signed by them but not readable: keep it under an empty topic, so that it ends as a named dead letter.
            body = None
    return Verdict(
        delivery_id=_pick(declared.id_from, delivery, body),
        topic=_pick(declared.topic_from, delivery, body),
        sent_at=sent_at,
    )


def _check(declared: Verify, secrets: Mapping[str, str], delivery: Delivery, now: int) -> int | None:
    secret = secrets.get(declared.secret, "")
    given = delivery.headers.get(declared.header.lower(), "")
    if not secret or not given or not given.startswith(declared.prefix):
        raise UnverifiedError("signature missing")
    parts = {"url": delivery.url.encode(), "body": delivery.body, "timestamp": b""}
    sent_at: int | None = None
    if declared.timestamp_header:
        stamp = delivery.headers.get(declared.timestamp_header.lower(), "")
        if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 16:
            raise UnverifiedError("time of sending missing")
        parts["timestamp"] = stamp.encode()
        sent_at = int(stamp) * 1_000_000
        if abs(now - sent_at) > declared.replay_window_seconds * 1_000_000:
            raise UnverifiedError("sent too long ago")
    wanted = declared.prefix + sign(secret, b"".join(parts[name] for name in declared.over), declared.encoding)
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise UnverifiedError("signature wrong")
    return sent_at


def _pick(source: str, delivery: Delivery, body: Plain) -> str:
    if source.startswith("header:"):
        return delivery.headers.get(source[7:].lower(), "")[:ID_CHARS_MAX]
    if source.startswith("body:"):
        found = body
        for name in source[5:].split("."):
            if isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict):
                found = found.get(name)
            else:
                found = None
        return str(found)[:ID_CHARS_MAX] if isinstance(found, (str, int)) else ""
    if source.startswith("const:"):
        return source[6:]
    return ""


def declared_topics(declared: Deliveries) -> frozenset[str]:
    """Every topic that this connector understands or ignores by name."""
    return frozenset(declared.topics) | frozenset(declared.ignored_topics)
