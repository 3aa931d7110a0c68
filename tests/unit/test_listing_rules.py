"""Which items are offered on a channel, and what of their wording the hub writes there."""

from __future__ import annotations

import pytest

from hub.desired.listing import TITLE_CHARS_MAX, listing, offered, worded
from hub.settings.model import ListingRule

ITEM = {"title": "T-shirt", "text": "", "category": "clothes", "state": "active", "from": [{"channel": "erp"}]}


@pytest.mark.parametrize(
    ("rule", "sku", "category", "state", "expected"),
    [
        (ListingRule(offer="all"), "A", "clothes", "active", True),
        (ListingRule(offer="all"), "A", "clothes", None, True),
        (ListingRule(offer="all"), "A", "clothes", "inactive", False),
        (ListingRule(offer="all"), "A", "clothes", "gone", False),
        (ListingRule(offer="all"), "", "clothes", "active", False),
        (ListingRule(offer="all", never_skus=("A",)), "A", "clothes", "active", False),
        (ListingRule(offer="all", only_categories=("books",)), "A", "clothes", "active", False),
        (ListingRule(offer="all", only_categories=("books",)), "A", "books", "active", True),
    ],
)
def test_what_is_offered(rule: ListingRule, sku: str, category: str, state: str | None, expected: bool) -> None:
    assert offered(rule, sku, category, {"state": state} if state else {}) is expected


def test_a_withdrawn_item_is_shown_as_inactive_not_forgotten() -> None:
    said, because = listing(ListingRule(offer="all"), "A", {**ITEM, "state": "inactive"}, offer=False)
    assert said["state"] == "inactive"
    assert because["offered"] is False


def test_bound_listings_keep_their_own_words_unless_fields_are_named() -> None:
    assert worded(ListingRule()) == ()
    assert worded(ListingRule(fields=("title",))) == ("title",)
    assert listing(ListingRule(), "A", ITEM, offer=True)[0] == {}
    assert listing(ListingRule(fields=("title",)), "A", ITEM, offer=True)[0] == {"title": "T-shirt"}


def test_what_is_not_known_is_not_said() -> None:
    said, _ = listing(ListingRule(offer="all"), "A", ITEM, offer=True)
    assert said == {"title": "T-shirt", "category": "clothes", "state": "active"}


def test_link_and_picture_are_made_of_the_sku_where_the_item_has_none() -> None:
    rule = ListingRule(offer="all", link="https://shop.example/p/{sku}", picture="https://shop.example/i/{sku}.jpg")
    said, _ = listing(rule, "A/1 ?", ITEM, offer=True)
    assert said["link"] == "https://shop.example/p/A%2F1%20%3F"
    assert said["picture"] == "https://shop.example/i/A%2F1%20%3F.jpg"
    own, _ = listing(rule, "A", {**ITEM, "link": "https://own.example"}, offer=True)
    assert own["link"] == "https://own.example"


def test_a_title_has_a_limit() -> None:
    said, _ = listing(ListingRule(offer="all"), "A", {**ITEM, "title": "T" * 1_000}, offer=True)
    assert len(said["title"]) == TITLE_CHARS_MAX
