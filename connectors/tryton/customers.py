"""The customer of an exported order: found again by our customer code among the party's identifiers, else made.

A person's fields go into the requests of this one order and nowhere else: what the platform says of them is stripped of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from connectors.tryton.rpc import Session
from hub.sdk.api import OutcomeUnknownError, Plain, RefusedError

PARTY: Final = "party.party"
ADDRESS: Final = "party.address"
FOUND_MAX: Final = 2
ADDRESSES_MAX: Final = 200
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

    def ensure(self, person: Person, number: str) -> Customer:
        """The customer of the order of this number; RefusedError without a word of the person."""
        try:
            return self._ensure(person, number)
        except RefusedError as bad:
            raise RefusedError(f"the customer: {without_person(bad.message, person)}", channel=bad.channel,
                               operation=bad.operation, request_id=bad.request_id) from None  # fmt: skip

    def _ensure(self, person: Person, number: str) -> Customer:
        code = customer_code(person, number)
        found = self._session.search_read(PARTY, [["identifiers.code", "=", code]], ("name",), limit=FOUND_MAX)
        if found:
            return Customer(found[0]["id"], self._address(found[0]["id"], person))
        values: dict[str, Plain] = {
            "name": person.get("company") or person.get("full_name") or number,
            # Identifiers without a type are free text: a number of another kind would be checked and could refuse the order.
            "identifiers": [["create", [{"code": one} for one in (code, person.get("vat_number")) if one]]],
            "addresses": [["create", [self._address_values(person)]]],
        }
        contacts = [{"type": kind, "value": person[kind]} for kind in ("email", "phone") if person.get(kind)]
        if contacts:
            values["contact_mechanisms"] = [["create", contacts]]
        party = self._create(PARTY, values)
        return Customer(party, self._address(party, person))

    def _address(self, party: int, person: Person) -> int:
        """The party's address that is the person's of this order, made when none is."""
        wanted = self._address_values(person)
        fields = ("party_name", "street", "postal_code", "city", "country")
        for row in self._session.search_read(ADDRESS, [["party", "=", party]], fields, limit=ADDRESSES_MAX):
            if all((row[name] or None) == wanted.get(name) for name in fields):
                return int(row["id"])
        return self._create(ADDRESS, {**wanted, "party": party})

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

    def _create(self, model: str, values: Mapping[str, Plain]) -> int:
        made = self._session.call(f"model.{model}.create", [dict(values)], operation="make a customer", writes=True)
        if not isinstance(made, list) or len(made) != 1:
            raise OutcomeUnknownError("a customer was made without an id")
        return int(made[0])


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
