"""Starts and stops the real systems on loopback; each start is a fresh copy of what `install.py` made."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
import layout

from hub.clock import SystemClock

READY_SECONDS_MAX = 60
ASK_EVERY_SECONDS = 0.2
STOP_SECONDS_MAX = 10
LOG_LINES_SHOWN = 15
LOGS_KEPT_MAX = 40


class NotStartedError(Exception):
    """A real system ended or was not ready in time; the message holds the end of its log."""


@dataclass
class Running:
    """One process that we started, its log, and the folder that goes when it stops."""

    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    def stop(self) -> None:
        """End this process and remove its folder; stopping twice is harmless."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS_MAX)
        if self.process.stdin is not None:
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)


@dataclass(frozen=True)
class RealTryton:
    """A real ERP: JSON-RPC at `{base_url}/{database}/rpc/`, company 1, DKK, VAT 25 %, stock in one warehouse."""

    base_url: str
    database: str
    user: str
    password: str = field(repr=False)
    running: Running = field(repr=False)

    def stop(self) -> None:
        self.running.stop()


@dataclass(frozen=True)
class RealVendure:
    """A real webshop: GraphQL at `{base_url}/admin-api` and `/shop-api`, prices in DKK including 25 % VAT."""

    base_url: str
    superadmin: str
    password: str = field(repr=False)
    running: Running = field(repr=False)

    def stop(self) -> None:
        self.running.stop()


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_tryton(port: int | None = None) -> RealTryton:
    """The ERP on 127.0.0.1, ready to log in; its data is a fresh copy. Raises NotStartedError."""
    port = port or free_port()
    folder = _run_folder("tryton")
    shutil.copy(layout.TRYTON_DATABASE, folder / f"{layout.TRYTON_NAME}.sqlite")
    settings = folder / "trytond.conf"
    settings.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n[session]\ntimeout = 36000\n",
        encoding="utf-8",
    )
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        question = {"id": 1, "method": "common.server.version", "params": []}
        return _asked(f"{base}/rpc/", question)

    command = [str(layout.TRYTON / "bin/trytond"), "-c", str(settings), "-d", layout.TRYTON_NAME]
    running = _start("tryton", command, folder, answers)
    return RealTryton(base, layout.TRYTON_NAME, layout.TRYTON_USER, layout.TRYTON_PASSWORD, running)


def start_vendure(port: int | None = None, hook_url: str = "", hook_secret: str = "") -> RealVendure:
    """The webshop on 127.0.0.1, ready to log in, telling its events to `hook_url` (none: to nobody). NotStartedError.

    `hook_url` gets POSTs of JSON, header `x-vendure-event` the name, `x-signature` hex HMAC-SHA256 of the raw body.
    """
    if hook_url and not hook_secret:
        raise ValueError("a hook URL needs a secret to sign with")
    port = port or free_port()
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        return _asked(f"{base}/admin-api", {"query": "{__typename}"})

    running = _start(
        "vendure", ["node", str(layout.VENDURE_SERVER / "server.js")], _run_folder("vendure"), answers,
        NODE_PATH=str(layout.VENDURE / "node_modules"), VENDURE_DISABLE_TELEMETRY="true", SAMKLANG_REAL_PORT=str(port),
        SAMKLANG_REAL_USER=layout.VENDURE_USER, SAMKLANG_REAL_PASSWORD=layout.VENDURE_PASSWORD,
        SAMKLANG_REAL_DATABASE=str(layout.VENDURE_DATABASE), SAMKLANG_REAL_HOOK_URL=hook_url,
        SAMKLANG_REAL_HOOK_SECRET=hook_secret,
    )  # fmt: skip
    return RealVendure(base, layout.VENDURE_USER, layout.VENDURE_PASSWORD, running)


def _asked(url: str, question: dict[str, object]) -> bool:
    return httpx.post(url, json=question, timeout=READY_SECONDS_MAX, trust_env=False).status_code == 200


def _run_folder(name: str) -> Path:
    layout.RUNS.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=layout.RUNS))


def _start(name: str, command: list[str], folder: Path, answers: Callable[[], bool], **extra: str) -> Running:
    layout.LOGS.mkdir(parents=True, exist_ok=True)
    for old in sorted(layout.LOGS.glob(f"{name}-*.log"), key=lambda file: file.stat().st_mtime)[:-LOGS_KEPT_MAX]:
        old.unlink(missing_ok=True)
    log = layout.LOGS / f"{folder.name}.log"
    with log.open("wb") as out:
        process = _spawn(command, folder, out, extra)
    running = Running(process, log, folder)
    atexit.register(running.stop)  # a test run that is cut off leaves nothing behind
    try:
        _wait_until_ready(name, running, answers)
    except BaseException:
        running.stop()
        raise
    return running


def _spawn(command: list[str], cwd: Path, out: IO[bytes], extra: dict[str, str]) -> subprocess.Popen[bytes]:
    # Proxies of the surroundings must not stand between the webshop and the hub's loopback port.
    env = {**os.environ, **extra, "NO_PROXY": "127.0.0.1"}
    # The open standard input is how the webshop notices that we are gone.
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)


def _wait_until_ready(name: str, running: Running, answers: Callable[[], bool]) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + READY_SECONDS_MAX
    while True:
        if running.process.poll() is not None:
            raise NotStartedError(f"{name} ended with {running.process.returncode}\n{_log_end(running.log)}")
        try:
            if answers():
                return
        except httpx.TransportError:
            pass  # not listening yet
        if clock.monotonic() > deadline:
            raise NotStartedError(f"{name} not ready after {READY_SECONDS_MAX} s\n{_log_end(running.log)}")
        clock.sleep(ASK_EVERY_SECONDS)


def _log_end(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:])
