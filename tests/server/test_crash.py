"""Signals: what was answered 200 is there afterwards, however the process ended."""

from __future__ import annotations

import http.client
import itertools
import os
import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from receiving import WAIT_SECONDS, running_receiver, signed, stored_in, until


class Sender(threading.Thread):
    """Delivers numbered bodies one after another until the receiver is gone; remembers which were answered 200."""

    def __init__(self, port: int, name: str, channel: str = "till") -> None:
        super().__init__()
        self.answered: list[bytes] = []
        self.refused: list[int] = []
        self.halt = False
        self._port, self._name, self._channel = port, name, channel

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WAIT_SECONDS)
        try:
            for number in itertools.count():
                if self.halt:
                    return
                body = f"{self._name} {number}".encode()
                connection.request("POST", f"/hooks/{self._channel}", body, {"x-made-signature": signed(body)})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered.append(body)
                else:
                    self.refused.append(answer.status)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


def send_until(port: int, child: subprocess.Popen[str], after: int, number: signal.Signals) -> set[bytes]:
    """Six senders at once; the signal falls when `after` deliveries have been answered."""
    senders = [Sender(port, f"{after} {name}") for name in range(6)]
    for sender in senders:
        sender.start()
    until(lambda: sum(len(sender.answered) for sender in senders) >= after, "enough deliveries answered")
    child.send_signal(number)
    for sender in senders:
        sender.join(WAIT_SECONDS)
    child.wait(WAIT_SECONDS)
    return {body for sender in senders for body in sender.answered}


def test_a_killed_receiver_has_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    answered: set[bytes] = set()
    chance = random.Random(20261121)
    for _ in range(6):
        with running_receiver(tmp_path) as (child, port):
            answered |= send_until(port, child, chance.randrange(1, 150), signal.SIGKILL)
            assert child.returncode == -signal.SIGKILL
        kept = stored_in(tmp_path)
        assert answered <= {delivery.body for delivery in kept}
        assert [delivery.seq for delivery in kept] == sorted({delivery.seq for delivery in kept})
    with running_receiver(tmp_path) as (child, port):
        answered |= send_until(port, child, 10, signal.SIGTERM)
    assert answered <= {delivery.body for delivery in stored_in(tmp_path)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_receiver_that_is_told_to_end_flushes_and_exits_well(tmp_path: Path, number: signal.Signals) -> None:
    with running_receiver(tmp_path) as (child, port):
        answered = send_until(port, child, 100, number)
        assert child.returncode == 0
    assert answered <= {delivery.body for delivery in stored_in(tmp_path)}


def test_a_hangup_takes_the_new_doors_up_without_losing_a_delivery(tmp_path: Path) -> None:
    with running_receiver(tmp_path) as (child, port):
        senders = [Sender(port, f"s{name}") for name in range(3)]
        for sender in senders:
            sender.start()

        def status(channel: str) -> int:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
            connection.request("POST", f"/hooks/{channel}", b"x", {"x-made-signature": signed(b"x")})
            answer = connection.getresponse()
            connection.close()
            return answer.status

        (tmp_path / "broken").touch()
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: all(len(sender.answered) > 20 for sender in senders), "deliveries go on")
        assert status("new") == 404
        (tmp_path / "broken").unlink()
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: status("new") == 200, "the new door is open")
        for sender in senders:
            sender.halt = True
            sender.join(WAIT_SECONDS)
        assert [sender.refused for sender in senders] == [[], [], []]
        child.send_signal(signal.SIGTERM)
        assert child.wait(WAIT_SECONDS) == 0
    assert {body for sender in senders for body in sender.answered} <= {kept.body for kept in stored_in(tmp_path)}
