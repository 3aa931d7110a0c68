"""The smallest configuration in which a connector can be tried: it shows what one other system says, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hub.canonical.item import LISTING_FIELDS
from hub.sdk.manifest import Manifest
from hub.settings.load import load_text
from hub.settings.model import Config

TESTED: Final = "tested"
"""The channel of the connector under test."""
BOOKS: Final = "books"
"""The channel that is right about everything."""
DEPOT: Final = "depot"
POLL_SECONDS: Final = 60
SWEEP_SECONDS: Final = 600
WORDED: Final = ("title", "text")


class Terms(NamedTuple):
    """In what the tested platform's prices are said."""

    currency: str = "DKK"
    tax: str = "included"


def configuration(
    books: str, tested: str, manifests: Mapping[str, Manifest], stated: Mapping[str, str], place: str, terms: Terms,
    mappings: Sequence[Path],
) -> Config:  # fmt: skip
    """Channel `tested` under the authority of channel `books`; `stated` are the tested channel's settings."""
    manifest = manifests[tested]
    ours = {"tax": terms.tax} if "tax" in manifests[books].settings else {}
    parts: dict[str, dict[str, object]] = {
        "hub.yaml": {"name": "kit", "mappings": [str(folder) for folder in mappings]},
        "locations.yaml": {DEPOT: {"title": "Depot", "channels": {TESTED: place} if place else {}}},
        "authority.yaml": {
            "items": [{"channel": BOOKS}],
            "stock": [{"channel": BOOKS, "covers": [DEPOT]}],
            "prices": [{"channel": BOOKS, "list": "retail"}],
        },
        "pricing.yaml": {
            "lists": {"retail": {"currency": terms.currency, "tax": terms.tax}},
            "channels": {TESTED: {"list": "retail", "tax": terms.tax}} if "price" in manifest.sends else {},
        },
        f"channels/{BOOKS}.yaml": _channel(BOOKS, books, manifests[books], ours),
        f"channels/{TESTED}.yaml": {**_channel(TESTED, tested, manifest, stated), **_told(manifest)},
    }
    return load_text({name: json.dumps(part) for name, part in parts.items()}, "kit")


def worded(manifest: Manifest) -> tuple[str, ...]:
    """The words of a listing that the suite writes there."""
    send = manifest.sends.get("listing")
    known = (send.fields or LISTING_FIELDS) if send else ()
    return tuple(name for name in WORDED if name in known)


def _channel(name: str, connector: str, manifest: Manifest, stated: Mapping[str, str]) -> dict[str, object]:
    rhythm = {"poll_seconds": str(POLL_SECONDS), "sweep_seconds": str(SWEEP_SECONDS)}
    return {
        "channel": name,
        "connector": connector,
        "role": manifest.roles[0],
        "mode": "live",
        "base_url": f"https://{name}.example",
        "settings": dict(stated),
        "secrets": dict.fromkeys(manifest.secrets, "env:UNUSED"),
        "streams": dict.fromkeys(manifest.streams, rhythm),
    }


def _told(manifest: Manifest) -> dict[str, object]:
    """What the channel is told by the hub."""
    told: dict[str, object] = {}
    stock = manifest.sends.get("stock")
    if stock is not None:
        told["figures_at" if stock.located else "sells_from"] = [DEPOT]
    if worded(manifest):
        told["listing"] = {"fields": list(worded(manifest))}
    return told
