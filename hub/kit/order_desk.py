"""The desk at which orders are tried: customers who buy on the small platform, and what the hub tells it of orders."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final, Protocol, cast

from hub.canonical.values import Plain, exact_minor
from hub.errors import ChannelError, GoneError, OutcomeUnknownError, RefusedError
from hub.flow import Aspect, Change, Key, Outcome, Receipt
from hub.kit.config import TESTED
from hub.kit.stage import PRICE, THOUSAND, Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, demand, not_applicable
from hub.sdk.manifest import Fact, Send
from hub.store.parties import Parties

OURS: Final = "order-of-the-suite"
"""Our id of the order that is told of."""
NUMBER: Final = "KIT-41"
MINUTE: Final = 60
TRIES_MAX: Final = 6
PERSON: Final = {
    "full_name": "Planted Quillfeather",
    "email": "planted.quillfeather@example.org",
    "phone": "+4599887766",
    "street": "Plantedgade 77",
    "city": "Quilltown",
    "postal_code": "9977",
    "country": "DK",
}
"""Who buys. Nobody else has such a name, so wherever a part of it stands a person stands."""
MARKS: Final = ("quillfeather", "99887766", "plantedgade", "quilltown")
Basket = Mapping[str, int]
Said = dict[str, Plain]


class OrderHands(Protocol):
    """What people can do with orders on a small platform that has them; one that a platform does not know is not there."""

    def order(self, wanted: Basket, *, paid: bool, place: str, customer: Mapping[str, str], **more: bool) -> str:
        """A customer buys; gives the order's id."""
        ...

    def orders_shown(self) -> dict[str, dict[str, Plain]]:
        """The platform's own truth of its orders, by their ids."""
        ...


class Desk:
    """One stage on which orders are placed and told of."""

    def __init__(self, subject: Subject, items: int = 2) -> None:
        self.subject = subject
        self.stage: Stage = subject.stage(items)
        self.connector = self.stage.channel.connector
        hub, record = self.stage.hub, {"order": "1", **PERSON}
        parties = Parties(hub.vault, self.stage.clock)
        now = self.stage.clock.now()
        hub.database.transaction(lambda tx: parties.keep(tx, OURS, TESTED, record, 1, now))

    @property
    def hands(self) -> OrderHands:
        """The people who buy and work there."""
        return cast(OrderHands, self.stage.sandbox)

    def shown(self) -> dict[str, dict[str, Plain]]:
        """The platform's own truth of its orders, without ids that only say in which order things were made."""
        shown = self.hands.orders_shown()
        for order in shown.values():
            for parcel in order.get("fulfilments") or []:
                parcel.pop("fulfilment", None)
        return shown

    def bought(self, basket: Basket, *, paid: bool = True, fetched: bool = False) -> str:
        """A customer has bought this, to be `fetched` where the platform tells the two apart; gives the order's id."""
        if not hasattr(self.stage.sandbox, "order"):
            raise BrokenError("the small platform has orders and no hand `order` that places one")
        name = {"name": PERSON["full_name"], **{key: PERSON[key] for key in PERSON if key != "full_name"}}
        way = inspect.signature(self.hands.order).parameters.get("pickup")
        more = {"pickup": True} if fetched and way is not None and way.default is False else {}
        their = self.hands.order(basket, paid=paid, place=self.stage.place, customer=name, **more)
        demand(bool(their), "the hand `order` gave no id of an order")
        self.stage.clock.advance(MINUTE)
        return their

    def looked_up(self, their: str) -> Said | None:
        """The order as a look-up tells it; None where it is gone, or no order of anybody (yet)."""
        name = self.stream
        page = self.connector.look_up(name, [their])
        return next((one for one in self.orders(page.body) if one["order"] == their), None)

    def orders(self, body: bytes) -> list[Said]:
        """The orders that a page tells of."""
        records = self.stage.records(self.stream, body)
        return [value for entity, value in self.stage.told(self.stream, records) if entity == Aspect.ORDER]

    @property
    def stream(self) -> str:
        """The stream that tells of orders."""
        return order_stream(self.subject)

    # telling

    def document(self, basket: Basket, *, number: str = NUMBER, over: bool = False) -> Said:
        """The payload of a document: these pieces at the prices of the stage; `over`: nothing of it is wanted any more."""
        lines: list[Said] = []
        for place, (sku, pieces) in enumerate(basket.items(), start=1):
            amount = exact_minor(PRICE + self.stage.skus.index(sku), self.currency) * pieces
            about = {"line": str(place), "listing": self.stage.listings[sku], "sku": sku, "title": f"Item {place}", "refs": {}}
            money = {"amount_minor": 0 if over else amount, "tax_minor": 0, "tax_percent": None}
            lines.append({**about, "kind": "stocked", "quantity": 0 if over else pieces * THOUSAND, **money})
        total, now = sum(line["amount_minor"] for line in lines), self.stage.clock.now()
        paid = {"payment": "p1", "kind": "captured", "method": "card", "amount_minor": total, "at": now}
        return {
            "fact": "placed", "number": number, "of": "", "placed_at": now, "currency": self.currency, "tax": "included",
            "total_minor": total, "lines": lines, "charges": [], "payments": [] if over else [paid], "taxes": {},
            "place": self.stage.place, "stock": "here", "pickup": False, **({"state": "cancelled"} if over else {}),
        }  # fmt: skip

    @property
    def currency(self) -> str:
        """In which currency the stage's prices are."""
        return self.subject.terms.currency

    def placed(self, after: Said, before: Said | None = None, ident: str = "placing") -> Change:
        """The change by which the document is made, or brought up to date."""
        return self.change("placed", after, before, ident)

    def fact(self, fact: Fact, their: str, basket: Basket, *, key: str = "f1", **more: Plain) -> Change:
        """The change that tells of something that became of an order: which of its pieces it is about, by SKU."""
        order = self.looked_up(their)
        if order is None:
            raise BrokenError(f"a look-up of the order {their} does not tell it")
        lines = {line.get("listing"): line for line in order["lines"]}
        parts, worth = [], 0
        for sku, pieces in basket.items():
            line = lines.get(self.stage.listings[sku])
            if line is None:
                raise BrokenError(f"no line of the order names the listing of {sku}: {sorted(map(str, lines))}")
            amount = line["amount_minor"] * pieces * THOUSAND // line["quantity"]
            money = {"amount_minor": amount} if fact in ("refunded", "refund_noted") else {}
            parts.append({"line": line["line"], "quantity": pieces * THOUSAND, **money})
            worth += amount
        after: Said = {"fact": fact, "their": their, "number": str(order.get("number") or their), "parts": parts}
        extra: dict[str, Said] = {
            "fulfilled": {"state": "shipped", "carrier": "Made Post", "tracking": f"TN-{key}", "place": self.stage.place},
            "ready": {"where": "The depot", "place": self.stage.place},
            "refunded": {"amount_minor": worth, "restock": False},
            "refund_noted": {"amount_minor": worth, "currency": self.currency, "by": "The books"},
        }
        return self.change(f"{fact}:{key}", {**after, **extra.get(fact, {}), **more}, None, f"{fact}-{key}")

    def change(self, place: str, after: Said, before: Said | None, ident: str) -> Change:
        """A change of our one order, as the push would hand it over."""
        key = Key(TESTED, OURS, Aspect.ORDER, place)
        return Change(f"suite-{ident}", key, OURS, before, after, {}, self.stage.clock.now())

    def send(self, change: Change) -> Receipt:
        """The receipt; an outcome that nobody knows is one too."""
        try:
            receipts = self.connector.send(change.key.aspect, [change])
        except OutcomeUnknownError as bad:
            return Receipt(change.id, Outcome.UNKNOWN, bad.message)
        except (RefusedError, GoneError) as bad:
            return Receipt(change.id, Outcome.REFUSED, bad.message)
        except ChannelError as bad:
            raise BrokenError(f"told as {type(bad).__name__}: {bad.message}") from bad
        demand([one.change for one in receipts] == [change.id], f"{len(receipts)} receipts for one change")
        return receipts[0]

    def find(self, change: Change) -> Receipt | None:
        """What became of it, as the connector finds it once it must be findable; None where it cannot say yet."""
        declared = self.declared(change)
        self.stage.clock.advance(float(declared.findable_within_seconds or 0) + 1)
        found = self.connector.find(change.key.aspect, [change])
        demand(len(found) <= 1, f"{len(found)} receipts for one change that was looked for")
        demand(all(one.change == change.id for one in found), "a receipt of a change that nobody asked for")
        return found[0] if found else None

    def settled(self, change: Change) -> Receipt:
        """Find and send again until it is said what became of it, as the push does."""
        for _ in range(TRIES_MAX):
            found = self.find(change)
            if found is not None and found.outcome is not Outcome.NOT_SENT:
                return found
            if found is not None:
                ended = self.send(change)
                if ended.outcome not in (Outcome.UNKNOWN, Outcome.NOT_SENT):
                    return ended
        raise BrokenError(f"{TRIES_MAX} times looked for and sent again, and still nobody knows what became of it")

    def declared(self, change: Change) -> Send:
        """What the manifest says of such changes."""
        return self.stage.channel.manifest.sends[change.key.aspect]


def facts_of(subject: Subject) -> tuple[Fact, ...]:
    """What this connector can be told of orders; not applicable where that is nothing."""
    declared = subject.manifest.sends.get(Aspect.ORDER)
    if declared is None:
        not_applicable(_without(subject, "it is told nothing of orders"))
    demand(bool(declared.facts), "sends.order.facts is empty: nothing of an order can be told")
    return declared.facts


def takes(subject: Subject, fact: Fact) -> None:
    """Not applicable unless this fact can be told to the connector."""
    if fact not in facts_of(subject):
        not_applicable(f"it is told of no order that it is `{fact}`")


def order_stream(subject: Subject) -> str:
    """The stream that tells of orders; not applicable where there is none."""
    for name, stream in subject.manifest.streams.items():
        if any(mapping.partition(".")[0] == Aspect.ORDER for mapping in stream.maps):
            return name
    return not_applicable(_without(subject, "no stream of it tells of orders"))


def applied(receipt: Receipt | None, when: str) -> Receipt:
    """The receipt, which must say applied, and of which order."""
    if receipt is None or receipt.outcome is not Outcome.APPLIED:
        words = "nothing was said" if receipt is None else f"{receipt.outcome} {receipt.words}"
        raise BrokenError(f"{when}: not applied, but {words}")
    demand(isinstance(receipt.shows, dict) and "their" in receipt.shows, f"{when}: the receipt does not show their id")
    return receipt


def pieces_shown(order: Mapping[str, Plain]) -> dict[str, int]:
    """Pieces that are still wanted, by SKU."""
    wanted: dict[str, int] = {}
    for line in order["lines"]:
        wanted[line["sku"]] = wanted.get(line["sku"], 0) + int(line["quantity"]) - int(line["cancelled"])
    return {sku: pieces for sku, pieces in wanted.items() if pieces}


def left_shown(order: Mapping[str, Plain]) -> dict[str, int]:
    """Pieces that have left, by SKU."""
    left: dict[str, int] = {}
    for line in order["lines"]:
        left[line["sku"]] = left.get(line["sku"], 0) + int(line["fulfilled"])
    return {sku: pieces for sku, pieces in left.items() if pieces}


def numbered(desk: Desk, number: str = NUMBER) -> list[str]:
    """The records there that carry this number of ours."""
    return [their for their, order in desk.shown().items() if number in (order.get("number"), order.get("reference"))]


def _without(subject: Subject, words: str) -> str:
    return subject.manifest.never.get(Aspect.ORDER, words)
