"""Price: from a canonical list price to what a channel shows. Markup, then tax, then one rounding, then the ending."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from hub.canonical.values import ROUNDINGS, Plain, minor_digits, plain_decimal, unit_price
from hub.settings.model import ChannelPricing, PricingSettings

HUNDRED = Decimal(100)


class PriceTarget(NamedTuple):
    """The price that a listing should show, or why there is none (`amount` None)."""

    value: dict[str, Plain] | None
    because: dict[str, Plain]


def price(channel: str, category: str, listed: dict[str, Plain], pricing: PricingSettings) -> PriceTarget:
    """The channel's price from the list's: amount as decimal text, its currency, and whether tax is in it.

    `listed` is the settled price of the channel's list. A currency that is not the list's is refused in words, never converted.
    """
    rule = pricing.channels[channel]
    base = pricing.lists[rule.list]
    because: dict[str, Plain] = {
        "list": rule.list,
        "listed": listed["amount"],
        "listed_tax": listed.get("tax") or base.tax,
        "from": listed["from"],
    }
    if listed["currency"] != base.currency:
        return PriceTarget(None, {**because, "refused": f"{listed['currency']} in a list kept in {base.currency}"})
    amount = unit_price(listed["amount"])
    if rule.markup_percent:
        because["markup_percent"] = plain_decimal(rule.markup_percent)
        amount = amount * (HUNDRED + rule.markup_percent) / HUNDRED
    amount = _taxed(amount, because, rule, category, base.country, pricing)
    digits = minor_digits(base.currency)
    amount = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUNDINGS[rule.rounding])
    if rule.ending is not None and amount > 0:
        because["before_ending"] = plain_decimal(amount)
        amount = _ended(amount, rule.ending, rule.ending_rule)
    if rule.floor is not None and amount < rule.floor:
        because["floor"] = plain_decimal(rule.floor)
        amount = rule.floor.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_CEILING)
    shown = plain_decimal(amount)
    because["shown"] = shown
    return PriceTarget({"amount": shown, "currency": base.currency, "tax": rule.tax}, because)


def tax_percent(category: str, country: str, pricing: PricingSettings) -> Decimal:
    """The tax rate of a category in a country; zero where no rate is configured."""
    return pricing.tax_by_category.get(country, {}).get(category, pricing.taxes.get(country, Decimal(0)))


def _taxed(
    amount: Decimal, because: dict[str, Plain], rule: ChannelPricing, category: str, country: str, pricing: PricingSettings
) -> Decimal:
    if because["listed_tax"] == rule.tax:
        return amount
    percent = tax_percent(category, country, pricing)
    because["tax_percent"] = plain_decimal(percent)
    if rule.tax == "included":
        return amount * (HUNDRED + percent) / HUNDRED
    return amount * HUNDRED / (HUNDRED + percent)


def _ended(amount: Decimal, ending: Decimal, by: str) -> Decimal:
    """The price with this ending (0.95): the nearest not above, not below, or nearest (downwards on a tie), above zero."""
    step = Decimal(1) if ending < 1 else Decimal(10) ** (ending.adjusted() + 1)
    below = ((amount - ending) / step).to_integral_value(rounding=ROUND_FLOOR) * step + ending
    above = ((amount - ending) / step).to_integral_value(rounding=ROUND_CEILING) * step + ending
    if below <= 0 or by == "up":
        return above
    if by == "down":
        return below
    return below if amount - below <= above - amount else above
