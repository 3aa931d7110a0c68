"""The functions that expressions may call: pure, exact, bounded; words of refusal never repeat a value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from hub.canonical import values
from hub.canonical.values import Plain
from hub.mapping import converters, times
from hub.mapping.converters import TEXT_CHARS_MAX

NUMBER_MAX: Final = Decimal(10) ** 30
DIGITS_MAX: Final = 12
_QUICK: Final = 10**15
_MISSING: Final = object()


def numeric(value: Plain) -> Plain:
    """The value, if it is an int or a Decimal of a size that a shop could mean."""
    if type(value) is not int and type(value) is not Decimal:
        raise ValueError("not a number")
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise ValueError("a number this large is a mistake")
    return value


def plus(left: Plain, right: Plain) -> Plain:
    """Two numbers added, or two texts joined."""
    if type(left) is int and type(right) is int and -_QUICK < left < _QUICK and -_QUICK < right < _QUICK:
        return left + right
    if type(left) is str and type(right) is str:
        if len(left) + len(right) > TEXT_CHARS_MAX:
            raise ValueError("a text too long")
        return left + right
    return numeric(numeric(left) + numeric(right))


def minus(left: Plain, right: Plain) -> Plain:
    """The difference of two numbers."""
    if type(left) is int and type(right) is int and -_QUICK < left < _QUICK and -_QUICK < right < _QUICK:
        return left - right
    return numeric(numeric(left) - numeric(right))


def times_(left: Plain, right: Plain) -> Plain:
    """The product of two numbers."""
    return numeric(numeric(left) * numeric(right))


def divide(left: Plain, right: Plain) -> Decimal:
    """The quotient as a Decimal of 28 digits; by zero is refused."""
    if numeric(right) == 0:
        raise ValueError("a division by zero")
    return Decimal(numeric(left)) / Decimal(right)


def negative(value: Plain) -> Plain:
    """The number with its sign turned."""
    return -numeric(value)


def pick(base: Plain, key: Plain) -> Plain:
    """The entry of a mapping under this text, or the element of a list at this place."""
    if type(base) is dict and type(key) is str and key in base:
        return base[key]
    if type(base) is list and type(key) is int and -len(base) <= key < len(base):
        return base[key]
    raise ValueError("nothing there")


def number(value: Plain) -> Decimal:
    """A Decimal from digits, an int or a Decimal."""
    if type(value) is int or type(value) is Decimal:
        return Decimal(numeric(value))
    if type(value) is str and len(value) <= 40:
        try:
            said = Decimal(value.strip()) if value.isascii() and "_" not in value else None
        except ArithmeticError:
            said = None
        if said is not None and said.is_finite():
            return Decimal(numeric(said))
    raise ValueError("not a number")


def text(value: Plain) -> str:
    """The text of a text or a number."""
    return values.plain_decimal(small(value)) if type(value) is Decimal else converters.text(value)


def small(value: Decimal) -> Decimal:
    """The decimal, if writing it out stays short."""
    exponent = numeric(value).as_tuple().exponent
    if type(exponent) is not int or exponent < -30:
        raise ValueError("a number with too many decimals")
    return value


def money_amount(minor: Plain, digits: Plain) -> Decimal:
    """The amount that a whole number of 10^-digits units is: money_amount(1995, 2) is 19.95."""
    return Decimal(converters.whole(minor)).scaleb(-places(digits))


def minor(minor_units: Plain, currency: Plain) -> Decimal:
    """The amount that these minor units of the currency are."""
    return values.from_minor(converters.whole(minor_units), converters.currency(currency))


def round_(value: Plain, digits: Plain, rule: Plain = "half_up") -> Decimal:
    """The number with so many decimals, by a named rule: half_up, half_even, down, up."""
    if type(rule) is not str or rule not in values.ROUNDINGS:
        raise ValueError("not a rounding rule")
    return Decimal(numeric(value)).quantize(Decimal(1).scaleb(-places(digits)), rounding=values.ROUNDINGS[rule])


def pieces(thousandths: Plain) -> Decimal:
    """Outward: the pieces that thousandths of a canonical record are."""
    return Decimal(converters.told_whole(thousandths)).scaleb(-3)


def places(digits: Plain) -> int:
    """A number of decimals within the limit."""
    if type(digits) is not int or not 0 <= digits <= DIGITS_MAX:
        raise ValueError(f"decimals must be 0 to {DIGITS_MAX}")
    return digits


def only_text(value: Plain) -> str:
    """The value, if it is text."""
    if type(value) is not str:
        raise ValueError("not a text")
    return value


def only_list(value: Plain) -> list[Plain]:
    """The value, if it is a list."""
    if type(value) is not list:
        raise ValueError("not a list")
    return value


def replace(value: Plain, old: Plain, new: Plain) -> str:
    """The text with every `old` written `new`."""
    source, gone, put = only_text(value), only_text(old), only_text(new)
    if not gone or len(source) + source.count(gone) * len(put) > TEXT_CHARS_MAX:
        raise ValueError("a text too long" if gone else "an empty text to replace")
    return source.replace(gone, put)


def split(value: Plain, separator: Plain) -> list[Plain]:
    """The parts of a text."""
    if not only_text(separator):
        raise ValueError("an empty separator")
    return list(only_text(value).split(only_text(separator)))


def join(separator: Plain, parts: Plain) -> str:
    """The texts with the separator between them."""
    between, said = only_text(separator), [only_text(part) for part in only_list(parts)]
    if sum(map(len, said)) + len(between) * len(said) > TEXT_CHARS_MAX:
        raise ValueError("a text too long")
    return between.join(said)


def before(value: Plain, separator: Plain) -> str:
    """What stands before the first separator; refused where there is none."""
    head, found, _ = only_text(value).partition(only_text(separator) or "\0")
    if not found:
        raise ValueError("the separator is not there")
    return head


def after(value: Plain, separator: Plain) -> str:
    """What stands after the last separator; refused where there is none."""
    _, found, tail = only_text(value).rpartition(only_text(separator) or "\0")
    if not found:
        raise ValueError("the separator is not there")
    return tail


def left(value: Plain, count: Plain) -> str:
    """At most so many first characters."""
    if type(count) is not int or count < 0:
        raise ValueError("not a count of characters")
    return only_text(value)[:count]


def first(rows: Plain, otherwise: Plain = _MISSING) -> Plain:
    """The first element; of an empty list `otherwise`, refused where that is not given."""
    if only_list(rows):
        return rows[0]
    if otherwise is _MISSING:
        raise ValueError("an empty list has no first element")
    return otherwise


def only(rows: Plain) -> Plain:
    """The one element of a list of one."""
    if len(only_list(rows)) != 1:
        raise ValueError("not exactly one element")
    return rows[0]


def len_(value: Plain) -> int:
    """How many elements, keys or characters."""
    if not isinstance(value, list | dict | str):
        raise ValueError("neither list nor text")
    return len(value)


def sum_(rows: Plain) -> Plain:
    """The exact sum of a list of numbers; of none 0."""
    total: Plain = 0
    for row in only_list(rows):
        total = plus(total, numeric(row))
    return total


def _most(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*said: Plain) -> Plain:
        """The least or greatest of the numbers given, or of one list of them."""
        rows = only_list(said[0]) if len(said) == 1 else list(said)
        if not rows:
            raise ValueError("an empty list has neither least nor greatest")
        return choose(map(numeric, rows))

    return chosen


def any_(rows: Plain) -> bool:
    """Whether any element is true."""
    return any(only_list(rows))


def all_(rows: Plain) -> bool:
    """Whether all elements are true."""
    return all(only_list(rows))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "number": number, "whole": converters.whole, "text": text, "money_amount": money_amount, "minor": minor,
    "round": round_, "pieces": pieces, "abs": lambda value: abs(numeric(value)),
    "lower": lambda value: only_text(value).lower(), "upper": lambda value: only_text(value).upper(),
    "trim": lambda value: only_text(value).strip(), "replace": replace, "split": split, "join": join,
    "starts": lambda value, head: only_text(value).startswith(only_text(head)),
    "ends": lambda value, tail: only_text(value).endswith(only_text(tail)),
    "before": before, "after": after, "left": left, "first": first, "only": only,
    "len": len_, "sum": sum_, "min": _most(min), "max": _most(max), "any": any_, "all": all_,
    "utc_time": times.utc_time, "utc_naive_time": times.utc_naive_time,
    "unix_time": times.unix_time, "unix_millis": times.unix_millis,
}  # fmt: skip
"""By the name that expressions use. `optional`, `lookup` and `setting` are forms of the language, not functions."""
