"""Taking pieces out of a sale that is being processed, as a person does it there (tried on 8.2.1).

A processed sale cannot be edited. Its shipments can: one that nobody has begun to pick is cancelled or shortened; what the sale
then ships anew is cancelled too; and the cancelled moves are given up (`moves_ignored`), so that they are not shipped later.
Each round looks first, so a round that was cut off is continued. What is picked already stays: it is under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from connectors.tryton.order_lines import NotBookableError, excess, standing
from connectors.tryton.order_records import OUT, SALE, in_pieces
from connectors.tryton.rpc import Session
from hub.sdk.api import THOUSAND, Plain

Row = dict[str, Plain]
ROUNDS_MAX: Final = 8
OPEN: Final = ("draft", "waiting", "assigned")
OVER: Final = ("done", "cancelled")


class Corrector:
    """Reduces sales; `read` gives one with its lines, moves, shipments and invoices."""

    def __init__(self, session: Session, read: Callable[[int], Row]) -> None:
        self._session = session
        self._read = read

    def reduce(self, sale: Row, wanted: Mapping[int, int], *, all_of_it: bool) -> None:
        """Bring the open rest down to what is wanted; NotBookableError where a person has to."""
        number = sale["id"]
        for _ in range(ROUNDS_MAX):
            too_much = excess(sale, wanted)
            if any(side < 0 for side in too_much):
                raise NotBookableError("the sale is being processed: what comes back with it must be changed by a person")
            if any(quantity < 0 for quantity in too_much.values()):
                raise NotBookableError("the sale is being processed: what was added to the order must be added by a person")
            if not too_much:
                break
            self._one_round(sale, dict(too_much))
            sale = self._read(number)
        if all_of_it:
            self._drop_invoices(sale)

    def _one_round(self, sale: Row, too_much: dict[int, int]) -> None:
        if given_up := _to_give_up(sale, too_much):
            self._put_back(sale)
            for line, moves in given_up.items():
                self._call("sale.line", "write", [line], {"moves_ignored": [["add", moves]]})
        elif _unmoved(sale):
            # A shortened move leaves a rest that gets its own shipment once the sale is processed again.
            self._put_back(sale)
        else:
            self._shorten(sale, too_much)
        self._call(SALE, "process", [sale["id"]])

    def _put_back(self, sale: Row) -> None:
        """What a round that was cut off had taken out of the warehouse's hands waits there again."""
        for shipment in sale["shipments."]:
            if shipment["state"] == "draft":
                self._call(OUT, "wait", [shipment["id"]])

    def _shorten(self, sale: Row, too_much: dict[int, int]) -> None:
        """Take the pieces out of the newest shipments that nobody has begun."""
        for shipment in sorted(sale["shipments."], key=lambda one: -int(one["id"])):
            moves = _open_moves(sale, shipment["id"])
            taken = _take(moves, too_much)
            if taken and shipment["state"] in OPEN:
                self._take_out(shipment, moves, taken)
                return
        raise NotBookableError("what is no longer wanted is being packed already: a person has to stop it there")

    def _take_out(self, shipment: Row, moves: Mapping[int, tuple[int, int]], taken: Mapping[int, int]) -> None:
        number = shipment["id"]
        if all(taken.get(move) == quantity for move, (_, quantity) in moves.items()):
            self._call(OUT, "cancel", [number])
            return
        if shipment["state"] == "assigned":
            self._call(OUT, "wait", [number])
        if shipment["state"] != "draft":
            self._call(OUT, "draft", [number])
        for move, quantity in taken.items():
            left = moves[move][1] - quantity
            if left:
                self._call("stock.move", "write", [move], {"quantity": _pieces(left)})
            else:
                self._call("stock.move", "cancel", [move])
        self._call(OUT, "wait", [number])

    def _drop_invoices(self, sale: Row) -> None:
        """Drafts of invoices for what nobody will get; posted ones stay for a person to credit."""
        drafts = [one["id"] for one in sale["invoices."] if one["state"] == "draft"]
        left = [one["id"] for one in sale["invoices."] if one["state"] == "cancelled"]
        ignored = set(sale["invoices_ignored"])
        if drafts and not any(one.done for one in standing(sale).values()):
            self._call("account.invoice", "cancel", drafts)
            left += drafts
        fresh = [one for one in left if one not in ignored]
        if fresh:
            self._call(SALE, "write", [sale["id"]], {"invoices_ignored": [["add", fresh]]})
            self._call(SALE, "process", [sale["id"]])

    def _call(self, model: str, verb: str, *params: Plain) -> Plain:
        return self._session.call(f"model.{model}.{verb}", *params, operation=f"{verb} {model}", writes=True)


def _lines(sale: Row) -> list[Row]:
    rows = [line for line in sale["lines."] if line["type"] == "line" and line["product."] is not None]
    return [line for line in rows if Decimal(str(line["quantity"])) > 0]


def _to_give_up(sale: Row, too_much: dict[int, int]) -> dict[int, list[int]]:
    """By line, cancelled moves that nobody decided about and that are no more than what is too much."""
    found: dict[int, list[int]] = defaultdict(list)
    for line in _lines(sale):
        decided = {*line["moves_ignored"], *line["moves_recreated"]}
        for move in line["moves."]:
            quantity = int(in_pieces(line, move["quantity"]) * THOUSAND)
            if move["state"] == "cancelled" and move["id"] not in decided and quantity <= too_much.get(line["product"], 0):
                too_much[line["product"]] -= quantity
                found[line["id"]].append(move["id"])
    return found


def _unmoved(sale: Row) -> bool:
    """Whether a line has pieces that are in no move yet."""
    for line in _lines(sale):
        if line["product."]["type"] != "goods":
            continue
        recreated = set(line["moves_recreated"])
        moved = sum((in_pieces(line, m["quantity"]) for m in line["moves."] if m["id"] not in recreated), Decimal(0))
        if moved < in_pieces(line, line["quantity"]):
            return True
    return False


def _open_moves(sale: Row, shipment: int) -> dict[int, tuple[int, int]]:
    """Moves of the shipment that are not over: (product, thousandths) by id."""
    return {
        move["id"]: (line["product"], int(in_pieces(line, move["quantity"]) * THOUSAND))
        for line in _lines(sale)
        for move in line["moves."]
        if move["shipment"] == f"{OUT},{shipment}" and move["state"] not in OVER
    }


def _take(moves: Mapping[int, tuple[int, int]], too_much: Mapping[int, int]) -> dict[int, int]:
    left = dict(too_much)
    taken: dict[int, int] = {}
    for move, (product, quantity) in moves.items():
        part = min(quantity, left.get(product, 0))
        if part > 0:
            taken[move] = part
            left[product] -= part
    return taken


def _pieces(thousandths: int) -> Plain:
    return thousandths // THOUSAND if thousandths % THOUSAND == 0 else Decimal(thousandths) / THOUSAND
