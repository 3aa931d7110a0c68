"""Who may ask: a token for ever, or tokens that end after an hour with a refresh token that changes at every use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hub.sdk.api import Response, json_response

HOUR_MICROS: Final = 3_600_000_000


class TokenDesk:
    """The tokens of the one app that is installed in the shop."""

    def __init__(self, options: Mapping[str, str], now: Callable[[], int], chance: Callable[[int], int]) -> None:
        self._options = options
        self._now = now
        self._bits = chance
        lasting = not options.get("client_id")
        self._tokens: dict[str, int | None] = {options["access_token"]: None} if lasting else {}
        self._refresh = {options["refresh_token"]} if options.get("refresh_token") else set()
        self._successors: dict[str, str] = {}
        """Access token → the refresh token that came with it: once either is used, older refresh tokens end."""
        self.granted_times = 0

    def knows(self, token: str) -> bool:
        """Whether this token signs in now."""
        if token not in self._tokens:
            return False
        if token in self._successors:
            self._refresh = {self._successors[token]}
        ends = self._tokens[token]
        return ends is None or ends > self._now()

    def expire(self) -> None:
        """All access tokens end now."""
        self._tokens = {token: self._now() for token in self._tokens}

    def revoke(self) -> None:
        """The app is uninstalled."""
        self._tokens, self._refresh = {}, set()

    def granted(self, form: Mapping[str, str]) -> Response:
        """The answer of the token's address."""
        app = form.get("client_id") == self._options.get("client_id") and bool(form.get("client_id"))
        if not app or form.get("client_secret") != self._options["client_secret"]:
            return json_response({"error": "invalid_client"}, 401)
        match form.get("grant_type"):
            case "client_credentials":
                return json_response({"access_token": self._fresh(), "scope": "made", "expires_in": 86_399})
            case "refresh_token" if form.get("refresh_token", "") in self._refresh:
                token, refresh = self._fresh(), f"made-refresh-{self._bits(64):016x}"
                # The one that was used stays good until its successor is used.
                self._refresh = {form["refresh_token"], refresh}
                self._successors[token] = refresh
                return json_response({"access_token": token, "expires_in": 3600, "refresh_token": refresh, "scope": "made"})
            case _:
                return json_response({"error": "invalid_grant"}, 400)

    def _fresh(self) -> str:
        self.granted_times += 1
        token = f"made-token-{self._bits(64):016x}"
        self._tokens[token] = self._now() + HOUR_MICROS
        return token
