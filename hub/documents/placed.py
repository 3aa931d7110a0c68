"""The order as documents: one per place that a system must know of, in the words of that system.

The books get all of it: what they move themselves as a sale that is shipped, what others move as money only. A till or shop
that hands goods over gets what leaves from its own places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from hub.canonical.values import Plain, plain_decimal
from hub.desired.credit import share
from hub.desired.order import Facts, Line
from hub.documents.around import PLACED, Around, NotExportableError, target
from hub.flow import Aspect, Key, Target
from hub.settings.model import OrderRule
from hub.store.catalogue import Binding
from hub.store.orders import Order
from hub.store.targets import StoredTarget

KEPT: Final = "="
"""In place of a suspense: what is unmapped is told as it is."""
EXPORTED_STATES: Final = ("reserve", "release", "ended", "cancelled")
WHERE_HELD: Final = ("reserve", "cancelled")
"""States that nobody is told of who does not hold the order already: there is nothing (yet) to be sent or booked."""
Routes = Mapping[str, Sequence[tuple[str, int]]]
"""Line → (our location, quantity) that is to leave there."""
Shares = dict[str, dict[str, int]]
"""Our location ("" where none is chosen) → line → quantity."""
Held = Mapping[str, str]
"""Line of a document → the listing that it was told with there."""
NOTHING_HELD: Final[Held] = MappingProxyType({})


def placed(
    order: Order, told: Facts, name: str, around: Around, routes: Routes, exported: frozenset[str]
) -> tuple[dict[Key, Target], str]:
    """The documents of the order for one channel, and why there are none.

    `exported` are the channels that hold it already: a cancelled order, or one not free to be sent, is told to them only.
    """
    if told.state not in EXPORTED_STATES or (told.state in WHERE_HELD and name not in exported):
        return {}, ""
    shares = _shares(order, told, name, around, routes)
    if not shares and not _known(order, name, around):
        return {}, ""
    wanted: dict[Key, Target] = {}
    carrier = _carrier(order, name, shares, around)
    before: dict[str, int] = {}
    known = _known(order, name, around)
    try:
        for location, parts in shares.items():
            carries = location == carrier
            fact = PLACED if carries else f"{PLACED}:{location}"
            held = _held(known.get(Key(name, order.order, Aspect.ORDER, fact)), told)
            value = _document(order, told, name, location, parts, before, carries, len(shares) == 1, around, held)
            wanted.update([target(name, order, fact, value, placed_on=order.channel, at=location)])
            for line, quantity in parts.items():
                before[line] = before.get(line, 0) + quantity
    except NotExportableError as bad:
        return {}, f"{name}: {bad}"
    for key, old in known.items():
        if key not in wanted:
            value = {**old.target.value, "state": "cancelled"}
            value["lines"] = [{**line, "quantity": 0, "amount_minor": 0, "tax_minor": 0} for line in value["lines"]]
            wanted.update([target(name, order, key.place, value, placed_on=order.channel, routed="elsewhere")])
    return wanted, ""


def takes_all(name: str, around: Around) -> bool:
    """Whether the channel gets whole orders (books) or what leaves from its own places only."""
    settings = around.config.channels[name]
    return (settings.orders.documents or ("all" if settings.role == "erp" else "own_places")) == "all"


def _known(order: Order, name: str, around: Around) -> dict[Key, StoredTarget]:
    """Documents of the order that are there already."""
    return {key: told for key, told in around.told_before(order, name, PLACED).items() if key in around.observations}


def _held(old: StoredTarget | None, told: Facts) -> Held:
    """By line the listing that a document which stands there speaks of; one that was withdrawn is told anew."""
    if old is None or (old.target.value.get("state") == "cancelled" and told.state != "cancelled"):
        return {}
    return {str(line["line"]): str(line["listing"]) for line in old.target.value["lines"]}


def _shares(order: Order, told: Facts, name: str, around: Around, routes: Routes) -> Shares:
    """What is to be told to this channel, by the location that it leaves from."""
    everything = takes_all(name, around)
    shares: Shares = {}
    for line in told.lines:
        for location, quantity in _from(order, told, line, around, routes).items():
            if everything or (line.kind == "stocked" and around.executors.get(location) == name):
                shares.setdefault(_group(location, around), {})[line.line] = quantity
    nowhere = shares.get("", {})
    if len(shares) > 1 and not any(nowhere.values()):
        # Nothing is left of these lines, so no place was chosen for them: they stand with the others.
        next(each for place, each in shares.items() if place).update(shares.pop("", {}))
    if everything and not told.lines:
        # A receipt of charges alone (a tip, a fee) is money all the same.
        home = around.places.get((order.channel, str(told.origin.record.get("place") or "")), "")
        shares[_group(home, around)] = {}
    return shares


def _group(location: str, around: Around) -> str:
    """Where no place is chosen the books' own place stands for it."""
    return location if location in around.executors else ""


def _from(order: Order, told: Facts, line: Line, around: Around, routes: Routes) -> dict[str, int]:
    """Where the line's pieces leave from: as routed, else where its birthplace says; a sale at a counter left there."""
    total = line.quantity if line.quantity < 0 else max(0, line.quantity - line.cancelled)
    record = told.origin.record
    theirs = line.place or record.get("place") or record.get("pickup") or ""
    default = around.places.get((order.channel, str(theirs)), "")
    chosen = routes.get(line.line, ())
    left, found = total, dict[str, int]()
    for location, quantity in chosen:
        taken = min(left, quantity)
        if taken:
            found[location] = found.get(location, 0) + taken
            left -= taken
    if left or not found:
        last = chosen[-1][0] if chosen else default
        found[last] = found.get(last, 0) + left
    return found


def _carrier(order: Order, name: str, shares: Shares, around: Around) -> str:
    """The location whose document has the charges and payments: the one that had them, else that of the first line."""
    old = around.targets.get(Key(name, order.order, Aspect.ORDER, PLACED))
    before = str(old.target.because.get("at", "")) if old is not None else ""
    return before if before in shares else next(iter(shares), "")


def _document(
    order: Order,
    told: Facts,
    name: str,
    location: str,
    parts: Mapping[str, int],
    before: Mapping[str, int],
    carries: bool,
    alone: bool,
    around: Around,
    held: Held,
) -> dict[str, Plain]:
    record, rule = told.origin.record, around.rule(name)
    rows = {str(row["line"]): row for row in record["lines"]}
    lines = [
        row
        for line in told.lines
        if line.line in parts
        for row in _lines(order, line, rows[line.line], parts[line.line], before.get(line.line, 0), name, around, held)
    ]
    charges = [document_charge(charge, name, around) for charge in (record.get("charges") or ()) if carries]
    tax = str(record["tax"])
    whole = alone and carries and all(parts.get(line.line) is not None for line in told.lines)
    total = int(record["total_minor"]) if whole else sum(gross(row, tax) for row in (*lines, *charges))
    # Who only hands goods over keeps no books: its methods and taxes need no mapping.
    if not takes_all(name, around):
        rule = rule.model_copy(update={"suspense_payment": KEPT, "suspense_tax": KEPT})
    payments = [document_payment(payment, rule) for payment in (record.get("payments") or ()) if carries]
    value: dict[str, Plain] = {
        "fact": PLACED,
        "number": order.number if carries else f"{order.number}/{location}",
        "of": "",
        "placed_at": order.placed_at,
        "currency": str(record["currency"]),
        "tax": tax,
        "total_minor": total,
        "lines": lines,
        "charges": charges,
        # What was given back is told by credit notes, not by the sale itself.
        "payments": [each for each in payments if each["kind"] not in ("refunded", "charged_back")],
        "taxes": document_taxes((*lines, *charges), rule),
        "place": around.place_there(name, location),
        "stock": "here" if _moves_here(name, location, around) else "elsewhere",
        "pickup": bool(record.get("pickup")) and location == pickup_at(order, told, around),
    }
    if rounding := rounded_on(name, around):
        value["rounding"] = rounding
    if told.state == "cancelled":
        value["state"] = "cancelled"
    return value


def rounded_on(name: str, around: Around) -> str:
    """The listing for what these books round otherwise; "" where none is named or it is no item there (yet)."""
    try:
        return stands_for("rounding", name, around)
    except NotExportableError:
        return ""


def pickup_at(order: Order, told: Facts, around: Around) -> str:
    """Our location where the customer fetches the order; "" where it is sent, or the place is none of ours."""
    return around.places.get((order.channel, str(told.origin.record.get("pickup") or "")), "")


def _moves_here(name: str, location: str, around: Around) -> bool:
    return not location or around.executors.get(location) == name


def _lines(
    order: Order,
    line: Line,
    row: Mapping[str, Plain],
    quantity: int,
    before: int,
    name: str,
    around: Around,
    held: Held,
) -> list[dict[str, Plain]]:
    found = document_lines(order.channel, {**row, "quantity": quantity}, name, around, held)
    wanted = line.quantity - line.cancelled if line.quantity > 0 else line.quantity
    if wanted and quantity != wanted:
        for told in found:
            told["amount_minor"] = share(told["amount_minor"], before, quantity, wanted)
            told["tax_minor"] = share(told["tax_minor"], before, quantity, wanted)
    return found


def document_lines(
    channel: str, row: Mapping[str, Plain], name: str, around: Around, held: Held = NOTHING_HELD
) -> list[dict[str, Plain]]:
    """A channel's line as a document on another says it: a virtual bundle as the goods that move, its money dealt over their
    pieces. NotExportableError where the goods are no item there."""
    binding = around.items.get((channel, str(row.get("listing") or "")))
    goods = around.bundles.get(binding.item, ()) if binding is not None else ()
    if binding is None or not goods or str(row.get("kind") or "stocked") != "stocked":
        return [document_line(channel, row, name, around, held)]
    found: list[dict[str, Plain]] = []
    before, whole = 0, sum(pieces for _, pieces in goods)
    for number, (item, pieces) in enumerate(goods, start=1):
        line = f"{row['line']}.{number}"
        there = _listing_there(name, item, held.get(line, ""), around)
        if there is None:
            raise NotExportableError(f"line {row['line']}: a part of {row.get('sku') or row.get('listing')} is no item there")
        amounts = {each: share(int(row.get(each) or 0), before, pieces, whole) for each in ("amount_minor", "tax_minor")}
        quantity = int(row["quantity"]) * pieces * binding.factor // there.factor
        about = {"line": line, "listing": there.listing, "sku": there.sku, "kind": "stocked"}
        title = str(row.get("title") or row.get("sku") or there.sku)
        found.append(taxed({**about, "title": title, "quantity": quantity, **amounts, "tax_percent": row.get("tax_percent")}))
        before += pieces
    return found


def _listing_there(name: str, item: str, told: str, around: Around) -> Binding | None:
    """The item's listing there: the one of which a document speaks that stands there, be it gone since, else the one it has."""
    bound = around.items.get((name, told))
    return bound if bound is not None and bound.item == item else around.listings.get((name, item))


def document_line(
    channel: str, row: Mapping[str, Plain], name: str, around: Around, held: Held = NOTHING_HELD
) -> dict[str, Plain]:
    """A channel's line as a document on another says it; NotExportableError where the goods are no item there."""
    kind, sku = str(row.get("kind") or "stocked"), str(row.get("sku") or "")
    item = around.item_of(channel, str(row.get("listing") or ""))
    there = _listing_there(name, item, held.get(str(row["line"]), ""), around) if item else None
    if there is None and kind == "stocked":
        raise NotExportableError(f"line {row['line']}: {sku or row.get('listing') or 'no SKU'} is no item there")
    return taxed(
        {
            "line": str(row["line"]),
            "listing": there.listing if there is not None else stands_for(kind, name, around),
            "sku": sku,
            "title": str(row.get("title") or sku),
            "kind": kind,
            "quantity": int(row["quantity"]),
            "amount_minor": int(row["amount_minor"]),
            "tax_minor": int(row.get("tax_minor") or 0),
            "tax_percent": row.get("tax_percent"),
        }
    )


def document_charge(charge: Mapping[str, Plain], name: str, around: Around) -> dict[str, Plain]:
    """A charge as a document says it."""
    return taxed({**charge, "listing": stands_for(str(charge["kind"]), name, around)})


def stands_for(kind: str, name: str, around: Around) -> str:
    """The channel's listing of the item that stands for lines and charges of this kind; "" where none is named."""
    rule = around.rule(name)
    sku = rule.items.get(kind) or rule.catch_all_item
    item = around.named.get(sku, "") if sku else ""
    found = around.listings.get((name, item)) if item else None
    if sku and found is None:
        raise NotExportableError(f"{sku}, which stands for `{kind}`, is no item there")
    return found.listing if found is not None else ""


def document_taxes(rows: Sequence[Mapping[str, Plain]], rule: OrderRule) -> dict[str, Plain]:
    """Tax percent → this system's tax; NotExportableError for an unmapped one."""
    told = {str(row["tax_percent"]) for row in rows if row.get("tax_percent") is not None}
    return {percent: _mapped("tax", percent, rule.taxes, rule.suspense_tax) for percent in sorted(told)}


def document_payment(payment: Mapping[str, Plain], rule: OrderRule) -> dict[str, Plain]:
    """A payment as a document says it; NotExportableError where its method is unmapped."""
    method = str(payment.get("method") or "")
    return {
        "payment": payment["payment"],
        "kind": payment["kind"],
        "method": _mapped("payment method", method, rule.payments, rule.suspense_payment),
        "amount_minor": int(payment["amount_minor"]),
        "at": payment.get("at"),
    }


def taxed(row: dict[str, Plain]) -> dict[str, Plain]:
    """The row with its tax rate as text."""
    if row.get("tax_percent") is not None and not isinstance(row["tax_percent"], str):
        row["tax_percent"] = plain_decimal(row["tax_percent"])
    return row


def gross(row: Mapping[str, Plain], tax: str) -> int:
    """What the customer pays for the row."""
    return int(row["amount_minor"]) + (int(row.get("tax_minor") or 0) if tax == "excluded" else 0)


def _mapped(what: str, told: str, table: Mapping[str, str], suspense: str) -> str:
    if told in table:
        return table[told]
    if suspense:
        return told if suspense == KEPT else suspense
    raise NotExportableError(f"the {what} `{told}` is not mapped")
