"""The Meta catalogue: read by cursor, written in asynchronous batches whose handles are followed to each item's outcome."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connectors.meta import answers, payload
from connectors.meta.graph import Graph
from connectors.meta.payload import Entry, Handle
from hub.sdk.api import (
    Change,
    ChannelError,
    Connector,
    Delivery,
    Outcome,
    Page,
    Plain,
    ReadAsk,
    Receipt,
    RefusedError,
    UnavailableError,
    UnverifiedError,
    body_json,
    not_sent,
    refused,
)

FIELDS: Final = (
    "id",
    "retailer_id",
    "name",
    "description",
    "availability",
    "quantity_to_sell_on_facebook",
    "price",
    "sale_price",
    "currency",
    "url",
    "image_url",
    "image_fetch_status",
    "product_type",
    "gtin",
    "visibility",
)
"""What is read of every item: names of the specification's ProductItem."""
STATUS_FIELDS: Final = "handle,status,errors,errors_total_count,warnings,ids_of_invalid_requests"
FIRST: Final = "after:"
"""A cursor is this and the platform's own cursor; alone it stands for the beginning."""
LOOK_UP_PAGES_MAX: Final = 20
SHOWN_WITHIN_SECONDS: Final = 5
"""So long after a finished batch an old value may still be read; later it is a success that changed nothing."""
WAITING_MAX: Final = 20_000
CHALLENGE_CHARS_MAX: Final = 200

_Reading = dict[str, dict[str, Plain]]


class Meta(Connector):
    """One catalogue."""

    def opened(self) -> None:
        self._graph = Graph(self.context)
        self._catalog = self.settings["catalog_id"]
        self._finished_at: dict[str, int] = {}

    # deliveries

    def challenge(self, delivery: Delivery) -> bytes | None:
        """The subscription's challenge handed back; UnverifiedError where the token shown is not ours."""
        if delivery.query.get("hub.mode") != "subscribe":
            return None
        wanted, shown = self.secrets.get("verify_token", ""), delivery.query.get("hub.verify_token", "")
        if not wanted or not hmac.compare_digest(wanted.encode(), shown.encode("utf-8", "replace")):
            raise UnverifiedError("verify token wrong")
        return delivery.query.get("hub.challenge", "")[:CHALLENGE_CHARS_MAX].encode()

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next page of the whole listing: the platform has no "changed since", so every reading lists everything."""
        limit = min(ask.page_max, self.manifest.streams["items"].page_max)
        query = {"fields": ",".join(FIELDS), "limit": str(limit), "summary": "true"}
        if after := ask.cursor.removeprefix(FIRST):
            query["after"] = after
        told = self._graph.get(f"{self._catalog}/products", query, "read items")
        products, following = answers.products_of(told, "read items"), answers.following(told)
        total = told.get("summary", {}).get("total_count") if isinstance(told.get("summary"), dict) else None
        return Page(
            body=_body(products),
            cursor=FIRST + following,
            more=bool(following),
            total=total if isinstance(total, int) else None,
        )

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """The current items of these ids; gone are those that a whole listing of the ids lacks."""
        found = self._by_id(ids)
        gone = tuple(listing for listing in ids if listing not in found)
        return Page(body=_body(list(found.values())), cursor="", more=False, total=len(found), gone=gone)

    def _by_id(self, ids: Sequence[str]) -> _Reading:
        # Their filters do not mind case, ours must: an id that only looks alike is another item.
        wanted = set(ids)
        query = {
            "fields": ",".join(FIELDS),
            "filter": body_json({"retailer_id": {"is_any": list(ids)}}).decode(),
            "limit": str(len(ids)),
        }
        found: _Reading = {}
        for _ in range(LOOK_UP_PAGES_MAX):
            told = self._graph.get(f"{self._catalog}/products", query, "look up items")
            products = answers.products_of(told, "look up items")
            found |= {product["retailer_id"]: product for product in products if product.get("retailer_id") in wanted}
            if not (following := answers.following(told)):
                return found
            query["after"] = following
        raise UnavailableError("a look-up without an end", operation="look up items")

    # sending

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Absolute figures with the availability that fits; accepted, followed up by handle."""
        return self._send("stock", changes, payload.stock_entry)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Prices as amount and currency; accepted, followed up by handle."""
        return self._send("price", changes, payload.price_entry)

    def send_listing(self, changes: Sequence[Change]) -> list[Receipt]:
        """Items made, described, archived and deleted; accepted, followed up by handle (see `payload.listing_entry`)."""
        return self._send("listing", changes, payload.listing_entry)

    def _send(self, aspect: str, changes: Sequence[Change], entry: Callable[[Change, Mapping[str, str]], Entry]) -> list[Receipt]:
        receipts: list[Receipt] = []
        entries: dict[str, Entry] = {}
        for change in changes:
            if change.key.listing in entries:
                # Batches end in any order, so of two changes under way the older might stand in the end.
                receipts.append(not_sent(change, "another change of this item goes first"))
                continue
            try:
                entries[change.key.listing] = entry(change, self.settings)
            except ValueError as bad:
                receipts.append(refused(change, str(bad)))
        stopped: ChannelError | None = None
        for batch in payload.batches(list(entries.values()), self.manifest.sends[aspect].batch_max):
            if stopped is not None:
                receipts += [not_sent(sent.change, "the call before it failed") for sent in batch]
                continue
            try:
                receipts += self._post(batch)
            except ChannelError as failed:
                if not any(receipt.outcome is Outcome.ACCEPTED for receipt in receipts):
                    raise
                # What was accepted before must not be lost with the call that failed.
                stopped = failed
                receipts += [Receipt(sent.change.id, answers.outcome_of(failed), failed.message) for sent in batch]
        return receipts

    def _post(self, batch: Sequence[Entry], again: bool = True) -> list[Receipt]:
        body = {
            "item_type": "PRODUCT_ITEM",
            "allow_upsert": batch[0].upsert,
            "requests": [entry.request for entry in batch],
        }
        told = self._graph.post(f"{self._catalog}/items_batch", body, "send items")
        wrong, warned = answers.validation(told.get("validation_status"))
        handles = [handle for handle in told.get("handles") or [] if isinstance(handle, str) and handle]
        bad = [entry for entry in batch if entry.change.key.listing in wrong]
        good = [entry for entry in batch if entry.change.key.listing not in wrong]
        receipts = [refused(entry.change, wrong[entry.change.key.listing][: answers.WORDS_CHARS_MAX]) for entry in bad]
        if handles:
            return receipts + [
                Receipt(
                    entry.change.id,
                    Outcome.ACCEPTED,
                    warned.get(entry.change.key.listing, "")[: answers.WORDS_CHARS_MAX],
                    handle=str(Handle(",".join(handles), entry.change.key.listing, entry.change.id, entry.asked)),
                )
                for entry in good
            ]
        # No handle: nothing of the request was taken. Where bad entries were the reason, the good ones go alone.
        if good and bad and again:
            return receipts + self._post(good, again=False)
        return receipts + [refused(entry.change, "taken without a handle: nothing was done") for entry in good]

    # following

    def follow_stock(self, handles: Sequence[str]) -> list[Receipt]:
        """What became of accepted figures; `shows` is the figure read afterwards."""
        return self._follow(handles, answers.shown_stock)

    def follow_price(self, handles: Sequence[str]) -> list[Receipt]:
        """What became of accepted prices; `shows` is the effective price read afterwards."""
        return self._follow(handles, answers.shown_price)

    def follow_listing(self, handles: Sequence[str]) -> list[Receipt]:
        """What became of accepted listings; `shows` is the listing read afterwards."""
        return self._follow(handles, answers.shown_listing)

    def _follow(self, handles: Sequence[str], shown: Callable[[Mapping[str, Plain] | None, str], answers.Shown]) -> list[Receipt]:
        by_batch: dict[str, list[Handle]] = {}
        for text in handles:
            parts = Handle.read(text)
            by_batch.setdefault(parts.batch, []).append(parts)
        receipts: list[Receipt] = []
        done: list[tuple[Handle, str]] = []
        for batch, parts_of in by_batch.items():
            for parts, receipt in zip(parts_of, self._followed(batch, parts_of), strict=True):
                if receipt is None:
                    continue
                if receipt.outcome is Outcome.APPLIED:
                    done.append((parts, receipt.words))
                else:
                    receipts.append(replace(receipt, handle=str(parts)))
        reading = self._read_back([parts.listing for parts, _ in done])
        for parts, words in done:
            judged = self._judged(parts, words, shown(reading.get(parts.listing), parts.asked))
            receipts += [judged] if judged is not None else []
        return receipts

    def _followed(self, batch: str, parts_of: Sequence[Handle]) -> list[Receipt | None]:
        """Per change of the batch: refused, unknown, applied as far as the batch says, or None while it is under way."""
        refused: dict[str, str] = {}
        warned: dict[str, str] = {}
        hidden = False
        for handle in batch.split(","):
            query = {"handle": handle, "load_ids_of_invalid_requests": "true", "fields": STATUS_FIELDS}
            try:
                told = self._graph.get(f"{self._catalog}/check_batch_request_status", query, "follow items")
            except RefusedError as bad:
                return [Receipt(parts.change, Outcome.UNKNOWN, f"the batch is not known: {bad.message}") for parts in parts_of]
            rows = told.get("data")
            status: dict[str, Plain] = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
            word = str(status.get("status", "")).lower()
            if word in ("error", "canceled"):
                return [Receipt(parts.change, Outcome.UNKNOWN, f"the batch ended as {word}") for parts in parts_of]
            if word != "finished":
                return [None] * len(parts_of)
            errors = answers.by_listing(status.get("errors"))
            invalid = [listing for listing in status.get("ids_of_invalid_requests") or [] if isinstance(listing, str)]
            refused |= dict.fromkeys(invalid, "refused without a word") | errors
            warned |= answers.by_listing(status.get("warnings"))
            count = status.get("errors_total_count")
            hidden = hidden or (isinstance(count, int) and count > 0 and not errors and not invalid)
        return [answers.ended(parts, refused, warned, hidden) for parts in parts_of]

    def _read_back(self, listings: Sequence[str]) -> _Reading:
        reading: _Reading = {}
        ids, step = list(dict.fromkeys(listings)), self.manifest.streams["items"].look_up_max
        for start in range(0, len(ids), step):
            reading |= self._by_id(ids[start : start + step])
        return reading

    def _judged(self, parts: Handle, words: str, shown: answers.Shown) -> Receipt | None:
        same, said, value = shown
        text, now = str(parts), self.clock.now()
        if same:
            self._finished_at.pop(text, None)
            return Receipt(parts.change, Outcome.APPLIED, words, handle=text, shows=value)
        if len(self._finished_at) >= WAITING_MAX:
            self._finished_at.clear()
        if now - self._finished_at.setdefault(text, now) < SHOWN_WITHIN_SECONDS * 1_000_000:
            return None
        self._finished_at.pop(text, None)
        asked, _, before = parts.asked.partition(payload.BEFORE)
        words = f"finished, but it shows {said}, asked was {asked}; {words}".removesuffix("; ")
        # What shows neither the one nor the other has been changed since: by a person, or by what was sold.
        changed = before and value is not None and said != before
        outcome = Outcome.CONFLICT if changed else Outcome.REFUSED
        return Receipt(parts.change, outcome, words[: answers.WORDS_CHARS_MAX], handle=text, shows=value)


def _body(products: list[dict[str, Plain]]) -> bytes:
    # Without their paging: its addresses repeat the access token.
    return body_json({"data": products})
