"""`samklang connector new` and `connector test`: make a connector, and hold it to the contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say
from hub.cli.connectors import FoldersOption, own_mappings, registry

if TYPE_CHECKING:
    from hub.kit.verdict import Verdict

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="Make or test a connector")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and _")],
    to: Annotated[Path, typer.Option("--to", help="Folder that gets `connectors/NAME` and `mappings/NAME`")] = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """Make a connector of the template: it passes the contract at once, and is changed step by step from there."""
    with say.outcome(as_json):
        from hub.kit.new import make

        written = [str(path) for path in make(to / "connectors", to / "mappings", name)]
        if as_json:
            say.document({"connector": name, "written": written})
        else:
            say.lines(written)
            say.line(f"next: samklang connector test {name} --folder {to / 'connectors'} --mappings {to / 'mappings'}")


@app.command("test")
def check_contract(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Connectors, or `all`")],
    config: say.ConfigOption = say.HERE,
    folder: FoldersOption = None,
    mappings: Annotated[
        list[Path] | None, typer.Option("--mappings", help="Also the mappings in this folder; may be said several times")
    ] = None,
    specification: Annotated[Path | None, typer.Option("--specification", help="The platform's published one")] = None,
    as_json: say.JsonOption = False,
) -> None:
    """Try every rule of the contract on the connector's own small platform. Ends with 1 when one does not hold."""
    with say.outcome(as_json):
        import logging

        from hub.errors import ConfigError
        from hub.kit.suite import run

        if specification is not None and not specification.exists():
            raise ConfigError("there is no such specification", str(specification))
        # The contract provokes every failure there is: what the hub logs of them is not what was asked for.
        logging.getLogger().addHandler(logging.NullHandler())
        known, also = (
            registry(config, [path.resolve() for path in folder or []]),
            [*own_mappings(config), *(path.resolve() for path in mappings or [])],
        )
        wanted = known.names() if names == ["all"] else names
        found: dict[str, list[Verdict]] = {}
        for name in wanted:
            known.manifest(name)
            found[name] = []
            for verdict in run(known, name, specification, mappings=also):
                found[name].append(verdict)
                if not as_json:
                    say.line(f"{name}: {'held' if verdict.held else 'BROKEN'}: {verdict.rule}: {verdict.evidence}")
        broken = sum(not verdict.held for each in found.values() for verdict in each)
        if as_json:
            say.document({name: [verdict._asdict() for verdict in each] for name, each in found.items()})
        else:
            say.line(f"{sum(map(len, found.values()))} rules on {len(found)} connectors, {broken} broken")
        say.ends(bool(broken))
