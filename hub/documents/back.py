"""What goes back to where the order was placed: parcels, goods that are ready, pieces that are not coming, money given back.

A fact that was told is never told again under another name: what was told counts against what there is to tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from hub.canonical.values import Plain
from hub.desired.credit import Credit
from hub.desired.order import EXPORT, ORIGIN, RECEIPT, Facts, Saying
from hub.diff.compare import difference
from hub.documents.around import FULFILLED, PLACED, Around, dealt, target
from hub.documents.placed import pickup_at, takes_all
from hub.flow import Key, Target
from hub.store.orders import Order
from hub.store.targets import StoredTarget

READY, CANCELLED, REFUNDED, NOTED = "ready", "cancelled", "refunded", "refund_noted"
LEFT: Final = ("shipped", "delivered", "handed_over", "sold")
DIGEST_CHARS: Final = 10
WHOLE: Final = 1_000
"""One unit, in thousandths."""


def told_back(
    order: Order,
    told: Facts,
    sayings: Sequence[Saying],
    credits: Sequence[Credit],
    around: Around,
    booked: Mapping[Key, Target],
) -> dict[Key, Target]:
    """Everything that the order's birthplace must know, and that a till must know of what it was to hand over.

    `booked` are the documents that other systems are to hold of it now.
    """
    wanted: dict[Key, Target] = {}
    if told.state != "ended" or any(each.role != ORIGIN for each in sayings):
        wanted.update(_fulfilled(order, told, sayings, around))
    wanted.update(_ready(order, told, sayings, around))
    wanted.update(_cancelled(order, told, sayings, around, booked))
    wanted.update(_given_back(order, told, credits, around))
    wanted.update(_rung_up(order, told, sayings, around))
    return wanted


def _fulfilled(order: Order, told: Facts, sayings: Sequence[Saying], around: Around) -> dict[Key, Target]:
    if not around.tells(order.channel, FULFILLED):
        return {}
    wanted: dict[Key, Target] = {}
    parcels = dict(_parcels(order, sayings))
    known = {
        key: stored
        for key, stored in around.told_before(order, order.channel, FULFILLED).items()
        # What was turned away is cut anew: it may be that less was wanted by then.
        if key in around.observations or (key.place in parcels and key in around.flying)
    }
    room = _room(told, [part for stored in known.values() for part in stored.target.value["parts"]])
    for key, stored in sorted(known.items(), key=lambda each: each[0].place):
        value = stored.target.value
        if key.place in parcels:
            value = {**parcels[key.place], "parts": value["parts"]}
        dealt(value["parts"], room)
        wanted.update([target(order.channel, order, key.place, value, told_by=_teller(key.place))])
    for fact, parcel in parcels.items():
        parts = dealt(parcel["parts"], room) if not any(key.place == fact for key in wanted) else []
        if parts:
            wanted.update([target(order.channel, order, fact, {**parcel, "parts": parts}, told_by=_teller(fact))])
    return wanted


def _room(told: Facts, known: Sequence[Plain]) -> dict[str, int]:
    """By line, how much has left that the birthplace did not tell of by itself; `known` are the parts told it already."""
    room: dict[str, int] = {}
    for line in told.lines:
        left = told.left.get(line.line)
        if left is not None:
            # A shop that has called the whole order off turns parcels away, though its lines may go on standing.
            wanted = 0 if told.state == "cancelled" else max(0, line.quantity - line.cancelled)
            gone = min(sum(each.quantity for each in left.parts()), wanted)
            ours = sum(int(part["quantity"]) for part in known if str(part["line"]) == line.line)
            room[line.line] = gone - max(0, sum(each.quantity for each in left.origin) - ours)
    return room


def _teller(fact: str) -> str:
    return fact.split(":")[1]


def _parcels(order: Order, sayings: Sequence[Saying]) -> list[tuple[str, dict[str, Plain]]]:
    """Every fulfilment that another system told of, as the birthplace is told it."""
    found = []
    for saying in sayings:
        if saying.channel == order.channel or saying.role not in (EXPORT, RECEIPT):
            continue
        for each in saying.record.get("fulfilments") or ():
            if each["state"] in LEFT and each["parts"]:
                state = "handed_over" if each["state"] == "sold" else str(each["state"])
                value: dict[str, Plain] = {
                    "fact": FULFILLED,
                    "their": order.their,
                    "number": order.number,
                    "state": state,
                    "carrier": each.get("carrier") or "",
                    "tracking": each.get("tracking") or "",
                    "parts": [dict(part) for part in each["parts"]],
                    "place": "",
                }
                found.append((f"{FULFILLED}:{saying.channel}:{each['fulfilment']}", value))
    return found


def _ready(order: Order, told: Facts, sayings: Sequence[Saying], around: Around) -> dict[Key, Target]:
    """Goods that wait for the customer where they are fetched; what was collected meanwhile needs no telling any more."""
    location = pickup_at(order, told, around)
    wanted: dict[Key, Target] = {}
    if not location or not around.tells(order.channel, READY):
        return wanted
    for saying in sayings:
        if saying.role != EXPORT or saying.channel == order.channel:
            continue
        for each in saying.record.get("fulfilments") or ():
            place = around.places.get((saying.channel, str(each.get("place") or "")), "")
            if each["state"] != "ready" or place != location or not each["parts"]:
                continue
            value: dict[str, Plain] = {
                "fact": READY,
                "their": order.their,
                "number": order.number,
                "parts": [dict(part) for part in each["parts"]],
                "where": around.title(location, saying.channel),
                "place": str(told.origin.record.get("pickup") or ""),
            }
            fact = f"{READY}:{saying.channel}:{each['fulfilment']}"
            wanted.update([target(order.channel, order, fact, value, told_by=saying.channel)])
    return wanted


def _cancelled(
    order: Order, told: Facts, sayings: Sequence[Saying], around: Around, booked: Mapping[Key, Target]
) -> dict[Key, Target]:
    """Pieces that the books were to deliver and gave up, and that the birthplace still counts on."""
    wanted: dict[Key, Target] = {}
    if not around.tells(order.channel, CANCELLED) or told.state in ("cancelled", "ended"):
        return wanted
    for channel in sorted({each.channel for each in sayings if each.role == EXPORT} - {order.channel}):
        there = [each for each in sayings if each.role == EXPORT and each.channel == channel]
        if not takes_all(channel, around) and around.executors.get(pickup_at(order, told, around)) != channel:
            # What a place does not send is sent from another one; what it does not hand over, nobody does.
            continue
        lost = _given_up(order, told, there, around, booked)
        parts = []
        for line in told.lines:
            item = around.item_of(order.channel, line.listing)
            goods = around.goods_of(item)
            # A bundle of which any part is given up is not coming.
            units = max(-(-lost.get(each, 0) // pieces) for each, pieces in goods)
            taken = min(units if len(goods) == 1 else -(-units // WHOLE) * WHOLE, line.open) if item else 0
            if taken > 0:
                for each, pieces in goods:
                    lost[each] = lost.get(each, 0) - taken * pieces
                parts.append({"line": line.line, "quantity": taken})
        if parts:
            value: dict[str, Plain] = {"fact": CANCELLED, "their": order.their, "number": order.number, "parts": parts}
            fact = f"{CANCELLED}:{channel}:{_digest([sum(line.cancelled for line in told.lines), parts])}"
            wanted.update([target(order.channel, order, fact, value, told_by=channel)])
    return wanted


def _given_up(order: Order, told: Facts, there: Sequence[Saying], around: Around, booked: Mapping[Key, Target]) -> dict[str, int]:
    """Item → what the system took on as documents and keeps no more; nothing while what it says is older than our word, or our
    word is just being changed: what was called off at the birthplace meanwhile would be called off again."""
    asked: dict[str, int] = {}
    for key, stored in around.told_before(order, there[0].channel, PLACED).items():
        seen = around.observations.get(key)
        if seen is None or difference(key.aspect, stored.target.value, seen.observation.value) is not None:
            return {}
        if key in booked and booked[key].value != stored.target.value:
            return {}
        if any(each.begun <= seen.observation.answered for each in there):
            return {}
        for line in stored.target.value["lines"]:
            item = around.item_of(there[0].channel, str(line["listing"]))
            if item and line["kind"] == "stocked" and stored.target.value["stock"] == "here":
                asked[item] = asked.get(item, 0) + int(line["quantity"])
    for each in there:
        for line in each.record["lines"]:
            item = around.item_of(each.channel, str(line.get("listing") or ""))
            if item in asked and each.record["state"] != "cancelled":
                asked[item] -= int(line["quantity"]) - int(line.get("cancelled") or 0)
        if each.record["state"] != "cancelled":
            for item, quantity in _not_fetched(order, told, each, around):
                asked[item] = asked.get(item, 0) + quantity
    return asked


def _not_fetched(order: Order, told: Facts, there: Saying, around: Around) -> list[tuple[str, int]]:
    """(item, quantity) that waited for the customer until whoever had it there gave up waiting; its document still stands."""
    sold = {line.line: line.listing for line in told.lines}
    parts = [
        part
        for each in there.record.get("fulfilments") or ()
        if each["state"] == "cancelled" and pickup_at(order, told, around)
        for part in each["parts"]
    ]
    found = [(around.item_of(order.channel, sold.get(str(part["line"]), "")), int(part["quantity"])) for part in parts]
    return [(each, quantity * pieces) for item, quantity in found if item for each, pieces in around.goods_of(item)]


def _given_back(order: Order, told: Facts, credits: Sequence[Credit], around: Around) -> dict[Key, Target]:
    """Money that another system paid back is noted; what nobody paid is paid here, where the configuration says so."""
    wanted: dict[Key, Target] = {}
    currency = str(told.origin.record["currency"])
    before = around.told_before(order, order.channel, REFUNDED)
    asked = {key: stored.target.value for key, stored in before.items()}
    room = _refundable(told, credits, sum(int(value["amount_minor"]) for value in asked.values()))
    for credit in credits:
        if credit.teller == order.channel:
            continue
        parts = [dict(part) for part in credit.parts]
        common: dict[str, Plain] = {"their": order.their, "number": order.number, "parts": parts}
        location = around.places.get((credit.teller, credit.place), "")
        if credit.paid_minor and around.tells(order.channel, NOTED):
            by = around.title(location, credit.teller)
            value = {"fact": NOTED, **common, "amount_minor": credit.paid_minor, "currency": currency, "by": by}
            wanted.update([target(order.channel, order, f"{NOTED}:{credit.key}", value, told_by=credit.teller)])
        if not around.tells(order.channel, REFUNDED):
            continue
        key, _ = target(order.channel, order, f"{REFUNDED}:{credit.key}", {})
        # What was asked for once stands: the money may be on its way, or be among what was given back.
        if key in asked:
            unpaid = int(asked[key]["amount_minor"])
        else:
            unpaid = min(credit.owed_minor, room) if around.rule(order.channel).pay_refunds else 0
            room -= max(0, unpaid)
        if unpaid > 0:
            value = {"fact": REFUNDED, **common, "amount_minor": unpaid, "restock": False}
            wanted.update([target(order.channel, order, key.place, value, told_by=credit.teller)])
    return wanted


def _refundable(told: Facts, credits: Sequence[Credit], asked: int) -> int:
    """What was captured and not given back, over all channels; `asked` was asked of this one, shown among its refunds or not."""
    payments = told.origin.record.get("payments") or ()
    captured = sum(int(each["amount_minor"]) for each in payments if each["kind"] == "captured")
    given = sum(int(each["amount_minor"]) for each in payments if each["kind"] == "refunded")
    elsewhere = sum(credit.paid_minor for credit in credits if credit.teller != told.origin.channel)
    return max(0, captured - elsewhere - max(given, asked))


def _rung_up(order: Order, told: Facts, sayings: Sequence[Saying], around: Around) -> dict[Key, Target]:
    """A till that rang an order up with its number still has it open to be handed over: that is told to be done."""
    wanted: dict[Key, Target] = {}
    receipts = {each.channel for each in sayings if each.role == RECEIPT}
    for saying in sayings:
        if saying.role != EXPORT or saying.channel not in receipts or not around.tells(saying.channel, FULFILLED):
            continue
        if any(line.open for line in told.lines):
            continue
        fact = f"{FULFILLED}:receipt:{saying.their}"
        marked = any(each["state"] in LEFT for each in saying.record.get("fulfilments") or ())
        if marked and not _told(saying, fact, order, around):
            continue
        value: dict[str, Plain] = {
            "fact": FULFILLED,
            "their": saying.their,
            "number": order.number,
            "state": "handed_over",
            "carrier": "",
            "tracking": "",
            "parts": [],
            "place": "",
        }
        wanted.update([target(saying.channel, order, fact, value, told_by="receipt")])
    return wanted


def _told(saying: Saying, fact: str, order: Order, around: Around) -> StoredTarget | None:
    return around.targets.get(target(saying.channel, order, fact, {})[0])


def _digest(told: Plain) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:DIGEST_CHARS]
