"""Signing in: a pasted token, an expiring one with its rotating refresh token, or one granted for the app's own credentials.

All three go into the header X-Shopify-Access-Token. What is renewed is kept through the context, so that a restart finds it.
"""

from __future__ import annotations

import json
from typing import Final, Never
from urllib.parse import urlencode

from hub.sdk.api import ChannelContext, Plain, UnauthorizedError, UnavailableError

HEADER: Final = "x-shopify-access-token"
PATH: Final = "/admin/oauth/access_token"
FORM: Final = "application/x-www-form-urlencoded"
EARLY_SECONDS: Final = 300
"""A token is renewed so long before it ends."""
UNSAID_SECONDS: Final = 3600
KEPT: Final = "access"
REFUSALS: Final = frozenset({400, 401, 403})


class Tokens:
    """The one access token of a channel, renewed when it must be."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        secrets, client_id = context.secrets, context.settings.get("client_id", "")
        self._app = {"client_id": client_id, "client_secret": secrets.get("client_secret", "")}
        self._refresh = secrets.get("refresh_token", "")
        self._token = secrets.get("access_token", "")
        self._ends: int | None = None
        self._renews = bool(client_id) and (bool(self._refresh) or not self._token)
        self._recalled = False

    def headers(self) -> dict[str, str]:
        """The header that signs a request in; UnauthorizedError when there is no way to get a token."""
        self._recall()
        if self._ends_soon():
            self._renew()
        return {HEADER: self._token}

    def renewed(self, refused: str) -> bool:
        """After a 401: whether there is another token than the one that was refused."""
        if not self._renews:
            return False
        if self._token == refused:
            self._renew(refused)
        return self._token != refused

    def _ends_soon(self) -> bool:
        early = self._context.clock.now() + EARLY_SECONDS * 1_000_000
        return not self._token or (self._ends is not None and self._ends <= early)

    def _recall(self) -> None:
        """Take up what an earlier run kept: its refresh token is newer than the configured one."""
        if self._recalled or not self._renews:
            return
        self._recalled = True
        self._take_up()

    def _take_up(self) -> None:
        stored = self._context.kept(KEPT)
        if stored:
            kept = json.loads(stored)
            if kept.get("configured") == self._refresh:
                self._token, self._ends = kept["token"], int(kept["ends"])
                self._refresh_now = kept["refresh"]

    _refresh_now = ""

    def _renew(self, refused: str = "") -> None:
        # A command beside the worker may have renewed it: what it was given ended ours, and our refresh token with it.
        self._take_up()
        if self._token != refused and not self._ends_soon():
            return
        if not self._renews or not self._app["client_secret"]:
            self._unauthorized("no access token: give access_token, or client_id with client_secret (and refresh_token)")
        if self._refresh:
            asked = {"grant_type": "refresh_token", "refresh_token": self._refresh_now or self._refresh, **self._app}
        else:
            asked = {"grant_type": "client_credentials", **self._app}
        # The grant repeats safely: the refresh token that was used stays good until its successor is used.
        answer = self._context.client.call(
            "POST",
            PATH,
            operation="renew the token",
            writes=False,
            headers={"content-type": FORM},
            body=urlencode(asked).encode(),
            cost=0.0,
            statuses=REFUSALS,
        )
        if answer.status in REFUSALS:
            words = "the shop gives no token: `samklang connect`, install the app again, or paste fresh credentials"
            self._unauthorized(words)
        try:
            self._take(answer.json())
        except (ValueError, KeyError, TypeError, AttributeError):
            words = "the answer holds no token"
            raise UnavailableError(words, channel=self._context.channel, operation="renew the token") from None

    def _take(self, said: dict[str, Plain]) -> None:
        token, seconds = str(said["access_token"]), int(said.get("expires_in") or UNSAID_SECONDS)
        if not token:
            raise ValueError("empty")
        self._token, self._ends = token, self._context.clock.now() + seconds * 1_000_000
        self._refresh_now = str(said.get("refresh_token") or self._refresh_now)
        kept = {"configured": self._refresh, "token": token, "ends": self._ends, "refresh": self._refresh_now}
        self._context.keep(KEPT, json.dumps(kept))

    def _unauthorized(self, words: str) -> Never:
        raise UnauthorizedError(words, channel=self._context.channel, operation="sign in")
