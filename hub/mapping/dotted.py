"""Dotted paths: `product.name`, `stockLevels.0.id`; a dot inside a key is written `\\.`."""

from __future__ import annotations

from typing import Final

Path = tuple[str, ...]
"""The segments of a path; a segment of digits is also the place in a list."""

SEGMENTS_MAX: Final = 16
ANY: Final = "*"
"""In a pattern: every element of a list, or every key."""


def dotted(text: str) -> Path:
    """The path's segments; ValueError for an empty segment or too many."""
    segments, current, characters = [], "", iter(text)
    for character in characters:
        if character == "\\":
            current += next(characters, "\\")
        elif character == ".":
            segments.append(current)
            current = ""
        else:
            current += character
    segments.append(current)
    if not all(segments):
        raise ValueError("a dotted path has an empty part")
    if len(segments) > SEGMENTS_MAX:
        raise ValueError(f"a dotted path has at most {SEGMENTS_MAX} parts")
    return tuple(segments)


def spelled(path: Path) -> str:
    """The path as it is written in a mapping."""
    return ".".join(segment.replace("\\", "\\\\").replace(".", "\\.") for segment in path)


def is_place(segment: str) -> bool:
    """Whether the segment can be a place in a list (negative ones come from expressions only)."""
    digits = segment.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10
