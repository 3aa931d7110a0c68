"""Orders that are not understood: what of their lines can be read takes its pieces all the same, until they are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from merchant import AARHUS, BOOKS, Merchant, merchant

from hub.canonical.json import body_json, read_json
from hub.people import People
from hub.sdk.contract import Page
from hub.store import letters, requests
from hub.why import why

Change = Callable[[dict[str, Any]], object]


class Records:
    """The order records of a channel, changed on the way to the hub for as long as `change` is there."""

    def __init__(self, shop: Merchant, channel: str, change: Change) -> None:
        self.change: Change | None = change
        connector = shop.stage.hub.channels[channel].connector
        self._path = connector.manifest.streams["orders"].records.split(".")
        for name in ("read", "look_up"):
            setattr(connector, name, self._changing(getattr(connector, name)))

    def _changing(self, read: Callable[..., Page]) -> Callable[..., Page]:
        def changed(stream: str, *asked: Any) -> Page:
            page = read(stream, *asked)
            if stream != "orders" or self.change is None:
                return page
            body = found = read_json(page.body)
            for name in self._path:
                found = found[name]
            for record in found:
                self.change(record)
            return Page(body_json(body), page.cursor, page.more, page.total, page.gone)

        return changed


def a_new_state(record: dict[str, Any]) -> None:
    record["state"] = "AwaitingMoonlight"


def no_currency(record: dict[str, Any]) -> None:
    record["currencyCode"] = 208


def ask(shop: Merchant, kind: str, **body: object) -> None:
    hub = shop.stage.hub
    hub.database.transaction(lambda tx: requests.ask(tx, hub.clock.token(), kind, dict(body), hub.clock.now()))
    People(hub).step()


def reserved(shop: Merchant, sku: str) -> list[str]:
    """What takes pieces of this, as `samklang why` says it of the webshop's listing."""
    hub = shop.stage.hub
    manifests = {name: channel.manifest for name, channel in hub.channels.items()}
    (found,) = why(hub.config, manifests, hub.database, "webshop", sku, "stock")
    return [each["words"] for each in found.reserved]


def reasons(shop: Merchant) -> list[str]:
    return [letter.reason for letter in shop.stage.letters()]


@pytest.fixture
def shop(tmp_path: Path) -> Merchant:
    return merchant(tmp_path, {"TEE": (5, 10), "HAT": (2, 4)})


@pytest.mark.parametrize("change", [a_new_state, no_currency, lambda record: record.update(total=record["total"] + 5000)])
def test_an_order_that_is_not_understood_takes_its_pieces_everywhere(shop: Merchant, change: Change) -> None:
    records = Records(shop, "webshop", change)
    shop.webshop.order({"TEE": 2, "HAT": 1})
    shop.run(60)
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((13, 13), (5, 5))
    written = shop.stage.writes()
    shop.run(4000)
    # Read again and again: nothing goes round in circles, and nothing is booked that nobody understands.
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((13, 13), (5, 5))
    assert (shop.stage.writes(), shop.sales()) == (written, [])
    (letter,) = shop.stage.letters()
    (said,) = reserved(shop, "TEE")
    assert said.startswith("2 of TEE since ")
    assert f"order {letter.record} of webshop is not understood ({letter.path}: {letter.reason})" in said
    records.change = None
    ask(shop, "replay", all=True)
    shop.run(120)
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((13, 13), (5, 5))
    assert len(shop.sales()) == 1
    assert [words.split()[0].startswith("webshop-") for words in reserved(shop, "TEE")] == [True]
    assert shop.quiet()


def test_it_outlives_the_process(shop: Merchant) -> None:
    Records(shop, "webshop", a_new_state)
    shop.webshop.order({"TEE": 2})
    shop.run(60)
    shop.stage.restart()
    Records(shop, "webshop", a_new_state)
    shop.run(600)
    assert shop.shops("TEE") == (13, 13)


def test_when_it_is_understood_as_called_off_nothing_is_taken_any_more(shop: Merchant) -> None:
    records = Records(shop, "webshop", a_new_state)
    order = shop.webshop.order({"TEE": 2})
    shop.run(60)
    assert shop.shops("TEE") == (13, 13)
    shop.webshop.cancel(order)
    records.change = None
    ask(shop, "replay", all=True)
    shop.run(120)
    assert shop.shops("TEE") == (15, 15)
    assert shop.quiet()


def test_an_order_that_was_understood_before_keeps_what_it_took_and_takes_no_more(shop: Merchant) -> None:
    shop.webshop.order({"TEE": 2})
    shop.run(120)
    records = Records(shop, "webshop", a_new_state)
    shop.webshop.order({"HAT": 1})
    shop.run(4000)
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((13, 13), (5, 5))
    assert len(reserved(shop, "TEE")) == len(reserved(shop, "HAT")) == 1
    records.change = None
    ask(shop, "replay", all=True)
    shop.run(120)
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((13, 13), (5, 5))
    assert shop.quiet()


def test_what_an_order_wants_beyond_what_was_understood_of_it_is_taken_too(shop: Merchant) -> None:
    shop.webshop.order({"TEE": 2})
    shop.run(120)
    assert shop.stage.shows("social", "TEE") == 13

    def grown(record: dict[str, Any]) -> None:
        a_new_state(record)
        record["lines"][0]["ordered"] = 5

    Records(shop, "webshop", grown)
    ask(shop, "reread", channel="webshop")
    shop.run(4000)
    assert shop.stage.shows("social", "TEE") == 10


def test_a_line_whose_quantity_cannot_be_read_takes_one_at_least_and_its_neighbours_all(shop: Merchant) -> None:
    def spoilt(record: dict[str, Any]) -> None:
        for line in record["lines"]:
            if line["variant"]["sku"] == "TEE":
                line["ordered"] = "a few"

    Records(shop, "webshop", spoilt)
    shop.webshop.order({"TEE": 1, "HAT": 2})
    shop.run(4000)
    assert (shop.shops("TEE"), shop.shops("HAT")) == ((14, 14), (4, 4))


def test_a_line_that_names_its_listing_no_more_is_found_by_its_sku(shop: Merchant) -> None:
    def spoilt(record: dict[str, Any]) -> None:
        for line in record["lines"]:
            line["variant"]["id"] = None

    Records(shop, "webshop", spoilt)
    shop.webshop.order({"TEE": 2})
    shop.run(4000)
    assert shop.shops("TEE") == (13, 13)


def test_an_order_that_cannot_even_say_what_it_is_for_takes_nothing_and_its_letter_says_so(shop: Merchant) -> None:
    Records(shop, "webshop", lambda record: record.update(lines="none"))
    shop.webshop.order({"TEE": 2})
    shop.run(4000)
    (reason,) = reasons(shop)
    assert "what it is for cannot be read, so nothing more is reserved for it" in reason
    assert reserved(shop, "TEE") == []


def test_history_takes_nothing_and_its_letter_says_so(shop: Merchant) -> None:
    def old(record: dict[str, Any]) -> None:
        a_new_state(record)
        record["orderPlacedAt"] = "2019-06-01T10:00:00.000Z"

    Records(shop, "webshop", old)
    shop.webshop.order({"TEE": 2})
    shop.run(4000)
    (reason,) = reasons(shop)
    assert "it is older than orders_since, so nothing is reserved for it" in reason
    assert reserved(shop, "TEE") == []


def test_who_discards_the_letter_frees_the_pieces_until_it_is_read_again(shop: Merchant) -> None:
    Records(shop, "webshop", a_new_state)
    shop.webshop.order({"TEE": 2})
    shop.run(60)
    (letter,) = shop.stage.letters()
    ask(shop, "discard", letters=[letter.id])
    shop.stage.hub.settle()
    assert reserved(shop, "TEE") == []
    shop.run(4000)
    # The same fault opens the letter again, and the pieces are taken again.
    assert [each.record for each in shop.stage.letters()] == [letter.record]
    assert shop.shops("TEE") == (13, 13)


def test_the_letter_of_a_listing_that_has_the_same_name_frees_no_order(shop: Merchant) -> None:
    Records(shop, "webshop", a_new_state)
    shop.webshop.order({"TEE": 2})
    shop.run(60)
    (letter,) = shop.stage.letters()
    listing = letter._replace(stream="items", path="title", reason="not a text")
    shop.stage.hub.database.transaction(lambda tx: letters.keep(tx, [listing]))
    ask(shop, "discard", letters=[listing.id])
    shop.run(600)
    assert shop.stage.letters() == [letter]
    assert shop.shops("TEE") == (13, 13)


def test_a_till_sale_that_is_not_understood_is_in_the_tills_own_figure_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)})

    def no_word(record: dict[str, Any]) -> None:
        record["standing"] = "WHATEVER"

    records = Records(shop, "till", no_word)
    shop.till.sell("TEE", 1, AARHUS)
    shop.run(4000)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (4, (14, 14))
    written = shop.stage.writes()
    shop.run(4000)
    assert shop.stage.writes() == written
    records.change = None
    ask(shop, "replay", all=True)
    shop.run(300)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (4, (14, 14))
    assert shop.quiet()


def test_a_copy_of_an_order_in_the_books_that_is_not_understood_takes_nothing_once_more(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)}, erp=BOOKS)
    shop.webshop.order({"TEE": 2})
    shop.run(300)
    assert len(shop.sales()) == 1
    Records(shop, "erp", lambda record: record.update(state="somewhere"))
    ask(shop, "reread", channel="erp")
    shop.run(4000)
    assert shop.shops("TEE") == (13, 13)
    assert len(shop.sales()) == 1


def test_a_hold_does_not_run_out_while_nobody_can_read_whether_it_was_paid(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)})
    until = shop.stage.clock.now() + 900_000_000
    records = Records(shop, "webshop", lambda record: record)
    hub = shop.stage.hub
    mapping = hub.channels["webshop"].mappings
    understand = mapping.understand

    def held(name: str, record: Any) -> list[dict[str, Any]]:
        found = understand(name, record)
        return [{**each, "state": "hold", "hold_until": until} for each in found] if name == "order" else found

    mapping.understand = held  # type: ignore[method-assign]
    shop.webshop.order({"TEE": 2})
    shop.run(60)
    assert shop.stage.shows("social", "TEE") == 13
    records.change = a_new_state
    ask(shop, "reread", channel="webshop")
    shop.run(4000)
    assert shop.stage.shows("social", "TEE") == 13


def test_a_thing_that_is_none_of_our_items_stops_its_line_and_no_other(shop: Merchant) -> None:
    shop.webshop.add_item("NEW", "Nobody knows it", price=Decimal("10"))
    shop.webshop.count("NEW", 5)
    shop.run(60)
    Records(shop, "webshop", a_new_state)
    shop.webshop.order({"TEE": 2, "NEW": 1})
    shop.run(4000)
    assert shop.shops("TEE") == (13, 13)
