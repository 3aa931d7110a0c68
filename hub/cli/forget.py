"""`samklang forget`: erase a customer, and say what remains and why."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say


def forget(
    customer: Annotated[str, typer.Argument(help="E-mail address, phone number, or CHANNEL:customer-id")],
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Erase a customer wherever the hub keeps them. Asking again does no harm; nothing that was said before brings them back."""
    with say.outcome(as_json):
        from hub.app import open_vault
        from hub.cli.ask import ask, told
        from hub.cli.place import opened
        from hub.forgetting import find
        from hub.store.parties import Parties

        with opened(config) as place:
            vault = open_vault(place.config, place.clock)
            with say.progress("looking through parties and inbox"):
                found = find(customer, place.config.channels, place.database, vault, Parties(vault, place.clock))
            # The request names nobody: blind indexes and numbers only.
            told(ask(place, "forget", found.body(), wait), as_json, wait)
