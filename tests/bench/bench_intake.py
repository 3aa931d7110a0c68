"""Durable intake against a bare echo: server CPU time (user + system) per request, same uvicorn, same signature check.

Both servers run for the whole measurement; rounds alternate between them, and the load comes from a third process.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 2_000
CONNECTIONS = (64, 32)
"""The first is the one that counts; with fewer senders at once fewer deliveries share a commit."""
ROUNDS = 15
"""Many short rounds rather than few long ones: what else runs on the machine then touches both servers alike."""
SECRET = b"bench-secret"
PATH = "/hooks/till"
TICKS = os.sysconf("SC_CLK_TCK")


def measure(rounds: int = ROUNDS, requests: int = REQUESTS) -> dict[str, float]:
    """`intake_vs_echo` (echo CPU ÷ durable CPU, the median of the rounds) and the raw microseconds per request."""
    with tempfile.TemporaryDirectory() as folder:
        servers = {name: _start("serve", name, folder) for name in ("echo", "durable")}
        load = _start("load")
        try:
            ports = {name: int(_line(server)) for name, server in servers.items()}
            for port in ports.values():
                _load(load, port, requests, CONNECTIONS[0])
            found = [_rounds(servers, ports, load, rounds, requests, connections) for connections in CONNECTIONS]
        finally:
            for server in (*servers.values(), load):
                server.send_signal(signal.SIGTERM)
            codes = {name: server.wait(30) for name, server in servers.items()}
            load.wait(30)
            for server in (*servers.values(), load):
                assert server.stdout is not None
                assert server.stdin is not None
                server.stdout.close()
                server.stdin.close()
    assert codes == {"echo": 0, "durable": 0}, codes
    figures = {"intake_vs_echo": found[0]["ratio"]}
    for connections, told in zip(CONNECTIONS, found, strict=True):
        figures |= {f"intake_{name}_{connections}_connections": value for name, value in told.items()}
    return figures


def _rounds(
    servers: dict[str, subprocess.Popen[str]],
    ports: dict[str, int],
    load: subprocess.Popen[str],
    rounds: int,
    requests: int,
    connections: int,
) -> dict[str, float]:
    micros: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            before = _cpu_seconds(server.pid)
            _load(load, ports[name], requests, connections)
            micros[name].append((_cpu_seconds(server.pid) - before) * 1e6 / requests)
    ratios = sorted(echo / durable for echo, durable in zip(micros["echo"], micros["durable"], strict=True))
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratio_quarter": round(ratios[len(ratios) // 4], 3),
        "ratio_three_quarters": round(ratios[len(ratios) * 3 // 4], 3),
        "cpu_micros": round(statistics.median(micros["durable"]), 1),
        "echo_cpu_micros": round(statistics.median(micros["echo"]), 1),
        "requests": float(requests * rounds),
    }


def _start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).resolve()), *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)


def _line(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline()


def _load(load: subprocess.Popen[str], port: int, requests: int, connections: int) -> None:
    assert load.stdin is not None
    load.stdin.write(f"{port} {requests} {connections}\n")
    load.stdin.flush()
    assert _line(load) == "sent\n", "the load broke off"


def _cpu_seconds(pid: int) -> float:
    """User and system time of all its threads; in nanoseconds where the kernel tells, else in clock ticks."""
    try:
        tasks = [task / "schedstat" for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def _message(size: int = 2_000) -> tuple[bytes, bytes]:
    """One signed delivery (made): 2 KB of JSON."""
    lines = [{"sku": f"made-{number:05}", "quantity": str(number), "place": "aarhus"} for number in range(size // 56)]
    body = json.dumps({"event": "stock.changed", "at": "2026-11-21T12:00:00Z", "lines": lines}).encode()
    signature = hmac.digest(SECRET, body, hashlib.sha256).hex()
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: made-platform/1.0\r\naccept: */*\r\n"
        f"accept-encoding: gzip\r\ncontent-type: application/json\r\nx-made-topic: stock.changed\r\n"
        f"x-made-id: 6f2d1c0a-0000-4000-8000-000000000000\r\nx-made-signature: {signature}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


async def _send_all(port: int, requests: int, connections: int) -> None:
    head, body = _message()
    whole = head + body
    left = requests

    async def one() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            writer.write(whole)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"answered {answer[:40]!r}")
            length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))


async def _echo(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    """The bare echo: the whole body, one signature check on it, and back."""
    if scope["type"] != "http":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    given = next(value for name, value in scope["headers"] if name == b"x-made-signature")
    good = hmac.compare_digest(hmac.digest(SECRET, body, "sha256").hex().encode(), given)
    length = (b"content-length", str(len(body)).encode())
    head = {"type": "http.response.start", "status": 200 if good else 401, "headers": [length]}
    await send(head)
    await send({"type": "http.response.body", "body": body})


def _serve(name: str, folder: str) -> None:
    from hub.clock import SystemClock
    from hub.errors import UnverifiedError
    from hub.intake.receive import ChannelDoor
    from hub.sdk.contract import Delivery, Verdict
    from hub.server.limits import Limits
    from hub.server.receiver import Receiver, intake_in
    from hub.store.vault import Vault

    def verify(delivery: Delivery) -> Verdict:
        headers = delivery.headers
        wanted = hmac.digest(SECRET, delivery.body, "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), headers.get("x-made-signature", "").encode()):
            raise UnverifiedError("signature wrong")
        return Verdict(headers.get("x-made-id", ""), headers.get("x-made-topic", ""))

    clock = SystemClock()
    intake = intake_in(Path(folder), Vault.from_file(Path(folder, "key"), clock), clock)
    doors = {"till": ChannelDoor("till", verify, lambda _: None, 1_048_576)}
    receiver = Receiver(doors, intake, Limits(), clock, host="127.0.0.1", port=0, started=lambda port: print(port, flush=True))
    if name == "echo":
        receiver._server.config.app = _echo
    receiver.run()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", name, folder]:
            if name == "echo":
                folder = str(Path(folder, "echo"))
            _serve(name, folder)
        case ["load"]:
            for asked in sys.stdin:
                asyncio.run(_send_all(*map(int, asked.split())))
                print("sent", flush=True)
        case _:
            print(json.dumps(measure(), indent=2))
