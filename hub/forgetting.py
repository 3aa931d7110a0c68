"""Forgetting a customer: where a person is kept, erasing them there, and what remains and why.

Finding reads what is sealed and stays in the asking process: the request for erasing carries blind indexes and numbers only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from hub.canonical.values import Plain, iso
from hub.errors import ConfigError
from hub.settings.model import PartyRule
from hub.store import cursors, inbox, letters, orders
from hub.store.database import Database, Tx
from hub.store.parties import Behind, Parties, unheard_since
from hub.store.vault import Vault

PAGE_ROWS: Final = 500
ENVELOPES_MAX: Final = 15_000
"""Envelopes dropped by one request; more are dropped by asking again."""
NUMBERS_TOLD_MAX: Final = 50
DAY_MICROS: Final = 86_400_000_000
SWEPT: Final = "people"
"""The position that says when persons were last looked through."""
TEXT_CHARS_MIN: Final = 6
"""A shorter text stands in too much that has nothing to do with the person."""
_BLIND: Final = re.compile(r"[0-9a-f]{64}")
_PHONE: Final = re.compile(r"\+?[0-9 ()./-]{5,30}")


class Named(NamedTuple):
    """A person without a person in it: blind indexes, envelopes and dead letters in which they are named."""

    persons: tuple[str, ...]
    envelopes: tuple[int, ...]
    letters: tuple[str, ...]

    def body(self) -> dict[str, Plain]:
        """It as the body of a request."""
        return {name: list(told) for name, told in self._asdict().items()}

    @classmethod
    def of(cls, body: Plain) -> Named:
        """It from the body of a request; ValueError for one in which a person could stand."""
        persons = tuple(str(each) for each in body["persons"])
        if not persons or not all(_BLIND.fullmatch(each) for each in persons):
            raise ValueError("not blind indexes")
        return cls(persons, tuple(int(each) for each in body["envelopes"]), tuple(str(each) for each in body["letters"]))


class _Wanted(NamedTuple):
    """A customer as a person names them: one of the three."""

    email: str = ""
    phone: str = ""
    channel: str = ""
    customer: str = ""

    def is_it(self, channel: str, record: Mapping[str, Plain]) -> bool:
        if self.email:
            return _plain(record.get("email")) == self.email
        if self.phone:
            return _digits(record.get("phone")) == _digits(self.phone)
        return channel == self.channel and str(record.get("customer") or "") == self.customer


def find(customer: str, channels: Collection[str], database: Database, vault: Vault, parties: Parties) -> Named:
    """Where this customer (e-mail, phone or CHANNEL:customer-id) is kept. Reads all parties and the whole inbox, page by page.

    ConfigError, without the customer in it, for what is none of the three.
    """
    wanted = _wanted(customer, channels)
    first = f"email:{wanted.email}" if wanted.email else f"phone:{_plain(wanted.phone)}" if wanted.phone else ""
    persons = {parties.index(first or f"{wanted.channel}:{wanted.customer}")}
    texts = {wanted.email, _plain(wanted.phone), wanted.phone.casefold()}
    after = ""
    while rows := database.read(lambda tx, after=after: parties.page(tx, after, PAGE_ROWS)):  # type: ignore[misc]
        after = rows[-1][0]
        for _, channel, person, record in rows:
            if wanted.is_it(channel, record):
                persons.add(person)
                texts |= {_plain(record.get("email")), str(record.get("phone") or "").casefold()}
    texts = {text for text in texts if len(text) >= TEXT_CHARS_MIN}
    named = sorted(_naming(database, vault, texts)) if texts else []
    told = database.read(lambda tx: letters.mentioning(tx, sorted(texts))) if texts else []
    return Named(tuple(sorted(persons)), tuple(named[:ENVELOPES_MAX]), tuple(told[:ENVELOPES_MAX]))


def erase(tx: Tx, parties: Parties, found: Named, now: int) -> Sequence[str]:
    """Erase them: keys destroyed, envelopes dropped, tombstones set; gives in words what was done and what remains and why."""
    before = parties.erased(tx, found.persons)
    ids = parties.orders_of(tx, found.persons)
    seqs = parties.envelopes_of(tx, found.persons) | set(found.envelopes)
    # Dropped before the persons are, so that what still waited is known and read again.
    dropped, waited = inbox.drop(tx, seqs)
    redacted = letters.redact(tx, found.letters, seqs)
    # Never before what is known of them, however the clocks of who told it and of who asks differ.
    known = orders.orders(tx, ids).values()
    erased_at = max([now, *(max(each.placed_at, each.seen_at) for each in known)])
    for person in found.persons:
        parties.forget(tx, person, erased_at)
    for channel in sorted(waited):
        cursors.restart(tx, channel)
    return list(_words(tx, ids, dropped, redacted, waited, before))


def over(rows: Sequence[Behind], rules: Sequence[PartyRule], now: int) -> list[str]:
    """The persons for none of whose orders any rule says any more that they are kept.

    An order is under the rules that name its country, else under those that name none; the longest of them holds.
    """
    last: dict[str, int] = {}
    for row in rows:
        last[row.person] = max(last.get(row.person, 0), row.placed_at)
    kept = set()
    for row in rows:
        named = [rule for rule in rules if row.country in rule.countries] or [rule for rule in rules if not rule.countries]
        ends = [(last[row.person] if r.anchor == "last_order" else row.placed_at) + r.days * DAY_MICROS for r in named]
        if not ends or max(ends) > now:
            kept.add(row.person)
    return sorted(last.keys() - kept)


def erase_over(database: Database, parties: Parties, rules: Sequence[PartyRule], now: int) -> int:
    """Erase the persons whose time is over, as if each had asked for it, once a day; gives how many."""
    if not rules or now - database.read(lambda tx: cursors.position(tx, SWEPT)) < DAY_MICROS:
        return 0
    before, after, count = now - min(rule.days for rule in rules) * DAY_MICROS, "", 0
    while rows := database.read(lambda tx, after=after: unheard_since(tx, before, after, PAGE_ROWS)):  # type: ignore[misc]
        after = rows[-1].person
        found = over(rows, rules, now)
        if found:
            named = Named(tuple(found), (), ())
            database.transaction(lambda tx, named=named: erase(tx, parties, named, now))  # type: ignore[misc]
            count += len(found)
    database.transaction(lambda tx: cursors.set_position(tx, SWEPT, now))
    return count


def _words(
    tx: Tx, ids: Sequence[str], dropped: int, redacted: int, waited: Collection[str], before: Mapping[str, int]
) -> Iterator[str]:
    if not ids and not dropped and not redacted:
        at = f"erased already, last at {iso(max(before.values()))}" if before else "nothing is kept of them"
        yield f"{at}; a keyed hash keeps them from coming back with what was said before"
        return
    known = orders.orders(tx, ids)
    yield f"erased: the person behind {len(ids)} orders, {dropped} envelopes, the words of {redacted} dead letters"
    for channel in sorted(waited):
        yield f"{channel} is read from the beginning, because envelopes that still waited were dropped"
    if ids:
        numbers = ", ".join(known[each].number for each in ids[:NUMBERS_TOLD_MAX] if each in known)
        more = f" and {len(ids) - NUMBERS_TOLD_MAX} more" if len(ids) > NUMBERS_TOLD_MAX else ""
        yield f"remains here: orders {numbers}{more} without a person, because stock and books rest on them"
    yield "remains here: a keyed hash, so that redelivery and replay do not bring the person back"
    for binding in orders.bindings_of(tx, ids[:NUMBERS_TOLD_MAX]):
        yield f"to be erased there, by a person: {binding.channel} {binding.their} ({known[binding.order].number})"
    yield "remains in backups of the store until they are overwritten, and for a day in the receiver's own deliveries"


def _naming(database: Database, vault: Vault, texts: Collection[str]) -> Iterator[int]:
    """The numbers of the envelopes in whose bytes one of these texts stands, in whatever case, plain or escaped as in JSON."""
    escaped = {json.dumps(text)[1:-1] for text in texts}
    wanted = [text.encode() for text in sorted({*texts, *escaped})]
    after = -1
    while rows := database.read(lambda tx, after=after: inbox.page(tx, vault, after, PAGE_ROWS)):  # type: ignore[misc]
        after = rows[-1][0]
        for seq, body in rows:
            lowered = body.lower()
            if any(text in lowered for text in wanted):
                yield seq


def _wanted(customer: str, channels: Collection[str]) -> _Wanted:
    told = customer.strip()
    channel, colon, ident = told.partition(":")
    if colon and channel in channels and ident.strip():
        return _Wanted(channel=channel, customer=ident.strip())
    if "@" in told:
        return _Wanted(email=_plain(told))
    if _PHONE.fullmatch(told) and len(_digits(told)) >= TEXT_CHARS_MIN:
        return _Wanted(phone=told)
    raise ConfigError("a customer is named by an e-mail address, a phone number, or CHANNEL:customer-id")


def _plain(told: Plain) -> str:
    return "".join(str(told or "").split()).casefold()


def _digits(told: Plain) -> str:
    """A phone number's digits, an international prefix written as 00 taken as +."""
    text = re.sub(r"[^0-9+]", "", str(told or ""))
    return text.removeprefix("+") if text.startswith("+") else text.removeprefix("00")
