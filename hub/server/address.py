"""The address that a platform was given, rebuilt for signatures that cover it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from starlette.types import Scope

from hub.errors import ConfigError

FORWARDED_SCHEMES: Final = ("http", "https")


class PublicAddress:
    """Rebuilds a request's public URL: from `public_url` when it is set, else from what a trusted proxy or the peer says.

    A peer's own Host header may be used because only the secret's holder can sign whatever it says.
    """

    def __init__(self, public_url: str, trusted_proxies: tuple[str, ...]) -> None:
        self._public = public_url.rstrip("/")
        try:
            self._trusted = [ipaddress.ip_network(proxy, strict=False) for proxy in trusted_proxies]
        except ValueError as bad:
            raise ConfigError(f"trusted_proxies: {bad}: write an address (10.0.0.7) or a network (10.0.0.0/8)") from None

    def url(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Scheme, host, path and query exactly as they were sent."""
        raw: bytes = scope["raw_path"]
        query: bytes = scope["query_string"]
        path = raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        return (self._public or self._as_asked(scope, headers)) + path

    def _as_asked(self, scope: Scope, headers: Mapping[str, str]) -> str:
        scheme, host = str(scope["scheme"]), headers.get("host", "")
        if self._trusts(scope):
            # The nearest proxy's word is the last one; earlier ones may be anybody's.
            said = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            scheme = said if said in FORWARDED_SCHEMES else scheme
            host = headers.get("x-forwarded-host", "").rpartition(",")[2].strip() or host
        return f"{scheme}://{host}"

    def _trusts(self, scope: Scope) -> bool:
        client = scope.get("client")
        if not self._trusted or not client:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
