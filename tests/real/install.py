"""Installs the real ERP (from PyPI) and the real webshop (from npm) into `.real/`, once: `python tests/real/install.py`.

Running it again does nothing unless a version or the starting stock changed. `--again` installs afresh. It needs the
network for the packages only. Without Node the webshop is left out, with the reason; anything else that fails ends with 1.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import layout

PACKAGES_SECONDS_MAX = 900
DATABASE_SECONDS_MAX = 600
MODULES = (
    "product", "product_price_list", "stock", "account", "account_product", "sale", "sale_price_list", "sale_point",
)  # fmt: skip


class InstallError(Exception):
    """A step of the installation ended badly; the message says which and where its output is."""


def run(what: str, command: list[str], cwd: Path, seconds_max: int, **extra: str) -> None:
    """Run one step with its output in a log; the last lines are shown when it fails."""
    print(f"  {what} …", flush=True)
    log = layout.LOGS / f"install-{what.replace(' ', '-')}.log"
    try:
        with log.open("wb") as out:
            done = subprocess.run(
                command, cwd=cwd, env={**os.environ, **extra}, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, timeout=seconds_max, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InstallError(f"{what}: not done after {seconds_max} s, see {log}") from None
    if done.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise InstallError(f"{what}: ended with {done.returncode}, see {log}\n{tail}")


def install_tryton() -> None:
    """A virtual environment, the pinned packages, one initialised SQLite file with goods and stock."""
    home = layout.TRYTON
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    run("tryton environment", [sys.executable, "-m", "venv", str(home)], home, PACKAGES_SECONDS_MAX)
    packages = ["install", "--quiet", "--disable-pip-version-check", "-r", str(layout.HERE / "tryton_packages.txt")]
    run("tryton packages", [str(home / "bin/python"), "-m", "pip", *packages], home, PACKAGES_SECONDS_MAX)
    folder = layout.TRYTON_DATABASE.parent
    folder.mkdir()
    layout.TRYTON_DATABASE.touch()  # the admin tool initialises an empty file, it does not make one
    settings = home / "install.conf"
    settings.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n", encoding="utf-8")
    password = home / "password"
    password.write_text(layout.TRYTON_PASSWORD + "\n", encoding="utf-8")
    run(
        "tryton database",
        [str(home / "bin/trytond-admin"), "-c", str(settings), "-d", layout.TRYTON_NAME, "-u", *MODULES,
         "--activate-dependencies", "--email", "admin@shop.example", "-l", "en"],
        home, DATABASE_SECONDS_MAX, TRYTONPASSFILE=str(password),
    )  # fmt: skip
    run(
        "tryton goods",
        [str(home / "bin/python"), str(layout.HERE / "tryton_setup.py"), f"sqlite:///{layout.TRYTON_NAME}",
         str(settings), layout.TRYTON_USER, str(layout.HERE / "goods.json")],
        home, DATABASE_SECONDS_MAX,
    )  # fmt: skip
    layout.stamp(home, layout.TRYTON_SOURCES)


def install_vendure() -> None:
    """The pinned packages in a folder of their own, one database image with the same goods."""
    home = layout.VENDURE
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(layout.VENDURE_SERVER / "package.json", home)
    flags = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    run("vendure packages", ["npm", "install", *flags], home, PACKAGES_SECONDS_MAX)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    run(
        "vendure goods", ["node", str(layout.VENDURE_SERVER / "seed.js")], home, DATABASE_SECONDS_MAX,
        NODE_PATH=str(home / "node_modules"), VENDURE_DISABLE_TELEMETRY="true", SAMKLANG_REAL_PORT=port,
        SAMKLANG_REAL_USER=layout.VENDURE_USER, SAMKLANG_REAL_PASSWORD=layout.VENDURE_PASSWORD,
        SAMKLANG_REAL_DATABASE=str(layout.VENDURE_DATABASE), SAMKLANG_REAL_GOODS=str(layout.HERE / "goods.json"),
    )  # fmt: skip
    layout.stamp(home, layout.VENDURE_SOURCES)


def main() -> int:
    again = "--again" in sys.argv[1:]
    layout.LOGS.mkdir(parents=True, exist_ok=True)
    try:
        if again or layout.tryton_missing():
            print("Tryton (from PyPI), about a minute:")
            install_tryton()
        print(f"Tryton is in {layout.TRYTON}")
        if reason := layout.node_missing():
            print(f"Vendure is left out: {reason}")
            return 0
        if again or layout.vendure_missing():
            print("Vendure (from npm), about a minute:")
            install_vendure()
        print(f"Vendure is in {layout.VENDURE}")
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
