"""Where the real systems live in the checkout, which goods they are stocked with, and whether an installation is whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = HERE.parents[1] / ".real"
TRYTON = INSTALLED / "tryton"
VENDURE = INSTALLED / "vendure"
LOGS = INSTALLED / "logs"
RUNS = INSTALLED / "runs"
VENDURE_SERVER = HERE / "vendure_server"

# The initialised databases; every run works on a copy, so a run never sees another's stock.
TRYTON_DATABASE = TRYTON / "initialised" / "samklang.sqlite"
VENDURE_DATABASE = VENDURE / "initialised.sqlite"

TRYTON_NAME = "samklang"
TRYTON_USER = "admin"
TRYTON_PASSWORD = "admin-of-the-real-one"  # both listen on loopback only and hold made goods
VENDURE_USER = "superadmin"
VENDURE_PASSWORD = "superadmin"

VAT_PERCENT = 25
NODE_MAJOR_MIN = 20  # its server framework's own `engines` line

# A change in one of these makes an older installation stale.
TRYTON_SOURCES = (HERE / "tryton_packages.txt", HERE / "tryton_setup.py", HERE / "goods.json")
VENDURE_SOURCES = (
    VENDURE_SERVER / "package.json",
    VENDURE_SERVER / "config.js",
    VENDURE_SERVER / "seed.js",
    HERE / "goods.json",
)


@dataclass(frozen=True)
class Good:
    """One article in both systems: prices in øre including 25 % VAT, stock in pieces."""

    template: str
    suffix: str
    name: str
    gross_minor: int
    on_hand: int
    shop_minor: int

    @property
    def code(self) -> str:
        return self.template + self.suffix

    @property
    def list_price(self) -> Decimal:
        """The ERP's price in DKK without VAT, exact in four digits."""
        return Decimal(self.gross_minor) / (100 + VAT_PERCENT)


def goods() -> list[Good]:
    """The twelve articles; the ERP starts with `on_hand`, the shop with none and with `shop_minor` as an old price."""
    return [Good(**line) for line in json.loads((HERE / "goods.json").read_text(encoding="utf-8"))]


def digest(sources: tuple[Path, ...]) -> str:
    """One hex digest over these files' bytes."""
    total = hashlib.sha256()
    for source in sources:
        total.update(source.read_bytes())
    return total.hexdigest()


def stamp(folder: Path, sources: tuple[Path, ...]) -> None:
    """Say that this folder now holds a whole installation of these sources; written last."""
    (folder / "installed.txt").write_text(digest(sources) + "\n", encoding="ascii")


def is_installed(folder: Path, sources: tuple[Path, ...]) -> bool:
    """Whether the folder holds a whole installation of exactly these sources."""
    mark = folder / "installed.txt"
    return mark.is_file() and mark.read_text(encoding="ascii").strip() == digest(sources)


def node_missing() -> str | None:
    """Why the webshop half cannot run here, or None."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        return f"no {' and no '.join(missing)} on this machine's PATH"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    major = told.lstrip("v").split(".")[0]
    if not major.isdecimal() or int(major) < NODE_MAJOR_MIN:
        return f"Node here is {told or 'broken'}, the webshop needs {NODE_MAJOR_MIN} or later"
    return None


def tryton_missing() -> str | None:
    """Why the real ERP cannot start, or None."""
    return None if is_installed(TRYTON, TRYTON_SOURCES) else "the real Tryton is not installed: run `make real`"


def vendure_missing() -> str | None:
    """Why the real webshop cannot start, or None."""
    if reason := node_missing():
        return reason
    return None if is_installed(VENDURE, VENDURE_SOURCES) else "the real Vendure is not installed: run `make real`"
