"""The small Tryton's wire: tagged values, domains over plain rows, and the platform's own error sentences."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Final

from hub.sdk.api import Plain, Response, moment

Row = dict[str, Plain]
Sieve = Callable[[list[Row]], list[Row]]
"""What leaves some of the rows."""

PLAIN_CHARS_MAX: Final = 1_400
"""Longer answers come gzipped; without the client's consent they come plain under a gzip header (observed on 8.2.1)."""
QUANTITIES: Final = frozenset({"quantity", "expected_quantity", "forecast_quantity", "factor"})
TITLES: Final = {
    "product.product": "Product",
    "product.template": "Product Template",
    "product.identifier": "Product Identifier",
    "stock.inventory": "Stock Inventory",
    "stock.inventory.line": "Stock Inventory Line",
    "stock.location": "Stock Location",
    "stock.move": "Stock Move",
}
_ORDERED: Final[dict[str, Callable[[Plain, Plain], Plain]]] = {">": gt, ">=": ge, "<": lt, "<=": le}
_PAGES: Final = {
    400: "Bad Request|Unable to get RPC method",
    401: "Unauthorized|The server could not verify that you are authorized to access the URL requested. You either supplied "
    "the wrong credentials (e.g. a bad password), or your browser doesn&#39;t understand how to supply the credentials required.",
    403: "Forbidden|You don&#39;t have the permission to access the requested resource. It is either read-protected or not "
    "readable by the server.",
    404: "Not Found|The requested URL was not found on the server. If you entered the URL manually please check your spelling "
    "and try again.",
    422: "Unprocessable Entity|Missing context argument",
    429: "Too Many Requests|This user has exceeded an allotted request count. Try again later.",
    503: "Service Unavailable|could not serialize access due to concurrent update",
}


class Fault(Exception):
    """An error that the platform puts into a 200: the content of its `error` list."""

    def __init__(self, *said: Plain) -> None:
        super().__init__(said)
        self.said = list(said)


class StatusError(Exception):
    """An answer that is a bare HTTP status with a page for people."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def user_error(sentence: str) -> Fault:
    """A rule's no."""
    return Fault("UserError", [sentence, "", None])


def missing(verb: str, ids: list[int], model: str) -> Fault:
    """What they say of ids that are not there; `verb` is "read" or "write to"."""
    listed = ", ".join(str(one) for one in ids)
    return user_error(f'You are trying to {verb} records "{listed}" of "{TITLES[model]}" that don\'t exist.')


def page(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page for people that stands under a bare status."""
    title, _, words = _PAGES[status].partition("|")
    html = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{words}</p>\n"
    return Response(status, {"content-type": "text/html; charset=utf-8", **(headers or {})}, html.encode())


def decoded(value: Plain) -> Plain:
    """Tagged values of a request as Python's own; times are naive UTC as theirs."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "date":
        return dt.date(value["year"], value["month"], value["day"])
    if kind == "datetime":
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        year, month, day, hour, minute, second, rest = (value[part] for part in parts)
        return dt.datetime(year, month, day, hour, minute, second, rest)
    return {key: decoded(one) for key, one in value.items()}


def encoded(value: Plain, name: str = "") -> Plain:
    """The value as they write it: tags for exact numbers and times, a JSON float for a quantity, 1 and 0 for true and false."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return [encoded(one) for one in value]
    if isinstance(value, dict):
        return {key: encoded(one, key) for key, one in value.items()}
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        # Their quantities are floats on the wire; inside this sandbox they never are.
        return float(value) if name in QUANTITIES else {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.datetime):
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{part: getattr(value, part) for part in parts}}
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return value


def compact(value: Plain) -> bytes:
    """The answer's body."""
    return json.dumps(value, separators=(",", ":")).encode()


def naive(at: int) -> dt.datetime:
    """Their form of a time: UTC without a zone."""
    return moment(at).replace(tzinfo=None)


def timestamp(at: dt.datetime) -> str:
    """`_timestamp` of a record: seconds since 1970 in 15 digits, as SQLite spells them."""
    micros = (at - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    return format(Decimal(micros // 10).scaleb(-5).normalize(), "f")


def price(value: Plain, field: str = "List Price", model: str = "Product List Price") -> Decimal | None:
    """A price as they take it: a tagged decimal, a number or text, of at most four decimals."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise Fault(f"could not convert {value!r}", "") from None
    if -int(amount.as_tuple().exponent) > 4:
        raise user_error(
            f'The number of digits in the value "\'{amount}\'" for field "{field}" in record "(1)" of "{model}" '
            'exceeds the limit of "(None, 4)".'
        )
    return amount.quantize(Decimal("0.0001"))


def meeting(domain: Plain, clause: Callable[[str, str, Plain], Sieve]) -> Sieve:
    """What leaves the rows that meet the domain; `clause` gives what does so for one path, operator and value.

    The domain is taken apart once, and each clause is asked only of the rows that are not decided yet.
    """
    if not domain:
        return lambda rows: rows
    if isinstance(domain[0], str) and domain[0] not in ("AND", "OR"):
        path, operator, wanted = domain
        return clause(path, operator, wanted)
    parts = [meeting(one, clause) for one in (domain[1:] if isinstance(domain[0], str) else domain)]

    def every(rows: list[Row]) -> list[Row]:
        for part in parts:
            rows = part(rows)
        return rows

    def either(rows: list[Row]) -> list[Row]:
        found: set[int] = set()
        for part in parts:
            found.update([row["id"] for row in part([row for row in rows if row["id"] not in found])])
        return [row for row in rows if row["id"] in found]

    return either if domain[0] == "OR" else every


def mentions(domain: Plain, name: str) -> bool:
    """Whether the domain speaks of this field itself (then they do not add their own clause on it)."""
    if not domain:
        return False
    if isinstance(domain[0], str) and domain[0] not in ("AND", "OR"):
        return bool(domain[0] == name)
    return any(mentions(one, name) for one in domain if isinstance(one, list))


def test(operator: str, wanted: Plain) -> Callable[[Plain], bool]:
    """What says whether a value stands so to the wanted one; an unknown operator is a Fault when it comes to it."""
    match operator:
        case "=":
            return lambda found: bool(found == wanted)
        case "!=":
            return lambda found: bool(found != wanted)
        case "in":
            return lambda found: found in wanted
        case "not in":
            return lambda found: found not in wanted
    if wanted is None:
        return lambda _: False
    if operator in _ORDERED:
        ordered = _ORDERED[operator]
        return lambda found: found is not None and bool(ordered(found, wanted))
    if operator in ("like", "ilike"):
        pattern = "".join(".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in wanted)
        like = re.compile(pattern, re.IGNORECASE if operator == "ilike" else 0)
        return lambda found: found is not None and like.fullmatch(str(found)) is not None
    return lambda found: found is not None and _unknown(operator)


def _unknown(operator: str) -> bool:
    raise Fault(f"unknown operator {operator!r}", "")
