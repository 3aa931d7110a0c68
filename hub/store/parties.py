"""Persons: sealed with a key of their own, found by a blind index, erased by destroying that key. The only writer.

An erased person leaves a tombstone (a keyed hash), so that redelivery and replay do not bring them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

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
        """Keep who is behind an order; an erased person is not kept again."""
        person = self.person(channel, record)
        rows = tx.query("SELECT sealed_key, erased_at FROM persons WHERE person = :person", person=person)
        if rows and rows[0][1]:
            return
        if rows:
            key = self._vault.open(bytes(rows[0][0]), "persons", "sealed_key", person)
        else:
            key = self._clock.bytes(KEY_BYTES)
            tx.execute(
                "INSERT INTO persons (person, sealed_key, known_since, erased_at) VALUES (:person, :sealed, :now, 0)",
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
        tx.execute(
            "INSERT INTO person_envelopes (person, seq) VALUES (:person, :seq) ON CONFLICT (person, seq) DO NOTHING",
            person=person,
            seq=seq,
        )

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

    def _own(self, key: bytes) -> Vault:
        name = key_name(key)
        return Vault({name: key}, name, self._clock.bytes)
