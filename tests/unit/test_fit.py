"""What a channel wants against what its connector offers: each mismatch names the line and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from settings_texts import SOUND, with_line

from hub.files import parse_yaml, validate
from hub.sdk.fit import fit
from hub.sdk.manifest import Manifest
from hub.settings.load import load_text

COMMON = 'title: Made\napi_version: "1"\nchecked: 2026-11-21\npace: {per_second: 5, burst: 10}\nlimits: {}\n'
STREAMS = "streams:\n  items: {code: read_items, look_up: look_up_items, records: r, maps: [item, price, stock], page_max: 10}\n"
BOOKS = "connector: books\nroles: [erp]\nbase_url: https://books.example\n" + COMMON + STREAMS
DESK = "connector: desk\nroles: [pos]\nbase_url: https://desk.example\n" + COMMON + STREAMS
WINDOW = (
    "connector: window\nroles: [webshop, marketplace]\nbase_url: https://window.example\n"
    + COMMON
    + STREAMS
    + "settings: {currency: {text: Its currency}, shelf: {text: Its shelf, default: '1'}}\n"
    + "secrets: {token: {text: Its token}, spare: {text: Another, optional: true}}\n"
    + "sends:\n  stock: {code: send_stock, stream: items, batch_max: 5}\n"
    + "  price: {code: send_price, stream: items, batch_max: 5}\n"
)


def found(files: Mapping[str, str], **manifests: str) -> list[str]:
    texts = {"books": BOOKS, "desk": DESK, "window": WINDOW, **manifests}
    read = {name: validate(parse_yaml(text, f"{name}/connector.yaml"), Manifest) for name, text in texts.items() if text}
    return [str(problem) for problem in fit(load_text(files, "shop"), read)]


def test_what_fits_has_no_problem() -> None:
    assert found(SOUND) == []


def webshop(old: str, new: str) -> dict[str, str]:
    text = SOUND["channels/webshop.yaml"]
    assert old in text
    return {**SOUND, "channels/webshop.yaml": text.replace(old, new)}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            webshop("connector: window", "connector: windw"),
            "webshop.yaml:2: connector: there is no connector `windw`: did you mean `window`?",
        ),
        (
            webshop("role: webshop", "role: pos"),
            "webshop.yaml:3: role: window cannot be `pos`: write one of `marketplace`, `webshop`",
        ),
        (
            webshop("{currency: DKK}", "{curency: DKK, currency: DKK}"),
            "webshop.yaml:4: settings: window has no setting `curency`: did you mean `currency`?",
        ),
        (webshop("settings: {currency: DKK}\n", ""), "webshop.yaml:1: settings.currency: is missing: Its currency"),
        (
            webshop("secrets: {token: 'env:WEBSHOP_TOKEN'}\n", ""),
            "webshop.yaml:1: secrets.token: is missing: Its token (write `token: env:NAME`)",
        ),
        (
            webshop("{token:", "{tokn: 'env:X', token:"),
            "webshop.yaml:5: secrets: window has no secret `tokn`: did you mean `token`?",
        ),
        (
            with_line("channels/webshop.yaml", "streams: {stok: {}}"),
            "webshop.yaml:8: streams: window has no stream `stok`: write one of `items`",
        ),
        (
            with_line("channels/webshop.yaml", "listing: {offer: all}"),
            "webshop.yaml:8: listing.offer: window takes no listing from outside: write `bound`",
        ),
        (
            {
                **with_line("channels/erp.yaml", "figures_at: [aarhus]"),
                "locations.yaml": SOUND["locations.yaml"].replace("{till: L1}", "{till: L1, erp: '12'}"),
            },
            "erp.yaml:4: figures_at: books takes no stock from outside: leave this out",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_named(files: Mapping[str, str], said: str) -> None:
    assert found(files) == [f"shop/channels/{said}"]


def test_why_not_is_told_in_the_manifests_words() -> None:
    never = 'never: {order: "it sells nothing itself", price: "prices are drawn by hand"}\n'
    window = WINDOW.replace("  price: {code: send_price, stream: items, batch_max: 5}\n", "") + never
    assert found(with_line("channels/webshop.yaml", "orders_since: 2026-11-21"), window=window) == [
        "shop/channels/webshop.yaml:8: orders_since: window has no orders: it sells nothing itself; leave it out",
        "shop/channels/webshop.yaml:7: price_list: window takes no price from outside (prices are drawn by hand): leave this out",
    ]


def test_an_authority_that_never_speaks_of_it_is_named() -> None:
    books = BOOKS.replace("maps: [item, price, stock]", "maps: [item]")
    assert found(SOUND, books=books) == [
        "shop/authority.yaml:3: stock: books never says anything about stock: name another channel",
        "shop/authority.yaml:5: prices: books never says anything about prices: name another channel",
    ]


def test_one_figure_for_all_cannot_be_sent_per_location() -> None:
    books = BOOKS + "sends:\n  stock: {code: send_stock, stream: items, batch_max: 5}\n"
    files = {
        **with_line("channels/erp.yaml", "figures_at: [aarhus]"),
        "locations.yaml": SOUND["locations.yaml"].replace("{till: L1}", "{till: L1, erp: '12'}"),
    }
    said = "shop/channels/erp.yaml:4: figures_at: books keeps one figure for all: name the locations under `sells_from`"
    assert found(files, books=books) == [said]
    assert found(files, books=books.replace("batch_max: 5}", "batch_max: 5, located: true}")) == []


def test_a_platform_without_an_address_for_everybody_wants_one() -> None:
    window = WINDOW.replace("base_url: https://window.example", "base_url: ''")
    assert found(SOUND, window=window) == [
        "shop/channels/webshop.yaml:1: base_url: is missing: window has no address that is the same for everybody"
    ]


def test_a_price_with_more_decimals_than_they_take_is_named() -> None:
    pricing = SOUND["pricing.yaml"].replace("currency: DKK", "currency: KWD").replace(", ending: 0.95", "")
    said = "shop/pricing.yaml:5: list: window takes 2 decimals at most, and KWD has 3"
    assert found({**SOUND, "pricing.yaml": pricing}) == [said]
    window = WINDOW.replace(
        "send_price, stream: items, batch_max: 5}", "send_price, stream: items, batch_max: 5, amount_digits_max: 3}"
    )
    assert found({**SOUND, "pricing.yaml": pricing}, window=window) == []
