"""The customer of an exported order: found again by our customer code among the party's identifiers, else made.

A person's fields go into the requests of this one order and nowhere else: what the platform says of them is stripped of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from connectors.tryton.rpc import Session
from hub.sdk.api import OutcomeUnknownError, Plain, RefusedError

PARTY: Final = "party.party"
ADDRESS: Final = "party.address"
FOUND_MAX: Final = 2
ADDRESSES_MAX: Final = 200
ADDRESS_FIELDS: Final = ("party_name", "street", "postal_code", "city", "country")
SHORTEST_TOLD: Final = 2
"""Texts shorter than this say nothing of a person and would garble every sentence."""

Person = Mapping[str, Plain]


class Customer(NamedTuple):
    """Their ids of the party and of the address to send to."""

    party: int
    address: int


class Customers:
    """Finds and makes the customers of one database."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._countries: dict[str, int | None] = {}

    def ensure_all(self, asked: Sequence[tuple[Person, str]]) -> list[Customer]:
        """The customers of these orders, (person, our number) each; RefusedError without a word of any person."""
        try:
            return self._ensure(asked)
        except RefusedError as bad:
            words = bad.message
            for person, _ in asked:
                words = without_person(words, person)
            raise RefusedError(f"the customer: {words}", channel=bad.channel,
                               operation=bad.operation, request_id=bad.request_id) from None  # fmt: skip

    def _ensure(self, asked: Sequence[tuple[Person, str]]) -> list[Customer]:
        codes = [customer_code(person, number) for person, number in asked]
        parties = self._parties(sorted(set(codes)))
        new = {code: (person, number) for code, (person, number) in zip(codes, asked, strict=True) if code not in parties}
        values = [self._party_values(code, person, number) for code, (person, number) in new.items()]
        parties |= dict(zip(new, self._create(PARTY, values), strict=True))
        wanted = [(parties[code], self._address_values(person)) for code, (person, _) in zip(codes, asked, strict=True)]
        return [Customer(party, address) for (party, _), address in zip(wanted, self._addresses(wanted), strict=True)]

    def _parties(self, codes: Sequence[str]) -> dict[str, int]:
        """The party of each of our codes, the first where several have it."""
        domain: list[Plain] = [["identifiers.code", "in", list(codes)]]
        rows = self._session.search_read(PARTY, domain, ("identifiers.code",), limit=FOUND_MAX * len(codes))
        found: dict[str, int] = {}
        for row in rows:
            for identifier in row["identifiers."]:
                found.setdefault(identifier["code"], row["id"])
        return {code: found[code] for code in codes if code in found}

    def _party_values(self, code: str, person: Person, number: str) -> dict[str, Plain]:
        values: dict[str, Plain] = {
            "name": person.get("company") or person.get("full_name") or number,
            # Identifiers without a type are free text: a number of another kind would be checked and could refuse the order.
            "identifiers": [["create", [{"code": one} for one in (code, person.get("vat_number")) if one]]],
            "addresses": [["create", [self._address_values(person)]]],
        }
        contacts = [{"type": kind, "value": person[kind]} for kind in ("email", "phone") if person.get(kind)]
        return {**values, "contact_mechanisms": [["create", contacts]]} if contacts else values

    def _addresses(self, wanted: Sequence[tuple[int, dict[str, Plain]]]) -> list[int]:
        """The address of each (party, values), made where the party has none like it."""
        parties = sorted({party for party, _ in wanted})
        domain: list[Plain] = [["party", "in", list(parties)]]
        most = ADDRESSES_MAX * len(parties)
        rows = self._session.search_read(ADDRESS, domain, ("party", *ADDRESS_FIELDS), limit=most)
        known: dict[tuple[Plain, ...], int] = {}
        for row in rows:
            known.setdefault(_same(row["party"], row), row["id"])
        new = {_same(party, values): {**values, "party": party} for party, values in wanted}
        new = {key: values for key, values in new.items() if key not in known}
        known |= dict(zip(new, self._create(ADDRESS, list(new.values())), strict=True))
        return [known[_same(party, values)] for party, values in wanted]

    def _address_values(self, person: Person) -> dict[str, Plain]:
        street = "\n".join(str(person[name]) for name in ("street", "street2") if person.get(name))
        values = {
            # Who the parcel is for, where the party is a company.
            "party_name": person.get("full_name") if person.get("company") else None,
            "street": street,
            "postal_code": person.get("postal_code"),
            "city": person.get("city"),
            "country": self._country(str(person.get("country") or "")),
        }
        return {name: value for name, value in values.items() if value}

    def _country(self, code: str) -> int | None:
        if code and code not in self._countries:
            found = self._session.search_read("country.country", [["code", "=", code]], ("code",), limit=1)
            self._countries[code] = found[0]["id"] if found else None
        return self._countries.get(code)

    def _create(self, model: str, values: Sequence[Mapping[str, Plain]]) -> list[int]:
        """The ids of these records, made by one call."""
        if not values:
            return []
        rows = [dict(one) for one in values]
        made = self._session.call(f"model.{model}.create", rows, operation="make a customer", writes=True)
        if not isinstance(made, list) or len(made) != len(values):
            raise OutcomeUnknownError("a customer was made without an id")
        return [int(one) for one in made]


def _same(party: Plain, address: Mapping[str, Plain]) -> tuple[Plain, ...]:
    """What two addresses of a party agree in when they are the same one."""
    return (party, *(address.get(name) or None for name in ADDRESS_FIELDS))


def customer_code(person: Person, number: str) -> str:
    """Our code of a customer: the origin's prefix and its customer id, or the order's own number for a guest."""
    customer = str(person.get("customer") or "")
    return f"{number.rpartition('-')[0]}:{customer}" if customer else number


def without_person(words: str, person: Person) -> str:
    """The words with everything that is the person's taken out, the longest texts first."""
    told = {str(value) for name, value in person.items() if value and name not in ("order", "country")}
    for text in sorted(told, key=len, reverse=True):
        if len(text) >= SHORTEST_TOLD:
            words = words.replace(text, "…")
    return words
