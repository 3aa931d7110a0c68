"""Liars about what records mean."""

from __future__ import annotations

from liars.liar import Liar

ITEM, PRICE, STOCK = "mappings/item.yaml", "mappings/price.yaml", "mappings/stock.yaml"
WHEN = 'identity: id\nwhen: "True if optional(id) else False"\n'

LIARS = (
    Liar(
        "passes_over_a_field",
        "every sample field is mapped or ignored",
        ((ITEM, "  link: {from: link, as: text}\n", ""),),
    ),
    Liar("has_a_wrong_example", "mapping examples hold", ((ITEM, 'state: active, version: "7"', 'state: active, version: "8"'),)),
    Liar("has_no_example", "mapping examples hold", ((PRICE, "examples:\n  - sample", "# none\n_examples:\n  - sample"),)),
    Liar(
        "does_not_know_a_state",
        "every record of the sandbox is understood",
        ((ITEM, "state: {on_sale: active,", "state: {selling: active,"),),
    ),
    Liar(
        "passes_over_bad_records",
        "one bad record does not hold up its neighbours",
        tuple((file, "identity: id\n", WHEN) for file in (ITEM, PRICE, STOCK)),
    ),
)
