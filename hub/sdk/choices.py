"""Settings that hold several answers in one line."""

from __future__ import annotations

from hub.errors import ConfigError


def pairs_in(name: str, text: str) -> dict[str, str]:
    """What a setting `code=place, code=place` says by its codes; ConfigError where it is not written so, or says one twice."""
    found: dict[str, str] = {}
    for one in filter(None, (part.strip() for part in text.split(","))):
        code, equals, place = (word.strip() for word in one.partition("="))
        if not (code and equals and place) or code in found:
            raise ConfigError(f"{name}: {one!r} is not `code=place`, or names a code twice")
        found[code] = place
    return found
