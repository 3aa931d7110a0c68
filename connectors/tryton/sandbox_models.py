"""The small Tryton's models: products with their templates, stock as the sum of its moves, stocktakes with their trap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from connectors.tryton.sandbox_wire import Fault, Sieve, meeting, mentions, missing, price, test, timestamp, user_error
from hub.sdk.api import Plain

Row = dict[str, Plain]
Context = Mapping[str, Plain]

PRODUCT, TEMPLATE, IDENTIFIER = "product.product", "product.template", "product.identifier"
LOCATION, MOVE, INVENTORY, LINE = "stock.location", "stock.move", "stock.inventory", "stock.inventory.line"
STORAGE, LOST_FOUND, SUPPLIER, CUSTOMER = 3, 4, 6, 7
RELATIONS: Final = {
    (PRODUCT, "template"): TEMPLATE,
    (PRODUCT, "identifiers"): IDENTIFIER,
    (TEMPLATE, "products"): PRODUCT,
    (MOVE, "product"): PRODUCT,
    (MOVE, "from_location"): LOCATION,
    (MOVE, "to_location"): LOCATION,
    (INVENTORY, "location"): LOCATION,
    (INVENTORY, "lines"): LINE,
    (LINE, "inventory"): INVENTORY,
    (LINE, "product"): PRODUCT,
    (LOCATION, "parent"): LOCATION,
    (LOCATION, "storage_location"): LOCATION,
}
FROM_TEMPLATE: Final = ("name", "type", "default_uom", "sale_uom", "salable", "account_category")
PARENTS: Final[dict[str, tuple[str, ...]]] = {
    PRODUCT: ("template",), IDENTIFIER: ("product",), MOVE: ("product",), LINE: ("inventory",), LOCATION: ("parent",),
}  # fmt: skip
STAMPS: Final = ("write_date", "create_date", "create_uid")
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    PRODUCT: ("code", "suffix_code", "template", "active", "description", "list_price", "cost_price", *STAMPS),
    TEMPLATE: ("name", "code", "type", "default_uom", "sale_uom", "salable", "list_price", "gross_price", "account_category",
               "active", *STAMPS),
    IDENTIFIER: ("type", "code", "product", *STAMPS),
    LOCATION: ("name", "code", "type", "parent", "storage_location", *STAMPS),
    MOVE: ("product", "quantity", "from_location", "to_location", "effective_date", "origin", "shipment", "state", *STAMPS),
    INVENTORY: ("location", "date", "number", "state", "company", "empty_quantity", *STAMPS),
    LINE: ("inventory", "product", "quantity", "expected_quantity", *STAMPS),
}  # fmt: skip
READS_MAX: Final = 256
"""So many lists of fields are kept as they were taken apart: a client asks the same few again and again."""
_LOCATIONS: Final = (
    # id, name, code, type, parent, storage zone
    (1, "Input Zone", "IN", "storage", 5, None), (2, "Output Zone", "OUT", "storage", 5, None),
    (3, "Storage Zone", "STO", "storage", 5, None), (4, "Lost and Found", None, "lost_found", None, None),
    (5, "Warehouse", "WH", "warehouse", None, 3), (6, "Supplier", "SUP", "supplier", None, None),
    (7, "Customer", "CUS", "customer", None, None), (8, "Transit", None, "storage", None, None),
    (9, "Store", "SHOP", "warehouse", None, 10), (10, "Store Floor", "FLOOR", "storage", 9, None),
    (11, "Store Shelf", "SHELF", "storage", 10, None),
)  # fmt: skip


class Books:
    """All records of one database; `now` gives the time of the running transaction."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self.tables: dict[str, dict[int, Row]] = {model: {} for model in FIELDS}
        self.numbers: dict[str, int] = dict.fromkeys(FIELDS, 0)
        self.stored = {model: frozenset(("id", *names)) - {"active"} for model, names in FIELDS.items()}
        """What needs no reckoning: only whether a variant is active depends on its template as well."""
        self.inside: dict[tuple[str, str, int], list[int]] = {}
        """Which records point to a parent by which field, so that a sum of moves need not look at all of them."""
        self._undo: list[Callable[[], None]] = []
        self._numbers_before = dict(self.numbers)
        for number, name, code, kind, parent, storage in _LOCATIONS:
            kept = {"name": name, "code": code, "type": kind, "parent": parent, "storage_location": storage}
            self.insert(LOCATION, kept, number)

    def open_store(self, shelf: int) -> None:
        """One more store: a warehouse with a floor, on which this shelf stands."""
        floor, store = shelf - 1, shelf - 2
        rows = ((store, "warehouse", None, floor), (floor, "storage", store, None), (shelf, "storage", floor, None))
        for number, kind, parent, storage in rows:
            kept = {"name": f"Place {number}", "code": None, "type": kind, "parent": parent, "storage_location": storage}
            self.insert(LOCATION, kept, number)

    # one call is one transaction

    def begin(self) -> None:
        """From here on `roll_back` takes back what is written."""
        self._undo = []
        self._numbers_before = dict(self.numbers)

    def roll_back(self) -> None:
        """Take back everything written since `begin`."""
        undo, self._undo = self._undo, []
        for one in reversed(undo):
            one()
        self.numbers, self._undo = dict(self._numbers_before), []

    def _remember(self, model: str, number: int) -> None:
        kept = dict(self.tables[model][number])
        self._undo.append(lambda: self.tables[model].__setitem__(number, kept))

    def _link(self, model: str, row: Row) -> None:
        self.tables[model][row["id"]] = row
        for field in PARENTS.get(model, ()):
            if row[field] is not None:
                self.inside.setdefault((model, field, row[field]), []).append(row["id"])

    # records

    def insert(self, model: str, values: Row, number: int = 0) -> int:
        """A new record; it has a create date and no write date yet."""
        for name in values:
            if name not in FIELDS[model]:
                raise Fault(f"'{name}'", "")
        number = number or self.numbers[model] + 1
        self.numbers[model] = max(self.numbers[model], number)
        row = {**dict.fromkeys(FIELDS[model]), **values, "id": number, "create_date": self._now(), "create_uid": 1}
        self._link(model, row)
        self._undo.append(lambda: self.delete(model, number))
        return number

    def delete(self, model: str, number: int) -> None:
        """Take the record away; nothing remains of it."""
        row = self.tables[model].pop(number)
        for field in PARENTS.get(model, ()):
            if row[field] is not None:
                self.inside[model, field, row[field]].remove(number)
        self._undo.append(lambda: self._link(model, row))

    def children(self, model: str, field: str, parent: int) -> list[int]:
        """The records of the model that point to this parent, in the order in which they were made."""
        return list(self.inside.get((model, field, parent), ()))

    def change(self, model: str, number: int, values: Row) -> None:
        """Write these fields; the write date moves."""
        self._remember(model, number)
        self.tables[model][number].update(values, write_date=self._now())

    def rows(self, model: str, ids: Sequence[int], verb: str = "read") -> list[Row]:
        """The records of these ids; a UserError when one is not there."""
        absent = [one for one in ids if one not in self.tables[model]]
        if absent:
            raise missing(verb, absent, model)
        return [self.tables[model][one] for one in ids]

    def value(self, model: str, row: Row, name: str, context: Context) -> Plain:
        """One field of a record, computed ones too; a Fault for a field that the model has not."""
        if name in self.stored[model] or name in FIELDS[model]:
            return row[name]
        if name == "_timestamp":
            return timestamp(row["write_date"] or row["create_date"])
        if model == PRODUCT and name in FROM_TEMPLATE:
            return self._template(row)[name]
        if (model, name) not in COMPUTED:
            raise Fault(f"'{name}'", "")
        return COMPUTED[model, name](self, row, context)

    def price_of(self, product: Row) -> Decimal | None:
        """The variant's own list price, else its template's."""
        own: Decimal | None = product["list_price"]
        found: Decimal | None = self._template(product)["list_price"] if own is None else own
        return found

    # searching and reading

    def search(self, model: str, domain: Plain, order: Plain, context: Context) -> list[Row]:
        """Matching records in order; inactive ones only where the domain speaks of `active`."""
        met = meeting(domain, lambda path, operator, wanted: self._clause(model, path, operator, wanted, context))
        found = met(list(self.tables[model].values()))
        if "active" in FIELDS[model] and not mentions(domain, "active"):
            found = [row for row in found if self._active(model, row)]
        for name, way in reversed(order or ([["code", "ASC"]] if model == PRODUCT else [["id", "ASC"]])):
            # SQLite puts null before everything else.
            found.sort(key=lambda row: self._rank(model, row, name, context), reverse=way.upper().startswith("DESC"))
        return found

    def _clause(self, model: str, path: str, operator: str, wanted: Plain, context: Context) -> Sieve:
        """What leaves the records that meet one clause; across a relation by those over there that meet it."""
        if path == "id" and operator == "in":
            ids = frozenset(wanted)
            return lambda rows: [row for row in rows if row["id"] in ids]
        holds = test(operator, wanted)
        if path in self.stored[model]:
            return lambda rows: [row for row in rows if holds(row[path])]
        head, _, rest = path.partition(".")
        target = RELATIONS.get((model, head))
        if not rest or target is None or holds(None):
            return lambda rows: [row for row in rows if any(map(holds, self._values(model, row, path, context) or [None]))]
        there = self._clause(target, rest, operator, wanted, context)

        def across(rows: list[Row]) -> list[Row]:
            right = {row["id"] for row in there(list(self.tables[target].values()))} if rows else set()
            return [row for row in rows if not right.isdisjoint(self._pointed(model, row, head, context))] if right else []

        return across

    def _pointed(self, model: str, row: Row, head: str, context: Context) -> list[int]:
        found = self.value(model, row, head, context)
        return found if isinstance(found, list) else [] if found is None else [found]

    def read(self, model: str, row: Row, fields: Sequence[str], context: Context) -> Row:
        """The asked fields; a dotted one stands nested under the relation's name and a dot."""
        said: Row = {"id": row["id"]}
        plain, nested = _split(tuple(fields))
        for name in plain:
            said[name] = self.value(model, row, name, context)
        for head, inner in nested.items():
            target = RELATIONS.get((model, head))
            if target is None:
                raise Fault(f"'{head}'", "")
            pointed = self.value(model, row, head, context)
            if isinstance(pointed, list):
                said[f"{head}."] = [self.read(target, self.tables[target][one], inner, context) for one in pointed]
            else:
                said[f"{head}."] = None if pointed is None else self.read(target, self.tables[target][pointed], inner, context)
        return said

    def _rank(self, model: str, row: Row, name: str, context: Context) -> Plain:
        found = row[name] if name in self.stored[model] else self.value(model, row, name, context)
        return (found is not None, 0 if found is None else found)

    def _values(self, model: str, row: Row, path: str, context: Context) -> list[Plain]:
        head, _, rest = path.partition(".")
        if head == "active" and model == PRODUCT:
            return [self._active(model, row)]
        if not rest:
            return [self.value(model, row, head, context)]
        target = RELATIONS.get((model, head))
        if target is None:
            raise Fault(f"'{head}'", "")
        ids = self._pointed(model, row, head, context)
        return [value for one in ids for value in self._values(target, self.tables[target][one], rest, context)]

    def _active(self, model: str, row: Row) -> bool:
        if model == PRODUCT:
            return bool(row["active"] and self._template(row)["active"])
        return bool(row.get("active", True))

    def _template(self, product: Row) -> Row:
        return self.tables[TEMPLATE][product["template"]]

    # products

    def make_template(self, values: Row) -> int:
        """A template with its variants; a UserError when a variant's code is taken."""
        for name, title in (("name", "Name"), ("default_uom", "Default UoM")):
            if not values.get(name):
                raise user_error(f'A value is required for field "{title}" in record "-1" of "Product Template".')
        variants = values.pop("products", [])
        kept = {**values, "active": values.get("active", True), "type": values.get("type", "goods")}
        kept["list_price"] = price(values.get("list_price"))
        number = self.insert(TEMPLATE, kept)
        for command in variants:
            for variant in command[1]:
                self.make_product({**variant, "template": number})
        return number

    def make_product(self, values: Row) -> int:
        """A variant of a template."""
        identifiers = values.pop("identifiers", [])
        kept = {"active": True, "cost_price": Decimal(0), **values, "list_price": price(values.get("list_price"))}
        number = self.insert(PRODUCT, kept)
        # Joining the codes is a second write within the same transaction.
        self.change(PRODUCT, number, {})
        self.tables[PRODUCT][number]["write_date"] = self.tables[PRODUCT][number]["create_date"]
        for command in identifiers:
            for identifier in command[1]:
                self.insert(IDENTIFIER, {**identifier, "product": number})
        self.join_codes(self.tables[PRODUCT][number]["template"])
        return number

    def join_codes(self, template: int) -> None:
        """`code` of each variant: the template's and the suffix without a separator, unique among active variants."""
        for number in self.children(PRODUCT, "template", template):
            self._remember(PRODUCT, number)
            row = self.tables[PRODUCT][number]
            row["code"] = (self.tables[TEMPLATE][template]["code"] or "") + (row["suffix_code"] or "") or None
        taken: set[str] = set()
        for row in self.tables[PRODUCT].values():
            if row["active"] and row["code"]:
                if row["code"] in taken:
                    raise user_error("Code of active product must be unique.")
                taken.add(row["code"])

    # stock

    def within(self, place: int) -> set[int]:
        """The location and all inside it."""
        found, fresh = {place}, {place}
        while fresh:
            fresh = {number for number, row in self.tables[LOCATION].items() if row["parent"] in fresh} - found
            found |= fresh
        return found

    def quantity(self, product: int, context: Context) -> Decimal:
        """The sum of done moves in and out of the context's locations up to its end date; nothing without locations."""
        places = context.get("locations") or []
        deep = context.get("with_childs", len(places) == 1)
        today = self._now().date()
        until = min(context.get("stock_date_end") or today, today)
        return sum((self.held(product, self.within(place) if deep else {place}, until) for place in places), Decimal(0))

    def held(self, product: int, inside: AbstractSet[int], until: dt.date) -> Decimal:
        """What done moves up to this date have left in these locations."""
        total = Decimal(0)
        for number in self.inside.get((MOVE, "product", product), ()):
            move = self.tables[MOVE][number]
            way = (move["to_location"] in inside) - (move["from_location"] in inside)
            if way and move["state"] == "done" and move["effective_date"] <= until:
                total += move["quantity"] * way
        return total

    def move(self, product: int, pieces: Decimal, source: int, target: int, origin: str | None = None) -> None:
        """One move, made and done at once."""
        kept = {"product": product, "quantity": pieces, "from_location": source, "to_location": target, "state": "draft"}
        number = self.insert(MOVE, {**kept, "origin": origin, "effective_date": self._now().date()})
        self.change(MOVE, number, {"state": "done"})

    def make_inventory(self, values: Row) -> int:
        """An open stocktake; its lines remember what was expected now."""
        for name in values:
            if name in ("number", "state"):
                raise user_error(f'You are not allowed to modify the field "{name.title()}" of "Stock Inventory".')
        (location,) = self.rows(LOCATION, [values["location"]])
        if location["type"] != "storage":
            raise user_error(
                f'The value "[{location["code"]}] {location["name"]}" for field "Location" in record "-1" of '
                '"Stock Inventory" is not valid according to its domain.'
            )
        lines = values.pop("lines", [])
        number = self.insert(INVENTORY, {"date": self._now().date(), "state": "draft", "company": 1, **values})
        self.tables[INVENTORY][number]["number"] = str(number)
        for command in lines:
            for line in command[1]:
                self._make_line(line, number, location["id"])
        return number

    def _make_line(self, line: Row, inventory: int, place: int) -> None:
        (product,) = self.rows(PRODUCT, [line["product"]])
        counted = line.get("quantity")
        counted = None if counted is None else Decimal(str(counted))
        name = f"[{product['code']}] {self._template(product)['name']}"
        told = f'for field "Actual Quantity" in record "{name}" of "Stock Inventory Line"'
        if counted is not None and counted < 0:
            raise user_error(f'The value "{counted}" {told} is not valid according to its domain.')
        if counted is not None and counted != counted.to_integral_value():
            raise user_error(f'The number of digits in the value "\'{counted}\'" {told} exceeds the limit of "(None, 0)".')
        if self._template(product)["type"] != "goods":
            return
        # A stocktake counts the location itself, not what stands in locations inside it.
        expected = self.quantity(product["id"], {"locations": [place], "with_childs": False})
        self.insert(LINE, {"inventory": inventory, "product": product["id"], "quantity": counted, "expected_quantity": expected})

    def confirm(self, number: int) -> None:
        """Move the difference of each line to what it expected when it was made, whatever was moved since."""
        (row,) = self.rows(INVENTORY, [number])
        self._open(row, "confirm")
        lines = [self.tables[LINE][line] for line in self.children(LINE, "inventory", number)]
        if len({line["product"] for line in lines}) != len(lines):
            raise user_error(f'The line of inventory "{self.inventory_name(row)}" is not unique.')
        for line in lines:
            if line["quantity"] is None:
                raise user_error(f'The empty quantity of inventory "{self.inventory_name(row)}" is missing.')
            surplus = line["quantity"] - line["expected_quantity"]
            if surplus:
                source, target = (LOST_FOUND, row["location"]) if surplus > 0 else (row["location"], LOST_FOUND)
                self.move(line["product"], abs(surplus), source, target, f"{LINE},{line['id']}")
        self.change(INVENTORY, number, {"state": "done"})

    def cancel(self, number: int) -> None:
        """Close an open stocktake without a move."""
        (row,) = self.rows(INVENTORY, [number])
        self._open(row, "cancel")
        self.change(INVENTORY, number, {"state": "cancelled"})

    def delete_lines(self, ids: Sequence[int]) -> None:
        """Take lines out of open stocktakes."""
        for line in self.rows(LINE, ids):
            if self.tables[INVENTORY][line["inventory"]]["state"] == "done":
                raise user_error("You cannot delete a line of an inventory that is done.")
        for one in ids:
            self.delete(LINE, one)

    def inventory_name(self, row: Row) -> str:
        """How they write a stocktake for people."""
        location = self.tables[LOCATION][row["location"]]
        return f"[{row['number']}] [{location['code']}] {location['name']} @ {row['date']:%m/%d/%Y}"

    def _open(self, row: Row, verb: str) -> None:
        if row["state"] != "draft":
            raise user_error(f'You can not call "{verb}" on "{self.inventory_name(row)}" of "Stock Inventory".')

    # the whole state

    @property
    def kept(self) -> Plain:
        """All records."""
        return self.tables, self.numbers, self.inside

    @kept.setter
    def kept(self, state: Plain) -> None:
        self.tables, self.numbers, self.inside = state


@lru_cache(maxsize=READS_MAX)
def _split(fields: tuple[str, ...]) -> tuple[list[str], dict[str, list[str]]]:
    """The record's own fields among these, and by relation what is to be read over there."""
    nested: dict[str, list[str]] = {}
    for head, dot, rest in (name.partition(".") for name in fields):
        if dot:
            nested.setdefault(head, []).append(rest)
    return [name for name in fields if "." not in name], nested


COMPUTED: Final[dict[tuple[str, str], Callable[[Any, Row, Context], Plain]]] = {
    (PRODUCT, "list_price_used"): lambda books, row, _: books.price_of(row),
    (PRODUCT, "identifiers"): lambda books, row, _: books.children(IDENTIFIER, "product", row["id"]),
    (PRODUCT, "quantity"): lambda books, row, context: books.quantity(row["id"], context),
    (PRODUCT, "forecast_quantity"): lambda books, row, context: books.quantity(row["id"], context),
    (PRODUCT, "rec_name"): lambda books, row, _: f"[{row['code']}] {books.tables[TEMPLATE][row['template']]['name']}",
    (TEMPLATE, "rec_name"): lambda _, row, __: f"[{row['code']}] {row['name']}",
    (TEMPLATE, "products"): lambda books, row, _: books.children(PRODUCT, "template", row["id"]),
    (INVENTORY, "lines"): lambda books, row, _: books.children(LINE, "inventory", row["id"]),
    (LINE, "inventory_state"): lambda books, row, _: books.tables[INVENTORY][row["inventory"]]["state"],
    (LOCATION, "childs"): lambda books, row, _: books.children(LOCATION, "parent", row["id"]),
}
"""Fields that are reckoned when they are asked for."""
