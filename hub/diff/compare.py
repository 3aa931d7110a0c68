"""What differs between target and observation. What a difference costs, and so what is told first, is `damage`'s to say."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hub.canonical.values import Plain
from hub.flow import Aspect


class Difference(NamedTuple):
    """A difference; `to_zero`: it takes a shown quantity to zero."""

    to_zero: bool = False


def difference(aspect: str, target: Plain, shown: Plain) -> Difference | None:
    """The difference between a target's value and the observed one (None: nothing is shown yet); None when they agree.

    Only what the target says is compared; what it does not speak of is none of ours.
    """
    if aspect == Aspect.STOCK:
        return _stock(target, shown)
    if aspect == Aspect.MOVEMENT:
        return _moved(target, shown)
    if aspect == Aspect.PRICE:
        return None if shown is not None and same_price(target, shown) else Difference()
    if shown is None or any(shown.get(name) != value for name, value in target.items()):
        return Difference()
    return None


def _moved(target: Plain, shown: Plain) -> Difference | None:
    """What is to be moved yet: nothing was told so far means that nothing was moved so far."""
    left = int(target["moved"]) - (0 if shown is None else int(shown["moved"]))
    return Difference() if left else None


def same_price(one: Plain, other: Plain) -> bool:
    """Whether two prices are the same amount of the same currency, with the same idea of tax where both say one."""
    if one["currency"] != other["currency"] or Decimal(one["amount"]) != Decimal(other["amount"]):
        return False
    taxes = {one.get("tax"), other.get("tax")} - {None}
    return len(taxes) < 2


def _stock(target: Plain, shown: Plain) -> Difference | None:
    wanted = target["sellable"]
    now = None if shown is None else shown["sellable"]
    return None if now == wanted else Difference(now is not None and wanted < now and wanted <= 0)
