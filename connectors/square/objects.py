"""Square's catalogue objects and times as this connector reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hub.sdk.api import Plain, moment

_NAMED: Final = re.compile(r"changes\[(\d+)\]")


def stamp(at: int) -> str:
    """RFC 3339 with microseconds, as Square writes times."""
    return moment(at).isoformat(timespec="microseconds").replace("+00:00", "Z")


def by_variation(told: Plain) -> list[dict[str, Plain]]:
    """One record per variation of a catalogue answer: `variation`, its parent `item` without variations, and `version`.

    Versions count up over the whole catalogue, so the greater of the two says when the pair last changed. A parent that
    the answer does not hold is null.
    """
    objects = told.get("objects") or []
    items = {one["id"]: one for one in [*(told.get("related_objects") or []), *objects] if one.get("type") == "ITEM"}
    variations: dict[str, Plain] = {}
    for one in objects:
        nested = (one.get("item_data") or {}).get("variations") or [] if one.get("type") == "ITEM" else [one]
        for variation in nested:
            known = variations.get(variation["id"])
            if variation.get("type") == "ITEM_VARIATION" and (known is None or known["version"] < variation["version"]):
                variations[variation["id"]] = variation
    return [_record(one, items.get((one.get("item_variation_data") or {}).get("item_id"))) for one in variations.values()]


def _record(variation: Plain, item: Plain) -> dict[str, Plain]:
    version = variation["version"]
    if item is not None:
        kept = {name: value for name, value in (item.get("item_data") or {}).items() if name != "variations"}
        item = {**item, "item_data": kept}
        version = max(version, item["version"])
    return {"variation": variation, "item": item, "version": version}


def gone_ids(told: Plain, ids: Sequence[str]) -> list[str]:
    """Those of the asked ids that the catalogue has deleted or never had."""
    living = {one["id"] for one in told.get("objects") or [] if not one.get("is_deleted")}
    return [ident for ident in ids if ident not in living]


def errors_of(told: Plain) -> list[dict[str, str]]:
    """The errors that an answer names: each with code, detail and field as text."""
    listed = told.get("errors") or [] if isinstance(told, dict) else []
    return [{name: str(one.get(name) or "") for name in ("code", "detail", "field")} for one in listed if isinstance(one, dict)]


def named_changes(errors: Sequence[dict[str, str]]) -> dict[int, dict[str, str]]:
    """The errors of a batch that say which of its changes they mean, by that change's place."""
    return {int(found[1]): error for error in errors if (found := _NAMED.search(error["field"]))}


def words_of(error: dict[str, str]) -> str:
    """One line of Square's own words."""
    return f"{error['code']}: {error['detail']}"[:200]
