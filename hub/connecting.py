"""Sign a channel in: with a browser and a listener on loopback, or by pasted secrets. Nothing here prints a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from hub.app import TransportFor, channel_of
from hub.canonical.json import read_json
from hub.channel import Channel
from hub.clock import Clock
from hub.errors import ConfigError, UnverifiedError
from hub.files import meant
from hub.log import SECRET_CHARS_MIN, remember_secret
from hub.sdk import grant
from hub.sdk.manifest import Connect
from hub.sdk.registry import Registry
from hub.server.once import Once
from hub.settings.model import Config

PORT: Final = 8489
"""Where the listener of an authorization code grant is: platforms want to know the address beforehand."""


class Opened(NamedTuple):
    """What the person is told: the address to open, and where the platform comes back to."""

    url: str
    callback: str


class Way(NamedTuple):
    """How the platform reaches the listener: its loopback port (0: the usual) and its address from outside ("": the usual)."""

    port: int = 0
    callback: str = ""


def connect_of(config: Config, registry: Registry, name: str) -> Connect:
    """How this channel's platform grants secrets; ConfigError when it does not, or when the configuration names them itself."""
    if name not in config.channels:
        raise ConfigError(f"there is no channel `{name}`: {meant(name, config.channels)}")
    settings = config.channels[name]
    manifest = registry.manifest(settings.connector)
    if manifest.connect is None:
        words = f"{manifest.title} grants nothing to a browser: name its secrets under `secrets` ({', '.join(manifest.secrets)})"
        raise ConfigError(words, config.place("channels", name))
    named = [key for key in manifest.connect.gives if key in settings.secrets]
    if named:
        words = f"secrets.{named[0]}: what stands here would win over what is granted now: take the line out first"
        raise ConfigError(words, config.place("channels", name, "secrets", named[0]))
    return manifest.connect


def pasted(connect: Connect, ask: Callable[[str], str]) -> dict[str, str]:
    """The secrets that a person pastes, one by one; ConfigError names one that is none."""
    found: dict[str, str] = {}
    for name in connect.gives:
        given = ask(name).strip()
        if not given and name in connect.optional:
            continue
        if len(given) < SECRET_CHARS_MIN:
            raise ConfigError(f"{name}: shorter than {SECRET_CHARS_MIN} characters: that is no secret")
        found[name] = given
        remember_secret(given)
    return found


def by_browser(
    config: Config,
    registry: Registry,
    name: str,
    clock: Clock,
    transport_for: TransportFor,
    way: Way,
    seconds: float,
    tell: Callable[[Opened], None],
    ended_at: Callable[[], str] | None = None,
) -> dict[str, str]:
    """The secrets that the platform grants while a person says yes in a browser; ConfigError when that cannot be.

    With `ended_at` nothing listens: it gives the address at which the browser ended, wherever that runs.
    """
    connect = connect_of(config, registry, name)
    channel = channel_of(config, name, clock, transport_for, registry)
    waiting = _Waiting(connect, channel, clock.token())
    path = f"/connect/{name}"
    public = config.hub.server.public_url
    port = way.port or (config.hub.server.port if connect.kind == "key_grant" else PORT)
    if connect.kind == "key_grant":
        waiting.callback = way.callback or (f"{public.rstrip('/')}{path}" if public else "")
        if urlsplit(waiting.callback).scheme != "https":
            words = "this platform posts the keys to an https address only: set server.public_url, name --callback, or --paste"
            raise ConfigError(words)
        if ended_at is not None:
            raise ConfigError("this platform brings the keys itself: no address has them; leave --by-hand out, or --paste")

    def listens(port: int) -> None:
        waiting.callback = waiting.callback or way.callback or f"http://localhost:{port}{path}"
        settings = channel.connector.settings
        url = grant.consent_url(connect, channel.client.base_url, settings, waiting.callback, waiting.state)
        tell(Opened(url, waiting.callback))

    if ended_at is None:
        Once(path, waiting.accept, clock, port).wait(seconds, listens)
    else:
        listens(port)
        _brought(waiting, ended_at())
    for value in waiting.found.values():
        remember_secret(value)
    return waiting.found


class _Waiting:
    """Takes the answer, and the secrets that it leads to."""

    def __init__(self, connect: Connect, channel: Channel, state: str) -> None:
        self._connect = connect
        self._channel = channel
        self.state = state
        self.callback = ""
        self.found: dict[str, str] = {}

    def accept(self, method: str, query: Mapping[str, str], body: bytes) -> None:
        """One request at the listener: see `hub.server.once.Accept`."""
        connect, secrets = self._connect, self._channel.connector.secrets
        if connect.kind == "key_grant":
            said = _posted(body) if method == "POST" else query
            grant.check_answer(connect, secrets, self.state, {key: str(value) for key, value in said.items()})
            if method == "GET":
                raise UnverifiedError("the browser is back; the keys come by themselves")
            self.found = grant.granted(connect, said)
            return
        if method != "GET":
            raise UnverifiedError("a browser comes back with GET")
        grant.check_answer(connect, secrets, self.state, query)
        if not query.get("code"):
            raise UnverifiedError("no code")
        settings = self._channel.connector.settings
        told = grant.exchanged(connect, self._channel.client, settings, secrets, query["code"], self.callback)
        self.found = grant.granted(connect, told)


def _brought(waiting: _Waiting, address: str) -> None:
    query = dict(parse_qsl(urlsplit(address.strip()).query, keep_blank_values=True))
    try:
        waiting.accept("GET", query, b"")
    except UnverifiedError as bad:
        raise ConfigError(f"that is not where the browser ended after this question ({bad}): begin again") from None


def _posted(body: bytes) -> Mapping[str, object]:
    try:
        said = read_json(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UnverifiedError("no JSON")
    return said
