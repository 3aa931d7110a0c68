"""How the small WooCommerce knows its callers: Basic and the query only over TLS, one-legged OAuth 1.0a without it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors.woocommerce.sandbox_rest import RestError
from connectors.woocommerce.sign_in import signature
from hub.sdk.api import Clock, Request

WINDOW_SECONDS: Final = 900
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
AUTHENTICATION: Final = "woocommerce_rest_authentication_error"
PARAMETERS: Final = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")


class Doorkeeper:
    """Knows the keys: consumer key → (secret, whether it may write)."""

    def __init__(self, keys: Mapping[str, tuple[str, bool]], clock: Clock) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._nonces: dict[str, int] = {}

    def change(self, key: str, secret: str) -> None:
        """Somebody makes the key anew: its secret is another one from now on."""
        self._keys[key] = (secret, self._keys[key][1])

    def admit(self, request: Request) -> None:
        """Let the request through, or refuse it as WooCommerce does."""
        query = request.query
        secure = urlsplit(request.url).scheme == "https"
        key = self._by_pair(request, query) if secure else None
        if key is None:
            key = self._by_oauth(request, query)
        if key is None:
            raise _nobody(request)
        if request.method not in READS and not self._keys[key][1]:
            raise RestError(AUTHENTICATION, "The API key provided does not have write permissions.", 401)

    def _by_pair(self, request: Request, query: Mapping[str, str]) -> str | None:
        key, secret = query.get("consumer_key", ""), query.get("consumer_secret", "")
        given = {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")
        if not key and given.startswith("Basic "):
            try:
                key, _, secret = base64.b64decode(given[6:]).decode().partition(":")
            except ValueError:
                return None
        if not key or not secret or key not in self._keys:
            return None
        if self._keys[key][0] != secret:
            raise RestError(AUTHENTICATION, "Consumer secret is invalid.", 401)
        return key

    def _by_oauth(self, request: Request, query: Mapping[str, str]) -> str | None:
        missing = [name for name in PARAMETERS if not query.get(name)]
        if len(missing) == len(PARAMETERS):
            return None
        if missing:
            code = "woocommerce_rest_authentication_missing_parameter"
            raise RestError(code, f"Missing OAuth parameter {', '.join(missing)}", 401)
        key = query["oauth_consumer_key"]
        if key not in self._keys:
            raise RestError(AUTHENTICATION, "Consumer key is invalid.", 401)
        if query["oauth_signature_method"] != "HMAC-SHA256":
            raise RestError(AUTHENTICATION, "Invalid signature - signature method is invalid.", 401)
        if signature(_unsigned(request), {}, self._keys[key][0]) != query["oauth_signature"].replace(" ", "+"):
            raise RestError(AUTHENTICATION, "Invalid signature - provided signature does not match.", 401)
        now, at = self._clock.now() // 1_000_000, int(query["oauth_timestamp"])
        if abs(now - at) > WINDOW_SECONDS:
            raise RestError(AUTHENTICATION, "Invalid timestamp.", 401)
        self._nonces = {nonce: used for nonce, used in self._nonces.items() if used >= now - WINDOW_SECONDS}
        if query["oauth_nonce"] in self._nonces:
            raise RestError(AUTHENTICATION, "Invalid nonce - nonce has already been used.", 401)
        self._nonces[query["oauth_nonce"]] = at
        return key


def _unsigned(request: Request) -> Request:
    """The request without its signature; of a parameter that comes twice PHP keeps the last."""
    parts = urlsplit(request.url)
    kept = {name: value for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "oauth_signature"}
    return Request(request.method, urlunsplit(parts._replace(query=urlencode(kept))))


def _nobody(request: Request) -> RestError:
    if request.method in READS:
        return RestError("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401)
    return RestError("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.", 401)
