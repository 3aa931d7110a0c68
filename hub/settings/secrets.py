"""Secrets: configuration says where they are, this reads them, and nothing ever prints them.

Every value is remembered by `hub.log` the moment it is read, so no log line or error can carry it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.errors import ConfigError
from hub.files import Problem, refuse
from hub.log import SECRET_CHARS_MIN, remember_secret
from hub.paths import from_config
from hub.settings.model import ChannelSettings, Config

SECRET_BYTES_MAX: Final = 65_536


class Secrets(dict[str, str]):
    """A channel's secrets by their manifest names; as text it shows the names only."""

    def __init__(self, values: Mapping[str, str], warnings: tuple[str, ...] = ()) -> None:
        super().__init__(values)
        self.warnings = warnings
        """What a person should mend, such as a secret file that everybody on the machine may read."""

    def __repr__(self) -> str:
        return f"<secrets: {', '.join(sorted(self)) or 'none'}>"

    __str__ = __repr__

    @classmethod
    def resolve(cls, config: Config, channel: str, env: Mapping[str, str] | None = None) -> Secrets:
        """The channel's secrets, read now; ConfigError names file:line of each that is missing. `env` is the environment."""
        values: dict[str, str] = {}
        problems: list[Problem] = []
        warnings: list[str] = []
        settings: ChannelSettings = config.channels[channel]
        for name, reference in settings.secrets.items():
            where = config.place("channels", channel, "secrets", name)
            try:
                values[name] = secret_text(reference, config.folder, where, f"secrets.{name}", env)
            except ConfigError as bad:
                problems.append(Problem(where, str(bad).removeprefix(f"{where}: ")))
                continue
            warnings += [f"{where}: secrets.{name}: {words}" for words in _exposed(reference, config.folder)]
        refuse(problems)
        return cls(values, tuple(warnings))

    @classmethod
    def of_hub(cls, config: Config, env: Mapping[str, str] | None = None) -> Secrets:
        """The hub's own: `key` (absent where a key file is to be made) and `database` (where hub.yaml names it as a secret)."""
        values: dict[str, str] = {}
        named = {"key": ("key_secret", config.hub.key_secret), "database": ("database", config.hub.database)}
        for name, (field, reference) in named.items():
            if reference.startswith(("env:", "file:")):
                values[name] = secret_text(reference, config.folder, config.place("hub", field), field, env)
        return cls(values)


def secret_text(reference: str, folder: str, where: str, path: str, env: Mapping[str, str] | None = None) -> str:
    """The secret that `env:NAME` or `file:PATH` names, without its last newline; ConfigError at `where` when it is not there."""
    kind, _, named = reference.partition(":")
    if kind == "env":
        value = (os.environ if env is None else env).get(named, "")
        lacking = f"the environment variable {named} is not set"
    elif kind == "file":
        value = _file_text(from_config(folder, named), where, path)
        lacking = f"the file {named} is empty"
    else:
        raise ConfigError(f"{path}: write where the secret is, `env:NAME` or `file:PATH`", where)
    if not value:
        raise ConfigError(f"{path}: {lacking}", where)
    if len(value) < SECRET_CHARS_MIN:
        raise ConfigError(f"{path}: shorter than {SECRET_CHARS_MIN} characters: that is no secret", where)
    if "\n" in value and not value.startswith("-----BEGIN"):
        raise ConfigError(f"{path}: more than one line: write the secret alone on one", where)
    remember_secret(value)
    return value


def _file_text(path: Path, where: str, label: str) -> str:
    try:
        with path.open("rb") as opened:
            raw = opened.read(SECRET_BYTES_MAX + 1)
    except OSError as bad:
        raise ConfigError(f"{label}: the file {path} cannot be read: {bad.strerror}", where) from None
    if len(raw) > SECRET_BYTES_MAX:
        raise ConfigError(f"{label}: the file {path} is larger than {SECRET_BYTES_MAX} bytes", where)
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{label}: the file {path} is not UTF-8 text", where) from None


def _exposed(reference: str, folder: str) -> list[str]:
    if not reference.startswith("file:"):
        return []
    path = from_config(folder, reference.removeprefix("file:"))
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return [f"everybody on this machine may read {path}: `chmod 600` it"]
    return []
