"""`samklang reload`: let the running hub take up a changed configuration, once it is known to be in order."""

from __future__ import annotations

import typer

from hub.cli import say


def reload(config: say.ConfigOption = say.HERE, as_json: say.JsonOption = False) -> None:
    """Check the configuration and have it taken up; a broken one is refused with 2 and the old one goes on."""
    with say.outcome(as_json):
        from hub.check import check
        from hub.clock import SystemClock
        from hub.pair import ask_to_reload
        from hub.paths import from_config

        found = check(config, SystemClock())
        if found.problems or found.config is None:
            if as_json:
                say.document({"problems": found.problems, "taken": False})
            for problem in found.problems:
                say.trouble(problem)
            say.trouble("refused: the old configuration goes on")
            raise typer.Exit(say.USAGE)
        ask_to_reload(from_config(found.config.folder, found.config.hub.folder))
        if as_json:
            say.document({"problems": [], "taken": True})
        else:
            say.line("in order, and handed to the running hub; its log says when it is taken up")
