"""Signing requests in: Basic over TLS, one-legged OAuth 1.0a without it, the pair in the query where headers are dropped."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hub.sdk.api import Clock, ConfigError, Request

MANNERS: Final = ("auto", "basic", "oauth1", "query")
METHOD: Final = "HMAC-SHA256"


class SignIn:
    """Signs each request anew: a nonce that was used once is refused by WooCommerce, also on a repeat after a failure."""

    def __init__(self, manner: str, base_url: str, key: str, secret: str, clock: Clock) -> None:
        if manner not in MANNERS:
            raise ConfigError(f"settings.sign_in: `{manner}` is not one of {', '.join(MANNERS)}")
        secure = urlsplit(base_url).scheme == "https"
        self.manner = ("basic" if secure else "oauth1") if manner == "auto" else manner
        if self.manner != "oauth1" and not secure:
            raise ConfigError("settings.sign_in: WooCommerce takes a key without TLS only by oauth1 (or write https in base_url)")
        self._key = key
        self._secret = secret
        self._clock = clock

    def signed(self, request: Request) -> Request:
        """The request as it may be sent, once."""
        if self.manner == "basic":
            pair = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()
            return replace(request, headers={**request.headers, "authorization": f"Basic {pair}"})
        if self.manner == "query":
            return _with(request, {"consumer_key": self._key, "consumer_secret": self._secret})
        given = {
            "oauth_consumer_key": self._key,
            "oauth_nonce": self._clock.token(),
            "oauth_signature_method": METHOD,
            "oauth_timestamp": str(self._clock.now() // 1_000_000),
        }
        return _with(request, {**given, "oauth_signature": signature(request, given, self._secret)})


def signature(request: Request, oauth: dict[str, str], secret: str) -> str:
    """The OAuth 1.0a signature over method, address and all parameters of the query, with no token (RFC 5849, section 3.4)."""
    parts = urlsplit(request.url)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *oauth.items()]
    named = "&".join(f"{name}={value}" for name, value in sorted((_escaped(name), _escaped(value)) for name, value in pairs))
    text = "&".join((request.method.upper(), _escaped(address), _escaped(named)))
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha256).digest()).decode()


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _with(request: Request, more: dict[str, str]) -> Request:
    return replace(request, url=request.url + ("&" if "?" in request.url else "?") + urlencode(more))
