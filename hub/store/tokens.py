"""Secrets that platforms gave or renewed: what `samklang connect` was granted, and what connectors keep over a restart.

Each is sealed for its own row. The only writer of table tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.log import remember_secret
from hub.store.database import Database, Tx
from hub.store.vault import Vault

GRANTED: Final = "granted/"
"""How the names of granted secrets begin; the rest is the manifest's name of the secret."""
KEPT: Final = "kept/"
NAME_CHARS_MAX: Final = 100
SECRET_CHARS_MAX: Final = 65_536


class Tokens:
    """The tokens of all channels, opened and sealed by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def keep(self, channel: str, name: str, value: str) -> None:
        """Keep what a platform renewed, at once and durably: the one before it may be worthless from now on."""
        sealed = self._seal(channel, KEPT + name, value)
        self._database.transaction(lambda tx: save(tx, channel, {KEPT + name: sealed}))

    def kept(self, channel: str, name: str) -> str:
        """The newest value so kept; "" when there is none."""
        return self._opened(channel, KEPT).get(name, "")

    def granted(self, channel: str) -> dict[str, str]:
        """The secrets that `samklang connect` was given for this channel, by their manifest names; no log line can carry them."""
        found = self._opened(channel, GRANTED)
        for value in found.values():
            remember_secret(value)
        return found

    def sealed(self, channel: str, granted: Mapping[str, str]) -> dict[str, str]:
        """Granted secrets as hex text that only this hub can open: how a request may carry them to the worker."""
        return {name: self._seal(channel, GRANTED + name, value).hex() for name, value in granted.items()}

    def take(self, tx: Tx, channel: str, sealed: Mapping[str, str]) -> None:
        """Store sealed secrets from a request; InvariantError when one was not sealed by this hub for this place."""
        rows = {GRANTED + name: bytes.fromhex(text) for name, text in sealed.items()}
        for name, value in rows.items():
            self._vault.open(value, "tokens", "sealed", f"{channel}/{name}")
        # What belonged to the sign-in before it is worth nothing any more.
        tx.execute("DELETE FROM tokens WHERE channel = :channel", channel=channel)
        save(tx, channel, rows)

    def _seal(self, channel: str, name: str, value: str) -> bytes:
        if not 0 < len(value) <= SECRET_CHARS_MAX or len(name) > NAME_CHARS_MAX:
            raise ValueError(f"a token has from 1 to {SECRET_CHARS_MAX} characters")
        return self._vault.seal(value.encode(), "tokens", "sealed", f"{channel}/{name}")

    def _opened(self, channel: str, prefix: str) -> dict[str, str]:
        rows = self._database.read(lambda tx: of_channel(tx, channel))
        return {
            name.removeprefix(prefix): self._vault.open(sealed, "tokens", "sealed", f"{channel}/{name}").decode()
            for name, sealed in rows.items()
            if name.startswith(prefix)
        }


def of_channel(tx: Tx, channel: str) -> dict[str, bytes]:
    """The sealed tokens of a channel by name."""
    rows = tx.query("SELECT name, sealed FROM tokens WHERE channel = :channel ORDER BY name", channel=channel)
    return {row[0]: bytes(row[1]) for row in rows}


def save(tx: Tx, channel: str, sealed: Mapping[str, bytes]) -> None:
    """Keep sealed tokens; a newer one takes the place of the older."""
    tx.many(
        "INSERT INTO tokens (channel, name, sealed, expires_at) VALUES (:channel, :name, :sealed, 0) "
        "ON CONFLICT (channel, name) DO UPDATE SET sealed = excluded.sealed",
        [(channel, name, value) for name, value in sorted(sealed.items())],
    )
