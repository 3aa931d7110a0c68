"""`samklang connectors`: which platforms there are, and what each can."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.sdk.registry import Registry
    from hub.settings.model import Config

FoldersOption = Annotated[
    list[Path] | None, typer.Option("--folder", help="Also the connectors in this folder; may be said several times")
]


def connectors(config: say.ConfigOption = say.HERE, folder: FoldersOption = None, as_json: say.JsonOption = False) -> None:
    """List the connectors: roles, what can be read and written, API version, and the date it was checked."""
    with say.outcome(as_json):
        known = registry(config, folder or [])
        found = [_described(known, name) for name in known.names()]
        if as_json:
            say.document({"connectors": found})
            return
        names = ("name", "title", "roles", "reads", "writes", "api_version", "checked")
        rows = [[", ".join(each[n]) if isinstance(each[n], list) else each[n] for n in names] for each in found]
        say.table(names, rows)


def registry(config: Path, folders: list[Path]) -> Registry:
    """The shipped connectors, those of the configuration in this folder if there is one, and those in `folders`."""
    from hub.paths import from_config
    from hub.sdk.registry import Registry

    loaded = _loaded(config)
    own = [from_config(loaded.folder, each) for each in loaded.hub.connectors] if loaded is not None else []
    return Registry([*own, *folders])


def own_mappings(config: Path) -> list[Path]:
    """The folders of mappings that the configuration in this folder names, if there is one."""
    from hub.paths import from_config

    loaded = _loaded(config)
    return [from_config(loaded.folder, each) for each in loaded.hub.mappings] if loaded is not None else []


def _loaded(config: Path) -> Config | None:
    from hub.settings.load import load

    return load(config) if (config / "hub.yaml").is_file() else None


def _described(known: Registry, name: str) -> dict[str, Any]:
    manifest = known.manifest(name)
    return {
        "name": name,
        "title": manifest.title,
        "roles": list(manifest.roles),
        "reads": list(manifest.streams),
        "writes": list(manifest.sends),
        "deliveries": manifest.deliveries is not None,
        "never": dict(manifest.never),
        "api_version": manifest.api_version,
        "checked": manifest.checked.isoformat(),
    }
