"""A new connector: the example under another name, complete, passing every rule; to be changed step by step from there."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Final

from hub.errors import ConfigError
from hub.files import Problem, refuse
from hub.kit.subject import EXAMPLE
from hub.paths import shipped_connectors, shipped_mappings

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
LEFT_BEHIND: Final = ("__pycache__",)


def make(folder: Path, mappings_folder: Path, name: str) -> list[Path]:
    """Write connector `name` to `folder`/name and its mappings to `mappings_folder`/name; gives the files, sorted.

    ConfigError when the name is none, or when something of that name is there already: nothing is overwritten.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name == EXAMPLE:
        words = f"`{name[:40]}` cannot be a connector's name: small letters, digits and _, beginning with a letter"
        raise ConfigError(words)
    targets = {shipped_connectors() / EXAMPLE: folder / name, shipped_mappings() / EXAMPLE: mappings_folder / name}
    refuse([Problem(str(target), "is there already: nothing is overwritten") for target in targets.values() if target.exists()])
    written: list[Path] = []
    for source, target in targets.items():
        for file in sorted(source.rglob("*")):
            if file.is_file() and not set(LEFT_BEHIND) & set(file.parts):
                path = target / file.relative_to(source)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(renamed(file.read_text(encoding="utf-8"), name), encoding="utf-8")
                written.append(path)
    return sorted(written)


def renamed(text: str, name: str) -> str:
    """The example's text under the new name: as it stands in paths and files, and as a class and a title spell it."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(EXAMPLE, name).replace(EXAMPLE.capitalize(), title)
