"""One door per library. import-linter's contracts say most of it; here stands what they cannot say.

They see whole packages only, so parts of the standard library (`urllib.request`) and calls (`datetime.now`) are looked for here.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from house_grounds import CODE, ROOT, modules, parsed

LANGUAGES = {"pydantic", "tzdata"}
"""Dependencies that every room may speak; tzdata is the time zones that the standard library reads where a machine has none."""
IMPORTED_AS = {"pyyaml": "yaml", "prometheus-client": "prometheus_client", "sqlite-utils": "sqlite_utils"}
CLOCK = {"time", "random", "uuid", "secrets"}
NETWORK = {"urllib.request", "http.client", "socket", "ftplib", "smtplib", "http.server", "xmlrpc.client"}
TELLS_TIME = {"now", "utcnow", "today", "sleep"}


def project() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return loaded


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports by name, with its line; `from a.b import c` gives both a.b and a.b.c."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def allowed(path: Path, *doors: str) -> bool:
    return any(path.as_posix() == door or path.as_posix().startswith(f"{door}/") for door in doors)


def played(path: Path) -> bool:
    """A platform in small or a world: there chance is seeded."""
    return allowed(path, "hub/simulate", "hub/sdk/sandbox.py") or path.name.startswith("sandbox")


def test_the_import_contracts_hold() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]


def test_every_dependency_has_a_door() -> None:
    """A library that `pyproject.toml` adds without saying whose it is fails here."""
    named: list[str] = project()["project"]["dependencies"]  # type: ignore[assignment]
    extras: dict[str, list[str]] = project()["project"]["optional-dependencies"]  # type: ignore[assignment]
    libraries = {re.split(r"[\[<>=!~ ]", line)[0].lower() for line in [*named, *extras["postgres"]]}
    contracts = project()["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    doors = {name for contract in contracts if contract["id"].startswith("door-") for name in contract["forbidden_modules"]}
    missing = {library for library in libraries - LANGUAGES if IMPORTED_AS.get(library, library) not in doors}
    assert not missing, f"no contract says who may import {sorted(missing)}"


def test_storeys_are_exhaustive() -> None:
    contracts = project()["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    storeys = next(contract for contract in contracts if contract["id"] == "storeys")
    assert storeys["exhaustive"] is True
    assert "ignore_imports" not in storeys
    assert "exhaustive_ignores" not in storeys


def test_time_and_chance_come_from_the_clock() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in modules(*CODE)
        for line, name in imported(path)
        if name.split(".")[0] in CLOCK and path != Path("hub/clock.py") and not (name.startswith("random") and played(path))
    ]
    assert not found, f"outside hub/clock.py: {found}"


def test_no_module_asks_the_machine_for_the_time() -> None:
    found = [
        f"{path}:{node.lineno} {ast.unparse(node.func)}"
        for path in modules(*CODE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in TELLS_TIME
        and re.search(r"\b(dt|datetime|date|time|asyncio)$", ast.unparse(node.func.value))
        and path != Path("hub/clock.py")
        and not (ast.unparse(node) == "asyncio.sleep(0)" and played(path))  # lets others go on; waits for nothing
    ]
    assert not found, f"outside hub/clock.py: {found}"


def test_chance_in_sandboxes_is_seeded() -> None:
    """They may only make a `random.Random` of a seed: the module's own functions and an unseeded one differ every run."""
    found = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path in modules(*CODE)
        if played(path)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("random.")
        and not (ast.unparse(node.func) == "random.Random" and node.args)
    ]
    assert not found


def test_nobody_opens_a_connection_beside_the_client() -> None:
    """Judges are apart on purpose, and the worlds that people are simulated in speak HTTP of their own."""
    found = [
        f"{path}:{line} {name}"
        for path in modules(*CODE)
        for line, name in imported(path)
        if name in NETWORK and path.name != "judge.py" and not allowed(path, "hub/simulate")
    ]
    assert not found, f"only hub.sdk speaks to channels: {found}"


def test_judges_use_the_standard_library_alone() -> None:
    judges = [path for path in modules("connectors") if path.name == "judge.py"]
    found = {
        f"{path}:{line} {name}"
        for path in judges
        for line, name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert len(judges) >= 4
    assert not found
