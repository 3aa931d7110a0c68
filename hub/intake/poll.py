"""Poll: read one page of a stream, or look ids up, and store page and cursor in one transaction, the cursor last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.canonical.json import read_json
from hub.channel import Channel
from hub.clock import Clock
from hub.errors import UnavailableError
from hub.flow import Door, Envelope
from hub.sdk.contract import Page, ReadAsk
from hub.store import channels, cursors, inbox, ledger
from hub.store.cursors import Kind, Reading
from hub.store.database import Database, Tx
from hub.store.vault import Vault

PAGES_PER_READING_MAX: Final = 100_000
NOT_THERE: Final = "not there a moment ago"
"""Why what was looked up and not found is looked up once more."""
NOT_THERE_SECONDS: Final = 10.0
"""So much later at least: who answers from a copy that follows behind does not know yet what was made a moment ago."""


class Poll:
    """Reads pages of one channel into the inbox."""

    def __init__(self, channel: Channel, database: Database, vault: Vault, clock: Clock) -> None:
        self._channel = channel
        self._database = database
        self._vault = vault
        self._clock = clock

    def page(self, stream: str, kind: Kind) -> Reading:
        """Read and store the next page of a reading; gives its new state (`under_way` while pages are left).

        UnavailableError when the platform's pages repeat themselves; the reading is then begun anew by its next tick.
        """
        name = self._channel.name
        before = self._database.read(lambda tx: cursors.reading(tx, name, stream, kind))
        begins = not before.under_way
        now = self._clock.now()
        if begins:
            cursor = "" if kind == "sweep" else before.cursor
            before = replace(before, cursor=cursor, started_at=now, under_way=True, pages=0, records=0, number=before.number + 1)
        declared = self._channel.manifest.streams[stream]
        ask = ReadAsk(before.cursor, kind == "sweep" or not before.cursor, declared.page_max, before.started_at)
        begun = self._database.next()
        asked_at = self._clock.now()
        calls = self._channel.client.reads
        with self._channel.client.page():
            page = self._channel.connector.read(stream, ask)
        calls = self._channel.client.reads - calls
        seq, answered = self._database.next_block(2)
        after = self._advanced(before, ask, page, seq, declared.records)
        door = Door.SWEEP if ask.full else Door.POLL
        envelope = Envelope(
            seq,
            name,
            door,
            stream,
            "",
            asked_at,
            page.body,
            f"{door}:{stream}",
            begun,
            answered,
            before.number if ask.full else 0,
        )

        def keep(tx: Tx) -> None:
            inbox.store(tx, self._vault, [inbox.Arrival(envelope, page.gone)])
            cursors.save(tx, after)
            ledger.count(tx, {("calls", name, stream): calls})
            if kind == "sweep" and not after.under_way:
                self._hand_to_poll(tx, stream, after)

        if page.more and (page.cursor == before.cursor or after.pages > PAGES_PER_READING_MAX):
            abandoned = replace(before, cursor="", under_way=False)
            self._database.transaction(lambda tx: cursors.save(tx, abandoned))
            raise UnavailableError("the page repeats itself", channel=name, operation=f"read {stream}")
        self._database.transaction(keep)
        return after

    def look_up(self, stream: str, asked: Sequence[channels.LookUp]) -> None:
        """Read the current records of these ids into the inbox and take the askings away.

        What is not there is asked for once more: it counts as gone when it is not there then either.
        """
        ids = [each.id for each in asked]
        begun = self._database.next()
        asked_at = self._clock.now()
        calls = self._channel.client.reads
        with self._channel.client.page():
            page = self._channel.connector.look_up(stream, ids)
        calls = self._channel.client.reads - calls
        seq, answered = self._database.next_block(2)
        doubted = {each.id for each in asked if each.id in page.gone and each.reason != NOT_THERE}
        gone = tuple(each for each in page.gone if each not in doubted)
        again_at = self._clock.now() + round(self._settles_within(stream) * 1_000_000)
        envelope = Envelope(
            seq, self._channel.name, Door.LOOKUP, stream, "", asked_at, page.body, f"lookup:{stream}", begun, answered
        )

        def keep(tx: Tx) -> None:
            inbox.store(tx, self._vault, [inbox.Arrival(envelope, gone)])
            channels.looked_up(tx, asked)
            channels.ask(tx, [(self._channel.name, stream, each, NOT_THERE) for each in doubted], answered, again_at)
            ledger.count(tx, {("calls", self._channel.name, stream): calls})

        self._database.transaction(keep)

    def _settles_within(self, stream: str) -> float:
        """After how many seconds all that was made is found on this stream, as the manifest says."""
        sends = [send for send in self._channel.manifest.sends.values() if send.stream == stream]
        found = [float(max(send.findable_within_seconds or 0, send.visible_after_seconds)) for send in sends]
        return max([NOT_THERE_SECONDS, *found])

    def _advanced(self, before: Reading, ask: ReadAsk, page: Page, seq: int, records: str) -> Reading:
        count = before.records + (_count(page.body, records) if page.total is not None else 0)
        after = replace(before, cursor=page.cursor, under_way=page.more, pages=before.pages + 1, records=count, last_seq=seq)
        if page.more:
            return after
        if page.total is not None and ask.full and count < page.total:
            # A listing cut short is never success: what it lacks says nothing, and the next sweep begins anew.
            return replace(after, completed_at=before.completed_at, number=before.number)
        return replace(after, completed_at=self._clock.now())

    def _hand_to_poll(self, tx: Tx, stream: str, swept: Reading) -> None:
        """After the first whole reading, polls go on from where it began, so that nothing is read twice from the start."""
        poll = cursors.reading(tx, self._channel.name, stream, "poll")
        if not poll.cursor and swept.completed_at:
            cursors.save(tx, replace(poll, cursor=swept.cursor, started_at=swept.started_at, completed_at=swept.completed_at))


def _count(body: bytes, path: str) -> int:
    found = read_json(body)
    for name in path.split(".") if path else []:
        found = found.get(name) if isinstance(found, dict) else None
    return len(found) if isinstance(found, list) else 0
