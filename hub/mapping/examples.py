"""Examples of a mapping are tests: a sample in, what it must give beside it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path as FilePath

from hub.canonical.entity import Field, Kind
from hub.canonical.json import read_json
from hub.canonical.values import Plain, iso, pieces, plain_decimal
from hub.errors import HubError
from hub.mapping.dotted import dotted, is_place
from hub.mapping.explain import peek
from hub.mapping.mapping import CompiledMapping
from hub.mapping.schema import Example

SAMPLE_BYTES_MAX = 10_000_000


def problems(mapping: CompiledMapping, connector_folder: FilePath) -> list[str]:
    """What is wrong with the mapping's examples, each with file:line; empty when all hold."""
    found: list[str] = []
    for example in mapping.document.examples:
        try:
            found.extend(f"{example.where}: {wrong}" for wrong in _wrong(mapping, example, connector_folder))
        except (HubError, ValueError, OSError) as bad:
            found.append(f"{example.where}: {example.sample}: {bad}")
    return found


def _wrong(mapping: CompiledMapping, example: Example, folder: FilePath) -> list[str]:
    file = (folder / example.sample).resolve()
    if not file.is_relative_to(folder.resolve()):
        return [f"{example.sample} lies outside the connector's folder"]
    if file.stat().st_size > SAMPLE_BYTES_MAX:
        return [f"{example.sample} is larger than {SAMPLE_BYTES_MAX} bytes"]
    record = peek(read_json(file.read_bytes()), example.record)
    given = mapping.bound(example.settings or None).understand(record)
    wrong = []
    if example.count is not None and len(given) != example.count:
        wrong.append(f"gives {len(given)} records, not {example.count}")
    for name, wanted in example.gives.items():
        path = dotted(name)
        path = path if is_place(path[0]) else ("0", *path)
        field = mapping.entity.fields.get(path[1]) if len(path) > 1 else None
        for segment in path[2:]:
            if field is not None and field.rows is not None and not is_place(segment):
                field = field.rows.get(segment)
        said = written(peek(given, path), field)
        if said != wanted and not _same_number(said, wanted, field):
            wrong.append(f"{name} is {said!r}, not {wanted!r}")
    return wrong


def written(value: Plain, field: Field | None) -> str:
    """A canonical value as a person writes it in an example: pieces, amounts, times with zone, true and false."""
    if value is None:
        return "(nothing)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, int) and field is not None and field.kind is Kind.QUANTITY:
        return pieces(value)
    if isinstance(value, int) and field is not None and field.kind is Kind.TIME:
        return iso(value)
    return str(value)


def _same_number(said: str, wanted: str, field: Field | None) -> bool:
    if field is None or field.kind not in (Kind.QUANTITY, Kind.AMOUNT):
        return False
    try:
        return Decimal(said) == Decimal(wanted)
    except InvalidOperation:
        return False
