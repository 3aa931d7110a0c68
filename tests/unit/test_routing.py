"""Which place delivers what: tables of what a merchant would expect of the rules."""

from __future__ import annotations

from typing import Any

import pytest

from hub.canonical.values import Plain
from hub.desired.routing import Destination, Place, Plan, Wanted, nearness, route
from hub.settings.model import RoutingRule

PIECE = 1000
AARHUS = {"country": "DK", "postal_code": "8000"}
VEJLE = {"country": "DK", "postal_code": "7100"}
HAMBURG = {"country": "DE", "postal_code": "20095"}


def place(name: str, stock: dict[str, int], **said: Any) -> Place:
    return Place(name, {item: count * PIECE for item, count in stock.items()}, **said)


def wanted(line: str, item: str, count: int, category: str = "") -> Wanted:
    return Wanted(line, item, count * PIECE, item, category)


def given(plan: Plan) -> dict[str, dict[str, int]]:
    """Place → line → pieces."""
    found: dict[str, dict[str, int]] = {}
    for part in plan.parts:
        found.setdefault(part.place, {})[part.line] = part.quantity // PIECE
    return found


def short(plan: Plan) -> dict[str, int]:
    return {part.line: part.short // PIECE for part in plan.parts if part.short}


def rule(**said: Any) -> RoutingRule:
    return RoutingRule(**said)


def why(plan: Plan) -> str:
    return "; ".join(str(step["why"]) for step in plan.because)


def test_without_rules_no_place_is_chosen() -> None:
    plan = route([wanted("1", "A", 2)], [place("warehouse", {"A": 5})], [])
    assert given(plan) == {"": {"1": 2}}
    assert short(plan) == {}


def test_without_rules_a_pickup_place_is_kept() -> None:
    plan = route([wanted("1", "A", 2)], [place("warehouse", {"A": 5}), place("shop", {"A": 2})], [], pickup="shop")
    assert given(plan) == {"shop": {"1": 2}}
    assert short(plan) == {}
    assert why(plan) == "the customer fetches it at shop"


def test_what_the_pickup_place_lacks_stays_there_and_is_named() -> None:
    places = [place("warehouse", {"A": 5}), place("shop", {"A": 2})]
    plan = route([wanted("1", "A", 3)], places, [rule()], pickup="shop")
    assert given(plan) == {"shop": {"1": 3}}
    assert short(plan) == {"1": 1}
    assert why(plan) == "the customer fetches it at shop, which lacks 1 of A"


def test_the_shop_floor_is_for_those_who_come_to_fetch() -> None:
    shop = place("shop", {"A": 1})
    fetched = route([wanted("1", "A", 1)], [shop], [rule(keep_back={"shop": 1})], pickup="shop")
    assert short(fetched) == {}
    sent = route([wanted("1", "A", 1)], [shop], [rule(keep_back={"shop": 1})])
    assert short(sent) == {"1": 1}


TWO = [place("warehouse", {"A": 3, "B": 5}, priority=0, **VEJLE), place("aarhus", {"A": 9, "B": 1}, priority=1, **AARHUS)]

ONE_HAS_ALL: list[tuple[tuple[str, ...], Destination, str, str]] = [
    (("priority",), Destination(), "warehouse", "priority chose warehouse"),
    (("most_stock",), Destination(), "aarhus", "most_stock chose aarhus"),
    (("nearest", "priority"), Destination("DK", "8200"), "aarhus", "nearest chose aarhus"),
    (("nearest", "priority"), Destination("DK", "6000"), "warehouse", "nearest chose warehouse"),
    (("nearest", "priority"), Destination("SE", "21119"), "warehouse", "priority chose warehouse"),
    (("fewest_parcels", "nearest"), Destination(), "warehouse", "priority chose warehouse"),
]


@pytest.mark.parametrize(("by", "to", "place_chosen", "said"), ONE_HAS_ALL)
def test_the_criteria_choose_in_their_order(by: tuple[str, ...], to: Destination, place_chosen: str, said: str) -> None:
    plan = route([wanted("1", "A", 2)], TWO, [rule(by=by)], destination=to)
    assert given(plan) == {place_chosen: {"1": 2}}
    assert why(plan).endswith(said)
    assert "8200" not in str(plan)


def test_one_place_that_has_all_goes_before_two_that_are_better() -> None:
    plan = route([wanted("1", "A", 2), wanted("2", "B", 2)], TWO, [rule(by=("most_stock",))])
    assert given(plan) == {"warehouse": {"1": 2, "2": 2}}
    assert why(plan) == "warehouse alone has all of it"


def test_an_order_is_split_where_no_place_has_it_all() -> None:
    plan = route([wanted("1", "A", 5), wanted("2", "B", 4)], TWO, [rule()])
    assert given(plan) == {"aarhus": {"1": 5}, "warehouse": {"2": 4}}
    assert short(plan) == {}
    assert why(plan) == "no place has all of it; aarhus and warehouse together have it"


def test_a_line_is_split_when_no_place_has_enough_of_it() -> None:
    plan = route([wanted("1", "A", 11)], TWO, [rule(by=("fewest_parcels", "priority"))])
    assert given(plan) == {"aarhus": {"1": 8}, "warehouse": {"1": 3}}


def test_an_order_that_may_not_be_split_waits_whole_where_goods_come_in() -> None:
    plan = route([wanted("1", "A", 5), wanted("2", "B", 4)], TWO, [rule(split=False, backorder_place="warehouse")])
    assert given(plan) == {"warehouse": {"1": 5, "2": 4}}
    assert short(plan) == {"1": 2}
    assert "2 of A is waited for at warehouse" in why(plan)


def test_what_no_place_has_is_named_and_waits_at_the_backorder_place() -> None:
    plan = route([wanted("1", "A", 14)], TWO, [rule(backorder_place="aarhus")])
    assert given(plan) == {"aarhus": {"1": 11}, "warehouse": {"1": 3}}
    assert short(plan) == {"1": 2}
    assert plan.because[0]["short"] == ["2 of A"]


def test_without_a_backorder_place_the_first_by_priority_waits() -> None:
    plan = route([wanted("1", "C", 1)], TWO, [rule()])
    assert given(plan) == {"warehouse": {"1": 1}}
    assert short(plan) == {"1": 1}
    assert why(plan) == "no place has any of it; 1 of C is waited for at warehouse"


def test_three_shops_of_which_two_are_enough() -> None:
    shops = [
        place("north", {"A": 1, "B": 1}, priority=0),
        place("middle", {"A": 2}, priority=1),
        place("south", {"B": 1, "C": 1}, priority=2),
    ]
    plan = route([wanted("1", "A", 2), wanted("2", "B", 1), wanted("3", "C", 1)], shops, [rule()])
    assert given(plan) == {"middle": {"1": 2}, "south": {"2": 1, "3": 1}}


def test_nearness_may_weigh_more_than_one_parcel_less() -> None:
    shops = [
        place("near", {"A": 1}, country="DK", postal_code="8000"),
        place("close", {"A": 1}, country="DK", postal_code="8200"),
        place("far", {"A": 1, "B": 1}, country="DK", postal_code="1000"),
        place("away", {"B": 2, "A": 1}, country="DE"),
    ]
    lines, to = [wanted("1", "A", 2), wanted("2", "B", 1)], Destination("DK", "8000")
    assert set(given(route(lines, shops, [rule(by=("fewest_parcels", "nearest"))], destination=to))) == {"near", "far"}
    three = [wanted("1", "A", 3), wanted("2", "B", 1)]
    assert set(given(route(three, shops, [rule(by=("fewest_parcels", "nearest"))], destination=to))) == {"near", "close", "far"}


def test_a_place_that_sends_a_parcel_anyway_comes_first() -> None:
    plan = route([wanted("1", "A", 2)], TWO, [rule(by=("fewest_parcels", "priority"))], used={"aarhus"})
    assert given(plan) == {"aarhus": {"1": 2}}


def test_the_second_rule_goes_with_the_parcel_of_the_first() -> None:
    rules = [rule(categories=("heavy",), places=("aarhus",)), rule(by=("fewest_parcels", "priority"))]
    plan = route([wanted("1", "B", 1, "heavy"), wanted("2", "A", 1)], TWO, rules)
    assert given(plan) == {"aarhus": {"1": 1, "2": 1}}
    assert [step["rule"] for step in plan.because] == ["routing rule 1", "routing rule 2"]


def test_a_rule_is_about_channels_countries_skus_and_categories() -> None:
    rules = [
        rule(channels=("social",), places=("aarhus",)),
        rule(countries=("DE",), places=("aarhus",)),
        rule(skus=("B",), places=("aarhus",)),
        rule(categories=("heavy",), places=("aarhus",)),
        rule(places=("warehouse",)),
    ]

    def chosen(channel: str = "webshop", country: str = "DK", item: str = "A", category: str = "") -> str:
        plan = route([wanted("1", item, 1, category)], TWO, rules, channel=channel, destination=Destination(country))
        return plan.parts[0].place

    assert chosen() == "warehouse"
    assert chosen(channel="social") == "aarhus"
    assert chosen(country="DE") == "aarhus"
    assert chosen(item="B") == "aarhus"
    assert chosen(category="heavy") == "aarhus"


def test_only_the_places_that_the_channel_sells_from_deliver_unless_a_rule_names_others() -> None:
    assert given(route([wanted("1", "A", 1)], TWO, [rule()], sells_from=("aarhus",))) == {"aarhus": {"1": 1}}
    named = rule(places=("warehouse",))
    assert given(route([wanted("1", "A", 1)], TWO, [named], sells_from=("aarhus",))) == {"warehouse": {"1": 1}}
    never = rule(never=("aarhus",))
    assert given(route([wanted("1", "A", 1)], TWO, [never], sells_from=("aarhus",))) == {"": {"1": 1}}


def test_a_line_that_its_channel_gave_to_a_place_stays_there() -> None:
    plan = route([wanted("1", "A", 1), wanted("2", "A", 1)], TWO, [rule(by=("priority",))], fixed={"1": "aarhus"})
    assert given(plan) == {"aarhus": {"1": 1}, "warehouse": {"2": 1}}


def test_what_staff_did_not_find_is_not_sent_from_there() -> None:
    places = [place("warehouse", {"A": 3}, blocked=frozenset({"A"})), place("aarhus", {"A": 3}, priority=1)]
    plan = route([wanted("1", "A", 2)], places, [rule(by=("priority",))])
    assert given(plan) == {"aarhus": {"1": 2}}
    seen: Plain = plan.because[0]["places"]
    assert {each["place"]: each.get("not_found") for each in seen} == {"warehouse": ["A"], "aarhus": None}


def test_nothing_is_called_short_while_a_figure_is_unknown() -> None:
    places = [place("warehouse", {}, unknown=frozenset({"A"})), place("aarhus", {"A": 1}, priority=1)]
    plan = route([wanted("1", "A", 3)], places, [rule()])
    assert given(plan) == {"": {"1": 2}, "aarhus": {"1": 1}}
    assert short(plan) == {}
    assert plan.because[0]["waits_for"] == ["warehouse"]


def test_a_length_of_cloth_is_not_cut_for_a_parcel() -> None:
    places = [Place("warehouse", {"A": 2_400}), Place("aarhus", {"A": 2_600}, priority=1)]
    whole = route([Wanted("1", "A", 2_500)], places, [rule(by=("priority",))])
    assert [(part.place, part.quantity) for part in whole.parts] == [("aarhus", 2_500)]
    many = route([Wanted("1", "A", 4_500)], places, [rule(by=("priority",))])
    assert [(part.place, part.quantity, part.short) for part in many.parts] == [("aarhus", 2_500, 0), ("warehouse", 2_000, 0)]


def test_nobody_reads_a_postal_code_in_a_plan() -> None:
    plan = route([wanted("1", "A", 11)], TWO, [rule(by=("nearest",))], destination=Destination("DK", "9431"))
    assert "9431" not in repr(plan)
    assert "9431" not in repr(Destination("DK", "9431"))


NEARER: list[tuple[dict[str, str], dict[str, str], Destination]] = [
    (AARHUS, VEJLE, Destination("DK", "8200")),
    (VEJLE, HAMBURG, Destination("DK", "6000")),
    (HAMBURG, AARHUS, Destination("DE", "20359")),
    (AARHUS, {}, Destination("DK", "1000")),
    (HAMBURG, {}, Destination("DK", "1000")),
    ({"country": "GB", "postal_code": "EH3 9GG"}, {"country": "GB", "postal_code": "G1 1XQ"}, Destination("GB", "eh1 1aa")),
    (AARHUS, {"country": "DK"}, Destination("DK", "1000")),
]


@pytest.mark.parametrize(("nearer", "farther", "to"), NEARER)
def test_what_is_nearer(nearer: dict[str, str], farther: dict[str, str], to: Destination) -> None:
    assert nearness(Place("a", {}, **nearer), to) < nearness(Place("b", {}, **farther), to)


def test_to_an_unknown_country_everything_is_equally_near() -> None:
    assert nearness(Place("a", {}, **AARHUS), Destination()) == nearness(Place("b", {}), Destination())


def test_beyond_the_exact_search_the_order_is_still_covered() -> None:
    shops = [place(f"shop{n:02}", {"A": 1}, priority=n) for n in range(12)] + [place("depot", {"A": 6}, priority=99)]
    plan = route([wanted("1", "A", 8)], shops, [rule()])
    assert given(plan) == {"depot": {"1": 6}, "shop00": {"1": 1}, "shop01": {"1": 1}}
    assert short(plan) == {}
