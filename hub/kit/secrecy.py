"""Rules about what may leave: requests only to the configured host, and no secret into any line that a person reads."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest import mock
from urllib.parse import quote

from hub.errors import ChannelError
from hub.kit.stage import Stage
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand
from hub.kit.writing import NOBODY
from hub.sdk.contract import ReadAsk

JUDGE: Final = "judge.py"
"""The only file of a connector that may open connections: it is no part of the hub."""
DOORS: Final = frozenset(
    {"socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc", "asyncio"}
    | {"socketserver", "subprocess", "multiprocessing", "ctypes", "webbrowser", "os", "pty", "importlib"}
)
"""Parts of the standard library through which a request could leave unseen."""
CHANCE: Final = frozenset(["time", "random", "uuid", "secrets", "threading"])
"""Parts that know time and chance: a connector takes its context's clock."""
SDK: Final = "hub.sdk"
SECRET_CHARS_MIN: Final = 4


def no_request_leaves_the_configured_host(subject: Subject) -> str:
    """All calls go through the channel's client to its own base URL; no connection is opened beside it."""
    opened: list[str] = []

    def connect(_: object, address: object) -> None:
        opened.append(str(address)[:80])
        raise ConnectionRefusedError("the suite has no network")

    stage = subject.stage(2)
    host = stage.channel.client.base_url
    with (
        mock.patch("socket.socket.connect", connect),
        mock.patch("socket.socket.connect_ex", connect),
        mock.patch("socket.getaddrinfo", lambda name, *_, **__: connect(None, name)),
    ):
        told = _everything(stage)
    demand(not opened, f"a connection past the client was tried to {opened[0] if opened else ''}")
    elsewhere = sorted({exchange.request.host for exchange in stage.spy.exchanges if exchange.request.host != host})
    demand(not elsewhere, f"requests went to {', '.join(elsewhere)}, configured is {host}")
    left = [words for words in told if "would leave" in words]
    demand(not left, f"a request tried to leave: {left[0] if left else ''}")
    return f"{len(stage.spy.exchanges)} requests, all to {host}"


def code_reaches_out_through_the_sdk_only(subject: Subject) -> str:
    """The connector imports the SDK, its own files and harmless parts of the standard library: no network, no own clock."""
    wrong, files = [], [path for path in sorted(subject.folder.rglob("*.py")) if path.name != JUDGE]
    for path in files:
        for name, line in _imports(path):
            if _forbidden(name, subject.name):
                wrong.append(f"{path.name}:{line} imports {name}")
    demand(not wrong, "; ".join(wrong[:5]))
    return f"{len(files)} files import {SDK} and the standard library only"


def no_secret_in_any_log_line(subject: Subject) -> str:
    """Whatever works and whatever fails, no secret stands in a log line, on the terminal, in an error or in a receipt."""
    lines, secrets = 0, subject.stated["secrets"]
    for words, fault in FAULTS.items():
        stage = subject.stage(2)
        lines += _demand_silent(stage, secrets, words, fault)
    strangers = {name: f"wrong-{value[::-1]}" for name, value in secrets.items()}
    lines += _demand_silent(subject.stage(2, secrets=strangers), strangers, "the login is wrong", {})
    return f"{lines} lines, errors and receipts looked through in {len(FAULTS) + 1} situations"


def _demand_silent(stage: Stage, secrets: dict[str, str], words: str, fault: dict[str, object]) -> int:
    for name, value in fault.items():
        setattr(stage.sandbox.faults, name, value)
    with listening() as heard:
        told = _everything(stage)
    said = [*heard(), *told]
    for name, value in secrets.items():
        if len(value) < SECRET_CHARS_MIN:
            continue
        forms = {value, quote(value, safe=""), base64.b64encode(value.encode()).decode()}
        leaked = [line for line in said if any(form in line for form in forms)]
        place = leaked[0].replace(value, "<secret>")[:120] if leaked else ""
        demand(not leaked, f"when {words}, the secret `{name}` stands in: {place}")
    return len(said)


def _everything(stage: Stage) -> list[str]:
    """Read, look up and send all there is; gives the words of every error and receipt."""
    said: list[str] = []
    connector, manifest = stage.channel.connector, stage.channel.manifest
    for stream, read in manifest.streams.items():
        with words_of(said):
            connector.read(stream, ReadAsk("", True, read.page_max, stage.clock.now()))
        if read.look_up:
            with words_of(said):
                connector.look_up(stream, [stage.listings[stage.skus[0]], "nobody"])
    for aspect, declared in stage.sends:
        with words_of(said):
            sent = stage.changes(aspect, stage.skus)
            if not declared.create:
                sent.insert(0, replace(sent[0], id="a-bad-one", key=sent[0].key._replace(listing=NOBODY[0])))
            said += [f"{one.words} {one.handle}" for one in connector.send(aspect, sent)]
    return said


@contextlib.contextmanager
def words_of(said: list[str]) -> Iterator[None]:
    """Keep the words of an error that is raised within."""
    try:
        yield
    except ChannelError as bad:
        said.append(str(bad))
    except Exception as bad:
        said.append(f"{type(bad).__name__}: {bad}")


@contextlib.contextmanager
def listening() -> Iterator[Callable[[], list[str]]]:
    """Hear everything that is logged, at any level, or printed; gives the lines so far."""
    out, root = io.StringIO(), logging.getLogger()
    listener, level, disabled = logging.StreamHandler(out), root.level, root.manager.disable
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    logging.disable(logging.NOTSET)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield lambda: out.getvalue().splitlines()
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
        logging.disable(disabled)


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """What the file imports when it runs: (name, line)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names if node.module == "urllib")


def _forbidden(name: str, connector: str) -> bool:
    own = name == f"connectors.{connector}" or name.startswith(f"connectors.{connector}.")
    if own or name == SDK or name.startswith(f"{SDK}."):
        return False
    first = name.partition(".")[0]
    parts = {name, first}
    return first not in sys.stdlib_module_names or bool(parts & (DOORS | CHANCE))


FAULTS: Final[dict[str, dict[str, object]]] = {
    "all goes well": {},
    "the login is refused": {"unauthorized": True},
    "it is asked too often": {"throttle_next": 1_000},
    "it fails": {"fail_next": 1_000},
    "it is down": {"down": True},
    "it answers nonsense": {"garbage_next": 1_000},
    "it loses answers": {"lose_answer_next": 1_000},
    "it does nothing": {"ignore_writes_next": 1_000},
}

RULES: Final[tuple[Rule, ...]] = (
    no_request_leaves_the_configured_host,
    code_reaches_out_through_the_sdk_only,
    no_secret_in_any_log_line,
)
