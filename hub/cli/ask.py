"""Ask the worker: write a request, watch it, give its answer; where no worker is alive, carry the request out here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hub.app import build, http_transports, open_vault
from hub.check import NoNetwork
from hub.cli import say
from hub.cli.place import Place
from hub.errors import ConfigError
from hub.flow import Key
from hub.people import People
from hub.store import changes, looks, requests
from hub.store.changes import OpenChange
from hub.worker import the_only_worker, worker_alive

LOOK_SECONDS: Final = 0.1
PLACEHOLDER: Final = "not-needed-here"


class Answer(NamedTuple):
    """What became of a request: `state` is done, failed or waiting (nobody answered in time)."""

    id: str
    state: str
    done: list[Any]
    refused: list[dict[str, Any]]
    asked_at: int
    working: bool
    said: dict[str, Any]
    """The whole answer, for commands that show more of it."""

    @property
    def fine(self) -> bool:
        """Whether all that was asked was done."""
        return self.state == "done" and not self.refused

    def document(self) -> dict[str, Any]:
        """The answer as one JSON document."""
        return {"request": self.id, "state": self.state, "done": self.done, "refused": self.refused, "worker": self.working}


def ask(place: Place, kind: str, body: dict[str, Any], wait_seconds: float, *, network: bool = False) -> Answer:
    """The worker's answer to this request, or our own where no worker is alive; `network`: a platform must be asked for it."""
    ident, at = place.clock.token()[:12], place.clock.now()
    place.database.transaction(lambda tx: requests.ask(tx, ident, kind, body, at))
    working = worker_alive(place.data)
    if not working:
        working = not _carried_out_here(place, network)
    said = _watched(place, ident, wait_seconds)
    told = said.answer if said is not None and isinstance(said.answer, dict) else {}
    state = said.state if said is not None else "waiting"
    return Answer(ident, state, told.get("done", []), told.get("refused", []), at, working, told)


def _carried_out_here(place: Place, network: bool) -> bool:
    """Do the worker's part with its lock held; False when a worker has just started and will do it."""
    placeholders = {name: dict.fromkeys(manifest.secrets, PLACEHOLDER) for name, manifest in place.manifests.items()}
    lines = http_transports(place.clock)
    vault = open_vault(place.config, place.clock)
    hub = build(
        place.config,
        place.clock,
        lines if network else lambda _: NoNetwork(),
        place.database,
        vault,
        registry=place.registry,
        secrets=None if network else placeholders,
    )
    try:
        with the_only_worker(place.data), place.database.alone(0.0):
            People(hub).step()
            for turn in hub.turns.values():
                turn.answer()
    except ConfigError:
        if worker_alive(place.data):
            return False
        raise
    return True


def _watched(place: Place, ident: str, wait_seconds: float) -> requests.Asked | None:
    ends = place.clock.monotonic() + wait_seconds
    with say.progress("waiting for the worker"):
        while True:
            found = place.database.read(lambda tx: requests.one(tx, ident))
            if found is None or found.state != "waiting":
                return found
            if place.clock.monotonic() >= ends:
                return found
            place.clock.sleep(LOOK_SECONDS)


def told(answer: Answer, as_json: bool, wait_seconds: float) -> None:
    """Print the answer and end: 0 when all was done, 1 when something was refused or nobody answered."""
    if as_json:
        say.document(answer.document())
    else:
        say.lines(str(each["key"]) if isinstance(each, dict) else str(each) for each in answer.done)
        for each in answer.refused:
            say.trouble(f"refused: {each.get('key', '')}: {each.get('why', '')}")
        if answer.state == "waiting":
            say.trouble(f"no answer within {wait_seconds:g} s: request {answer.id} stays asked")
    say.ends(not answer.fine)


class Outcome(NamedTuple):
    """What became of one change: `outcome` is a receipt's, or waiting, or replaced by a newer change."""

    key: str
    change: str
    outcome: str
    words: str
    request_id: str


def outcomes(place: Place, asked: Sequence[tuple[Key, str]], since: int, wait_seconds: float) -> list[Outcome]:
    """The receipts of these (key, change id), waited for as long as that; what has none yet is waiting."""
    ends = place.clock.monotonic() + wait_seconds
    keys = [key for key, _ in asked]
    with say.progress("sending") as how_far:
        while True:
            receipts = place.database.read(lambda tx: looks.change_outcomes(tx, keys, since))
            open_now = place.database.read(lambda tx: changes.open_of(tx, [(key.channel, key.listing) for key in keys]))
            found = [_outcome(key, ident, receipts, open_now.get(key)) for key, ident in asked]
            left = sum(each.outcome in ("waiting", "accepted", "unknown") for each in found)
            how_far(f"{len(found) - left} of {len(found)}")
            if not left or place.clock.monotonic() >= ends:
                return found
            place.clock.sleep(LOOK_SECONDS)


def _outcome(key: Key, ident: str, receipts: dict[str, tuple[str, str, str]], now: OpenChange | None) -> Outcome:
    if ident in receipts:
        return Outcome(str(key), ident, *receipts[ident])
    if now is not None and now.id == ident:
        return Outcome(str(key), ident, "waiting", now.words, "")
    return Outcome(str(key), ident, "not needed", "it showed this already, or a newer change took its place", "")
