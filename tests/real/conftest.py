"""The real systems for a test run; each is started once, and skipped with the reason where it is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import layout
import pytest
from receiver import Receiver
from systems import RealTryton, RealVendure, start_tryton, start_vendure


def _absent(reason: str | None) -> None:
    # `make real` sets this, so that a broken installation cannot pass as a skip; a machine without Node may skip.
    if reason and os.environ.get("SAMKLANG_REAL") == "required" and reason != layout.node_missing():
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def real_tryton() -> Iterator[RealTryton]:
    _absent(layout.tryton_missing())
    system = start_tryton()
    yield system
    system.stop()


@pytest.fixture(scope="session")
def hook_receiver() -> Iterator[Receiver]:
    """Where the real webshop tells its events when no hub listens."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def real_vendure(hook_receiver: Receiver) -> Iterator[RealVendure]:
    _absent(layout.vendure_missing())
    system = start_vendure(hook_url=hook_receiver.url, hook_secret=hook_receiver.secret)
    yield system
    system.stop()


@pytest.fixture
def fresh_tryton() -> Iterator[Callable[[], RealTryton]]:
    """Starts an ERP of one's own (about a second), with the stock of the first day; stopped after the test."""
    _absent(layout.tryton_missing())
    with ExitStack() as started:

        def start() -> RealTryton:
            system = start_tryton()
            started.callback(system.stop)
            return system

        yield start


@pytest.fixture
def fresh_vendure() -> Iterator[Callable[[str, str], RealVendure]]:
    """Starts a shop of one's own (about three seconds) that tells its events to (URL, secret); stopped after the test."""
    _absent(layout.vendure_missing())
    with ExitStack() as started:

        def start(hook_url: str, hook_secret: str) -> RealVendure:
            system = start_vendure(hook_url=hook_url, hook_secret=hook_secret)
            started.callback(system.stop)
            return system

        yield start
