"""Plants one bug into the hub and lets the simulator look for it: an edit of a module's source, made while it is loaded.

Started as a program with the name of a mutant (`-` for none), the name of a world and seeds: prints a JSON line for each seed,
and stops at the first that finds something. The edit fails when the lines that it changes are not there exactly once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[3]


class StaleError(Exception):
    """The lines that a mutant changes are not in the module any more, or more than once."""


@dataclass(frozen=True)
class Mutant:
    """A planted bug: in `file` the text `was` becomes `becomes`; `caught` are the promises that it breaks, one of which must be
    named within so many seeds of this world."""

    name: str
    file: str
    was: str
    becomes: str
    caught: tuple[str, ...]
    world: str = "rough"
    seeds: int = 3
    quick: bool = False

    @property
    def module(self) -> str:
        """The module's name."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """The module with the bug in it; StaleError when it cannot be planted."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        if (times := text.count(self.was)) != 1:
            raise StaleError(f"{self.name}: the lines to change are {times} times in {self.file}")
        return text.replace(self.was, self.becomes)


class _Mutated(SourceFileLoader):
    def __init__(self, mutant: Mutant, path: str) -> None:
        super().__init__(mutant.module, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        """The module's code with the bug in it; nothing of it is kept on the disk."""
        return compile(self._mutant.source(), self.path, "exec", dont_inherit=True)


class Planter(MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self.planted = False

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Its spec, with a loader that changes it; None for any other."""
        if fullname != self._mutant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        loader: Loader = _Mutated(self._mutant, spec.origin)
        spec.loader, self.planted = loader, True
        return spec


def main(name: str, world: str, seeds: Sequence[int]) -> None:
    """Plant it, simulate."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from planted.mutants import BY_NAME

    mutant = BY_NAME.get(name)
    planter = None
    if mutant is not None:
        planter = Planter(mutant)
        sys.meta_path.insert(0, planter)
    from planted.worlds import simulate

    for seed in seeds:
        found = simulate(world, seed)
        if planter is not None and not planter.planted:
            raise StaleError(f"{name}: {mutant.file if mutant else name} is not used at all")
        print(json.dumps({"seed": seed, **found}), flush=True)
        if found["broken"]:
            return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], [int(each) for each in sys.argv[3:]])
