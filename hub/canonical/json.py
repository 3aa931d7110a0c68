"""JSON without floats: numbers become int or Decimal on the way in, Decimals are written as exact numbers or text.

Bodies come from outside, so depth and duplicate keys are bounded here and a bad body is a ValueError in words.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final, NoReturn

from pydantic_core import from_json

from hub.canonical.values import Plain, plain_decimal


def read_json(body: bytes | str) -> Plain:
    """The parsed body with exact numbers; ValueError for what is not UTF-8 JSON, for NaN and for too deep nesting."""
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
    except UnicodeDecodeError as bad:
        raise ValueError(f"not UTF-8 (byte {bad.start})") from None
    try:
        return _READER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as bad:
        raise ValueError(f"not JSON: {bad.msg} at line {bad.lineno} column {bad.colno}") from None


def write_json(value: Plain) -> str:
    """Compact JSON text with sorted keys, equal for equal values; Decimals become text."""
    return _WRITER.encode(value)


def stored_json(text: str) -> Plain:
    """What `write_json` wrote, read back: it holds no bare decimals, so the quicker parser is as exact."""
    return from_json(text)


def body_json(value: Plain) -> bytes:
    """A request body: compact UTF-8 JSON in the given key order; Decimals become text (say `Number` for a bare number)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_text).encode()


def at_path(body: Plain, path: str) -> Plain:
    """What stands under these dotted names (a number: that place of a list); None where nothing does, the body itself for ""."""
    found = body
    for name in path.split(".") if path else []:
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"not JSON: {word} is not a number")


_READER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
_WRITER: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False, check_circular=False, default=_text)
