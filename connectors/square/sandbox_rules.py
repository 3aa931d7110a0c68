"""What holds for every call to the small Square: idempotency keys, cursors, times."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from connectors.square.sandbox_errors import RefusalError, text_of
from connectors.square.sandbox_pickups import Pickups
from hub.sdk.api import Plain, Response, json_response, read_time, write_json

KEYS_MAX: Final = 10_000


class Rules(Pickups):
    """The till with the rules of its API."""

    def _once(self, body: Plain, act: Callable[[Plain], tuple[int, Plain]]) -> Response:
        """The same key and body give the first answer again; another body under a used key is refused."""
        key = text_of(body, "idempotency_key", 128)
        digest = hashlib.sha256(write_json(body).encode()).hexdigest()
        if key in self.keys:
            known, answer = self.keys[key]
            if known != digest:
                raise RefusalError("IDEMPOTENCY_KEY_REUSED", "Idempotency key was used with another request.", "idempotency_key")
            return Response(200, {"content-type": "application/json"}, answer)
        status, told = act(body)
        answered = json_response(told, status)
        self.keys[key] = (digest, answered.body)
        if len(self.keys) > KEYS_MAX:
            del self.keys[next(iter(self.keys))]
        return answered

    def _cut(self, found: list[Any], size: int, body: Plain, mark: Callable[[Any], Plain]) -> tuple[list[Any], dict[str, str]]:
        """One page after the cursor's mark; a cursor only fits the very question it was given for."""
        asked = hashlib.sha256(write_json({**body, "cursor": None}).encode()).hexdigest()[:16]
        if body.get("cursor"):
            try:
                question, last = json.loads(base64.urlsafe_b64decode(body["cursor"]))
            except (ValueError, TypeError):
                raise RefusalError("INVALID_CURSOR", "Not a cursor of ours.", "cursor") from None
            if question != asked:
                raise RefusalError("INVALID_CURSOR", "The cursor belongs to another query.", "cursor")
            found = [one for one in found if mark(one) > last]
        page = found[:size]
        if len(found) <= size:
            return page, {}
        return page, {"cursor": base64.urlsafe_b64encode(json.dumps([asked, mark(page[-1])]).encode()).decode()}


def time_of(body: Plain, name: str) -> int:
    """A time of a body."""
    try:
        return read_time(body[name])
    except (ValueError, TypeError):
        raise RefusalError("INVALID_TIME", "Not an RFC 3339 time.", name) from None
