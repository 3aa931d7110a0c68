"""The small shop's webhooks: told late, merged while they wait, built when delivered, given up after seven failures."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.woocommerce.connector import decoded
from connectors.woocommerce.sandbox_catalogue import local
from connectors.woocommerce.sandbox_rest import Listed, RestError, Row, bare, no_route, truth, whole
from hub.sdk.api import Plain, Request, Response, body_json, json_response, sign

FAILURES_MAX: Final = 5
"""The failure that finds more than these behind it switches the webhook off: the seventh in a row."""
RESOURCES: Final = ("coupon", "customer", "order", "product")
EVENTS: Final = ("created", "updated", "deleted", "restored")
HOOKS: Final = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "product.updated": ["woocommerce_process_product_meta", "woocommerce_update_product", "woocommerce_update_product_variation"],
}
INVALID: Final = "woocommerce_rest_shop_webhook_invalid_id"


@dataclass(slots=True)
class Webhook:
    """One subscription; times are seconds UTC."""

    id: int
    name: str
    topic: str
    url: str
    secret: str
    created: int
    modified: int | None = None
    status: str = "active"
    failures: int = 0


class Outbox(deque[Request]):
    """Deliveries under way: what waits is built when somebody looks, with what the shop shows then."""

    def __init__(self, build: Callable[[], list[Request]], most: int) -> None:
        super().__init__(maxlen=most)
        self._build = build

    def __len__(self) -> int:
        self.extend(self._build())
        return super().__len__()

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Request]:
        self.extend(self._build())
        return super().__iter__()

    def popleft(self) -> Request:
        """The next delivery."""
        self.extend(self._build())
        return super().popleft()

    def pop(self) -> Request:  # type: ignore[override]
        """The last delivery."""
        self.extend(self._build())
        return super().pop()

    def clear(self) -> None:
        """Lose all that is under way, also what was not built yet."""
        self._build()
        super().clear()


class Webhooks:
    """Subscriptions and what waits for them."""

    def __init__(self, home: str, offset: int, now: Callable[[], int], show: Callable[[str, int], Row | None]) -> None:
        self.kept: dict[int, Webhook] = {}
        self._home = home
        self._offset = offset
        self._now = now
        self._show = show
        self._last = 0
        self._waiting: dict[tuple[int, str, int], None] = {}
        self._pings: list[Request] = []
        self.unordered = False
        """Tell of what was updated before what was created."""

    def add(self, name: str, topic: str, url: str, secret: str) -> Webhook:
        """A new, active webhook."""
        self._last += 1
        made = self.kept[self._last] = Webhook(self._last, name, topic, url, secret, self._now())
        return made

    def happened(self, topic: str, ident: int) -> None:
        """Something happened; the same thing of the same resource waits only once."""
        for hook in self.kept.values():
            if hook.status == "active" and hook.topic == topic:
                self._waiting[hook.id, topic, ident] = None

    def forget(self, told: set[tuple[int, str, int]]) -> None:
        """Take back what has waited since."""
        self._waiting = {key: None for key in self._waiting if key in told}

    def waiting(self) -> set[tuple[int, str, int]]:
        """What waits to be delivered."""
        return set(self._waiting)

    def build(self) -> list[Request]:
        """Everything that waits, as requests: the bodies are made now."""
        waiting = list(self._waiting)
        self._waiting.clear()
        if self.unordered:
            waiting.sort(key=lambda key: (key[2], not key[1].endswith("updated")))
        pings, self._pings = self._pings, []
        made = [self._delivery(self.kept[hook], topic, ident) for hook, topic, ident in waiting if hook in self.kept]
        return pings + [one for one in made if one is not None]

    def _delivery(self, hook: Webhook, topic: str, ident: int) -> Request | None:
        resource, _, event = topic.partition(".")
        shown: Row | None = {"id": ident} if event == "deleted" else self._show(resource, ident)
        if shown is None:
            # Deleted for good meanwhile: the shop shows its own error as the body.
            shown = {"code": f"woocommerce_rest_{resource}_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
        body = bare(body_json(shown))
        # Their id of a delivery is a digest of webhook and second, so that deliveries of one second share it.
        delivery = hashlib.md5(f"{hook.id}{self._now()}".encode(), usedforsecurity=False).hexdigest()
        headers = {
            "user-agent": "WooCommerce/10.0.2 Hookshot (WordPress/6.8.8)",
            "content-type": "application/json",
            "x-wc-webhook-source": f"{self._home}/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": sign(decoded(hook.secret), body, "base64"),
            "x-wc-webhook-id": str(hook.id),
            "x-wc-webhook-delivery-id": delivery,
        }
        return Request("POST", hook.url, headers, body)

    def answered(self, delivery: Request, status: int) -> None:
        """What the address said of a delivery: anything from 200 to 302 is a success, nothing is ever sent again."""
        hook = self.kept.get(whole(delivery.headers.get("x-wc-webhook-id")) or 0)
        if hook is None:
            return
        hook.modified = self._now()
        if 200 <= status < 303:
            hook.failures = 0
        elif hook.failures > FAILURES_MAX:
            hook.status = "disabled"
        else:
            hook.failures += 1

    # by REST

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: Row) -> Response:
        """The answer of one route below `webhooks`."""
        match method, parts:
            case "GET", []:
                rows = sorted(self.kept.values(), key=lambda one: one.id, reverse=query.get("order", "desc") == "desc")
                return Listed(query).answer(f"{self._home}/wp-json/wc/v3/webhooks", rows, self.show)
            case "POST", []:
                hook = self._create(body)
                place = f"{self._home}/wp-json/wc/v3/webhooks/{hook.id}"
                return json_response(self.show(hook), 201, {"location": place})
            case "GET", [ident]:
                return json_response(self.show(self._there(ident, 404)))
            case (("POST" | "PUT" | "PATCH"), [ident]):
                return json_response(self.show(self._update(self._there(ident, 400), body)))
            case "DELETE", [ident]:
                if not truth(query.get("force")):
                    raise RestError("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
                hook = self._there(ident, 404)
                del self.kept[hook.id]
                return json_response(self.show(hook))
        raise no_route()

    def _there(self, ident: str, status: int) -> Webhook:
        hook = self.kept.get(whole(ident) or 0)
        if hook is None:
            raise RestError(INVALID, "ID is invalid.", status)
        return hook

    def _create(self, given: Row) -> Webhook:
        topic, url = str(given.get("topic") or ""), str(given.get("delivery_url") or "")
        _check_topic(topic, "Webhook topic is required and must be valid.")
        if not url.startswith(("http://", "https://")):
            words = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise RestError("woocommerce_rest_shop_webhook_invalid_delivery_url", words, 400)
        hook = self.add(str(given.get("name") or topic), topic, url, str(given.get("secret") or "made by the shop"))
        form = {"content-type": "application/x-www-form-urlencoded", "user-agent": "WooCommerce/10.0.2 Hookshot"}
        self._pings.append(Request("POST", url, form, f"webhook_id={hook.id}".encode()))
        return hook

    def _update(self, hook: Webhook, given: Row) -> Webhook:
        if given.get("topic"):
            _check_topic(str(given["topic"]), "Webhook topic must be valid.")
            hook.topic = str(given["topic"])
        if given.get("status"):
            if given["status"] not in ("active", "paused", "disabled"):
                raise RestError("woocommerce_rest_shop_webhook_invalid_status", "Webhook status must be valid.", 400)
            hook.status = str(given["status"])
        hook.secret = str(given.get("secret") or hook.secret)
        hook.url = str(given.get("delivery_url") or hook.url)
        hook.name = str(given.get("name") or hook.name)
        hook.modified = self._now()
        return hook

    def show(self, hook: Webhook) -> Row:
        """A webhook as the API shows it: never its secret, never its count of failures."""
        resource, _, event = hook.topic.partition(".")
        base = f"{self._home}/wp-json/wc/v3/webhooks"
        links: Plain = {
            "self": [{"href": f"{base}/{hook.id}", "targetHints": {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}}],
            "collection": [{"href": base}],
        }
        return {
            "id": hook.id, "name": hook.name, "status": hook.status, "topic": hook.topic, "resource": resource, "event": event,
            "hooks": HOOKS.get(hook.topic, [f"woocommerce_{resource}_{event}"]), "delivery_url": hook.url,
            "date_created": local(hook.created, self._offset), "date_created_gmt": local(hook.created, 0),
            "date_modified": local(hook.modified, self._offset), "date_modified_gmt": local(hook.modified, 0), "_links": links,
        }  # fmt: skip


def _check_topic(topic: str, words: str) -> None:
    resource, _, event = topic.partition(".")
    if resource == "action" and event:
        return
    if resource not in RESOURCES or event not in EVENTS:
        raise RestError("woocommerce_rest_shop_webhook_invalid_topic", words, 400)
