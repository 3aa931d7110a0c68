"""Whole simulated days: whatever goes wrong, all agree in the end; the same seed is the same day; and planted bugs are found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.merge.authority import Authority
from hub.push.dispatch import Dispatch
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import Request, Response
from hub.simulate.faults import PRESETS, faults_of
from hub.simulate.report import page
from hub.simulate.retailer import SEVEN, SMALL, generated
from hub.simulate.simulation import Result, Simulation, Wanted
from hub.store import changes
from hub.store.changes import OpenChange
from hub.store.database import Tx

ROOT = Path(__file__).parents[2]
HASH = """
from hub.log import configure
from hub.simulate.faults import PRESETS
from hub.simulate.retailer import generated
from hub.simulate.simulation import Simulation, Wanted
configure(now=lambda: 0, as_json=False, level="critical")
print(Simulation(generated(), Wanted(4, 1, 20, 80), PRESETS["usual"]).run().ledger_hash)
"""


def day(seed: int, faults: str = "usual", world: str = SMALL) -> Result:
    return Simulation(generated(world), Wanted(seed), PRESETS[faults]).run()


def broken(result: Result) -> set[str]:
    return {violation.promise for violation in result.violations}


def explained(result: Result) -> str:
    return "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_with_the_usual_faults_ends_in_agreement(seed: int) -> None:
    result = day(seed)
    assert not result.violations, explained(result)
    assert result.sold > 40
    assert sum(result.faults.values()) > 100
    assert {"webshop", "till", "erp", "social"} == set(result.disagreed)


@pytest.mark.parametrize("seed", range(20))
def test_a_small_hostile_day_ends_in_agreement(seed: int) -> None:
    result = Simulation(generated(), Wanted(seed, 1, 10, 60), PRESETS["hostile"]).run()
    assert not result.violations, explained(result)
    assert sum(result.faults.values()) > 500


def test_a_hostile_day_ends_in_agreement_though_nearly_everything_befalls_it() -> None:
    result = day(1, "hostile")
    assert not result.violations, explained(result)
    assert result.starts > 5
    assert set(result.faults) > {"answer_lost", "torn_500", "delivery_lost", "delivery_late", "crashes_per_day", "edits_per_day"}


def test_two_stores_three_webshops_and_a_social_shop_agree_after_a_hostile_day() -> None:
    result = day(1, "hostile", SEVEN)
    assert not result.violations, explained(result)
    assert set(result.disagreed) == {"till", "second", "erp", "webshop", "outlet", "boutique", "social"}


def test_the_same_seed_is_the_same_ledger_whatever_python_hashes() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HASH],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for hashes in ("1", "2")
    ]
    told = [each.communicate(timeout=300)[0].strip() for each in running]
    assert len(told[0]) == 64
    assert told[0] == told[1]


def test_a_seed_is_the_same_below_the_http_client_and_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    carried: list[str] = []
    send = HttpTransport.send

    def counted(self: HttpTransport, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        carried.append(request.path)
        return send(self, request, deadline_seconds, answer_bytes_max)

    monkeypatch.setattr(HttpTransport, "send", counted)
    wanted = Wanted(3, 0, 6, 60, 8)
    below = Simulation(generated(SEVEN), wanted, PRESETS["hostile"]).run()
    assert carried == []
    through = Simulation(generated(SEVEN), replace(wanted, through_httpx=True), PRESETS["hostile"]).run()
    assert not through.violations, explained(through)
    assert (through.ledger_hash, through.steps, through.calls) == (below.ledger_hash, below.steps, below.calls)
    assert len(carried) > 2_000
    assert {"answer_endless", "answer_lost", "request_refused", "throttled"} <= set(through.faults)


# planted bugs


def test_a_hub_that_believes_echoes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Authority.price_list
    monkeypatch.setattr(Authority, "price_list", lambda self, channel, named: right(self, channel, named) or "retail")
    assert broken(day(0)) & {"shown is true", "silence"}


def test_a_hub_that_sends_before_it_has_stored_its_intent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(tx: Tx, chosen: Sequence[OpenChange], at: int, seq: int) -> list[str]:
        return [change.id for change in chosen]

    monkeypatch.setattr(changes, "send", forgetful)
    result = day(0, "none")
    assert broken(result) == {"intent first"}
    assert "intent first" in page([result], "none")


def test_a_hub_that_forgets_what_it_sent_before_it_died_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dispatch, "recover", lambda self: None)
    result = Simulation(generated(), Wanted(0, 1, 10, 60), PRESETS["hostile"]).run()
    assert "asked what became of it" in broken(result)


# the command


def test_the_command_says_what_came_of_a_seed_and_writes_a_page(tmp_path: Path) -> None:
    report, mild = tmp_path / "report.html", tmp_path / "mild.yaml"
    mild.write_text("delivery_lost: 0.5\nthrottled: 0.01\n", encoding="utf-8")
    given = ["--seed", "7", "--items", "5", "--customers", "30", "--faults", str(mild), "--report", str(report)]
    started = [sys.executable, "-m", "hub.cli.main", "simulate", *given]
    ran = subprocess.run(started, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "What came of it" in ran.stdout
    written = report.read_text(encoding="utf-8")
    assert "all 1 seeds agree in the end" in written
    assert "delivery_lost" in written


def test_faults_that_nobody_knows_are_named_with_their_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("throttled: 0.1\ndelivery_lst: 0.5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"wrong\.yaml:2.*delivery_lst"):
        faults_of(str(wrong))
