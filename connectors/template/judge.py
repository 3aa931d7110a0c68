"""What a customer sees, read over HTTP without any of the hub's code: the judge of tests and demo."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

SIZE = 100
PAGES_MAX = 10_000
TIMEOUT_SECONDS = 30
STATES = {"on_sale": "active", "off_sale": "inactive"}


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    """By SKU: `stock` (pieces that may be bought now, under place ""), `price`, `currency`, `state`; all as text."""
    shown: dict[str, dict[str, Any]] = {}
    after = ""
    for _ in range(PAGES_MAX):
        page = _page(base_url, secrets["token"], after)
        for item in page["items"]:
            shown[item["sku"]] = {
                "stock": {"": str(item["stock"])},
                "price": item["price"]["amount"],
                "currency": item["price"]["currency"],
                "state": STATES.get(item["state"], "gone"),
            }
        after = page["next"] or ""
        if not after:
            return shown
    raise RuntimeError("a listing without an end")


def _page(base_url: str, token: str, after: str) -> Any:
    query = {"size": str(SIZE), **({"page": after} if after else {})}
    url = f"{base_url.rstrip('/')}/items?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return json.loads(answer.read())
