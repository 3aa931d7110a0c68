"""`samklang connect`: sign in to a platform with a browser, or paste what it gave; the secret is kept sealed and never shown."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.cli.place import Place
    from hub.connecting import Opened

WAIT_SECONDS: Final = 600.0
LINE_CHARS_MAX: Final = 8_192


def connect(
    channel: Annotated[str, typer.Argument(help="The channel")],
    paste: Annotated[bool, typer.Option("--paste", help="Paste the secrets instead (hidden; or lines from a pipe)")] = False,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Paste the address at which the browser ended: for a hub that it cannot reach")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Loopback port to listen on")] = 0,
    callback: Annotated[str, typer.Option("--callback", help="How the platform reaches that port from outside")] = "",
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Print an address to open; when somebody says yes there, the hub is signed in."""
    with say.outcome(as_json):
        from hub.app import http_transports
        from hub.cli.ask import ask, told
        from hub.cli.place import opened
        from hub.connecting import Way, by_browser, connect_of, pasted

        with opened(config, new=True) as place:
            if paste:
                found = pasted(connect_of(place.config, place.registry, channel), _pasted)
            else:
                lines, way = http_transports(place.clock), Way(port, callback)
                ended_at = _address if by_hand else None
                found = by_browser(place.config, place.registry, channel, place.clock, lines, way, wait, _tell, ended_at)
            answer = ask(place, "connected", {"channel": channel, "sealed": _sealed(place, channel, found)}, say.WAIT_SECONDS)
            if answer.fine:
                _reload(place)
        told(answer, as_json, say.WAIT_SECONDS)


def _tell(opened: Opened) -> None:
    # To standard error: what is piped on is the result.
    say.trouble("Open this address in a browser and say yes there:")
    say.trouble(opened.url)
    say.trouble(f"The platform comes back to {opened.callback} (register that address there if it asks for one)")


def _address() -> str:
    say.trouble("Paste the address at which the browser ended, whether it shows a page there or not:")
    return sys.stdin.readline(LINE_CHARS_MAX)


def _pasted(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True, default="", show_default=False))
    return sys.stdin.readline(LINE_CHARS_MAX)


def _sealed(place: Place, channel: str, found: dict[str, str]) -> dict[str, str]:
    from hub.app import open_vault
    from hub.store.tokens import Tokens

    return Tokens(place.database, open_vault(place.config, place.clock)).sealed(channel, found)


def _reload(place: Place) -> None:
    """A running hub takes the new secret up; where none runs the next start does."""
    from hub.errors import ConfigError
    from hub.pair import ask_to_reload

    with contextlib.suppress(ConfigError):
        ask_to_reload(place.data)
