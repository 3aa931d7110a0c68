"""A liar: a fresh copy of the example connector with a few lines of it changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.kit.new import make
from hub.sdk.registry import Registry

CODE = "connector.py"
MANIFEST = "connector.yaml"
METHODS = "    # reading\n\n"
"""Where a liar puts methods of its own."""


@dataclass(frozen=True)
class Liar:
    """What it does, the rule that must catch it, and its edits: (file, old text that stands there once, new text).

    A file under `mappings/` is one of the mappings; a new text of None deletes the file.
    """

    name: str
    rule: str
    edits: tuple[tuple[str, str, str | None], ...]

    def plant(self, folder: Path) -> tuple[Registry, list[Path]]:
        """The liar on disk: the registry that knows it, and its folders of mappings."""
        connectors, mappings = folder / "connectors", folder / "mappings"
        make(connectors, mappings, self.name)
        for file, old, new in self.edits:
            inside = mappings / self.name if file.startswith("mappings/") else connectors / self.name
            path = inside / file.removeprefix("mappings/")
            if new is None:
                path.unlink()
                continue
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{self.name}: {file} has {text.count(old)} times {old!r}"
            path.write_text(text.replace(old, new), encoding="utf-8")
        return Registry([connectors]), [mappings]
