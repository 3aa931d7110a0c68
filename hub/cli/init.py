"""`samklang init`: a commented configuration to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli import say

SCHEMAS: Final = ".schemas"
IGNORED: Final = "# Databases, keys and secrets belong to no repository.\ndata/\nsecrets/\n"


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder")],
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", help="A running system as CONNECTOR=ADDRESS; may be said several times"),
    ] = None,
    as_json: say.JsonOption = False,
) -> None:
    """Write a commented example configuration, or one for running systems; a folder with anything in it is refused.

    With --from, what the systems say of themselves is written down where their secrets (and settings that they lack) are in the
    environment as CHANNEL_NAME, and every channel begins in `observe`: nothing is sent.
    """
    with say.outcome(as_json):
        from hub.errors import ConfigError

        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError("there is something here already: name a new or empty folder", str(folder))
        if sources:
            _drafted(folder, sources, as_json)
            return
        try:
            written = _write(folder)
        except OSError as bad:
            raise ConfigError(f"cannot be written: {bad.strerror}", str(folder)) from None
        if as_json:
            say.document({"folder": str(folder), "written": sorted(written)})
            return
        say.lines(sorted(written))
        say.line()
        say.line(f"1. Adapt the files in {folder}; every one says what its lines mean.")
        say.line("2. Set the secrets that channels/*.yaml name: environment variables, or files that only you can read.")
        say.line(f"3. samklang check --config {folder}        (with --connect it also asks every channel)")
        say.line(f"4. samklang run {folder}                   all channels only observe or rehearse until their mode is `live`")
        say.line(f"What comes in is kept encrypted: the first start makes {folder / 'data' / 'hub.key'}; keep a copy elsewhere.")


def all_schemas(folder: Path) -> list[Path]:
    """Write the schemas of the configuration's files and of a connector's manifest; gives their paths."""
    import json

    from hub.sdk.manifest import Manifest
    from hub.settings.schemas import schema_of, write_schemas

    written = write_schemas(folder)
    path = folder / "connector.schema.json"
    path.write_text(json.dumps(schema_of(Manifest), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*written, path]


def _drafted(folder: Path, sources: list[str], as_json: bool) -> None:
    """Write the configuration of these running systems, and say what is left to a person."""
    import os

    from hub.app import http_transports
    from hub.check import check
    from hub.clock import SystemClock
    from hub.draft import draft, systems_of
    from hub.errors import ConfigError
    from hub.sdk.registry import Registry

    registry, clock = Registry([]), SystemClock()
    systems = systems_of(sources, registry)
    with say.progress("asking"):
        made = draft(systems, registry, clock, http_transports(clock), os.environ)
    try:
        for name, text in made.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
        all_schemas(folder / SCHEMAS)
    except OSError as bad:
        raise ConfigError(f"cannot be written: {bad.strerror}", str(folder)) from None
    problems = check(folder, clock).problems
    if as_json:
        say.document({"folder": str(folder), "written": sorted(made.files), "notes": made.notes, "to_mend": problems})
        return
    say.lines(sorted(made.files))
    say.lines(made.notes, "note: ")
    say.lines(problems, "still to fill in: ")
    say.line()
    say.line(f"1. Read the files in {folder}: who is right about what is only proposed. `samklang check --config {folder}`")
    say.line(f"2. samklang align --read --config {folder}   reads everything once and says what fits and what differs")
    say.line("Every channel is in `observe`: nothing is sent before you write `mode: rehearse`, then `mode: live`.")


def _write(folder: Path) -> list[str]:
    from hub.paths import shipped_config

    example = shipped_config() / "example"
    written = []
    for source in sorted(example.rglob("*.yaml")):
        target = folder / source.relative_to(example)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        written.append(target)
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    return [str(path) for path in (*written, folder / ".gitignore", *all_schemas(folder / SCHEMAS))]
