"""Deliveries of the small shop: to every subscription of a topic, signed with the app's secret, in either header style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.shopify.sandbox_shop import zulu
from hub.sdk.api import Plain, Request, body_json, sign

if TYPE_CHECKING:
    from connectors.shopify.sandbox import Sandbox

EVENTS: Final = {
    "products/create": ("Product", "create"),
    "products/update": ("Product", "update"),
    "products/delete": ("Product", "delete"),
    "orders/create": ("Order", "create"),
    "orders/updated": ("Order", "update"),
}


class Posts:
    """Writes deliveries into the sandbox's outbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def told(self, topic: str, body: dict[str, Plain]) -> None:
        """One delivery to each subscription; where none was made by the API, to the address as hooked up."""
        sandbox = self._sandbox
        if sandbox.options["header_style"] == "events":
            if topic in EVENTS and sandbox.hook_url:
                self._post(sandbox.hook_url, self._event(topic, body), True)
            return
        name = topic.replace("/", "_").upper()
        kept = sandbox.state.subscriptions
        mine = [one for one in kept.values() if one["topic"] == name]
        for one in mine:
            fields = one.get("includeFields") or list(body)
            self._post(one["uri"], {field: body[field] for field in fields if field in body}, False, topic)
        if not kept and sandbox.hook_url:
            self._post(sandbox.hook_url, body, False, topic)

    def _event(self, topic: str, body: dict[str, Plain]) -> dict[str, Plain]:
        name, action = EVENTS[topic]
        changed: dict[str, Plain] = {"added": [], "updated": [] if action != "update" else ["made"], "removed": []}
        return {"topic": name, "action": action, "handle": "made", "fields_changed": changed, "resource": {"id": body["id"]}}

    def _post(self, url: str, body: dict[str, Plain], events: bool, topic: str = "") -> None:
        sandbox = self._sandbox
        raw = body_json(body)
        ident = f"{sandbox.random.getrandbits(128):032x}"
        prefix = "shopify-" if events else "x-shopify-"
        headers = {
            f"{prefix}hmac-sha256": sign(sandbox.options["client_secret"], raw, "base64"),
            f"{prefix}topic": body["topic"] if events else topic,
            f"{prefix}shop-domain": sandbox.options["shop"],
            f"{prefix}api-version": "2026-10",
            f"{prefix}webhook-id": ident,
            f"{prefix}event-id": f"{ident[:16]}-made",
            f"{prefix}triggered-at": zulu(sandbox.micros()),
            "content-type": "application/json",
        }
        sandbox.outbox.append(Request("POST", url, headers, raw))
