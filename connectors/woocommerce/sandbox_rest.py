"""WordPress's REST manners in small: errors, checked arguments, paged lists with their headers, chosen fields."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from hub.sdk.api import Plain, Request, Response, json_response

PER_PAGE: Final = 10
PER_PAGE_MAX: Final = 100
BATCH_MAX: Final = 100

Row = dict[str, Plain]


NUMBER: Final = "bare number "
"""Before a text that is to stand as a bare number in a body."""


def bare(body: bytes) -> bytes:
    """The body with the numbers that are marked as such: one field of the real answers is a number with many decimals."""
    return re.sub(rb'"bare number (-?[0-9]+(?:\.[0-9]+)?)"', rb"\1", body)


class RestError(Exception):
    """An answer that says no, in WordPress's form."""

    def __init__(self, code: str, message: str, status: int, data: Plain = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.shown: Row = {"code": code, "message": message, "data": {"status": status} if data is None else data}

    def answer(self) -> Response:
        """It as an answer."""
        return json_response(self.shown, self.status)


def no_route() -> RestError:
    """No such address or method."""
    return RestError("rest_no_route", "No route was found matching the URL and request method.", 404)


def invalid(faults: Mapping[str, tuple[str, str]]) -> RestError:
    """Arguments of the wrong kind: name → (code, message)."""
    params = {name: message for name, (_, message) in faults.items()}
    details = {
        name: {"code": code, "message": message, "data": {"param": name} if code == "rest_invalid_type" else None}
        for name, (code, message) in faults.items()
    }
    data = {"status": 400, "params": params, "details": details}
    return RestError("rest_invalid_param", f"Invalid parameter(s): {', '.join(params)}", 400, data)


def json_body(request: Request) -> Row:
    """The body's object; a body that is no JSON is an error of its own."""
    if not request.body:
        return {}
    try:
        said = request.json()
    except ValueError:
        data = {"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"}
        raise RestError("rest_invalid_json", "Invalid JSON body passed.", 400, data) from None
    return said if isinstance(said, dict) else {}


def check(given: Mapping[str, Plain], kinds: Mapping[str, str], words: Mapping[str, Sequence[str]] = {}) -> None:
    """Refuse values of the wrong type; null passes everywhere."""
    faults: dict[str, tuple[str, str]] = {}
    for name, value in given.items():
        kind = kinds.get(name)
        if value is None or kind is None:
            continue
        if not _is(value, kind):
            faults[name] = ("rest_invalid_type", f"{name} is not of type {kind}.")
        elif name in words and value not in words[name]:
            said = ", ".join(words[name][:-1]) + f", and {words[name][-1]}"
            faults[name] = ("rest_not_in_enum", f"{name} is not one of {said}.")
    if faults:
        raise invalid(faults)


def _is(value: Plain, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false", "1", "0", 1, 0)
    if kind == "integer":
        return whole(value) is not None
    if kind == "array":
        return isinstance(value, list)
    return True


def whole(value: Plain) -> int | None:
    """The whole number that this is, or is written as; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return int(number) if number.is_finite() and number == number.to_integral_value() else None


def truth(value: Plain) -> bool:
    """A boolean as WordPress reads it, in any case."""
    return value in (True, 1) or (isinstance(value, str) and value.lower() in ("true", "1"))


class Listed:
    """The arguments of one list, checked."""

    def __init__(self, query: Mapping[str, str]) -> None:
        faults: dict[str, tuple[str, str]] = {}
        page, size = whole(query.get("page", "1")), whole(query.get("per_page", str(PER_PAGE)))
        if page is None or page < 1:
            faults["page"] = ("rest_out_of_bounds", "page must be greater than or equal to 1")
        if size is None or not 1 <= size <= PER_PAGE_MAX:
            words = f"per_page must be between 1 (inclusive) and {PER_PAGE_MAX} (inclusive)"
            faults["per_page"] = ("rest_out_of_bounds", words)
        if faults:
            raise invalid(faults)
        self.query = query
        self.page, self.size = page or 1, size or PER_PAGE
        offset = whole(query.get("offset", ""))
        self.start = (self.page - 1) * self.size if offset is None else offset

    def later(self) -> bool:
        """Whether this is not the first page."""
        return self.start > 0

    def answer(self, address: str, rows: Sequence[Plain], show: Callable[[Plain], Row], shown: Sequence[str] = ()) -> Response:
        """The page that was asked for, with the count in its headers."""
        total = len(rows)
        pages = -(-total // self.size)
        found = [fields(show(row), self.query) for row in rows[self.start : self.start + self.size]]
        links = []
        if self.page > 1:
            links.append(f'<{self._address(address, min(self.page - 1, pages))}>; rel="prev"')
        if pages > self.page:
            links.append(f'<{self._address(address, self.page + 1)}>; rel="next"')
        headers = {"x-wp-total": str(total), "x-wp-totalpages": str(pages), **({"link": ", ".join(links)} if links else {})}
        return json_response(found, 200, headers)

    def _address(self, address: str, page: int) -> str:
        return f"{address}?{urlencode({**self.query, 'page': str(page)})}"


def fields(row: Row, query: Mapping[str, str]) -> Row:
    """Of a row what `_fields` asks for."""
    wanted = query.get("_fields")
    return row if not wanted else {name: row[name] for name in wanted.split(",") if name in row}


def ids(text: str) -> list[int]:
    """A list of ids as WordPress reads it."""
    found = [whole(part) for part in text.split(",")]
    return [one for one in found if one is not None]


def changed(row_utc: int, query: Mapping[str, str], offset_seconds: int, name: str) -> bool:
    """Whether a time (seconds UTC) passes `{name}_after` and `{name}_before`, by WordPress's own idea of zones.

    It compares wall clocks: the site's own, or UTC with `dates_are_gmt`. A value with a zone is turned into the site's wall
    clock first, also where UTC is meant: together the two lose what changed within the offset.
    """
    gmt = truth(query.get("dates_are_gmt"))
    wall = row_utc if gmt else row_utc + offset_seconds
    for suffix in ("after", "before"):
        given = query.get(f"{name}_{suffix}" if name else suffix)
        if given is None:
            continue
        try:
            moment = dt.datetime.fromisoformat(given)
        except ValueError:
            raise invalid({f"{name}_{suffix}": ("rest_invalid_date", "Invalid date.")}) from None
        zone = moment.tzinfo is not None
        limit = int(moment.timestamp()) + offset_seconds if zone else int(moment.replace(tzinfo=dt.UTC).timestamp())
        if wall <= limit if suffix == "after" else wall >= limit:
            return False
    return True
