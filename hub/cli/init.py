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
    as_json: say.JsonOption = False,
) -> None:
    """Write a commented example configuration, with schemas for editors; a folder with anything in it is refused."""
    with say.outcome(as_json):
        from hub.errors import ConfigError

        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError("there is something here already: name a new or empty folder", str(folder))
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
