"""Encryption at rest: AES-256-GCM, each value bound to the table, column and row that it was sealed for.

A sealed value is one version byte, the eight-character name of its key, the 12-byte nonce, then the ciphertext with its tag.
A key file holds one key of 64 hex digits a line: the last line seals, every line opens, the first also makes the blind index.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.clock import Clock
from hub.errors import ConfigError, InvariantError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
NAME_CHARS: Final = 8
KEY_FILE_BYTES_MAX: Final = 64 * 1024
VERSION: Final = b"\x01"
_HEAD: Final = 1 + NAME_CHARS
_BODY: Final = _HEAD + NONCE_BYTES


class Vault:
    """Seals and opens values; `keys` maps a key's name to its 32 bytes (oldest first), `current` names the one that seals."""

    def __init__(self, keys: Mapping[str, bytes], current: str, nonce: Callable[[int], bytes]) -> None:
        if current not in keys:
            raise InvariantError("the current key is not among the keys")
        for name, key in keys.items():
            if len(key) != KEY_BYTES or len(name.encode()) != NAME_CHARS:
                raise InvariantError(f"a key has {KEY_BYTES} bytes and its name {NAME_CHARS} characters")
        self._ciphers = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._seals = self._ciphers[current.encode()]
        self._prefix = VERSION + current.encode()
        self._nonce = nonce
        oldest = next(iter(keys.values()))
        self._blind_key = hmac.digest(oldest, b"samklang blind index", "sha256")

    def __repr__(self) -> str:
        return f"Vault({len(self._ciphers)} keys)"

    def seal(self, plain: bytes, table: str, column: str, row: str) -> bytes:
        """The value as it may be stored; only the same table, column and row open it again."""
        nonce = self._nonce(NONCE_BYTES)
        return b"".join((self._prefix, nonce, self._seals.encrypt(nonce, plain, _place(table, column, row))))

    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        """The plain value; InvariantError when it was sealed for another place, by an unknown key, or was changed."""
        cipher = self._ciphers.get(sealed[1:_HEAD]) if sealed[:1] == VERSION else None
        if cipher is None:
            raise InvariantError(f"{table}.{column}: sealed by a key that this hub does not have")
        try:
            return cipher.decrypt(sealed[_HEAD:_BODY], sealed[_BODY:], _place(table, column, row))
        except (InvalidTag, ValueError):
            raise InvariantError(f"{table}.{column}: not what was sealed for this row") from None

    def blind(self, text: str) -> str:
        """A keyed name (64 hex digits) under which equal texts are found again without being readable."""
        return hmac.digest(self._blind_key, text.encode(), "sha256").hex()

    @classmethod
    def from_text(cls, text: str, where: str, clock: Clock) -> Vault:
        """The vault of a key file's text; ConfigError naming the line (never its content) for what is not a key."""
        keys: dict[str, bytes] = {}
        name = ""
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            try:
                key = bytes.fromhex(stripped)
            except ValueError:
                key = b""
            if len(key) != KEY_BYTES:
                raise ConfigError(f"not a key: write {KEY_BYTES * 2} hex digits", f"{where}:{number}")
            name = key_name(key)
            keys[name] = key
        if not keys:
            raise ConfigError(f"no key in it: write one of {KEY_BYTES * 2} hex digits", where)
        return cls(keys, name, clock.bytes)

    @classmethod
    def from_file(cls, path: Path, clock: Clock) -> Vault:
        """The vault of this key file; a new key is made when there is none. Others must not be able to read the file."""
        if not path.exists():
            _make(path, clock)
        status = path.stat()
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"others may read this key file: chmod 600 {path.name}", str(path))
        if status.st_size > KEY_FILE_BYTES_MAX:
            raise ConfigError(f"a key file has at most {KEY_FILE_BYTES_MAX} bytes", str(path))
        return cls.from_text(path.read_text("ascii", "replace"), str(path), clock)


def key_name(key: bytes) -> str:
    """The eight characters that name a key inside its sealed values; says nothing about the key."""
    return hashlib.sha256(b"samklang key name" + key).hexdigest()[:NAME_CHARS]


def _place(table: str, column: str, row: str) -> bytes:
    return f"{table}\x00{column}\x00{row}".encode()


def _make(path: Path, clock: Clock) -> None:
    """Write a fresh key durably; when another process was first, its key stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{clock.token()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(clock.bytes(KEY_BYTES).hex().encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()
