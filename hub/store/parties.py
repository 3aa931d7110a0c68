"""Persons: sealed with a key of their own, found by a blind index, erased by destroying that key. The only writer.

An erased person leaves a tombstone (a keyed hash), so that redelivery and replay do not bring them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.clock import Clock
from hub.store.database import Tx
from hub.store.vault import KEY_BYTES, Vault, key_name

TABLE: Final = "parties"


class Parties:
    """The party table, through the vault."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def person(self, channel: str, record: Mapping[str, Plain]) -> str:
        """The blind index of a person: by e-mail, else by phone, else by their customer id on that channel."""
        for name in ("email", "phone"):
            told = "".join(str(record.get(name) or "").split()).casefold()
            if told:
                return self._vault.blind(f"{name}:{told}")
        return self._vault.blind(f"{channel}:{record.get('customer') or record['order']}")

    def keep(self, tx: Tx, order: str, channel: str, record: Mapping[str, Plain], seq: int, now: int) -> None:
        """Keep who is behind an order; an erased person is not kept again for an order from before they were erased."""
        person = self.person(channel, record)
        rows = tx.query("SELECT sealed_key, erased_at FROM persons WHERE person = :person", person=person)
        if rows and rows[0][1] and not _younger(tx, order, int(rows[0][1])):
            _drop_envelope(tx, seq)
            return
        if rows and rows[0][0] is not None:
            key = self._vault.open(bytes(rows[0][0]), "persons", "sealed_key", person)
        else:
            key = self._clock.bytes(KEY_BYTES)
            tx.execute(
                "INSERT INTO persons (person, sealed_key, known_since, erased_at) VALUES (:person, :sealed, :now, 0) "
                "ON CONFLICT (person) DO UPDATE SET sealed_key = excluded.sealed_key, known_since = excluded.known_since",
                person=person,
                sealed=self._vault.seal(key, "persons", "sealed_key", person),
                now=now,
            )
        said = {name: value for name, value in record.items() if name != "order" and value not in (None, "")}
        sealed = self._own(key).seal(write_json(said).encode(), TABLE, "sealed", order)
        tx.execute(
            'INSERT INTO parties ("order", person, country, sealed, at) VALUES (:order, :person, :country, :sealed, :now) '
            'ON CONFLICT ("order") DO UPDATE SET person = excluded.person, country = excluded.country, '
            "sealed = excluded.sealed, at = excluded.at",
            order=order,
            person=person,
            country=str(record.get("country") or ""),
            sealed=sealed,
            now=now,
        )
        _in_envelope(tx, person, seq)

    def heard(self, tx: Tx, channel: str, record: Mapping[str, Plain], seq: int) -> None:
        """A person whose order is none of ours (a cart, an order that was not understood): only where they are named is kept,
        so that erasing finds it."""
        person = self.person(channel, record)
        if self.erased(tx, [person]):
            _drop_envelope(tx, seq)
        else:
            _in_envelope(tx, person, seq)

    def of(self, tx: Tx, order: str) -> dict[str, Plain]:
        """The person behind an order as a party record; empty when there is none (or no longer)."""
        rows = tx.query(
            "SELECT p.person, p.sealed, q.sealed_key FROM parties p JOIN persons q ON q.person = p.person "
            'WHERE p."order" = :order',
            order=order,
        )
        if not rows or rows[0][2] is None:
            return {}
        person, sealed, sealed_key = rows[0]
        key = self._vault.open(bytes(sealed_key), "persons", "sealed_key", person)
        found: dict[str, Plain] = json.loads(self._own(key).open(bytes(sealed), TABLE, "sealed", order))
        return found

    def forget(self, tx: Tx, person: str, now: int) -> dict[str, int]:
        """Erase a person: the key is destroyed, their parties and envelopes go; gives how many of each. A tombstone stays."""
        parties = tx.execute("DELETE FROM parties WHERE person = :person", person=person)
        envelopes = tx.execute(
            "DELETE FROM inbox WHERE seq IN (SELECT seq FROM person_envelopes WHERE person = :person)", person=person
        )
        tx.execute("DELETE FROM person_envelopes WHERE person = :person", person=person)
        known = tx.execute(
            "UPDATE persons SET sealed_key = NULL, erased_at = :now WHERE person = :person", now=now, person=person
        )
        if not known:
            tx.execute(
                "INSERT INTO persons (person, sealed_key, known_since, erased_at) VALUES (:person, NULL, :now, :now)",
                person=person,
                now=now,
            )
        return {"parties": parties, "envelopes": envelopes}

    def index(self, named: str) -> str:
        """The blind index of "email:…", "phone:…" or "CHANNEL:customer", in the form in which `person` makes it."""
        return self._vault.blind(named)

    def page(self, tx: Tx, after: str, limit: int) -> list[tuple[str, str, str, dict[str, Plain]]]:
        """The parties after this order id, opened: (order, its channel, blind index, record); to be forgotten after use."""
        rows = tx.query(
            'SELECT p."order", o.channel, p.person, p.sealed, q.sealed_key FROM parties p JOIN persons q ON q.person = p.person '
            'JOIN orders o ON o."order" = p."order" WHERE p."order" > :after AND q.sealed_key IS NOT NULL '
            'ORDER BY p."order" LIMIT :limit',
            after=after,
            limit=limit,
        )
        found = []
        for order, channel, person, sealed, sealed_key in rows:
            key = self._vault.open(bytes(sealed_key), "persons", "sealed_key", person)
            found.append((order, channel, person, json.loads(self._own(key).open(bytes(sealed), TABLE, "sealed", order))))
        return found

    def orders_of(self, tx: Tx, persons: Sequence[str]) -> list[str]:
        """The orders behind which these persons are kept."""
        rows = tx.query_keys(
            'SELECT p."order" FROM @keys(person) k CROSS JOIN parties p WHERE p.person = k.person ORDER BY p."order"',
            [(person,) for person in persons],
        )
        return [row[0] for row in rows]

    def envelopes_of(self, tx: Tx, persons: Sequence[str]) -> set[int]:
        """The numbers of the envelopes that are known to name these persons."""
        rows = tx.query_keys(
            "SELECT e.seq FROM @keys(person) k CROSS JOIN person_envelopes e WHERE e.person = k.person", [(p,) for p in persons]
        )
        return {int(row[0]) for row in rows}

    def erased(self, tx: Tx, persons: Sequence[str]) -> dict[str, int]:
        """Which of these persons were erased, and when."""
        rows = tx.query_keys(
            "SELECT q.person, q.erased_at FROM @keys(person) k CROSS JOIN persons q WHERE q.person = k.person "
            "AND q.erased_at > 0",
            [(person,) for person in persons],
        )
        return {row[0]: int(row[1]) for row in rows}

    def _own(self, key: bytes) -> Vault:
        name = key_name(key)
        return Vault({name: key}, name, self._clock.bytes)


class Behind(NamedTuple):
    """That a person is behind an order: only their blind index, the order's country and when it was placed (microseconds)."""

    person: str
    country: str
    placed_at: int


def unheard_since(tx: Tx, at: int, after: str, limit: int) -> list[Behind]:
    """The orders of the persons (after this one, at most `limit` of them) whose last order was placed by then, by person."""
    last = tx.query(
        'SELECT p.person FROM parties p JOIN orders o ON o."order" = p."order" WHERE p.person > :after GROUP BY p.person '
        "HAVING max(o.placed_at) <= :at ORDER BY p.person LIMIT :limit",
        at=at,
        after=after,
        limit=limit,
    )
    rows = tx.query_keys(
        "SELECT p.person, p.country, o.placed_at FROM @keys(person) k CROSS JOIN parties p JOIN orders o "
        'ON o."order" = p."order" WHERE p.person = k.person ORDER BY p.person, o.placed_at',
        [(row[0],) for row in last],
    )
    return [Behind(row[0], row[1], int(row[2])) for row in rows]


def drop_unkept(tx: Tx, limit: int) -> int:
    """Forget in which envelopes persons were named, of envelopes that are no longer kept, at most `limit`."""
    return tx.execute(
        "DELETE FROM person_envelopes WHERE seq IN (SELECT e.seq FROM person_envelopes e WHERE NOT EXISTS "
        "(SELECT 1 FROM inbox i WHERE i.seq = e.seq) LIMIT :limit)",
        limit=limit,
    )


def _in_envelope(tx: Tx, person: str, seq: int) -> None:
    tx.execute(
        "INSERT INTO person_envelopes (person, seq) VALUES (:person, :seq) ON CONFLICT (person, seq) DO NOTHING",
        person=person,
        seq=seq,
    )


def _drop_envelope(tx: Tx, seq: int) -> None:
    """What names an erased person is not kept."""
    tx.execute("DELETE FROM inbox WHERE seq = :seq", seq=seq)


def _younger(tx: Tx, order: str, erased_at: int) -> bool:
    """Whether the order was placed, and first heard of, after that: then the person came back by themselves."""
    rows = tx.query('SELECT o.placed_at, o.seen_at FROM orders o WHERE o."order" = :order', order=order)
    return bool(rows) and min(int(rows[0][0]), int(rows[0][1])) > erased_at
