"""Mappings against hand-written Python (same results, exactness and refusals), and against JMESPath and JSONata.

One order of 10 lines and one product of 100 variants, both made; results and refusals are compared before time is taken.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import statistics
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import by_hand
import jmespath
import jsonata
from jmespath import functions

from hub.canonical import values
from hub.canonical.entities import ENTITIES
from hub.canonical.entity import Entity, Field, Kind, words
from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.files import parse_yaml
from hub.mapping.documents import document
from hub.mapping.mapping import CompiledMapping

ROUNDS = 15
ROUND_SECONDS = 0.05
"""CPU time of one round of one candidate, about."""
HERE = Path(__file__).parent

LINE = {
    "line": Field(Kind.TEXT, required=True), "sku": Field(Kind.TEXT), "title": Field(Kind.TEXT),
    "quantity": Field(Kind.QUANTITY, required=True), "total": Field(Kind.AMOUNT), "tax": Field(Kind.AMOUNT),
    "unit": Field(Kind.AMOUNT), "kind": words("stocked", "service"),
}  # fmt: skip
ORDER = Entity(
    "order",
    {
        "number": Field(Kind.TEXT, required=True), "shown_number": Field(Kind.TEXT), "placed_at": Field(Kind.TIME, required=True),
        "paid_at": Field(Kind.TIME), "currency": Field(Kind.CURRENCY, required=True), "tax": words("included", "excluded"),
        "state": words("hold", "reserve", "fulfilled", "ended"), "email": Field(Kind.TEXT, personal=True),
        "country": Field(Kind.TEXT), "total": Field(Kind.AMOUNT), "shipping": Field(Kind.AMOUNT), "discount": Field(Kind.AMOUNT),
        "lines": Field(Kind.ROWS, rows=LINE),
    },
)  # fmt: skip
"""A made entity: the hub's own orders are a matter of their own."""

ORDER_MAPPING = """
maps: order
connector: made
identity: id
fields:
  number: {from: id, as: id_number}
  shown_number: {from: number, as: text}
  placed_at: {from: date_created_gmt, as: utc_naive_time}
  paid_at: {from: date_paid_gmt, as: utc_naive_time, optional: true}
  currency: {from: currency, as: currency}
  tax: {value: "'included' if prices_include_tax else 'excluded'"}
  state: {from: status, as: lookup, table: states}
  email: {from: billing.email, as: text}
  country: {from: shipping.country, as: text}
  total: {from: total, as: amount}
  shipping: {from: shipping_total, as: amount}
  discount: {from: discount_total, as: amount}
  lines:
    from: line_items
    each:
      line: {from: id, as: id_number}
      sku: {from: sku, as: sku, optional: true}
      title: {from: name, as: text}
      quantity: {from: quantity, as: quantity}
      total: {from: total, as: amount}
      tax: {from: total_tax, as: amount}
      unit: {value: "round(number(total) / number(quantity), 4)"}
      kind: {const: stocked}
tables:
  states: {pending: hold, on-hold: hold, processing: reserve, completed: fulfilled, cancelled: ended}
"""
PRODUCT_MAPPING = """
maps: item
connector: made
identity: id
rows: {from: variants, as: variant}
fields:
  listing: {from: variant.id, as: id_number}
  sku: {from: variant.sku, as: sku, optional: true}
  barcode: {from: variant.barcode, as: barcode, optional: true}
  title: {value: "title + ' / ' + variant.title"}
  text: {from: body, as: text}
  picture: {from: image.src, as: text}
  category: {from: product_type, as: text}
  group: {from: id, as: id_number}
  state: {from: status, as: lookup, table: states}
  kind: {const: stocked}
  options: {pairs: {size: {from: variant.option1, as: text}, colour: {from: variant.option2, as: text}}}
  refs: {pairs: {product: {from: id, as: id_number}, stock: {from: variant.inventory_item_id, as: id_number}}}
  as_of: {from: variant.updated_at, as: utc_time}
tables:
  states: {active: active, draft: inactive, archived: inactive}
"""

ORDER_JMESPATH = """{number: text(id), shown_number: number, placed_at: utc(date_created_gmt), paid_at: utc(date_paid_gmt),
currency: currency, tax: prices_include_tax && 'included' || 'excluded', state: state(status), email: billing.email,
country: shipping.country, total: amount(total), shipping: amount(shipping_total), discount: amount(discount_total),
lines: line_items[].{line: text(id), sku: trim(sku), title: name, quantity: thousandths(quantity), total: amount(total),
tax: amount(total_tax), unit: unit(total, quantity), kind: 'stocked'}}"""
PRODUCT_JMESPATH = """{product: {text: body, picture: image.src, category: product_type, group: text(id), state: listed(status)},
title: title, variants: variants[].{listing: text(id), sku: trim(sku), barcode: trim(barcode), title: title, kind: 'stocked',
options: {size: option1, colour: option2}, stock: text(inventory_item_id), as_of: utc(updated_at)}}"""
"""The language cannot say a parent's value inside a list: Python adds those fields."""

ORDER_JSONATA = """{"number": $told_text(id), "shown_number": number, "placed_at": $utc(date_created_gmt),
"paid_at": $utc(date_paid_gmt), "currency": currency, "tax": prices_include_tax ? "included" : "excluded",
"state": $state(status), "email": billing.email, "country": shipping.country, "total": $amount(total),
"shipping": $amount(shipping_total), "discount": $amount(discount_total), "lines": line_items.{"line": $told_text(id),
"sku": $trim(sku), "title": name, "quantity": $thousandths(quantity), "total": $amount(total), "tax": $amount(total_tax),
"unit": $unit(total, quantity), "kind": "stocked"}}"""
PRODUCT_JSONATA = """($p := $; variants.{"listing": $told_text(id), "sku": $trim(sku), "barcode": $trim(barcode),
"title": $p.title & " / " & title, "text": $p.body, "picture": $p.image.src, "category": $p.product_type,
"group": $told_text($p.id), "state": $listed($p.status), "kind": "stocked", "options": {"size": option1, "colour": option2},
"refs": {"product": $told_text($p.id), "stock": $told_text(inventory_item_id)}, "as_of": $utc(updated_at)})"""


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """`mapping_order_vs_hand` and `mapping_product_vs_hand` (hand-written CPU ÷ mapping CPU) and every raw figure."""
    order, product = made_order(), made_product()
    candidates = {"order": order_candidates(), "product": product_candidates()}
    _check("order", candidates["order"], order)
    _check("product", candidates["product"], product)
    _check_refusals(candidates["order"], order, BROKEN_ORDERS)
    _check_refusals(candidates["product"], product, BROKEN_PRODUCTS)
    said: dict[str, float] = {}
    for name, record in (("order", order), ("product", product)):
        micros = _micros(candidates[name], record, rounds)
        ratios = [hand / mapped for hand, mapped in zip(micros["hand"], micros["mapping"], strict=True)]
        said[f"mapping_{name}_vs_hand"] = round(statistics.median(ratios), 3)
        said |= {f"{name}_{kind}_cpu_micros": round(statistics.median(each), 1) for kind, each in micros.items()}
        said[f"{name}_bytes"] = float(len(json.dumps(record, separators=(",", ":")).encode()))
    return said


Candidates = dict[str, Callable[[Plain], Plain]]


def order_candidates() -> Candidates:
    """Every way to map the order."""
    mapping = _compiled(ORDER_MAPPING, ORDER)
    path, spoken = jmespath.compile(ORDER_JMESPATH), _jsonata(ORDER_JSONATA)
    options = jmespath.Options(custom_functions=HostFunctions())
    return {
        "hand": by_hand.order,
        "mapping": lambda record: mapping.understand(record)[0],
        "jmespath": lambda record: path.search(record, options),
        "jsonata": spoken.evaluate,
    }


def product_candidates() -> Candidates:
    """Every way to map the product."""
    mapping = _compiled(PRODUCT_MAPPING, ENTITIES["item"])
    path, spoken = jmespath.compile(PRODUCT_JMESPATH), _jsonata(PRODUCT_JSONATA)
    options = jmespath.Options(custom_functions=HostFunctions())

    def by_path(record: Plain) -> Plain:
        found = path.search(record, options)
        for one in found["variants"]:
            one["title"] = f"{found['title']} / {one['title']}"
            one["refs"] = {"product": found["product"]["group"], "stock": one.pop("stock")}
            one.update(found["product"])
        return found["variants"]

    return {"hand": by_hand.items, "mapping": mapping.understand, "jmespath": by_path, "jsonata": spoken.evaluate}


def made_order() -> dict[str, Plain]:
    """A made order of 10 lines, about 3.8 KB."""
    order: dict[str, Plain] = parsed("made_order.json")
    order["line_items"] = [
        {
            "id": 9_100 + number, "name": f"Organic T-shirt number {number}, relaxed fit", "product_id": 4_200 + number,
            "variation_id": 5_300 + number, "quantity": 1 + number % 3, "tax_class": "", "subtotal": "159.96",
            "subtotal_tax": "39.99", "total": f"{(1 + number % 3) * 15996 / 100:.2f}", "total_tax": "39.99",
            "sku": f"TEE-{number:03}", "price": "159.96", "parent_name": "Organic T-shirt",
            "taxes": [{"id": 1, "total": "39.99"}], "meta_data": [],
        }
        for number in range(10)
    ]  # fmt: skip
    return order


def made_product() -> dict[str, Plain]:
    """A made product of 100 variants."""
    product: dict[str, Plain] = parsed("made_product.json")
    product["variants"] = [
        {
            "id": 880_000 + number, "product_id": product["id"], "title": f"{size} / {colour}", "option1": size,
            "option2": colour, "sku": f"TEE-{size}-{colour}", "barcode": f"57012345{number:05}", "price": "199.95",
            "inventory_item_id": 70_000 + number, "position": number + 1, "updated_at": "2026-11-20T09:15:00+01:00",
            "taxable": True, "weight_grams": 200,
        }
        for number, (size, colour) in enumerate((s, c) for s in "ABCDEFGHIJ" for c in "abcdefghij")
    ]  # fmt: skip
    return product


def parsed(name: str) -> Any:
    """A made document of this folder."""
    return json.loads((HERE / name).read_text(encoding="utf-8"), parse_float=Decimal)


BROKEN_ORDERS: list[tuple[tuple[str | int, ...], Plain]] = [
    (("id",), None), (("date_created_gmt",), "yesterday"), (("currency",), "XXY"), (("status",), "teleported"),
    (("billing",), "nobody"), (("line_items",), None), (("line_items", 3, "total"), "12,50"),
    (("line_items", 7, "quantity"), "x"), (("line_items", 2, "quantity"), Decimal("0.0001")), (("line_items", 4, "name"), 1.5),
    (("total",), "1.1234567"),
    (("date_paid_gmt",), "2026-11-20T09:15:00Z"), (("shipping", "country"), None), (("line_items", 0, "id"), "00123"),
]  # fmt: skip
BROKEN_PRODUCTS: list[tuple[tuple[str | int, ...], Plain]] = [
    (("variants",), {}), (("variants", 99, "id"), "x"), (("variants", 50, "updated_at"), "2026-11-20T09:15:00"),
    (("status",), "gone fishing"), (("image",), None), (("variants", 10, "option2"), None), (("variants", 5, "barcode"), 1.5),
]  # fmt: skip


def _check(name: str, candidates: Candidates, record: Plain) -> None:
    """All candidates give the same result."""
    wanted = candidates["hand"](record)
    for kind, candidate in candidates.items():
        found = candidate(record)
        assert found == wanted, f"{kind} says another {name} than hand-written Python"


def _check_refusals(candidates: Candidates, record: Plain, broken: list[tuple[tuple[str | int, ...], Plain]]) -> None:
    """Mapping and hand-written Python refuse the same things with the same path and value."""
    for path, value in broken:
        wrong = copy.deepcopy(record)
        here = wrong
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = value
        told = [_refusal(candidates[kind], wrong) for kind in ("hand", "mapping")]
        assert told[0] == told[1], told


def _refusal(candidate: Callable[[Plain], Plain], record: Plain) -> tuple[str, str]:
    try:
        candidate(record)
    except UnmappableError as bad:
        return bad.path, bad.value
    raise AssertionError("not refused")


def _micros(candidates: Candidates, record: Plain, rounds: int) -> dict[str, list[float]]:
    """CPU microseconds of one record for each candidate and round; the candidates take turns within a round."""
    times = {kind: max(1, int(ROUND_SECONDS / _seconds(candidate, record, 1))) for kind, candidate in candidates.items()}
    found: dict[str, list[float]] = {kind: [] for kind in candidates}
    for _ in range(rounds):
        for kind, candidate in candidates.items():
            found[kind].append(_seconds(candidate, record, times[kind]) * 1e6 / times[kind])
    return found


def _seconds(candidate: Callable[[Plain], Plain], record: Plain, times: int) -> float:
    before = time.process_time()
    for _ in range(times):
        candidate(record)
    return max(time.process_time() - before, 1e-6)


def _compiled(text: str, entity: Entity) -> CompiledMapping:
    def no_code(name: str, where: str) -> Callable[..., Any]:
        raise LookupError(name)

    return CompiledMapping(document(parse_yaml(dedent(text), "bench.yaml")), entity, None, no_code)


# what the two other languages lack, lent to them


def utc(value: str) -> int:
    """Microseconds of a time that is UTC unless it names another zone."""
    moment = dt.datetime.fromisoformat(value)
    return values.micros(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))


def unit(total: str, quantity: int) -> Decimal:
    """What one piece costs."""
    return (Decimal(total) / quantity).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def thousandths(pieces: int) -> int:
    """Thousandths of a piece."""
    return pieces * 1000


ANY = {"types": ["string", "number", "boolean"]}


class HostFunctions(functions.Functions):
    """Our functions as JMESPath knows them."""

    @functions.signature(ANY)
    def _func_text(self, value: Plain) -> str:
        return str(value)

    @functions.signature(ANY)
    def _func_trim(self, value: str) -> str:
        return value.strip()

    @functions.signature(ANY)
    def _func_utc(self, value: str) -> int:
        return utc(value)

    @functions.signature(ANY)
    def _func_amount(self, value: str) -> Decimal:
        return values.unit_price(value)

    @functions.signature(ANY)
    def _func_thousandths(self, value: int) -> int:
        return thousandths(value)

    @functions.signature(ANY, ANY)
    def _func_unit(self, total: str, quantity: int) -> Decimal:
        return unit(total, quantity)

    @functions.signature(ANY)
    def _func_state(self, value: str) -> str:
        return by_hand.STATES[value]

    @functions.signature(ANY)
    def _func_listed(self, value: str) -> str:
        return by_hand.LISTED[value]


def _jsonata(text: str) -> Any:
    """The expression with our functions."""
    expression = jsonata.Jsonata(text)
    lent: dict[str, Callable[..., Plain]] = {
        "told_text": lambda value: str(value), "utc": lambda value: utc(value), "amount": lambda value: values.unit_price(value),
        "thousandths": lambda value: thousandths(value), "unit": lambda total, quantity: unit(total, quantity),
        "state": lambda value: by_hand.STATES[value], "listed": lambda value: by_hand.LISTED[value],
    }  # fmt: skip
    for name, function in lent.items():
        expression.register_lambda(name, function)
    return expression


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
