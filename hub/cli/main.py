"""The `samklang` command: every command is a function of its own file, loaded only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

import typer

from hub import __version__
from hub.errors import ConfigError, HubError
from hub.files import meant

COMMANDS: Final[dict[str, str]] = {
    "init": "Write a commented configuration",
    "check": "Validate everything, with file and line",
    "connect": "Sign in to a platform with a browser, or paste a secret",
    "align": "First contact: what fits, what differs, what explains it",
    "run": "Run everything: the receiver and the worker",
    "serve": "Run the receiver alone",
    "work": "Run the worker alone",
    "reload": "Take up a changed configuration",
    "plan": "What would change where and why; nothing is sent",
    "apply": "Send exactly what a plan says",
    "approve": "Decide about what a guard holds",
    "drift": "What others changed",
    "why": "Where a number comes from",
    "status": "How everything is",
    "orders": "The latest orders, and which are stuck",
    "oversells": "What was sold that nobody has",
    "movements": "Goods between places: under way, missing",
    "trace": "The whole story of an order",
    "settle": "Say that a person did what an order asked for",
    "route": "Which place delivers what of an order, and why",
    "forget": "Erase a customer",
    "bind": "Say which item a listing is",
    "unbind": "Take a listing away from its item",
    "hooks": "The webhook subscriptions of a channel: look, mend",
    "pause": "Pause a channel",
    "resume": "Let a channel go on",
    "dead": "What was not understood or not accepted",
    "replay": "Try dead letters again",
    "discard": "Close dead letters",
    "connectors": "Which platforms there are",
    "connector": "Make or test a connector",
    "demo": "A day in fast motion on small platforms",
    "simulate": "Days of a whole retailer, with everything going wrong",
}
FILES: Final[dict[str, str]] = {"unbind": "bind", "resume": "pause", "discard": "dead"}
"""Commands that share another command's file."""
EXIT_USAGE: Final = 2
WORDS: Final = (
    "You say who is right about what; Samklang brings every channel into agreement and knows the reason for each number."
)


def command(name: str) -> typer.Typer:
    """The Typer application of one command; KeyError when there is none of that name."""
    if name not in COMMANDS:
        raise KeyError(name)
    module: Any = importlib.import_module(f"hub.cli.{FILES.get(name, name)}")
    if hasattr(module, "app"):
        app: typer.Typer = module.app
        return app
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(getattr(module, name))
    return single


def overview() -> str:
    """The list of commands, without loading them."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {words}" for name, words in COMMANDS.items()]
    head = ["Usage: samklang COMMAND [ARGUMENTS] [--help]", "", WORDS, "", "Commands:"]
    return "\n".join([*head, *lines])


def main() -> None:
    """The entry point; a mistake in configuration or usage ends with 2 and words, never with a traceback."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        sys.exit(0 if arguments else EXIT_USAGE)
    if arguments[0] == "--version":
        print(f"samklang {__version__}")
        sys.exit(0)
    name = arguments[0]
    if name not in COMMANDS:
        print(f"samklang has no command `{name}`: {meant(name, list(COMMANDS))}", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    try:
        command(name)(args=arguments[1:], prog_name=f"samklang {name}")
    except KeyboardInterrupt:
        sys.exit(130)
    except ConfigError as bad:
        print(bad, file=sys.stderr)
        sys.exit(EXIT_USAGE)
    except HubError as bad:
        print(f"{type(bad).__name__}: {bad}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
