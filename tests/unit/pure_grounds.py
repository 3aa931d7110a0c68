"""A small configuration in memory, for tests of the pure rooms: each says only what its rule is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.desired.rules import Rules
from hub.settings.model import (
    AllocationRule,
    AllocationSettings,
    AuthoritySettings,
    ChannelPricing,
    ChannelSettings,
    Config,
    HubSettings,
    Location,
    PriceList,
    PricingSettings,
)

PIECE = 1000


def channel(name: str, **said: Any) -> ChannelSettings:
    """A channel that sells from the warehouse, unless said otherwise."""
    return ChannelSettings(channel=name, connector="made", role="webshop", **{"sells_from": ("warehouse",), **said})


def config(
    *,
    channels: Sequence[ChannelSettings] = (),
    locations: Mapping[str, Location] | None = None,
    authority: AuthoritySettings | None = None,
    rules: Sequence[AllocationRule] = (),
    pricing: PricingSettings | None = None,
) -> Config:
    """A configuration of these parts."""
    return Config(
        folder="",
        hub=HubSettings(),
        channels={each.channel: each for each in channels},
        locations=dict(locations or {"warehouse": Location()}),
        authority=authority or AuthoritySettings(),
        allocation=AllocationSettings(rules=tuple(rules)),
        pricing=pricing or PricingSettings(),
    )


def rules(*given: AllocationRule, selling: Sequence[str] = ("shop", "social", "market")) -> Rules:
    """The allocation rules over these selling channels."""
    return Rules(config(channels=[channel(name) for name in selling], rules=given))


def pricing(listed_tax: str = "excluded", currency: str = "DKK", **rule: Any) -> PricingSettings:
    """One list in one currency, 25 % tax, and the shop's rule over it (tax included unless said)."""
    return PricingSettings(
        lists={"retail": PriceList(currency=currency, tax=listed_tax, country="DK")},  # type: ignore[arg-type]
        channels={"shop": ChannelPricing(list="retail", **{"tax": "included", **rule})},
        taxes={"DK": Decimal(25)},
        tax_by_category={"DK": {"books": Decimal(0)}},
    )
