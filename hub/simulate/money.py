"""Money and words at the birthplace of an order: what was paid is what was kept and given back, and nobody is told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hub.simulate.retailer import Retailer
from hub.simulate.truth import Truth


def wrong_money(retailer: Retailer, truth: Truth) -> Iterator[str]:
    """Every order of which its webshop kept another sum than its customer owes there.

    Of what somebody complained of a part was given back. What came back over a counter was paid back there, so the webshop pays
    nothing; what was called off is given back whole.
    """
    for webshop in retailer.webshops:
        slips = retailer.platforms[webshop].orders_shown()
        for sale in truth.sales:
            if sale.origin != webshop:
                continue
            slip = slips[sale.their]
            kept = int(slip["kept_minor"])
            owed = 0 if sale.called_off or sale.unpaid else sale.total_minor - sale.given_back_minor
            if kept != owed:
                yield f"{webshop} keeps {kept} of {sale.number}, should keep {owed}"


def left_unpaid(truth: Truth) -> Iterator[str]:
    """Every order of which something was sent while it waited for its money."""
    yield from (f"{sale.number} left before it was paid" for sale in truth.sales if sale.left_unpaid)


def told_twice(retailer: Retailer) -> Iterator[str]:
    """Every order whose customer was told the same thing more than once."""
    for webshop in retailer.webshops:
        for slip in retailer.platforms[webshop].orders_shown().values():
            for note, times in Counter(slip.get("notes") or ()).items():
                if times > 1:
                    yield f"{webshop} says {times} times of {slip['number']}: {note}"
            parcels = [each for each in slip["fulfilments"] if each.get("tracking")]
            for tracking, times in Counter(str(each["tracking"]) for each in parcels).items():
                if times > 1:
                    yield f"{webshop} has {times} parcels of {slip['number']} with the number {tracking}"
