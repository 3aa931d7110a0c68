"""Which connectors there are: the shipped ones and a merchant's own, each one folder with `connector.yaml` in it.

A folder's code is loaded only when it is asked for; whatever is wrong with it is a ConfigError with file and line.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

from hub.errors import ConfigError
from hub.files import meant, read_yaml, validate
from hub.paths import shipped_connectors
from hub.sdk.contract import Connector
from hub.sdk.manifest import Manifest
from hub.sdk.sandbox import SandboxBase

MANIFEST: Final = "connector.yaml"
Kind = TypeVar("Kind")


class Registry:
    """The shipped connectors and those in `extra_folders`; ConfigError when a folder is missing or two have one name."""

    def __init__(self, extra_folders: Sequence[Path] = (), *, shipped: Path | None = None) -> None:
        self._shipped = (shipped or shipped_connectors()).resolve()
        self._folders: dict[str, Path] = {}
        self._manifests: dict[str, Manifest] = {}
        for parent in (self._shipped, *(folder.resolve() for folder in extra_folders)):
            if not parent.is_dir():
                raise ConfigError("there is no such folder of connectors", str(parent))
            for folder in sorted(parent.iterdir()):
                if (folder / MANIFEST).is_file():
                    self._add(folder)

    def _add(self, folder: Path) -> None:
        other = self._folders.get(folder.name)
        if other is not None and other != folder:
            raise ConfigError(f"a connector `{folder.name}` is already in {other}: give this one another name", str(folder))
        self._folders[folder.name] = folder

    def names(self) -> list[str]:
        """The connectors' names, sorted."""
        return sorted(self._folders)

    def folder(self, name: str) -> Path:
        """The connector's folder; ConfigError when there is none of this name."""
        if name not in self._folders:
            raise ConfigError(f"there is no connector `{name}`: {meant(name, self._folders)}")
        return self._folders[name]

    def manifest(self, name: str) -> Manifest:
        """The connector's manifest, read once; ConfigError with file:line for all that is wrong in it."""
        if name not in self._manifests:
            path = self.folder(name) / MANIFEST
            node = read_yaml(path)
            found = validate(node, Manifest)
            if found.connector != name:
                where = node.place(["connector"])
                raise ConfigError(f"connector: write `{name}`, the name of the folder", where)
            self._manifests[name] = found
        return self._manifests[name]

    def connector_class(self, name: str) -> type[Connector]:
        """The one class in connector.py that derives from Connector and has every method that the manifest names."""
        found = self._only(name, "connector", Connector)
        path = self.folder(name) / MANIFEST
        node, lacking = read_yaml(path), []
        manifest = self.manifest(name)
        named = [(("streams", key, verb), getattr(part, verb)) for key, part in manifest.streams.items() for verb in _READS]
        named += [(("sends", key, verb), getattr(part, verb)) for key, part in manifest.sends.items() for verb in _SENDS]
        for place, method in named:
            if method and not callable(getattr(found, method, None)):
                lacking.append((node.place(place), f"{'.'.join(place)}: {found.__name__} has no method `{method}`"))
        if lacking:
            where, words = lacking[0]
            raise ConfigError(words + "".join(f"\n{other}: {more}" for other, more in lacking[1:]), where)
        return found

    def sandbox_class(self, name: str) -> type[SandboxBase]:
        """The connector's small platform, class `Sandbox` in sandbox.py; ConfigError when the folder has none."""
        return self._only(name, "sandbox", SandboxBase)

    def _only(self, name: str, file: str, base: type[Kind]) -> type[Kind]:
        path = self.folder(name) / f"{file}.py"
        if not path.is_file():
            raise ConfigError(f"connector `{name}` has no {file}.py", str(path.parent))
        module = self._module(name, file)
        found = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, base) and each.__module__ == module.__name__
        ]
        # A file may build its class up from others of its own: the last one in line is meant.
        found = [each for each in found if not any(other is not each and issubclass(other, each) for other in found)]
        if len(found) != 1:
            raise ConfigError(f"one class that derives from {base.__name__} is wanted here, {len(found)} were found", str(path))
        return found[0]

    def _module(self, name: str, file: str) -> ModuleType:
        folder = self.folder(name)
        try:
            return importlib.import_module(f"{self._package(folder.parent)}.{name}.{file}")
        except SyntaxError as bad:
            raise ConfigError(f"not Python: {bad.msg}", f"{bad.filename}:{bad.lineno}") from None
        except Exception as bad:
            frames = [frame for frame in traceback.extract_tb(bad.__traceback__) if frame.filename.startswith(str(folder))]
            where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(folder / f"{file}.py")
            raise ConfigError(f"could not be loaded: {type(bad).__name__}: {bad}", where) from None

    def _package(self, parent: Path) -> str:
        if parent == shipped_connectors():
            return "connectors"
        # A merchant's folder gets a package name of its own, so that equal names in two folders stay two modules.
        package = f"own_connectors_{sha256(str(parent).encode()).hexdigest()[:12]}"
        if package not in sys.modules:
            module = ModuleType(package)
            module.__path__ = [str(parent)]
            sys.modules[package] = module
        return package


_READS: Final = ("code", "look_up")
_SENDS: Final = ("code", "follow", "find")
