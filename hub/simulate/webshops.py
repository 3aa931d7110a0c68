"""A world with two shops on the web: one shows a figure for every place and sells from each, the other shows one for both.

Their prices differ: the first rounds to ,95 as the till does, the second charges the list with its tax to the øre. Every kind of
order is placed in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from hub.simulate.world import (
    ERP,
    SHOP,
    SOCIAL,
    SOCIAL_KEPT_BACK,
    TILL,
    WAREHOUSE,
    WEBSHOP,
    Expected,
    World,
    shown_ore,
    taxed_ore,
)

OUTLET: Final = "outlet"
OUTLET_FETCHES_BY: Final = "local_pickup:3"


class Webshops(World):
    """What the two shops and everybody else must show and hold."""

    channels: ClassVar[tuple[str, ...]] = (TILL, ERP, WEBSHOP, OUTLET, SOCIAL)
    pools: ClassVar[Mapping[str, int]] = {OUTLET: 0, SOCIAL: SOCIAL_KEPT_BACK}
    shops: ClassVar[tuple[str, ...]] = (WEBSHOP, OUTLET)
    options: ClassVar[Mapping[str, Mapping[str, str]]] = {WEBSHOP: {"points_per_second": "1000"}}
    """A day of half a minute asks more of a shop than its smallest plan grants."""
    more: ClassVar[Mapping[int, tuple[str, str]]] = {
        2: ("order", "shipping back"),
        5: ("order", "half shipped"),
        9: ("fault", f"429 {OUTLET}"),
        16: ("order", "edited"),
        21: ("order", "rung up"),
        27: ("edit", OUTLET),
        33: ("order", "called off"),
        37: ("unanswered", OUTLET),
        39: ("change", ""),
        47: ("edit", OUTLET),
        72: ("fault", f"error 500 {OUTLET}"),
        76: ("change", ""),
        78: ("order", "put aside"),
        79: ("change", ""),
        82: ("order", "fetched"),
        86: ("order", "left"),
        89: ("down", OUTLET),
        94: ("up", OUTLET),
    }

    def together(self, shop: str, place: str) -> tuple[str, ...]:
        """The shop that shows a figure for every place sells from that place alone."""
        return (place,) if shop == WEBSHOP else super().together(shop, place)

    def fetching(self, shop: str) -> dict[str, Any]:
        """One shop asks where; the other has a way of shipping for it."""
        return {"pickup": True, "place": self.place(SHOP, WEBSHOP)} if shop == WEBSHOP else {"pickup": OUTLET_FETCHES_BY}

    def expected(self, channel: str, sku: str) -> Expected:
        """What this channel must show of this SKU."""
        if channel == WEBSHOP:
            there = {self.place(place, WEBSHOP): self._free(place, sku) for place in (SHOP, WAREHOUSE)}
            return Expected(there, shown_ore(self.list_ore[sku]))
        expected = super().expected(channel, sku)
        return Expected(expected.pieces, taxed_ore(self.list_ore[sku])) if channel == OUTLET else expected

    def _free(self, place: str, sku: str) -> int:
        waiting = sum(each.waiting(sku) for each in self.bought if each.place == place)
        return max(0, self.shelf[place, sku] - waiting)
