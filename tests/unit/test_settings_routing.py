"""routing.yaml: what it may say, and what to write instead of what it may not."""

from __future__ import annotations

import pytest
from settings_texts import SOUND, problems

from hub.settings.load import load_text


def routing(text: str, locations: str = "") -> dict[str, str]:
    return {**SOUND, "routing.yaml": text, "locations.yaml": locations or SOUND["locations.yaml"]}


def test_a_rule_says_what_it_says() -> None:
    config = load_text(
        routing(
            "rules:\n"
            "  - channels: [webshop]\n    by: [fewest_parcels, priority]\n"
            "    keep_back: {aarhus: 1}\n    backorder_place: warehouse\n"
            "priority: [aarhus, warehouse]\n"
        )
    )
    rule = config.routing.rules[0]
    assert rule.by == ("fewest_parcels", "priority")
    assert rule.keep_back == {"aarhus": 1}
    assert rule.split
    assert config.routing.priority == ("aarhus", "warehouse")


def test_without_the_file_there_is_no_rule() -> None:
    assert load_text(SOUND).routing.rules == ()


CASES = [
    (
        "rules: [{channels: [wbshop]}]",
        "routing.yaml:1: rules.0.channels: there is no channel `wbshop`: did you mean `webshop`?",
    ),
    (
        "rules: [{places: [arhus]}]",
        "routing.yaml:1: rules.0.places: there is no location `arhus`: did you mean `aarhus`?",
    ),
    (
        "rules: [{places: [quarantine]}]",
        "routing.yaml:1: rules.0.places: goods at `quarantine` may not be sold (locations.yaml): leave it out",
    ),
    (
        "rules: [{places: [aarhus], never: [aarhus]}]",
        "routing.yaml:1: rules.0.places: `aarhus` is under `never` as well: keep it in one of them",
    ),
    ("rules: [{keep_back: {aarhus: -1}}]", "routing.yaml:1: rules.0.keep_back.aarhus: at least 0 is wanted"),
    ("rules: [{countries: [UK]}]", "routing.yaml:1: rules.0.countries: `UK` is no country: write GB"),
    ("rules: [{by: [priority, priority]}]", "routing.yaml:1: rules.0.by: `priority` is said twice"),
    (
        "rules: [{by: [nearest]}]",
        "routing.yaml:1: rules.0.by: nothing is near or far: write `country` and `postal_code` of the places in locations.yaml",
    ),
    (
        "rules:\n  - {split: false}\n  - {channels: [webshop]}",
        "routing.yaml:3: rules.1: never reached: rule 0 before it holds for every line; put this one above it",
    ),
    (
        "priority: [warehouse, warehouse]",
        "routing.yaml:1: priority: `warehouse` is said twice",
    ),
    ("rules: [{backorder_place: attic}]", "rules.0.backorder_place: there is no location `attic`: write one of"),
    ("rules: [{by: [cheapest]}]", "routing.yaml:1: rules.0.by.0"),
    ("rule: []", "routing.yaml:1"),
]


@pytest.mark.parametrize(("text", "said"), CASES, ids=[said[:40] for _, said in CASES])
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    found = problems(routing(text + "\n"))
    assert said in found[0]


def test_a_place_without_an_authority_delivers_nothing() -> None:
    found = problems(routing("rules: [{places: [attic]}]\n", SOUND["locations.yaml"] + "attic: {}\n"))
    assert len(found) == 1
    assert "rules.0.places: nobody is right about the stock of `attic`: name it under `stock: covers:`" in found[0]


def test_where_a_place_is_must_make_sense() -> None:
    base = SOUND["locations.yaml"]
    assert problems(routing("", base + "odense: {country: DK, postal_code: '5000'}\n")) == []
    assert "odense.country: `Denmark` is no country" in problems(routing("", base + "odense: {country: Denmark}\n"))[0]
    assert "say the `country` as well" in problems(routing("", base + "odense: {postal_code: '5000'}\n"))[0]
