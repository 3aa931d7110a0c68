"""What must hold once nothing goes wrong any more: channels show the truth, the books hold each sale once, nothing is open."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from hub.simulate.asked import asks, wrong_pool
from hub.simulate.crew import HubCrew
from hub.simulate.day_books import DAILY, EACH, booked, wrong_days
from hub.simulate.retailer import Retailer
from hub.simulate.truth import DELETED, ON_SALE, WITHDRAWN, Sale, Truth
from hub.store import changes, dirty, letters, orders

SHOWN_MAX: Final = 10
AMENDS: Final = "~"


def wrong_numbers(retailer: Retailer, truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Every (channel, SKU, words) that is not as it is in truth, as a customer would see it."""
    for channel, platform in retailer.platforms.items():
        shown = platform.shown()
        for good in truth.goods:
            seen, due = shown.get(good.sku), _due(retailer, truth, channel, good.sku)
            if seen is None or seen["state"] == DELETED:
                if due in (ON_SALE, WITHDRAWN) and (channel in retailer.kept_by_people or due == ON_SALE):
                    yield channel, good.sku, "is not listed"
                continue
            if due in ("", DELETED):
                yield channel, good.sku, "is listed and nobody sells it there"
                continue
            listed = truth.price[good.sku]
            price = listed if channel == retailer.books else asks(retailer.config, channel, listed)
            if price is not None and (seen["price"] is None or Decimal(seen["price"]) != price):
                yield channel, good.sku, f"asks {seen['price']}, should be {price}"
            if seen["state"] != due:
                yield channel, good.sku, f"is {seen['state']}, should be {due}"
            yield from ((channel, good.sku, words) for words in _wrong_stock(retailer, truth, channel, good.sku, seen["stock"]))
        surplus = set(shown) - {good.sku for good in truth.goods} - set(retailer.kinds_booked)
        yield from ((channel, sku, "is listed and nobody sells it") for sku in sorted(surplus))


def _due(retailer: Retailer, truth: Truth, channel: str, sku: str) -> str:
    """How it should stand there: as its people have left it; what the hub lists by itself as the books have it."""
    stands = truth.standing(channel, sku)
    if stands or channel in retailer.kept_by_people:
        return stands
    rule = retailer.config.channels[channel].listing
    # What is simulated has no category.
    offers = rule.offer == "all" and not rule.only_categories and sku not in rule.never_skus
    return truth.standing(retailer.books, sku) if offers else ""


def _wrong_stock(retailer: Retailer, truth: Truth, channel: str, sku: str, stock: dict[str, Any]) -> Iterator[str]:
    together = sum(int(pieces) for pieces in stock.values())
    if channel in retailer.shops:
        where = retailer.shops[channel]
        pairs = [(f"at {where}", int(stock.get(retailer.place(where, channel), 0)), truth.shelf[where, sku])]
    elif channel == retailer.books:
        warehouse = retailer.warehouse
        there = int(stock.get(retailer.place(warehouse, channel), 0))
        # It knows of its own place, and of those whose figures the hub keeps there.
        known = dict.fromkeys((warehouse, *retailer.config.channels[channel].figures_at))
        lie = sum(truth.shelf[where, sku] for where in known)
        pairs = [("at the warehouse", there, truth.shelf[warehouse, sku]), ("everywhere", together, lie)]
    elif channel in retailer.webshops and retailer.each_place(channel):
        for where in retailer.sells_from(channel):
            there = int(stock.get(retailer.place(where, channel), 0))
            wrong = wrong_pool(retailer, truth, channel, sku, there, where)
            yield from (f"shows {one} to sell from {where}, should be {two}" for one, two in wrong)
        return
    else:
        yield from (f"shows {one} to sell, should be {two}" for one, two in wrong_pool(retailer, truth, channel, sku, together))
        return
    yield from (f"shows {seen} {where}, should be {should}" for where, seen, should in pairs if seen != should)


def wrong_books(retailer: Retailer, truth: Truth) -> Iterator[str]:
    """Every sale that is lost, doubled or not as its buyer knows it; credits too."""
    left = _amended(retailer.platforms[retailer.books].orders_shown())
    of_days: dict[str, list[Sale]] = {till: [] for till in retailer.tills if booked(retailer, till) == DAILY}
    for sale in truth.sales:
        how = booked(retailer, sale.origin) if sale.kind == "receipt" else EACH
        if how == DAILY:
            of_days[sale.origin].append(sale)
        if how != EACH:
            continue
        same = [sale.their] if not sale.number else [one for one, slip in left.items() if slip["reference"] == sale.number]
        slips = [left.pop(one) for one in same if one in left]
        if len(slips) > 1:
            yield f"the books hold {sale.number or sale.their} {len(slips)} times"
        if not slips and not sale.called_off and not sale.unpaid:
            yield f"the books do not hold {sale.number or sale.their}"
        yield from _wrong_slip(sale, slips[0]) if slips else ()
        yield from _wrong_credits(sale, left)
    for till, sales in of_days.items():
        yield from wrong_days(retailer, till, sales, left)
    yield from (f"the books hold {slip['reference'] or one}, which nobody bought" for one, slip in left.items())


def _amended(held: dict[str, Any]) -> dict[str, Any]:
    """The sales that stand, each with the sales that amend it (`WEB-41~1` amends WEB-41) added to it."""
    kept = {ident: dict(slip) for ident, slip in held.items() if slip["state"] != "cancelled"}
    first = {str(slip["reference"]): ident for ident, slip in kept.items()}
    for ident, slip in list(kept.items()):
        main, stroke, _ = str(slip["reference"] or "").partition(AMENDS)
        if stroke and main in first:
            whole = kept[first[main]]
            whole["lines"] = [*whole["lines"], *slip["lines"]]
            whole["total_minor"] += slip["total_minor"]
            del kept[ident]
    return kept


def _wrong_slip(sale: Sale, slip: dict[str, Any]) -> Iterator[str]:
    name = sale.number or sale.their
    if sale.called_off:
        open_pieces = sum(line["quantity"] - line["cancelled"] for line in slip["lines"] if line["sku"] in sale.lines)
        if open_pieces:
            yield f"the books still want {open_pieces} pieces of {name}, which was called off"
    elif slip["total_minor"] != sale.total_minor:
        yield f"the books hold {name} with {slip['total_minor']}, paid were {sale.total_minor}"


def _wrong_credits(sale: Sale, left: dict[str, Any]) -> Iterator[str]:
    wanted = list(sale.credited)
    for one in [one for one, slip in left.items() if sale.number and str(slip["reference"]).startswith(f"{sale.number}/")]:
        total = left.pop(one)["total_minor"]
        if total in wanted:
            wanted.remove(total)
        elif total and not sale.called_off:
            yield f"the books hold a credit of {total} for {sale.number}, which nobody was given"
    yield from (f"the books hold no credit of {total} for {sale.number}" for total in wanted)


def wrong_origins(retailer: Retailer, truth: Truth) -> Iterator[str]:
    """Every sale of which the webshop where it was bought does not say what became of it."""
    for webshop in retailer.webshops:
        slips = retailer.platforms[webshop].orders_shown()
        for sale in truth.sales:
            if sale.origin != webshop or sale.called_off:
                continue
            lines = [line for line in slips[sale.their]["lines"] if line["sku"] in sale.lines]
            fulfilled = {line["sku"]: line["fulfilled"] for line in lines if line["fulfilled"]}
            left = {sku: pieces for sku, pieces in sale.handed_out.items() if pieces}
            stayed = {sku: pieces - sale.sent_back[sku] for sku, pieces in left.items() if pieces > sale.sent_back[sku]}
            # A shop may count as left what came back, or not.
            if fulfilled not in (left, stayed):
                yield f"{webshop} says that {fulfilled} of {sale.number} left, it were {left}"


def not_at_rest(crew: HubCrew, truth: Truth) -> Iterator[str]:
    """What the hub still has to do or to hear of, or gave up."""
    waiting, counts, open_letters, stuck = crew.store.read(
        lambda tx: (dirty.count(tx), changes.counts(tx), letters.open_letters(tx), orders.latest(tx, SHOWN_MAX, stuck=True))
    )
    if waiting:
        yield f"{waiting} keys are dirty"
    yield from (f"{count} changes of {channel} are {state}" for (channel, state), count in sorted(counts.items()) if count)
    for each in open_letters[:SHOWN_MAX]:
        letter = each.letter
        yield f"dead letter: {letter.kind} {letter.channel} {letter.stream} {letter.record} {letter.path}: {letter.reason}"
    yield from (f"order {order.number} is stuck: {order.words or order.asks}" for order in stuck)
    asked = crew.store.read(lambda tx: tx.query("SELECT channel, count(*) FROM lookups GROUP BY channel ORDER BY channel"))
    yield from (f"{count} look-ups of {channel} wait" for channel, count in asked)
    # Who deletes for good tells nobody: it is missed at the next sweep.
    bound = crew.store.read(lambda tx: tx.query("SELECT channel, sku FROM bindings WHERE state = 'bound' ORDER BY channel, sku"))
    yield from (
        f"{sku} is deleted in the {at}, and the hub does not know" for at, sku in bound if truth.standing(at, sku) == DELETED
    )
