"""`samklang bind` and `unbind`: a person says which item a listing is."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say

Channel = Annotated[str, typer.Argument(help="The channel of the listing")]
Listing = Annotated[str, typer.Argument(help="The listing's id on that channel")]


def bind(
    channel: Channel,
    listing: Listing,
    sku: Annotated[str, typer.Argument(help="SKU of the item that it sells")] = "",
    item: Annotated[str, typer.Option("--item", help="The item's own id, where several have the SKU")] = "",
    factor: Annotated[int, typer.Option("--factor", min=1, max=1_000_000, help="Pieces in one listed unit (a box of 6)")] = 1,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Bind a listing to the item with this SKU (or `--item`); its dead letters close and its targets are worked out."""
    with say.outcome(as_json):
        from hub.errors import ConfigError

        if bool(sku) == bool(item):
            raise ConfigError("name the item by its SKU or by `--item`, one of the two")
        which = {"sku": sku} if sku else {"item": item}
        _ask("bind", {"channel": channel, "listing": listing, "factor": factor, **which}, config, wait, as_json)


def unbind(
    channel: Channel,
    listing: Listing,
    ignore: Annotated[bool, typer.Option("--ignore", help="Leave it alone for good: it is not asked about again")] = False,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Take a listing away from its item: nothing is written to it any more."""
    with say.outcome(as_json):
        _ask("ignore" if ignore else "unbind", {"channel": channel, "listing": listing}, config, wait, as_json)


def _ask(kind: str, body: dict[str, str | int], config: say.ConfigOption, wait: float, as_json: bool) -> None:
    from hub.cli.ask import ask, told
    from hub.cli.place import opened

    with opened(config) as place:
        told(ask(place, kind, dict(body), wait), as_json, wait)
