"""The recorded WooCommerce put again: the same calls in the same order, and where the small one answers otherwise."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from connectors.woocommerce.sandbox import Sandbox
from connectors.woocommerce.sign_in import SignIn
from hub.canonical.json import read_json
from hub.clock import ManualClock
from hub.sdk.wire import Request

HOST = "127.0.0.1:8081"
KEY, SECRET = "ck_made_up_key_0001", "cs_made_up_secret_0001"
READER, READER_SECRET = "ck_made_up_reader_0001", "cs_made_up_secret_0002"

ORDER = (
    "auth-none", "auth-basic-over-http", "auth-oauth1-http", "auth-query-https", "auth-readonly-write",
    "product-create-simple", "product-create-duplicate-sku", "product-create-unmanaged", "stock-set-on-unmanaged-is-ignored",
    "product-create-fractional-stock", "product-create-numeric-price", "product-update-stock", "product-update-stock-negative",
    "product-update-stock-zero", "product-update-stock-null", "product-update-price-sale", "product-update-clear-sale",
    "product-update-sale-above-regular", "product-update-price-readonly", "product-update-price-comma",
    "product-update-price-garbage", "product-sale-dates", "product-update-404", "product-create-variable", "product-list-by-sku",
    "variation-create-S", "variation-create-M", "variation-create-L", "product-get-variable", "variation-update-stock",
    "variation-by-sku-on-products", "variation-get-via-products-endpoint", "variation-update-via-products-endpoint",
    "product-search_sku", "variations-global-endpoint", "variable-parent-manage-stock", "variation-stock-from-parent",
    "variation-stock-set-while-parent-manages", "webhook-create", "webhook-create-bad-topic", "webhook-get",
    "webhook-delete-noforce", "webhook-delete", "product-batch-update", "product-delete-trash", "product-get-trashed",
    "product-delete-force", "product-get-deleted", "order-create-pending", "order-update-processing", "refund-create",
    "order-get-after-refund", "refund-too-much", "refund-api_refund-default-true", "refund-list", "refunds-global",
    "order-oversell", "order-cancel", "order-bad-status", "order-by-sku", "order-unknown-product", "order-trash",
    "products-modified_after-naive-utc", "products-modified_after-utcZ", "products-modified_after-utc_dates_are_gmt",
    "products-modified_after-naive-local", "products-modified_after-offset", "products-modified_after-utcZ_gmt",
    "products-modified_after-offset_gmt", "products-modified_after-orderby-modified", "variations-modified_after",
    "orders-modified_after", "list-fields", "list-page-beyond", "list-page1", "per_page-101", "batch-101", "page-0",
    "batch-mixed-errors", "variations-batch", "malformed-json", "oauth-put", "webhook-reactivate", "gateway-enable",
    "sale-scheduled", "order-note", "order-complete", "order-edit-line",
)  # fmt: skip
"""The recorded calls as they followed one another (the second of their answers orders most, their effects the rest)."""


class Difference(NamedTuple):
    """Where an answer differs: the sample, the path in its body, what was recorded and what the small one says."""

    sample: str
    path: str
    recorded: Any
    said: Any

    def __str__(self) -> str:
        return f"{self.sample} {self.path}: recorded {str(self.recorded)[:60]!r}, here {str(self.said)[:60]!r}"


class Replay:
    """A fresh sandbox as the recorded shop was."""

    def __init__(self, folder: Path) -> None:
        self.samples = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
        self.clock = ManualClock(1_795_286_400_000_000)
        self.sandbox = Sandbox(
            self.clock,
            consumer_key=KEY,
            consumer_secret=SECRET,
            reading_key=READER,
            reading_secret=READER_SECRET,
            currency="EUR",
            tax_percent="19",
            home=f"https://{HOST}",
            mixed="no",
        )

    def run(self) -> Iterator[tuple[str, int, int, list[Difference]]]:
        """Each recorded call: its sample, the recorded status, the small shop's, and the differences of the bodies."""
        for name in ORDER:
            sample = self.samples[name]
            self._meanwhile(name)
            self._at(sample, name)
            answer = self.sandbox.send(self._request(name, sample), 30, 1 << 25)
            recorded = read_json(json.dumps(sample["response"]["body"]).encode())
            yield name, sample["response"]["status"], answer.status, list(differences(name, "", recorded, answer.json()))

    def _at(self, sample: dict[str, Any], name: str) -> None:
        """Set the clock to when the answer was made: by the time that it gives itself, else by its Date header."""
        body = sample["response"]["body"]
        said = (body.get("date_modified_gmt") or body.get("date_created_gmt")) if isinstance(body, dict) else None
        if sample["request"]["method"] in ("GET", "DELETE"):
            said = None
        date = parsedate_to_datetime(sample["response"]["headers"]["Date"])
        seconds = _seconds(said) if said else int(date.timestamp())
        self.clock.advance(max(0, seconds - self.clock.now() // 1_000_000))

    def _request(self, name: str, sample: dict[str, Any]) -> Request:
        asked, auth = sample["request"], sample["auth"]
        scheme = "http" if auth in ("basic-http", "oauth") else "https"
        query = {key: str(value) for key, value in (asked["query"] or {}).items()}
        url = f"{scheme}://{HOST}{asked['path']}" + (f"?{urlencode(query)}" if query else "")
        body = b"" if asked["body"] is None else str(asked["body"]).encode()
        if isinstance(asked["body"], dict):
            body = json.dumps(asked["body"]).encode()
        request = Request(asked["method"], url, {"content-type": "application/json"}, body)
        if auth == "none":
            return request
        if auth == "oauth":
            return SignIn("oauth1", url, KEY, SECRET, self.clock).signed(request)
        if auth == "query":
            return SignIn("query", url, KEY, SECRET, self.clock).signed(request)
        pair = f"{READER}:{READER_SECRET}" if name == "auth-readonly-write" else f"{KEY}:{SECRET}"
        signed = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return Request(request.method, url, {**request.headers, **signed}, body)

    # what the recording does not show

    def _meanwhile(self, name: str) -> None:
        """What was done in the recorded shop between the recorded calls."""
        acts: dict[str, Callable[[], None]] = {
            "webhook-get": self._more_webhooks,
            "webhook-delete": lambda: self._touch(8, "2026-11-21T18:42:58"),
            "product-batch-update": self._parent_lets_go,
            "product-delete-trash": self._cap,
            "products-modified_after-naive-utc": self._later,
            "batch-mixed-errors": self._bulk,
            "webhook-reactivate": self._webhook_disabled,
            "sale-scheduled": self._a_day,
            "order-complete": self._noted,
            "order-oversell": self._lost_refund,
        }
        acts.get(name, lambda: None)()

    def _more_webhooks(self) -> None:
        hooks = self.sandbox.webhooks
        for topic in ("order.updated", "order.deleted", "product.updated", "product.created", "product.deleted"):
            hooks.add(topic, topic, f"http://127.0.0.1:8080/woo/{topic}", "lab-secret-&-x")
        for topic in ("product.updated", "product.updated"):
            hooks.add(topic, topic, f"http://127.0.0.1:8080/woo/{topic}", "lab-secret-&-x")
        seven, eight = hooks.kept[7], hooks.kept[8]
        seven.url, seven.created = "http://127.0.0.1:9099/woo/badport", _seconds("2026-11-21T18:42:00")
        eight.url, eight.created = "http://localhost:8080/woo/localhost", _seconds("2026-11-21T18:42:00")
        hooks.kept[4].created = _seconds("2026-11-21T18:41:58")
        self._touch(7, "2026-11-21T18:42:07")

    def _touch(self, hook: int, at: str) -> None:
        self.sandbox.webhooks.kept[hook].modified = _seconds(at)

    def _webhook_disabled(self) -> None:
        self.sandbox.webhooks.kept[4].status = "disabled"

    def _parent_lets_go(self) -> None:
        shop = self.sandbox.catalogue
        for ident in (12, 15):
            shop.products[ident].manages = ident == 15
            shop.products[ident].quantity = 5 if ident == 15 else None
            shop.saved(shop.products[ident])

    def _cap(self) -> None:
        shop = self.sandbox.catalogue
        self._to("2026-11-21T18:43:19")
        cap = shop.add("simple")
        cap.name, cap.regular, cap.manages, cap.quantity = "Cap", "7.00", True, 3
        shop.set_sku(cap, "CAP-1")
        shop.saved(cap, "created")
        shop.next_post()

    def _later(self) -> None:
        shop = self.sandbox.catalogue
        self._to("2026-11-21T18:46:01")
        shop.products[13].quantity = 6
        shop.saved(shop.products[13])
        self._to("2026-11-21T18:46:02")
        shop.products[10].quantity = 33
        shop.saved(shop.products[10])

    def _bulk(self) -> None:
        shop = self.sandbox.catalogue
        self._to("2026-11-21T18:46:38")
        for number in range(100):
            made = shop.add("simple")
            made.name, made.regular, made.manages, made.quantity = f"Bulk {number}", f"{number % 50 + 1}.00", True, number
            made.created = _seconds("2026-11-21T18:46:11")
            shop.set_sku(made, f"BULK-{number:04d}")
            shop.saved(made, "created")
        shop.products[25].quantity = 5

    def _lost_refund(self) -> None:
        shop = self.sandbox.catalogue
        shop.posts = 20
        shop.products[10].quantity = 500

    def _a_day(self) -> None:
        shop = self.sandbox.catalogue
        mug = shop.products[10]
        mug.quantity, mug.sold = 3, 8

    def _noted(self) -> None:
        order = self.sandbox.orders.kept[18]
        order.customer_note = "x"

    def _to(self, at: str) -> None:
        self.clock.advance(max(0, _seconds(at) - self.clock.now() // 1_000_000))


def differences(sample: str, path: str, recorded: Any, said: Any) -> Iterator[Difference]:
    """Every place where two bodies differ."""
    if isinstance(recorded, dict) and isinstance(said, dict):
        for name in [*recorded, *(name for name in said if name not in recorded)]:
            yield from differences(
                sample, f"{path}.{name}".lstrip("."), recorded.get(name, "(absent)"), said.get(name, "(absent)")
            )
    elif isinstance(recorded, list) and isinstance(said, list):
        if len(recorded) != len(said):
            yield Difference(sample, f"{path}.length".lstrip("."), len(recorded), len(said))
        for number, (one, other) in enumerate(zip(recorded, said, strict=False)):
            yield from differences(sample, f"{path}.{number}".lstrip("."), one, other)
    elif _kind(recorded) != _kind(said) or recorded != said:
        yield Difference(sample, path, recorded, said)


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | Decimal) and not isinstance(value, bool) else type(value).__name__


def _seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp())
