"""All planted bugs."""

from __future__ import annotations

from planted import assortment, orders, pushing, reading, schedule, stock, supply
from planted.plant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *pushing.MUTANTS,
    *reading.MUTANTS,
    *schedule.MUTANTS,
    *stock.MUTANTS,
    *orders.MUTANTS,
    *assortment.MUTANTS,
    *supply.MUTANTS,
)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
