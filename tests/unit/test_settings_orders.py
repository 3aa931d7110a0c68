# ruff: noqa: E501 (each sentence is asserted whole, as a person reads it)
"""Declarations about orders that disagree: each finding names the line and what to write instead."""

from __future__ import annotations

import pytest
from settings_texts import SOUND, problems, with_line, with_text

TAKEN = {**SOUND, "channels/webshop.yaml": SOUND["channels/webshop.yaml"] + "orders: {take_in: true}\n"}


def erp(rule: str) -> dict[str, str]:
    return {**TAKEN, "channels/erp.yaml": SOUND["channels/erp.yaml"] + f"orders: {{{rule}}}\n"}


def test_orders_that_are_taken_in_and_booked_are_sound() -> None:
    assert problems(erp("export_from: [webshop], books: {webshop: daily}, time_zone: Europe/Copenhagen, items: {tip: TIP}")) == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            with_line("channels/webshop.yaml", "mode: live\norders: {take_in: true}"),
            "webshop.yaml:9: orders_since: say from which day on its orders are yours to carry, before it goes live: older ones are history",
        ),
        (
            erp("export_from: [wbshop]"),
            "erp.yaml:4: orders.export_from: there is no channel `wbshop`: did you mean `webshop`?",
        ),
        (
            erp("export_from: [till]"),
            "erp.yaml:4: orders.export_from: the orders of `till` are not taken in: write `orders: {take_in: true}` there",
        ),
        (erp("export_from: [erp], take_in: true"), "erp.yaml:4: orders.export_from: a channel holds its own orders already"),
        (erp("books: {webshop: daily}"), "erp.yaml:4: orders.books: `webshop` does not stand in export_from"),
        (erp("items: {tipp: TIP}"), "erp.yaml:4: orders.items: there is no `tipp`: did you mean `tip`?"),
        (erp("day_ends: '24:00'"), "erp.yaml:4: orders.day_ends: write a time of day such as 04:00"),
        (erp("time_zone: Copenhagen"), "erp.yaml:4: orders.time_zone: write a name such as Europe/Copenhagen"),
        (
            with_text(
                "authority.yaml", SOUND["authority.yaml"].replace("covers: [warehouse]", "covers: [warehouse], demand: read")
            ),
            "authority.yaml:3: demand: the orders of `erp` are not taken in: write `orders: {take_in: true}` there",
        ),
        (
            erp("take_in: true"),
            "authority.yaml:3: demand: orders of `erp` are taken in, so they would count twice: write `demand: read`, or name them in `contains`",
        ),
    ],
)
def test_a_disagreement_about_orders_is_named_with_its_line_and_its_mending(files: dict[str, str], said: str) -> None:
    found = problems(files)
    assert [line for line in found if line.endswith(said)], "\n".join(found)
