"""Everything that can be known to be wrong before anything runs, each with file and line; and, when asked, one small read.

The command `check` prints it, `reload` asks it before it lets the running hub take up a configuration.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from hub.app import NOT_GRANTED, TransportFor, channel_of, registry_of
from hub.clock import Clock
from hub.errors import (
    ChannelError,
    ConfigError,
    GoneError,
    HubError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
)
from hub.mapping.mappings import load_mappings
from hub.paths import from_config, shipped_mappings
from hub.sdk.contract import ReadAsk
from hub.sdk.fit import fit
from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry
from hub.sdk.wire import NotSentError, Request, Response
from hub.settings.load import load
from hub.settings.model import Config
from hub.settings.secrets import Secrets
from hub.store.tokens import Tokens

CONNECT_DEADLINE_SECONDS: Final = 10.0
CONNECT_RECORDS: Final = 5


class Connected(NamedTuple):
    """What one small read of a channel gave: `ok`, and in words what happened."""

    channel: str
    ok: bool
    words: str


@dataclass(slots=True)
class Findings:
    """What is wrong (`problems`: nothing may start), what a person should mend, and what is as it is (`notes`)."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    config: Config | None = None


class NoNetwork:
    """A transport for work that asks no platform anything."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """Never sends."""
        raise NotSentError("nothing is sent by this command")


def check(folder: Path, clock: Clock, env: Mapping[str, str] | None = None) -> Findings:
    """All findings about the configuration in this folder; `env` stands in for the environment."""
    found = Findings()
    with _noted(found):
        config = load(folder)
        registry = registry_of(config)
        found.config = config
        _connectors(config, registry, found)
        secrets = _secrets(config, found, env)
        if not found.problems:
            for name in config.channels:
                with _noted(found):
                    channel_of(config, name, clock, lambda _: NoNetwork(), registry, secrets[name])
    return found


def manifests_of(config: Config, registry: Registry) -> dict[str, Manifest]:
    """The manifest of every channel's connector; ConfigError where there is none."""
    return {name: registry.manifest(channel.connector) for name, channel in config.channels.items()}


def connect(config: Config, clock: Clock, transport_for: TransportFor, tokens: Tokens | None = None) -> list[Connected]:
    """One small read of every channel through its real transport, each failure in words that say what to mend.

    `tokens` are what `samklang connect` was granted, and what was renewed since; None where there is no store yet.
    """
    registry = registry_of(config)
    return [_connected(config, name, clock, transport_for, registry, tokens) for name in sorted(config.channels)]


def _connected(
    config: Config, name: str, clock: Clock, transport_for: TransportFor, registry: Registry, tokens: Tokens | None
) -> Connected:
    try:
        channel = channel_of(config, name, clock, transport_for, registry, tokens=tokens)
        if NOT_GRANTED in channel.connector.secrets.values():
            return Connected(name, False, f"not signed in yet: `samklang connect {name}`, or name its secrets under `secrets`")
        channel.client.deadline_seconds = min(channel.client.deadline_seconds, CONNECT_DEADLINE_SECONDS)
        stream, declared = next(iter(channel.manifest.streams.items()), ("", None))
        if declared is None:
            return Connected(name, True, "it has nothing to read")
        channel.connector.read(stream, ReadAsk("", True, min(CONNECT_RECORDS, declared.page_max), clock.now()))
    except HubError as bad:
        return Connected(name, False, _failure(config, name, bad))
    return Connected(name, True, f"{stream} can be read at {channel.client.base_url}")


def _failure(config: Config, name: str, bad: HubError) -> str:
    said = bad.message if isinstance(bad, ChannelError) else str(bad)
    match bad:
        case ConfigError():
            return said
        case UnauthorizedError():
            where = config.place("channels", name, "secrets")
            return f"it does not accept our sign-in: mend the secrets [{where}] ({said})"
        case ThrottledError():
            return f"it answers, and asks us to wait ({said})"
        case GoneError():
            where = config.place("channels", name, "base_url")
            return f"it answers, but not at this address: mend base_url or settings [{where}] ({said})"
        case RefusedError():
            return f"it answers, and refuses what was asked ({said})"
        case _:
            where = config.place("channels", name, "base_url")
            return f"it cannot be reached, or does not answer as it should [{where}] ({said})"


def _secrets(config: Config, found: Findings, env: Mapping[str, str] | None) -> dict[str, Secrets]:
    secrets: dict[str, Secrets] = {}
    for name in config.channels:
        with _noted(found):
            secrets[name] = Secrets.resolve(config, name, env)
            found.warnings += secrets[name].warnings
    with _noted(found):
        Secrets.of_hub(config, env)
    return secrets


def _connectors(config: Config, registry: Registry, found: Findings) -> None:
    """Manifests, whether the channels fit them, and the examples of every mapping; what is never possible becomes a note."""
    manifests: dict[str, Manifest] = {}
    for name in sorted({channel.connector for channel in config.channels.values()} & set(registry.names())):
        with _noted(found):
            manifests[name] = registry.manifest(name)
    found.problems += map(str, fit(config, manifests))
    folders = [shipped_mappings(), *(from_config(config.folder, folder) for folder in config.hub.mappings)]
    for name in manifests:
        with _noted(found):
            mappings = load_mappings(folders, name, trust_code=config.hub.trust_code)
            found.problems += mappings.run_examples(registry.folder(name))
    for channel, settings in config.channels.items():
        never = manifests[settings.connector].never if settings.connector in manifests else {}
        found.notes += [f"{channel}: no {what}: {reason}" for what, reason in sorted(never.items())]


@contextlib.contextmanager
def _noted(found: Findings) -> Iterator[None]:
    """What goes wrong inside is a problem among others, one a line."""
    try:
        yield
    except HubError as bad:
        found.problems += str(bad).splitlines()
