"""Who may ask: a token for ever, or tokens that end after an hour with a refresh token that changes at every use.

Whoever installs the app is given a code, good for one exchange. With the option `own_app: no` it is somebody else's, and its
credentials alone give no token. Of the tokens that end one is good at a time: the next ends it.
"""

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
        self._codes: set[str] = set()
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

    def install(self) -> str:
        """A person says yes to the app; the code that the browser brings back."""
        code = f"{self._bits(128):032x}"
        self._codes.add(code)
        return code

    def granted(self, form: Mapping[str, str]) -> Response:
        """The answer of the token's address."""
        app = form.get("client_id") == self._options.get("client_id") and bool(form.get("client_id"))
        if not app or form.get("client_secret") != self._options["client_secret"]:
            return json_response({"error": "invalid_client"}, 401)
        match form.get("grant_type"):
            case None if form.get("code", "") in self._codes:
                self._codes.discard(form["code"])
                if form.get("expiring") != "1":
                    token = f"made-lasting-{self._bits(64):016x}"
                    self._tokens[token] = None
                    return json_response({"access_token": token, "scope": "made"})
                return self._renewed(set())
            case "client_credentials" if self._options.get("own_app") != "no":
                return json_response({"access_token": self._fresh(), "scope": "made", "expires_in": 86_399})
            case "refresh_token" if form.get("refresh_token", "") in self._refresh:
                # The one that was used stays good until its successor is used.
                return self._renewed({form["refresh_token"]})
            case _:
                return json_response({"error": "invalid_grant"}, 400)

    def _renewed(self, used: set[str]) -> Response:
        token, refresh = self._fresh(), f"made-refresh-{self._bits(64):016x}"
        self._tokens = {one: ends for one, ends in self._tokens.items() if ends is None or one == token}
        self._refresh = {*used, refresh}
        self._successors[token] = refresh
        ends = {"expires_in": 3600, "refresh_token_expires_in": 7_776_000}
        return json_response({"access_token": token, "refresh_token": refresh, "scope": "made", **ends})

    def _fresh(self) -> str:
        self.granted_times += 1
        token = f"made-token-{self._bits(64):016x}"
        self._tokens[token] = self._now() + HOUR_MICROS
        return token
