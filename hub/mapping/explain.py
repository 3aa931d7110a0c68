"""The slow, telling twins of the fast look-ups: used only when a record failed, to say which path and which value.

What a person may own never reaches a message: shapes instead of contents for personal fields, everything cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.mapping.dotted import Path, is_place, spelled

SHOWN_CHARS_MAX: Final = 80
ROWS_MAX: Final = 10_000
_ABSENT: Final = object()


def shown(value: Plain, personal: bool = False) -> str:
    """A short printable form: shape only for lists, objects and personal values."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return f"<object, {len(value)} keys>"
    if isinstance(value, list):
        return f"<list, {len(value)} elements>"
    if personal:
        return f"<text, {len(value)} chars>" if isinstance(value, str) else "<number>"
    if isinstance(value, str):
        cut = repr(value[:SHOWN_CHARS_MAX])
        return cut if len(cut) <= SHOWN_CHARS_MAX else cut[: SHOWN_CHARS_MAX - 1] + "…"
    if isinstance(value, int) and value.bit_length() > 200:
        return "<number of more than 60 digits>"
    return str(value)[:SHOWN_CHARS_MAX] if isinstance(value, int | Decimal) else f"<{type(value).__name__}>"


def reason_of(bad: Exception, personal: bool = False) -> str:
    """What went wrong in words that hold no value."""
    if isinstance(bad, ArithmeticError):
        return "cannot be calculated"
    if isinstance(bad, ValueError) and not personal:
        return str(bad)
    if isinstance(bad, LookupError):
        return "nothing there"
    return "not of the shape that the mapping expects"


class Trace:
    """Where the explaining run is: the field, what it reads and whether that is personal."""

    __slots__ = ("field", "personal", "read")

    def __init__(self) -> None:
        self.field = ""
        self.personal = False
        self.read: tuple[tuple[str, Plain], ...] = ()

    def at(self, field: str, personal: bool, read: tuple[tuple[str, Plain], ...]) -> None:
        """The run goes on to this field, which reads these paths."""
        self.field, self.personal, self.read = field, personal, read

    def refusal(self, bad: Exception) -> UnmappableError:
        """The failure as an error that names field, paths and values."""
        said = ", ".join(shown(value, self.personal) for _, value in self.read[:3])
        path = ", ".join(path for path, _ in self.read[:3]) or self.field
        return UnmappableError(f"{reason_of(bad, self.personal)} (for {self.field})", path, said)


def seek(base: Plain, keys: Path, at: str) -> Plain:
    """What stands under these keys; UnmappableError names the first part that is not there."""
    return _walk(base, keys, at, False)


def seek_optional(base: Plain, keys: Path, at: str) -> Plain:
    """The same, None where something is absent or null."""
    return _walk(base, keys, at, True)


def peek(base: Plain, keys: Path) -> Plain:
    """What stands there, None instead of any refusal."""
    try:
        return _walk(base, keys, "", True)
    except UnmappableError:
        return None


def _walk(base: Plain, keys: Path, at: str, optional: bool) -> Plain:
    here = base
    for count, key in enumerate(keys):
        found = _under(here, key)
        if found is _ABSENT:
            if optional and _may_lack(here, key, count):
                return None
            told = "nothing there" if isinstance(here, dict) or is_place(key) else f"{_kind(here)} where an object is expected"
            raise UnmappableError(told, at + spelled(keys[: count + 1]), shown(here, True))
        here = found
    return here


def _may_lack(here: Plain, key: str, deep: int) -> bool:
    # some platforms write an empty object as []; below the first step null and [] have nothing under any name
    return isinstance(here, dict) or (isinstance(here, list) and is_place(key)) or (deep > 0 and (here is None or here == []))


def _under(here: Plain, key: str) -> Plain:
    if isinstance(here, dict):
        return here.get(key, _ABSENT)
    if isinstance(here, list) and is_place(key) and -len(here) <= int(key) < len(here):
        return here[int(key)]
    return _ABSENT


def _kind(value: Plain) -> str:
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "a text" if isinstance(value, str) else "a single value"


def told(convert: Callable[..., Any], value: Plain, at: str, field: str, personal: bool, *extra: Plain) -> Any:
    """The converted value; UnmappableError with this path and value when the converter refuses."""
    try:
        return convert(value, *extra)
    except UnmappableError:
        raise
    except Exception as bad:
        raise UnmappableError(f"{reason_of(bad, personal)} (for {field})", at, shown(value, personal)) from None


def numbered(value: Plain, at: str) -> Iterator[tuple[str, Plain]]:
    """Each element of a list with its path (and a dot after it)."""
    if value is None or not isinstance(value, list):
        raise UnmappableError("null" if value is None else "not a list", at, shown(value, True))
    if len(value) > ROWS_MAX:
        raise UnmappableError(f"a list of more than {ROWS_MAX} elements", at, shown(value))
    return ((f"{at}.{place}.", element) for place, element in enumerate(value))


# -- the fast twins, in the same storey of names ---------------------------------------------------------------------


def item(base: Plain, key: str) -> Plain:
    """The element of a list at this place, or the entry of an object under these digits."""
    if type(base) is list:
        return base[int(key)]
    if type(base) is dict:
        return base[key]
    raise ValueError("neither list nor object")


def maybe(base: Plain, keys: Path) -> Plain:
    """What stands under these keys, None where something is absent or null; another shape is refused."""
    here = base
    for count, key in enumerate(keys):
        if type(here) is dict:
            here = here.get(key)
        elif type(here) is list and is_place(key):
            place = int(key)
            here = here[place] if -len(here) <= place < len(here) else None
        elif count and (here is None or here == []):
            return None
        else:
            raise ValueError("a single value where an object is expected")
    return here


def rows(value: Plain) -> list[Plain]:
    """The list itself, if it is one of bearable length."""
    if type(value) is not list:
        raise ValueError("not a list")
    if len(value) > ROWS_MAX:
        raise ValueError(f"a list of more than {ROWS_MAX} elements")
    return value


def decided(value: Plain) -> bool:
    """A yes or no; anything else is refused, because an empty text is not a no."""
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def there(value: Plain) -> Plain:
    """The value, if it is one."""
    if value is None:
        raise ValueError("nothing there")
    return value


def blank(value: Plain) -> Plain:
    """None for text that says nothing, else the value."""
    return None if type(value) is str and not value.strip() else value
