"""The closed list of converters: how one value of theirs becomes one of ours, and back. Out and then in again is identity.

Every function refuses with a ValueError whose words never repeat the value: it may belong to a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hub.canonical import values
from hub.canonical.currencies import MINOR_DIGITS
from hub.canonical.entity import Kind
from hub.canonical.values import Plain
from hub.mapping import times

TEXT_CHARS_MAX: Final = 1_000_000
WHOLE_MAX: Final = 10**18
_QUICK_MAX: Final = 10**9
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_ID_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def text(value: Plain) -> str:
    """Storable text; a whole number is written out, anything else is refused."""
    if type(value) is not str:
        if type(value) is not int:
            raise ValueError("null" if value is None else "not a text")
        return str(whole(value))
    if "\0" in value:
        raise ValueError("a text with NUL")
    if len(value) > TEXT_CHARS_MAX:
        raise ValueError(f"a text of more than {TEXT_CHARS_MAX} characters")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("a text with half a character") from None
    return value


def filled(value: Plain) -> str:
    """Text that says something, without outer blanks (SKU, barcode); empty is refused."""
    said = text(value).strip()
    if not said:
        raise ValueError("empty")
    return said


def told_text(value: Plain) -> str:
    """Outward: text as it is."""
    if type(value) is not str:
        raise ValueError("not a text")
    return text(value)


def whole(value: Plain) -> int:
    """A whole number from an int, a whole Decimal or digits."""
    if type(value) is int:
        number = value
    elif (type(value) is str and _WHOLE.fullmatch(value)) or (type(value) is Decimal and _is_whole(value)):
        number = int(value)
    else:
        raise ValueError("null" if value is None else "not a whole number")
    if abs(number) > WHOLE_MAX:
        raise ValueError("a number this large is a mistake")
    return number


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and abs(value) <= WHOLE_MAX and value == value.to_integral_value()


def told_whole(value: Plain) -> int:
    """Outward: a whole number as it is."""
    if type(value) is not int:
        raise ValueError("not a whole number")
    return whole(value)


def id_number(value: Plain) -> str:
    """Our text form of an id that is a number on their side."""
    number = whole(value) if type(value) is int else value
    said = str(number) if type(number) is int else number
    if type(said) is not str or not _ID_NUMBER.fullmatch(said):
        raise ValueError("null" if value is None else "not an id number")
    return said


def told_id_number(value: Plain) -> int:
    """Outward: the number that the id is on their side."""
    if type(value) is not str or not _ID_NUMBER.fullmatch(value):
        raise ValueError("not an id number")
    return int(value)


def quantity(value: Plain) -> int:
    """Thousandths from pieces."""
    if type(value) is int and -_QUICK_MAX < value < _QUICK_MAX:
        return value * values.THOUSAND
    if value is None:
        raise ValueError("null")
    return int(values.quantity(value))


def told_quantity(value: Plain) -> Plain:
    """Outward: pieces as an int when whole, else as an exact Decimal."""
    thousandths = told_whole(value)
    pieces, rest = divmod(thousandths, values.THOUSAND)
    return pieces if not rest else Decimal(thousandths).scaleb(-3)


def told_quantity_text(value: Plain) -> str:
    """Outward: pieces as decimal text."""
    return values.pieces(told_whole(value))


def told_whole_quantity(value: Plain) -> int:
    """Outward: whole pieces; a part of a piece is refused."""
    pieces = told_quantity(value)
    if type(pieces) is not int:
        raise ValueError("not whole pieces")
    return pieces


def whole_quantity(value: Plain) -> int:
    """Thousandths from whole pieces; a part of a piece is refused."""
    return quantity(whole(value))


def amount(value: Plain) -> Decimal:
    """An exact unit price."""
    if value is None:
        raise ValueError("null")
    return values.unit_price(value)


def told_amount(value: Plain) -> Decimal:
    """Outward: the unit price as a Decimal."""
    if type(value) is not Decimal:
        raise ValueError("not an amount")
    return values.unit_price(value)


def told_amount_text(value: Plain) -> str:
    """Outward: the unit price as decimal text without superfluous zeros."""
    return values.plain_decimal(told_amount(value))


def minor_amount(value: Plain, currency_code: Plain) -> Decimal:
    """The exact amount that these minor units of the currency are."""
    return values.unit_price(values.from_minor(whole(value), currency(currency_code)))


def told_minor_amount(value: Plain, currency_code: Plain) -> int:
    """Outward: minor units of the currency; more digits than it has are refused."""
    return values.exact_minor(told_amount(value), currency(currency_code))


def flag(value: Plain) -> bool:
    """A JSON true or false; words and numbers need a table."""
    if type(value) is not bool:
        raise ValueError("null" if value is None else "neither true nor false")
    return value


def currency(value: Plain) -> str:
    """An ISO 4217 code."""
    if type(value) is not str or value not in MINOR_DIGITS:
        raise ValueError("null" if value is None else "not an ISO 4217 currency code")
    return value


def word(value: Plain, allowed: frozenset[str]) -> str:
    """One of the field's words."""
    if type(value) is not str or value not in allowed:
        raise ValueError("null" if value is None else "none of " + ", ".join(sorted(allowed)))
    return value


def told_word(value: Plain, _allowed: Plain = None) -> str:
    """Outward: the word as it is."""
    return told_text(value)


def texts(value: Plain) -> dict[str, str]:
    """Text by text, as `code:` gives it."""
    if type(value) is not dict:
        raise ValueError("not texts by name")
    return {text(key): text(said) for key, said in value.items()}


def micros(value: Plain) -> int:
    """A time that an expression or `code:` made: microseconds UTC."""
    if type(value) is not int:
        raise ValueError("not a time: use utc_time(…) or another function for times")
    return times.bounded(value)


def exact(value: Plain) -> Plain:
    """Outward: plain data as it is; nothing at all and floats are refused."""
    if value is None:
        raise ValueError("nothing there")
    _without_floats(value)
    return value


def _without_floats(value: Plain) -> None:
    if isinstance(value, float):
        raise ValueError("a float is not exact")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _without_floats(inner)


@dataclass(frozen=True, slots=True)
class Converter:
    """Both directions of one name, the kinds of field it fills, and what else it needs: "", table, currency or words."""

    inward: Callable[..., Any]
    outward: Callable[..., Any]
    kinds: frozenset[Kind]
    needs: str = ""
    blank_is_nothing: bool = False


def _of(inward: Callable[..., Any], outward: Callable[..., Any], *kinds: Kind, needs: str = "", blank: bool = False) -> Converter:
    return Converter(inward, outward, frozenset(kinds), needs, blank)


CONVERTERS: Final[dict[str, Converter]] = {
    "text": _of(text, told_text, Kind.TEXT),
    "sku": _of(filled, told_text, Kind.TEXT, blank=True),
    "barcode": _of(filled, told_text, Kind.TEXT, blank=True),
    "id_number": _of(id_number, told_id_number, Kind.TEXT),
    "whole": _of(whole, told_whole, Kind.WHOLE, Kind.MINOR),
    "quantity": _of(quantity, told_quantity, Kind.QUANTITY),
    "quantity_text": _of(quantity, told_quantity_text, Kind.QUANTITY),
    "whole_quantity": _of(whole_quantity, told_whole_quantity, Kind.QUANTITY),
    "amount": _of(amount, told_amount, Kind.AMOUNT),
    "amount_text": _of(amount, told_amount_text, Kind.AMOUNT),
    "minor_amount": _of(minor_amount, told_minor_amount, Kind.AMOUNT, needs="currency"),
    "utc_time": _of(times.utc_time, times.told_utc_time, Kind.TIME),
    "utc_naive_time": _of(times.utc_naive_time, times.told_utc_naive_time, Kind.TIME),
    "unix_time": _of(times.unix_time, times.told_unix_time, Kind.TIME),
    "unix_millis": _of(times.unix_millis, times.told_unix_millis, Kind.TIME),
    "flag": _of(flag, flag, Kind.FLAG),
    "currency": _of(currency, currency, Kind.CURRENCY),
    "word": _of(word, told_word, Kind.WORD, needs="words"),
    # its two functions stand in tables.py, where the rows are
    "lookup": _of(exact, exact, Kind.TEXT, Kind.WORD, Kind.FLAG, Kind.CURRENCY, needs="table"),
}

BY_KIND: Final[dict[Kind, Converter]] = {
    Kind.TEXT: CONVERTERS["text"],
    Kind.QUANTITY: CONVERTERS["quantity"],
    Kind.AMOUNT: CONVERTERS["amount"],
    Kind.MINOR: CONVERTERS["whole"],
    Kind.CURRENCY: CONVERTERS["currency"],
    Kind.TIME: _of(micros, exact, Kind.TIME),
    Kind.WHOLE: CONVERTERS["whole"],
    Kind.FLAG: CONVERTERS["flag"],
    Kind.WORD: CONVERTERS["word"],
    Kind.TEXTS: _of(texts, exact, Kind.TEXTS),
}
"""What the result of an expression, a function or a constant must pass to fill a field of this kind (pieces, not thousandths)."""
