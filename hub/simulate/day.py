"""A day in the demo's world, in fast motion: what people do, and what goes wrong meanwhile.

The script is a function of the seed alone; every step changes the world's truth and a platform at once, whatever the hub does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hub.sdk.sandbox import SandboxBase
from hub.simulate.ports import Port
from hub.simulate.postman import Fate, Postman
from hub.simulate.shoppers import FETCHED, PHONE, Shoppers
from hub.simulate.world import ERP, KINDS_BOOKED, SHOP, SOCIAL, TILL, WAREHOUSE, WEBSHOP, Chance, World, shown_ore

STEPS: Final = 96
EDITED: Final = "edited by a person"
OUTAGE: Final = "outage"
OPENS_AT_MINUTE, CLOSES_AT_MINUTE = 9 * 60, 18 * 60
FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    # word → what a sandbox is asked for, what it counts
    "429": ("throttle_next", "throttled"),
    "lost answer": ("lose_answer_next", "lost_answer"),
    "error 500": ("fail_next", "failed"),
    "garbage": ("garbage_next", "garbage"),
    "endless answer": ("endless_next", "endless"),
}
KINDS: Final = (*(fate.value for fate in Fate if fate != Fate.SOON), *FAULTS, OUTAGE, EDITED)
"""Every kind of fault; each must occur at least once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; `what` names a method of `Day`, `about` its argument."""

    what: str
    about: str = ""


SPECIALS: Final[Mapping[int, Step]] = {
    3: Step("sale", Fate.FORGED),
    7: Step("sale", Fate.DOUBLED),
    11: Step("two_sales"),
    15: Step("sale", Fate.LOST),
    19: Step("sale", Fate.LATE),
    22: Step("fault", f"429 {WEBSHOP}"),
    25: Step("edit", WEBSHOP),
    28: Step("fault", f"429 {TILL}"),
    31: Step("unanswered", WEBSHOP),
    35: Step("edit", SOCIAL),
    38: Step("unanswered", ERP),
    41: Step("down", WEBSHOP),
    44: Step("sale", Fate.SOON),
    46: Step("price"),
    48: Step("fault", f"garbage {ERP}"),
    53: Step("up", WEBSHOP),
    56: Step("unanswered", SOCIAL),
    59: Step("fault", f"error 500 {SOCIAL}"),
    62: Step("edit_price", TILL),
    65: Step("fault", f"endless answer {ERP}"),
    68: Step("two_sales"),
    71: Step("fault", f"error 500 {WEBSHOP}"),
    74: Step("sale", Fate.FORGED),
    77: Step("edit", WEBSHOP),
    # orders
    1: Step("order", "sent"),
    4: Step("order", "fetched"),
    6: Step("order", "edited"),
    8: Step("order", "brought back"),
    10: Step("rung", "exchange"),
    12: Step("change"),
    13: Step("order", "rung up"),
    14: Step("order", "halved"),
    17: Step("order", "phone"),
    18: Step("order", "half shipped"),
    20: Step("change"),
    23: Step("rung", "tip"),
    24: Step("lost_order", "sent"),
    26: Step("order", "called off"),
    29: Step("change"),
    30: Step("change"),
    32: Step("order", "put aside"),
    34: Step("rung", "cash"),
    36: Step("order", "shipping back"),
    40: Step("change"),
    54: Step("order", "sent"),
    57: Step("rung", "gift card"),
    58: Step("order", "phone left"),
    60: Step("lost_order", "fetched"),
    61: Step("down", ERP),
    69: Step("up", ERP),
    64: Step("rung", "discount"),
    66: Step("order", "brought back"),
    70: Step("order", "halved"),
    73: Step("rung", "custom"),
    75: Step("change"),
    80: Step("lost_order", "sent"),
    84: Step("order", "left"),
    88: Step("order", "sent"),
}
USUAL: Final = ("sale",) * 6 + ("give_back",) + ("receipt",) * 4 + ("price",) * 4
FATES: Final = (Fate.SOON,) * 12 + (Fate.LOST, Fate.DOUBLED, Fate.LATE, Fate.FORGED)
FATE_WORDS: Final[Mapping[Fate, str]] = {
    Fate.SOON: "",
    Fate.LOST: "its delivery is lost",
    Fate.DOUBLED: "its delivery comes twice",
    Fate.LATE: "its delivery comes late",
    Fate.FORGED: "a stranger sends a forgery of its delivery",
}


def script(chance: Chance, more: Mapping[int, tuple[str, str]] = MappingProxyType({})) -> list[Step]:
    """What happens, in order; `more` are steps of this world only, by their numbers."""
    special = {**{number: Step(*words) for number, words in more.items()}, **SPECIALS}
    steps = []
    for number in range(STEPS):
        step = special.get(number) or Step(chance.one_of(USUAL))
        if step.what == "sale" and not step.about:
            step = Step("sale", chance.one_of(FATES))
        steps.append(step)
    return steps


def open_world(world: World, ports: Mapping[str, Port], chance: Chance) -> None:
    """Fill the platforms: everywhere the same things, but prices and stock are right only where somebody is right about them.

    The social shop has every second thing only: what it lacks the hub makes.
    """
    for sku, title in KINDS_BOOKED.items():
        ports[ERP].act(_hand("add_intangible", sku, title))
    for number, article in enumerate(world.articles):
        stale = Decimal(world.list_ore[article.sku] * chance.whole(110, 135) // 100).scaleb(-2)
        for name, port in ports.items():
            if name == SOCIAL and number % 2:
                continue
            price = world.list_price(article.sku) if name == ERP else stale
            port.act(_adding(article.sku, article.title, price, article.category))
        ports[ERP].act(_counting(article.sku, world.shelf[WAREHOUSE, article.sku], world.place(WAREHOUSE, ERP)))
        ports[ERP].act(_counting(article.sku, chance.whole(0, 9), world.place(SHOP, ERP)))
        ports[TILL].act(_counting(article.sku, world.shelf[SHOP, article.sku], world.place(SHOP, TILL)))
        for shop in world.shops:
            ports[shop].act(_counting(article.sku, chance.whole(1, 60)))


class Day:
    """The people and the faults of one day; `tell` hears in words what happens."""

    def __init__(
        self, world: World, ports: Mapping[str, Port], postman: Postman, chance: Chance, tell: Callable[[str], None]
    ) -> None:
        self._world = world
        self._ports = ports
        self._postman = postman
        self._chance = chance
        self._say = tell
        self._number = 0
        self._edited: list[str] = []
        self.shoppers = Shoppers(world, ports, postman, chance, self._tell)
        self.armed: Counter[tuple[str, str]] = Counter()
        """(channel, what it counts) → how often it was asked to go wrong."""
        self.edits = 0
        self.outages: list[str] = []

    def perform(self, step: Step) -> None:
        """Let this happen."""
        self._number += 1
        act: Callable[..., None] = getattr(self, f"_{step.what}")
        act(*([step.about] if step.about else []))
        self.shoppers.step_passed()
        self.shoppers.work()

    def faults_left(self) -> list[str]:
        """What was asked to go wrong and has not yet."""
        left = []
        for (channel, counted), times in self.armed.items():
            spent = self._ports[channel].look(lambda sandbox, name=counted: sandbox.faults.spent.get(name, 0))  # type: ignore[misc]
            if spent < times:
                left.append(f"{counted} on {channel}")
        return left

    def counts(self) -> dict[str, int]:
        """How often each kind of fault occurred, as those say whom it befell."""
        counted = {str(fate): self._postman.counts[fate] for fate in Fate if fate != Fate.SOON}
        for word, (_, spent_as) in FAULTS.items():
            counted[word] = sum(self._spent(channel, spent_as) for channel in self._ports)
        counted[OUTAGE] = sum(1 for channel in self.outages if self._spent(channel, "down"))
        counted[EDITED] = self.edits
        return counted

    # at the till

    def _sale(self, fate: str) -> None:
        there = self.shoppers.stocked(SHOP)
        if not there:
            return
        sku = self._chance.one_of(there)
        pieces = min(self._chance.whole(1, 3), self._chance.whole(1, 3))
        pieces = pieces if sku in self.shoppers.stocked(SHOP, pieces) else 1
        self._postman.hand_over(self.shoppers.sell(sku, pieces), Fate(fate))
        self._tell(f"the till sells {pieces} of {sku}", FATE_WORDS[Fate(fate)])

    def _two_sales(self) -> None:
        there = self.shoppers.stocked(SHOP, 2)
        if there:
            sku = self._chance.one_of(there)
            self._postman.hand_over([*self.shoppers.sell(sku, 1), *self.shoppers.sell(sku, 1)], Fate.SWAPPED)
            self._tell(f"the till sells {sku} twice", "the deliveries come out of order")

    def _give_back(self) -> None:
        sku = self._chance.one_of(self._world.skus)
        self._postman.hand_over(self.shoppers.give_back(sku))
        self._tell(f"a customer brings back {sku} to the till")

    def _rung(self, kind: str) -> None:
        self._tell(self.shoppers.receipt(kind))

    # orders

    def _order(self, kind: str) -> None:
        fate = self._chance.one_of(FATES)
        words = self.shoppers.order(kind, fate)
        self._tell(words, FATE_WORDS[fate] if kind not in PHONE else "")

    def _change(self) -> None:
        self._tell(self.shoppers.change())

    def _lost_order(self, kind: str) -> None:
        """The answer to a write that this order leads to is lost: in the ERP that books it, or where it is fetched."""
        self._fault(f"lost answer {TILL if kind in FETCHED else ERP}")
        self._tell(self.shoppers.order(kind, Fate.SOON))

    # in the ERP

    def _receipt(self) -> None:
        sku, pieces = self._chance.one_of(self._world.skus), self._chance.whole(2, 12)
        self._received(sku, pieces)
        self._tell(f"the warehouse receives {pieces} of {sku}")

    def _received(self, sku: str, pieces: int) -> None:
        self.shoppers.risen(WAREHOUSE, sku, pieces)
        self._ports[ERP].act(_hand("receive", sku, pieces, self._world.place(WAREHOUSE, ERP)))

    def _price(self) -> None:
        sku = self._chance.one_of(self._world.skus)
        # At most a seventh at a time: larger steps wait for a person, and nobody sits here.
        self._world.list_ore[sku] = self._world.list_ore[sku] * self._chance.whole(88, 113) // 100
        self._ports[ERP].act(_hand("set_price", sku, self._world.list_price(sku)))
        self._tell(f"the ERP lists {sku} at {self._world.list_price(sku)}")

    # people in the wrong system

    def _edit(self, channel: str) -> None:
        sku = self._unedited()
        right = self._world.expected(channel, sku)
        wrong = sum(right.pieces.values()) + self._chance.whole(3, 20)
        self._postman.hand_over(self._ports[channel].act(_counting(sku, wrong)))
        self._tell(f"somebody types {wrong} of {sku} into the {channel}'s own admin")

    def _edit_price(self, channel: str) -> None:
        sku = self._unedited()
        wrong = Decimal(shown_ore(self._world.list_ore[sku]) + 1_000).scaleb(-2)
        self._postman.hand_over(self._ports[channel].act(_hand("set_price", sku, wrong)))
        self._tell(f"somebody types a price of {wrong} for {sku} into the {channel}")

    def _unedited(self) -> str:
        """Something that no person has edited yet: who edits the same thing again and again makes the hub stop it."""
        sku = self._chance.one_of([sku for sku in self._world.skus if sku not in self._edited])
        self._edited.append(sku)
        self.edits += 1
        return sku

    # what goes wrong with the platforms

    def _fault(self, about: str) -> None:
        word, _, channel = about.rpartition(" ")
        name, counted = FAULTS[word]
        self._ports[channel].act(lambda sandbox: _arm(sandbox, name, 1))
        self.armed[channel, counted] += 1
        self._tell("", f"the next of the {channel}: {word}")

    def _unanswered(self, channel: str) -> None:
        """The next write there takes effect and its answer is lost; then something happens that must be written there."""
        self._fault(f"lost answer {channel}")
        sku = self._chance.one_of(self.shoppers.never_fetched())
        if channel == ERP:
            self.shoppers.risen(SHOP, sku, 4)
            place = self._world.place(SHOP, TILL)
            self._postman.hand_over(self._ports[TILL].act(_counting(sku, self._world.shelf[SHOP, sku], place)))
            self._tell(f"the shop counts {self._world.shelf[SHOP, sku]} of {sku}")
        else:
            self._received(sku, 7)
            self._tell(f"the warehouse receives 7 of {sku}")

    def _down(self, channel: str) -> None:
        self._ports[channel].act(lambda sandbox: setattr(sandbox.faults, "down", True))
        self.outages.append(channel)
        self._tell("", f"{channel} is down")

    def _up(self, channel: str) -> None:
        self._ports[channel].act(lambda sandbox: setattr(sandbox.faults, "down", False))
        self._tell("", f"{channel} is up again")

    def _spent(self, channel: str, name: str) -> int:
        return self._ports[channel].look(lambda sandbox: sandbox.faults.spent.get(name, 0))

    def _tell(self, words: str, fault: str = "") -> None:
        minute = OPENS_AT_MINUTE + (CLOSES_AT_MINUTE - OPENS_AT_MINUTE) * self._number // (STEPS + 1)
        said = "; ".join(each for each in (words, fault) if each)
        self._say(f"{minute // 60:02d}:{minute % 60:02d}  {'! ' if fault else ''}{said}")


def _hand(name: str, *arguments: object) -> Callable[[SandboxBase], object]:
    return lambda sandbox: getattr(sandbox, name)(*arguments)


def _adding(sku: str, title: str, price: Decimal, category: str) -> Callable[[Any], object]:
    return lambda sandbox: sandbox.add_item(sku, title, price=price, category=category)


def _counting(sku: str, pieces: int, place: str = "") -> Callable[[Any], object]:
    return lambda sandbox: sandbox.count(sku, pieces, place)


def _arm(sandbox: SandboxBase, name: str, times: int) -> None:
    setattr(sandbox.faults, name, getattr(sandbox.faults, name) + times)
