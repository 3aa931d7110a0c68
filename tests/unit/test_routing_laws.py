"""What holds for every plan: nothing is lost, nothing is given that is not there, and order does not matter."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desired.routing import Destination, Place, Plan, Wanted, route
from hub.settings.model import RoutingRule

ITEMS = "ABC"
NAMES = ("north", "east", "south", "west", "depot")
CRITERIA = ("fewest_parcels", "nearest", "most_stock", "priority")

amounts = st.one_of(st.integers(0, 6).map(lambda count: count * 1000), st.integers(-1_000, 6_000))
names = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(tuple)
rules = st.builds(
    RoutingRule,
    skus=st.lists(st.sampled_from(ITEMS), unique=True, max_size=2).map(tuple),
    places=names,
    never=st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(tuple),
    by=st.lists(st.sampled_from(CRITERIA), unique=True, min_size=1).map(tuple),
    keep_back=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2), max_size=3),
    split=st.booleans(),
    backorder_place=st.sampled_from(("", *NAMES)),
)
hidden = st.sets(st.sampled_from(ITEMS), max_size=1).map(frozenset)


@st.composite
def places(draw: st.DrawFn) -> list[Place]:
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    return [
        Place(
            name,
            {item: draw(amounts) for item in ITEMS},
            draw(st.sampled_from(("", "DK", "DE"))),
            draw(st.sampled_from(("", "8000", "1000", "7100"))),
            draw(st.integers(0, 2)),
            draw(hidden),
            draw(st.one_of(st.just(frozenset[str]()), hidden)),
        )
        for name in chosen
    ]


lines = st.lists(st.tuples(st.sampled_from(ITEMS), st.integers(1, 7)), max_size=6).map(
    lambda told: [Wanted(str(n), item, count * 1000, item) for n, (item, count) in enumerate(told)]
)


def planned(wanted: list[Wanted], at: list[Place], by: list[RoutingRule], pickup: str, fixed: dict[str, str]) -> Plan:
    return route(wanted, at, by, pickup=pickup, fixed=fixed, destination=Destination("DK", "8200"))


every_plan = given(
    lines,
    places(),
    st.lists(rules, max_size=3),
    st.sampled_from(("", "", "north", "nowhere")),
    st.dictionaries(st.sampled_from("012"), st.sampled_from(NAMES), max_size=1),
)


@settings(deadline=None, max_examples=300)
@every_plan
def test_every_unit_is_given_once(
    wanted: list[Wanted], at: list[Place], by: list[RoutingRule], pickup: str, fixed: dict[str, str]
) -> None:
    plan = planned(wanted, at, by, pickup, fixed)
    for each in wanted:
        assert sum(part.quantity for part in plan.parts if part.line == each.line) == each.quantity
        assert all(part.item == each.item for part in plan.parts if part.line == each.line)
    assert all(0 <= part.short <= part.quantity and part.quantity > 0 for part in plan.parts)
    assert len({(part.line, part.place) for part in plan.parts}) == len(plan.parts)


@settings(deadline=None, max_examples=300)
@every_plan
def test_no_place_is_given_more_than_it_has_unless_it_is_called_short(
    wanted: list[Wanted], at: list[Place], by: list[RoutingRule], pickup: str, fixed: dict[str, str]
) -> None:
    plan = planned(wanted, at, by, pickup, fixed)
    for each in at:
        for item in ITEMS:
            there = sum(part.quantity - part.short for part in plan.parts if (part.place, part.item) == (each.name, item))
            if item in each.unknown:
                continue
            has = 0 if item in each.blocked else max(0, each.available[item])
            assert there <= has


@settings(deadline=None, max_examples=300)
@every_plan
def test_the_order_of_lines_and_places_does_not_matter(
    wanted: list[Wanted], at: list[Place], by: list[RoutingRule], pickup: str, fixed: dict[str, str]
) -> None:
    plan = planned(wanted, at, by, pickup, fixed)
    chance = random.Random(1)
    shuffled, elsewhere = wanted[:], at[:]
    chance.shuffle(shuffled)
    chance.shuffle(elsewhere)
    assert planned(shuffled, elsewhere, by, pickup, fixed) == plan


@settings(deadline=None, max_examples=150)
@given(lines, places())
def test_a_split_order_has_all_that_lies_anywhere_in_as_few_parcels_as_can_be(wanted: list[Wanted], at: list[Place]) -> None:
    """The oracle tries every set of places, by counting alone."""
    whole = [Place(p.name, {item: p.available[item] // 1000 * 1000 for item in ITEMS}, priority=p.priority) for p in at]
    plan = route(wanted, whole, [RoutingRule(by=("fewest_parcels", "priority"))])
    demand = {item: sum(each.quantity for each in wanted if each.item == item) for item in ITEMS}

    def reached(chosen: tuple[Place, ...]) -> int:
        return sum(min(demand[item], sum(max(0, each.available[item]) for each in chosen)) for item in ITEMS)

    everything = reached(tuple(whole))
    fewest = next(n for n in range(len(whole) + 1) if any(reached(each) == everything for each in combinations(whole, n)))
    sent = {part.place for part in plan.parts if part.quantity > part.short}
    assert sum(part.quantity - part.short for part in plan.parts) == everything
    assert len(sent) == fewest


def test_a_line_is_rather_split_than_sent_from_one_place_more() -> None:
    """Found by chance: the second line of C lay whole at a third place, and two places have everything."""
    wanted = [Wanted("0", "B", 1000, "B"), Wanted("1", "C", 1000, "C"), Wanted("2", "C", 2000, "C")]
    at = [
        Place("east", {"A": 0, "B": 0, "C": 2000}),
        Place("south", {"A": 0, "B": 1000, "C": 1000}),
        Place("depot", {"A": 0, "B": 0, "C": 2000}),
    ]
    plan = route(wanted, at, [RoutingRule(by=("fewest_parcels", "priority"))])
    assert len({part.place for part in plan.parts}) == 2
