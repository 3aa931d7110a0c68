"""A receiver for the tests: a made channel (HMAC over the body), in a thread of this process or in a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hub.clock import SystemClock
from hub.errors import UnverifiedError
from hub.intake.receive import ChannelDoor
from hub.sdk.contract import Delivery, Verdict
from hub.server.limits import Limits
from hub.server.receiver import INTAKE_FILE, Doors, Receiver, intake_in
from hub.store.deliveries import DeliveryReader, StoredDelivery
from hub.store.vault import Vault

SECRET = b"made-secret"
BODY_BYTES_MAX = 4_096
WAIT_SECONDS = 20.0
QUICK = Limits(body_seconds=0.4, head_seconds=0.4, tidy_seconds=0.1, refused_bytes_max=2_048, stop_seconds=5)


def signed(body: bytes, secret: bytes = SECRET) -> str:
    """The made platform's signature of a body."""
    return hmac.digest(secret, body, hashlib.sha256).hex()


def verify(delivery: Delivery) -> Verdict:
    """As a connector would: the signature over the raw body, the id and topic from headers."""
    if not hmac.compare_digest(signed(delivery.body).encode(), delivery.headers.get("x-made-signature", "").encode()):
        raise UnverifiedError("signature wrong")
    return Verdict(delivery.headers.get("x-made-id", ""), delivery.headers.get("x-made-topic", ""))


def verify_with_url(delivery: Delivery) -> Verdict:
    """A platform whose signature covers the address that it was given."""
    wanted = signed(delivery.url.encode() + delivery.body)
    if not hmac.compare_digest(wanted.encode(), delivery.headers.get("x-made-signature", "").encode()):
        raise UnverifiedError("signature wrong")
    return Verdict("", "stock")


def challenge(delivery: Delivery) -> bytes | None:
    """Echoes the challenge to whoever knows the made token."""
    return delivery.query.get("challenge", "").encode() if delivery.query.get("token") == "made-token" else None


def broken(delivery: Delivery) -> Verdict:
    """A connector with a bug."""
    raise KeyError(delivery.body.decode())


DOORS: dict[str, ChannelDoor] = {
    "till": ChannelDoor("till", verify, challenge, BODY_BYTES_MAX),
    "social": ChannelDoor("social", verify, challenge, BODY_BYTES_MAX, frozenset({"GET", "POST"})),
    "bound": ChannelDoor("bound", verify_with_url, challenge, BODY_BYTES_MAX),
    "broken": ChannelDoor("broken", broken, challenge, BODY_BYTES_MAX),
}


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, at most WAIT_SECONDS."""
    ends = time.monotonic() + WAIT_SECONDS
    while not true():
        if time.monotonic() > ends:
            raise AssertionError(f"in vain for {WAIT_SECONDS} s: {what}")
        time.sleep(0.005)


class Running:
    """A receiver in a thread: its port, the events that it traced, a gate that holds its writer up while closed, and the
    trouble that its next commits have.
    """

    def __init__(self, folder: Path, limits: Limits = QUICK, doors: Doors = DOORS, **more: Any) -> None:
        self.folder = folder
        self.events: list[tuple[str, int]] = []
        self.look: Callable[[str, int], None] | None = None
        self.trouble: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        clock = SystemClock()
        self.vault = Vault.from_file(folder / "key", clock)
        intake = dataclasses.replace(
            intake_in(folder, self.vault, clock, more.pop("wake_fd", -1)),
            before_commit=self._before_commit,
            trace=self._trace,
        )
        self.port = 0
        listening = threading.Event()

        def started(port: int) -> None:
            self.port = port
            listening.set()

        self.receiver = Receiver(doors, intake, limits, clock, host="127.0.0.1", port=0, started=started, **more)
        self.thread = threading.Thread(target=self.receiver.run)
        self.thread.start()
        assert listening.wait(WAIT_SECONDS)

    def _before_commit(self) -> None:
        self.gate.wait(WAIT_SECONDS)
        if self.trouble is not None:
            raise self.trouble

    def _trace(self, event: str, seq: int) -> None:
        self.events.append((event, seq))
        if self.look is not None:
            self.look(event, seq)

    def stop(self) -> None:
        """End it in good order."""
        self.gate.set()
        self.receiver.stop()
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def deliver(self, body: bytes, channel: str = "till", signature: str | None = None, ident: str = "") -> int:
        """The status of one delivery, signed well unless a signature is given."""
        headers = {"x-made-signature": signed(body) if signature is None else signature, "x-made-id": ident}
        return self.ask("POST", f"/hooks/{channel}", body, headers)[0]

    def raw(self, sent: bytes, *, then: Callable[[socket.socket], None] | None = None) -> bytes:
        """Everything answered to these bytes until the receiver closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS) as peer:
            peer.sendall(sent)
            if then is not None:
                then(peer)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while part := peer.recv(65_536):
                    answer += part
            return answer

    def stored(self) -> list[StoredDelivery]:
        """What is in intake.db, read as the worker reads it."""
        return stored_in(self.folder)

    def counted(self, channel: str, verdict: str) -> int:
        """How often this was written down."""
        reader = DeliveryReader(self.folder / INTAKE_FILE, self.vault)
        try:
            return reader.counts().get((channel, verdict), 0)
        finally:
            reader.close()


def stored_in(folder: Path) -> list[StoredDelivery]:
    """The deliveries of a data folder."""
    reader = DeliveryReader(folder / INTAKE_FILE, Vault.from_file(folder / "key", SystemClock()))
    try:
        return reader.after(0, 5_000)
    finally:
        reader.close()


@contextlib.contextmanager
def running_receiver(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A receiver in a process of its own, and its port; killed at the end if it still runs."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(Path(__file__).resolve()), str(folder)]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    assert child.stdout is not None
    try:
        yield child, int(child.stdout.readline())
    finally:
        child.kill()
        child.wait(WAIT_SECONDS)
        child.stdout.close()


def _main(folder: Path) -> None:
    """The process: one more door at each SIGHUP, unless a file `broken` lies there."""
    from hub.errors import ConfigError

    def again() -> Doors:
        if (folder / "broken").exists():
            raise ConfigError("made to be refused", "channels/till.yaml:3")
        return {**DOORS, "new": dataclasses.replace(DOORS["till"], channel="new")}

    clock = SystemClock()
    intake = intake_in(folder, Vault.from_file(folder / "key", clock), clock)
    Receiver(
        DOORS, intake, QUICK, clock, host="127.0.0.1", port=0, doors_again=again, started=lambda port: print(port, flush=True)
    ).run()


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
