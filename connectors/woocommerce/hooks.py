"""The shop's webhook subscriptions: which there are, and making those that deliver to us whole again.

WooCommerce repeats no delivery and switches a webhook off at the seventh failure in a row; nobody is told. Switching it on again
leaves its count of failures as it is, so one more failure ends it again: the gap is always repaired by reading.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from connectors.woocommerce.shop_api import Row, ShopApi, words_of
from hub.sdk.api import ConfigError, UnavailableError

TOPICS: Final = tuple(
    f"{resource}.{event}" for resource in ("product", "order") for event in ("created", "updated", "deleted", "restored")
)
NAME: Final = "Samklang"
PER_PAGE: Final = 100
PAGES_MAX: Final = 10


class Subscriptions:
    """The webhooks of one shop."""

    def __init__(self, api: ShopApi, secret: str) -> None:
        self._api = api
        self._secret = secret

    def all(self) -> list[Row]:
        """Every webhook of the shop, whoever it delivers to: {id, name, topic, url, status: active|paused|disabled, since}, and
        `words` for one that delivers what another delivers to the same address."""
        found: list[Row] = []
        for page in range(1, PAGES_MAX + 1):
            listing = self._api.list("webhooks", {"per_page": str(PER_PAGE), "page": str(page)}, "list webhooks", counted=False)
            found += [
                {
                    "id": str(row.get("id", "")),
                    "name": str(row.get("name", "")),
                    "topic": str(row.get("topic", "")),
                    "url": str(row.get("delivery_url", "")),
                    "status": str(row.get("status", "")),
                    "since": str(row.get("date_created_gmt") or ""),
                }
                for row in listing.rows
            ]
            if len(listing.rows) < PER_PAGE:
                return _doubles_named(found)
        raise UnavailableError("the webhooks do not come to an end", operation="list webhooks")

    def heal(self, url: str) -> list[str]:
        """Make sure that every topic is delivered to `url`: what was done, in words; empty when all was well."""
        if not self._secret:
            raise ConfigError("secrets.hook_secret is missing: deliveries could not be told from forged ones")
        known, done = self.all(), []
        for topic in TOPICS:
            mine = [one for one in known if one["topic"] == topic and one["url"] == url]
            if not mine:
                done.append(self._create(topic, url))
            elif not any(one["status"] == "active" for one in mine):
                # One that a person has paused stays paused: the list of webhooks says so.
                done += [self._switch_on(one) for one in mine if one["status"] == "disabled"][:1]
        if done:
            # Said once, when our address is new: what is left behind fails there and is switched off by the shop.
            done += [
                f"webhook {one['id']} ({one['topic']}) of ours still delivers to {urlsplit(one['url']).netloc}: delete it"
                for one in known
                if one["name"].startswith(NAME) and urlsplit(one["url"]).netloc != urlsplit(url).netloc
            ]
        return done

    def _create(self, topic: str, url: str) -> str:
        given = {"name": f"{NAME} {topic}", "topic": topic, "delivery_url": url, "secret": self._secret, "status": "active"}
        status, said = self._api.write("POST", "webhooks", given, "create a webhook", statuses=frozenset({400}))
        if status == 400 or said.get("topic") != topic or said.get("delivery_url") != url:
            return f"{topic} could not be subscribed: {words_of(said) if status == 400 else 'the shop shows another webhook'}"
        if said.get("status") != "active":
            return f"subscribed {topic} (webhook {said.get('id')}), but it is {said.get('status')}"
        return f"subscribed {topic} (webhook {said.get('id')})"

    def _switch_on(self, hook: Row) -> str:
        given = {"status": "active", "secret": self._secret}
        _, said = self._api.write("PUT", f"webhooks/{hook['id']}", given, "switch a webhook on")
        if said.get("status") != "active":
            return f"{hook['topic']} (webhook {hook['id']}) was {hook['status']} and could not be switched on"
        return f"switched {hook['topic']} (webhook {hook['id']}) on again, it was {hook['status']}: what it missed must be read"


def _doubles_named(hooks: list[Row]) -> list[Row]:
    seen: set[tuple[str, str]] = set()
    for one in sorted(hooks, key=lambda hook: int(hook["id"] or 0)):
        delivers = (one["topic"], one["url"])
        if one["status"] == "active" and delivers in seen:
            one["words"] = "delivers a second time what another one delivers: delete it"
        if one["status"] == "active":
            seen.add(delivers)
    return hooks
