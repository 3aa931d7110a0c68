"""Rules about what becomes of an order: each fact in part or whole, once, whatever answers are lost."""

from __future__ import annotations

from typing import Final

from hub.canonical.values import Plain
from hub.flow import Change, Outcome
from hub.kit.order_desk import MINUTE, Basket, Desk, applied, facts_of, left_shown, pieces_shown, takes
from hub.kit.spy import BAD_ANSWERS
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand
from hub.sdk.manifest import Fact

LEFT_STATES: Final = ("shipped", "delivered", "handed_over")
WHOLE: Final = (3, 2)
SOME: Final = (2, 0)
REST: Final = (1, 2)


def a_parcel_of_some_pieces_leaves_the_rest_open(subject: Subject) -> str:
    """Some pieces leave, then the rest, each parcel once; or some are refused with words, and the whole order leaves at once."""
    takes(subject, "fulfilled")
    desk, their = _bought(subject)
    first = desk.fact("fulfilled", their, _basket(desk, SOME))
    if not _told(desk, their, first, may_refuse=True):
        _told(desk, their, desk.fact("fulfilled", their, _basket(desk, WHOLE), key="all"))
        demand(left_shown(desk.shown()[their]) == _basket(desk, WHOLE), "told to have left, the order does not show it")
        return "leaves as a whole only, once"
    shown = desk.shown()[their]
    demand(left_shown(shown) == _basket(desk, SOME), f"a parcel of {_basket(desk, SOME)} shows {left_shown(shown)}")
    _demand_told(desk, their, _basket(desk, SOME))
    second = desk.fact("fulfilled", their, _basket(desk, REST), key="f2")
    _told(desk, their, second)
    shown = desk.shown()[their]
    demand(left_shown(shown) == _basket(desk, WHOLE), f"after a second parcel it shows {left_shown(shown)}")
    demand(len(shown["fulfilments"]) == 2, f"two parcels are shown as {len(shown['fulfilments'])}")
    for change in (first, second):
        applied(desk.find(change), "looking for a parcel")
    return "some, then the rest; each parcel once"


def cancelled_pieces_are_cancelled_once(subject: Subject) -> str:
    """Some pieces are not coming: they, and no others, are taken off, once; or it is refused with words."""
    takes(subject, "cancelled")
    desk, their = _to_cancel(subject)
    change = desk.fact("cancelled", their, _basket(desk, (1, 0)))
    if not _told(desk, their, change, may_refuse=True):
        _told(desk, their, desk.fact("cancelled", their, _basket(desk, WHOLE), key="all"))
        demand(pieces_shown(desk.shown()[their]) == {}, f"cancelled, it still shows {pieces_shown(desk.shown()[their])}")
        return "cancelled as a whole only, once"
    wanted = _basket(desk, (2, 2))
    demand(pieces_shown(desk.shown()[their]) == wanted, f"one piece cancelled: {pieces_shown(desk.shown()[their])} are left")
    return "one piece of three, once"


def money_is_paid_back_once(subject: Subject) -> str:
    """A refund pays what was asked, once, and brings nothing back on the shelf."""
    takes(subject, "refunded")
    desk, their = _bought(subject)
    stock = _stocks(desk)
    change = desk.fact("refunded", their, _basket(desk, (1, 0)))
    _told(desk, their, change)
    paid, asked = desk.shown()[their]["refunded_minor"], change.after["amount_minor"]
    demand(paid == asked, f"{asked} were to be paid back, {paid} were")
    demand(_stocks(desk) == stock, "a refund without restock moved stock")
    return f"{asked} minor units, once"


def what_people_must_know_moves_nothing(subject: Subject) -> str:
    """That goods are ready, or that another system paid money back, is seen at the order, once, and moves no money or stock."""
    told: tuple[Fact, ...] = tuple(fact for fact in facts_of(subject) if fact in ("ready", "refund_noted"))
    if not told:
        takes(subject, "ready")
    for fact in told:
        desk, their = _bought(subject, fact)
        stock, before = _stocks(desk), desk.shown()[their]
        change = desk.fact(fact, their, _basket(desk, WHOLE))
        _told(desk, their, change)
        after = desk.shown()[their]
        demand(after != before, f"{fact}: applied, and nothing of it can be seen at the order (orders_shown)")
        for name in ("lines", "total_minor", "refunded_minor"):
            demand(after[name] == before[name], f"{fact} changed the order's {name} from {before[name]} to {after[name]}")
        demand(_stocks(desk) == stock, f"{fact} moved stock")
    return f"{', '.join(told)}: seen once, nothing moved"


def a_fact_whose_answer_was_lost_takes_effect_once(subject: Subject) -> str:
    """Whichever writing call of any fact loses its answer: nobody knows until it was looked for, and it happens once."""
    done = []
    for fact in facts_of(subject):
        desk, change = _prepared(subject, fact)
        before = desk.stage.spy.writes()
        applied(desk.send(change), fact)
        calls, wanted = desk.stage.spy.writes() - before, desk.shown()
        demand(calls > 0, f"{fact}: applied without a single writing call")
        for number in range(calls):
            for answer in BAD_ANSWERS:
                _settles(subject, fact, number, answer, wanted)
        done.append(f"{fact} {calls}")
    return f"answers lost or senseless, one writing call after the other: {', '.join(done)}; each fact once"


def _settles(subject: Subject, fact: Fact, number: int, bad: bytes | None, wanted: dict[str, dict[str, Plain]]) -> None:
    """Tell the fact while the answer to its writing call `number` is lost (None) or says something senseless."""
    desk, change = _prepared(subject, fact)
    spy, words = desk.stage.spy, f"{fact}, the answer to writing call {number + 1} {'lost' if bad is None else repr(bad)}"
    writes = spy.spoil(number, bad)
    ended = desk.send(change)
    demand(len(writes) > number, f"{words}: it was never made")
    looked = any(not exchange.writes for exchange in spy.exchanges[writes[number] + 1 :])
    if ended.outcome is not Outcome.UNKNOWN:
        allowed = ended.outcome is Outcome.APPLIED and looked
        demand(allowed, f"{words}: told as {ended.outcome} by one who did not look ({ended.words})")
    demand(len(writes) == number + 1 or looked, f"{words}: it was written again without having looked")
    applied(desk.settled(change), f"{words}: in the end")
    demand(desk.shown() == wanted, f"{words}: the order shows {_differs(desk.shown(), wanted)}")


def _prepared(subject: Subject, fact: Fact) -> tuple[Desk, Change]:
    """A desk and a change of this fact, ready to be sent."""
    if fact == "placed":
        desk = Desk(subject)
        return desk, desk.placed(desk.document(_basket(desk, WHOLE)))
    desk, their = _to_cancel(subject) if fact == "cancelled" else _bought(subject, fact)
    return desk, desk.fact(fact, their, _basket(desk, WHOLE))


def _to_cancel(subject: Subject) -> tuple[Desk, str]:
    """An order that can be cancelled: one that we placed, if we may (what is paid on a platform may be its own to cancel)."""
    if "placed" not in facts_of(subject):
        return _bought(subject)
    desk = Desk(subject)
    their = str(applied(desk.send(desk.placed(desk.document(_basket(desk, WHOLE)))), "placing it").shows["their"])
    desk.stage.clock.advance(MINUTE)
    return desk, their


def _bought(subject: Subject, fact: Fact = "fulfilled") -> tuple[Desk, str]:
    """An order of which this fact can be told: what is ready is ready to be fetched."""
    desk = Desk(subject)
    return desk, desk.bought(_basket(desk, WHOLE), fetched=fact == "ready")


def _basket(desk: Desk, pieces: tuple[int, int]) -> Basket:
    return {sku: count for sku, count in zip(desk.stage.skus, pieces, strict=False) if count}


def _told(desk: Desk, their: str, change: Change, *, may_refuse: bool = False) -> bool:
    """Not there, made, found, and not made again; or, where that may be, refused with words and nothing changed (False)."""
    fact, before = change.after["fact"], desk.shown()[their]
    nothing = desk.find(change)
    demand(nothing is None or nothing.outcome is Outcome.NOT_SENT, f"{fact}, not told yet, was looked for and said to be there")
    receipt = desk.send(change)
    if may_refuse and receipt.outcome is Outcome.REFUSED:
        demand(bool(receipt.words), f"{fact} of some pieces is refused without a word")
        demand(desk.shown()[their] == before, f"{fact} was refused, and yet the order changed")
        return False
    applied(receipt, fact)
    once = desk.shown()[their]
    applied(desk.find(change), f"looking for {fact}")
    applied(desk.send(change), f"{fact} once more")
    demand(desk.shown()[their] == once, f"{fact} told twice shows twice: {_differs(desk.shown()[their], once)}")
    return True


def _demand_told(desk: Desk, their: str, basket: Basket) -> None:
    """The order's own record tells the parcel, and does not call the whole order ended."""
    told = desk.looked_up(their) or {}
    by_line = {line["line"]: line.get("listing") for line in told.get("lines", ())}
    left: dict[str, int] = {}
    for parcel in told.get("fulfilments") or ():
        for part in parcel["parts"] if parcel["state"] in LEFT_STATES else ():
            listing = str(by_line.get(part["line"]))
            left[listing] = left.get(listing, 0) + part["quantity"] // 1_000
    wanted = {desk.stage.listings[sku]: pieces for sku, pieces in basket.items()}
    demand(left == wanted, f"a parcel of {wanted} is told as {left}")
    demand(told.get("state") != "ended", "some pieces left, and the order is told as ended")


def _stocks(desk: Desk) -> dict[str, int]:
    return {sku: desk.stage.stock(sku) for sku in desk.stage.skus}


def _differs(one: Plain, other: Plain) -> str:
    """Where two truths differ, in short."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        return "; ".join(f"{name}: {_differs(one.get(name), other.get(name))}" for name in names[:3])
    return f"{one}, not {other}"


RULES: Final[tuple[Rule, ...]] = (
    a_parcel_of_some_pieces_leaves_the_rest_open,
    cancelled_pieces_are_cancelled_once,
    money_is_paid_back_once,
    what_people_must_know_moves_nothing,
    a_fact_whose_answer_was_lost_takes_effect_once,
)
