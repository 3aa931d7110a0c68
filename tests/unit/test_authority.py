"""Whose figure is it? A system that keeps one pool names no place, so what it is right about must say where the pool is."""

from __future__ import annotations

import pytest
from settings_texts import SOUND

from hub.merge.authority import Authority
from hub.settings.load import load_text

LOCATIONS = "warehouse: {title: Warehouse}\nannex: {title: Annex}\naarhus: {title: Aarhus, channels: {till: L1}}\n"


def authority(stock: str) -> Authority:
    """The authority of the sound configuration, its locations known to the till only, with these stock entries."""
    texts = {**SOUND, "locations.yaml": LOCATIONS, "authority.yaml": f"items: [{{channel: erp}}]\nstock: {stock}\n"}
    return Authority(load_text({**texts, "channels/webshop.yaml": SHOP, "pricing.yaml": "", "allocation.yaml": ""}, "shop"))


SHOP = "channel: webshop\nconnector: window\nrole: webshop\n"


def test_a_pool_without_an_id_is_the_place_that_its_channel_is_right_about() -> None:
    assert authority("[{channel: erp, covers: [warehouse]}, {channel: till, covers: [aarhus]}]").single_stock_place("erp") == (
        "warehouse"
    )


def test_one_figure_for_two_places_is_a_claim_about_both() -> None:
    known = authority("[{channel: erp, covers: [warehouse, annex], each: false}, {channel: till, covers: [aarhus]}]")
    place = known.stock_place("erp", known.single_stock_place("erp") or "")
    assert place is not None
    assert place.place == "annex+warehouse"


@pytest.mark.parametrize("channel", ["webshop", "nobody"])
def test_a_pool_of_a_channel_that_is_right_about_nothing_is_nowhere(channel: str) -> None:
    known = authority("[{channel: erp, covers: [warehouse]}, {channel: till, covers: [aarhus]}]")
    assert known.single_stock_place(channel) is None
