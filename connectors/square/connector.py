"""The four verbs for Square: catalogue, counts and orders; and physical counts, movements, prices, orders sent."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.square.movement import MovementBatch
from connectors.square.objects import by_variation, gone_ids, stamp
from connectors.square.order_reading import OrderReader
from connectors.square.order_sending import OrderSender
from connectors.square.prices import PriceBatch
from connectors.square.stock import StockBatch
from hub.sdk.api import (
    Change,
    Connector,
    Page,
    Plain,
    ReadAsk,
    Receipt,
    Response,
    UnavailableError,
    Window,
    answered_at,
    body_json,
    read_time,
)

ITEMS_PER_POLL_PAGE = 20
"""A changed item brings all its variations along, at most 250: so a page stays below 5,000 records."""
COUNT_PAGES_MAX = 50
"""Pages of one look-up of counts: far more than 100 things at every location of a large seller."""


class Square(Connector):
    """One Square seller account."""

    def opened(self) -> None:
        self.headers = {
            "authorization": f"Bearer {self.secrets['access_token']}",
            "square-version": self.manifest.api_version,
        }

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """Variations with their parent item; the first reading and sweeps list all living ones, polls what changed.

        A poll asks for items as well as variations: an edited item gets a new version, its variations keep theirs.
        """
        window = Window.from_cursor(ask.cursor, full=ask.full)
        body: dict[str, Plain] = {"include_related_objects": True}
        if window.since is None:
            body |= {"object_types": ["ITEM_VARIATION"], "include_deleted_objects": False, "limit": ask.page_max}
        else:
            body |= {
                "object_types": ["ITEM", "ITEM_VARIATION"],
                "include_deleted_objects": True,
                "begin_time": stamp(window.since),
                "limit": min(ask.page_max, ITEMS_PER_POLL_PAGE),
            }
        if window.page:
            body["cursor"] = window.page
        answer = self.ask("/v2/catalog/search", body, "read items")
        told = self.told(answer, "read items")
        records = by_variation(told)
        times = [read_time(one["variation"]["updated_at"]) for one in records]
        return self.page("items", window, answer, told, {"records": records}, times)

    def read_stock(self, ask: ReadAsk) -> Page:
        """Counts of what is in stock, newest first, at this channel's locations."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        body: dict[str, Plain] = {"states": ["IN_STOCK"], "limit": ask.page_max} | self.locations()
        if window.since is not None:
            body["updated_after"] = stamp(window.since)
        if window.page:
            body["cursor"] = window.page
        answer = self.ask("/v2/inventory/counts/batch-retrieve", body, "read stock")
        told = self.told(answer, "read stock")
        counts = told.get("counts") or []
        times = [read_time(count["calculated_at"]) for count in counts]
        return self.page("stock", window, answer, told, {"counts": counts}, times)

    def read_orders(self, ask: ReadAsk) -> Page:
        """Orders with their rows, by when Square last updated them."""
        return OrderReader(self).read(ask)

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """The current records of these orders; unknown ones are gone."""
        return OrderReader(self).look_up(ids)

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """The current records of these variations; deleted and unknown ones are gone."""
        told = self.objects(ids, "look up items")
        gone = gone_ids(told, ids)
        records = [one for one in by_variation(told) if one["variation"]["id"] not in gone]
        return Page(body_json({"records": records}), "", False, gone=tuple(gone))

    def look_up_stock(self, ids: Sequence[str]) -> Page:
        """The current counts of these variations; one without a count is gone only if the catalogue says so."""
        counts: list[Plain] = []
        body: dict[str, Plain] = {"catalog_object_ids": list(ids), "states": ["IN_STOCK"]} | self.locations()
        for _ in range(COUNT_PAGES_MAX):
            told = self.told(self.ask("/v2/inventory/counts/batch-retrieve", body, "look up stock"), "look up stock")
            counts += told.get("counts") or []
            if not told.get("cursor"):
                break
            body["cursor"] = told["cursor"]
        else:
            raise UnavailableError("counts go on without an end", channel=self.context.channel, operation="look up stock")
        counted = {count["catalog_object_id"] for count in counts}
        uncounted = [ident for ident in ids if ident not in counted]
        gone = gone_ids(self.objects(uncounted, "look up stock"), uncounted) if uncounted else []
        return Page(body_json({"counts": counts}), "", False, gone=tuple(gone))

    # writing

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Physical counts as of the decision: what the till sells after that moment is subtracted by Square itself."""
        return StockBatch(self).send(changes)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """New base prices under the version just read, each in an atomic batch of its own."""
        return PriceBatch(self).send(changes)

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Orders that a shop must hand over, and that one is ready, handed over or not wanted any more."""
        sender = OrderSender(self)
        return [sender.send(change) for change in changes]

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether these facts stand, found by our number or by the order itself."""
        sender = OrderSender(self)
        return [sender.find(change) for change in changes]

    def send_movement(self, changes: Sequence[Change]) -> list[Receipt]:
        """Adjustments by what facts elsewhere moved here: each once, whatever is lost and sent again."""
        return MovementBatch(self).send(changes)

    def find_movement(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether these movements stand in Square's ledger."""
        return MovementBatch(self).find(changes)

    # calling

    def ask(self, path: str, body: Plain, operation: str) -> Response:
        """A read by POST."""
        return self.client.call("POST", path, operation=operation, writes=False, headers=self.headers, json=body)

    def told(self, answer: Response, operation: str) -> dict[str, Plain]:
        """The body of a read as a JSON object; Unavailable when it is none."""
        return self.client.told(answer, operation, writes=False)

    def objects(self, ids: Sequence[str], operation: str) -> dict[str, Plain]:
        """The catalogue's answer for these ids, deleted objects and parents included."""
        body = {"object_ids": list(ids), "include_related_objects": True, "include_deleted_objects": True}
        return self.told(self.ask("/v2/catalog/batch-retrieve", body, operation), operation)

    def locations(self) -> dict[str, Plain]:
        """The filter on this channel's own locations; none configured: all of the seller's."""
        known = sorted(set(self.context.places.values()))
        return {"location_ids": known} if known else {}

    def page(self, stream: str, window: Window, answer: Response, told: Plain, body: Plain, times: list[int]) -> Page:
        """The page and its cursor.

        Only the first page moves the next reading's start: what changes while the rest is read is newer than that. The
        start is the platform's own clock (its Date header), so that an idle account is not read again and again.
        """
        if not window.page:
            moment = answered_at(answer)
            window = window.saw(times if moment is None else [moment])
        following = told.get("cursor")
        if following:
            return Page(body_json(body), window.next_page(following), True)
        return Page(body_json(body), window.closed(self.manifest.streams[stream].overlap_seconds), False)
