"""The last pieces divided: whole, stable, and never more shown together than there is, whatever becomes of the writes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desired.quota import Member, Share, kept_of, parts, shares


def members(*weights: int, shown: tuple[int, ...] = ()) -> list[Member]:
    held = shown or (0,) * len(weights)
    return [Member(name, weight, 1, now, 0) for name, weight, now in zip("abcdefgh", weights, held, strict=False)]


def test_whole_pieces_by_largest_remainder() -> None:
    assert parts(7, members(1, 1)) == [4, 3]
    assert parts(5, members(3, 1)) == [4, 1]
    assert parts(1, members(1, 1, 1)) == [1, 0, 0]
    assert parts(0, members(1, 1)) == [0, 0]
    assert parts(9, members(0, 1)) == [0, 9]
    assert parts(9, members(0, 0)) == [0, 0]


def test_a_sale_moves_nothing_between_the_others() -> None:
    assert parts(4, members(1, 1, shown=(1, 2))) == [2, 2]
    assert parts(3, members(1, 1, shown=(1, 2))) == [1, 2]
    assert parts(3, members(1, 1, shown=(2, 1))) == [2, 1]


def test_what_is_kept_back_for_the_telephone_is_rounded_up() -> None:
    assert parts(8, members(2, 1), kept=1) == [4, 2]
    assert parts(1, members(1), kept=1) == [0]
    assert [kept_of(pieces, members(2, 1), 1) for pieces in (9, 8, 1, 0, -2)] == [3, 2, 1, 0, 0]
    assert kept_of(9, members(2, 1), 0) == kept_of(9, [], 0) == 0


def test_boxes_get_whole_boxes_and_what_is_left_over_goes_to_single_pieces() -> None:
    boxes = [Member("boxes", 1, 6), Member("single", 1, 1)]
    assert parts(11, boxes) == [0, 11 - 5] or parts(11, boxes) == [6, 5]
    assert sum(parts(11, boxes)) <= 11
    assert parts(5, [Member("boxes", 1, 6)]) == [0]


def test_a_rise_waits_for_the_others_to_fall() -> None:
    now = shares(4, members(1, 1, shown=(4, 0)), [2, 2])
    assert now == [Share(2, 2), Share(0, 2, ("a",))]
    assert shares(4, members(1, 1, shown=(3, 0)), [2, 2])[1] == Share(1, 2, ("a",))
    assert shares(4, members(1, 1, shown=(2, 0)), [2, 2])[1] == Share(2, 2)


def test_a_rise_waits_until_everybody_was_looked_at_after_the_news() -> None:
    stale = [Member("a", 1, 1, 1, 0, fresh=False), Member("b", 1, 1, 1)]
    assert [each.now for each in shares(4, stale, [2, 2])] == [1, 1]
    assert shares(4, stale, [2, 2])[1].waits_for == ("a",)


def test_what_a_change_may_come_to_show_is_nobody_elses() -> None:
    under_way = [Member("a", 1, 1, 1, may_show=3), Member("b", 1, 1, 1)]
    assert [each.now for each in shares(4, under_way, [2, 2])] == [2, 1]
    assert shares(4, under_way, [2, 2])[1].waits_for == ("a",)


def test_where_a_write_undoes_sales_nothing_is_shown_first() -> None:
    careless = [Member("a", 1, 1, 3, 0, overwrites=True), Member("b", 1, 1, 0)]
    assert shares(4, careless, [2, 2])[0] == Share(0, 2, (), True)
    assert shares(4, [careless[0]._replace(shown=0), careless[1]], [2, 2])[0] == Share(2, 2)
    assert shares(4, careless, [3, 1])[0] == Share(3, 3)


@given(
    st.integers(0, 60),
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 12)), max_size=6),
    st.integers(0, 4),
)
def test_parts_are_whole_near_the_weight_and_never_more_than_there_is(
    stock: int, rows: list[tuple[int, int, int]], kept: int
) -> None:
    group = [Member(str(n), weight, factor, shown) for n, (weight, factor, shown) in enumerate(rows)]
    found = parts(stock, group, kept)
    whole = sum(member.weight for member in group) + kept
    assert sum(found) + (stock * kept / whole if whole else 0) <= stock
    for part, member in zip(found, group, strict=True):
        assert part % member.factor == 0
        assert part == 0 or member.weight
        if whole:
            off = abs(part - stock * member.weight / whole)
            assert off <= member.factor or member.factor == 1
    if whole and not kept and group and all(member.factor == 1 for member in group) and any(m.weight for m in group):
        assert sum(found) == stock


# a hub of one item, and channels that sell whatever the links do


@dataclass
class Shop:
    """A channel in truth and as the hub knows it."""

    shows: int = 0
    sold: int = 0
    """Sold here and not heard of by the hub."""
    back: int = 0
    """Called off here, put back by the shop, and not heard of."""
    seen: int = 0
    seen_at: int = 0
    read_at: int = 0
    heard: int = 0
    """Sold here by orders that the hub knows."""
    doubt: int = 0
    """Fell here and counts as sold until the orders were read past it."""
    change: int | None = None
    """The value of the change that is open."""
    before: int = 0
    """What was seen when it was decided."""
    sent: bool = False
    under_way: int | None = None
    """By how much a write that is under way moves what is shown."""
    lost: bool = False


class Hub:
    """Knows what it was told, in whatever order; writes as it was decided, links up or down."""

    def __init__(self, stock: int, weights: list[int], shown: list[int]) -> None:
        self.stock = stock
        self.news = 0
        self.clock = 0
        self.weights = weights
        self.decided: list[tuple[int, int]] | None = None
        self.again = False
        self.shops = [Shop(shows=each, seen=each) for each in shown]

    def decide(self) -> None:
        """Work out what each should show, unless that is under way already: then once more afterwards."""
        self.again = True
        if self.decided is None:
            self.begin()
            self.commit()

    def begin(self) -> None:
        """Look at what is known, and work it out."""
        group = [
            Member(str(n), weight, 1, shop.seen, shop.change or 0, self.news < shop.seen_at < shop.read_at or not self.clock)
            for n, (shop, weight) in enumerate(zip(self.shops, self.weights, strict=True))
        ]
        free = max(0, self.stock - sum(shop.heard + shop.doubt for shop in self.shops))
        self.decided = [
            (shop.seen, share.now) for shop, share in zip(self.shops, shares(free, group, parts(free, group)), strict=True)
        ]
        self.again = False

    def commit(self) -> None:
        """Store it; what was sent meanwhile is not replaced."""
        for shop, (seen, now) in zip(self.shops, self.decided or (), strict=True):
            if not shop.sent:
                shop.change, shop.before = None if now == seen else now, seen
        self.decided = None
        if self.again:
            self.decide()

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def promised(self) -> int:
        return sum(shop.heard + shop.sold - shop.back for shop in self.shops)

    def together(self) -> int:
        """What all show, and what is promised in truth."""
        return sum(shop.shows for shop in self.shops) + self.promised()


EVENTS = (
    "buys",
    "calls off",
    "hears",
    "hears off",
    "reads",
    "looks",
    "sends",
    "arrives",
    "request lost",
    "answer lost",
    "answered",
    "begins",
    "commits",
)


@settings(max_examples=2000)
@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=4),
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 3)), max_size=120),
)
def test_what_all_show_and_what_is_promised_is_never_more_than_the_stock(
    stock: int, rows: list[tuple[int, int]], events: list[tuple[str, int]]
) -> None:
    hub = Hub(stock, [weight for weight, _ in rows], [shown for _, shown in rows])
    under_quota = hub.together() <= stock
    hub.decide()
    for event, which in events:
        shop = hub.shops[which % len(rows)]
        happens(hub, shop, event)
        under_quota = under_quota or hub.together() <= stock
        if under_quota:
            assert hub.together() <= stock, event
    if hub.decided is not None:
        hub.commit()
    for _ in range(6):
        for shop in hub.shops:
            for event in ("arrives", "answered", "reads", "looks", "reads"):
                happens(hub, shop, event)
        hub.decide()
        for shop in hub.shops:
            for event in ("sends", "arrives", "answered"):
                happens(hub, shop, event)
        hub.decide()
    if sum(hub.weights) and sum(shop.heard for shop in hub.shops) <= stock:
        assert sum(shop.shows for shop in hub.shops) == stock - sum(shop.heard for shop in hub.shops)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_nor_in_a_long_time(seed: int) -> None:
    luck = Random(seed)
    weights = [luck.randint(0, 3) for _ in range(luck.randint(2, 4))]
    stock = luck.randint(1, 12)
    hub = Hub(stock, weights, [luck.randint(0, stock // len(weights)) for _ in weights])
    hub.decide()
    for _ in range(300):
        event = luck.choice(EVENTS)
        happens(hub, luck.choice(hub.shops), event)
        assert hub.together() <= stock, event


def looks(hub: Hub, shop: Shop) -> None:
    """The hub sees what is shown; a fall counts as a sale until the orders have been read past it."""
    fell = max(0, shop.seen - shop.shows)
    shop.doubt += fell
    shop.seen, shop.seen_at = shop.shows, hub.tick()
    hub.news = hub.tick() if fell else hub.news
    hub.decide()


def resolves(hub: Hub, shop: Shop) -> None:
    """Nobody knows what became of a write: it is looked up. What is neither the one nor the other was sold from the higher."""
    assert shop.change is not None
    if shop.shows not in (shop.change, shop.seen):
        shop.doubt += max(0, max(shop.change, shop.seen) - shop.shows)
        hub.news = hub.tick()
    shop.seen, shop.seen_at = shop.shows, hub.tick()
    shop.sent, shop.change, shop.lost = False, None, False
    hub.decide()


def happens(hub: Hub, shop: Shop, event: str) -> None:
    """One thing in the world, or one the hub does; the hub learns of sales by orders and by what is shown, in any order."""
    if hub.decided is not None and event in ("hears", "hears off", "reads", "looks"):
        # What was said is understood by the same worker that decides.
        return
    if event == "buys" and shop.shows:
        shop.shows, shop.sold = shop.shows - 1, shop.sold + 1
    elif event == "calls off" and shop.heard > shop.back:
        # Of an order that the hub knows: the shop puts the piece back by itself.
        shop.shows, shop.back = shop.shows + 1, shop.back + 1
    elif event == "hears" and shop.sold:
        shop.heard, shop.sold, hub.news = shop.heard + 1, shop.sold - 1, hub.tick()
        hub.decide()
    elif event == "hears off" and shop.back:
        shop.heard, shop.back, hub.news = shop.heard - 1, shop.back - 1, hub.tick()
        hub.decide()
    elif event == "reads":
        if shop.sold or shop.doubt or shop.back:
            hub.news = hub.tick()
        shop.heard, shop.sold, shop.back, shop.doubt = shop.heard + shop.sold - shop.back, 0, 0, 0
        shop.read_at = hub.tick()
        hub.decide()
    elif event == "looks" and not shop.sent:
        looks(hub, shop)
    elif event == "sends" and shop.change is not None and not shop.sent:
        # Looked at right before: what fell unheard is a sale, and only a fall goes on then. The platform's own open orders are
        # apart from its figure: what is sold from now on is not undone.
        fell = shop.shows < shop.before
        if not fell or shop.change < shop.shows:
            shop.sent, shop.under_way = True, shop.change - shop.shows
        else:
            shop.change = None
        if fell:
            looks(hub, shop)
    elif event == "arrives" and shop.under_way is not None:
        shop.shows, shop.under_way = max(0, shop.shows + shop.under_way), None
    elif event == "request lost" and shop.under_way is not None:
        shop.under_way, shop.lost = None, True
    elif event == "answer lost" and shop.sent and shop.under_way is None:
        shop.lost = True
    elif event == "answered" and shop.sent and shop.under_way is None:
        if shop.lost:
            resolves(hub, shop)
        else:
            assert shop.change is not None
            shop.seen, shop.seen_at, shop.sent, shop.change = shop.change, hub.tick(), False, None
            hub.decide()
    elif event == "begins" and hub.decided is None:
        hub.begin()
    elif event == "commits" and hub.decided is not None:
        hub.commit()
