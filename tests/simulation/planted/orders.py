"""Bugs in orders: whose they are, what others must know of them, money."""

from __future__ import annotations

from planted.plant import Mutant

BACK, CREDITED, ORDERED = "hub/documents/back.py", "hub/documents/credited.py", "hub/ordered.py"

MUTANTS = (
    Mutant(
        "a number without its channel",
        "hub/desired/order.py",
        "return f\"{prefix}-{record.get('number') or record['order']}\"",
        "return f\"{record.get('number') or record['order']}\"",
        ("handed out", "each sale once"),
        "calm",
    ),
    Mutant(
        "a cancelled order is told to nobody",
        "hub/documents/placed.py",
        'EXPORTED_STATES: Final = ("reserve", "release", "ended", "cancelled")',
        'EXPORTED_STATES: Final = ("reserve", "release", "ended")',
        ("each sale once",),
    ),
    Mutant(
        "what waits for its money is booked",
        "hub/documents/placed.py",
        'WHERE_HELD: Final = ("reserve", "cancelled")',
        'WHERE_HELD: Final = ("cancelled",)',
        ("paid first",),
        "paid later",
    ),
    Mutant(
        "an order at its checkout takes nothing",
        "hub/desired/order.py",
        'COUNTING: Final = ("hold", "reserve", "release", "ended")',
        'COUNTING: Final = ("reserve", "release", "ended")',
        ("reservations",),
        "paid later seven",
        seeds=1,
    ),
    Mutant(
        "fulfilment never told",
        BACK,
        "    if not around.tells(order.channel, FULFILLED):\n        return {}\n    wanted: dict[Key, Target] = {}\n    parcels",
        "    if order.channel:\n        return {}\n    wanted: dict[Key, Target] = {}\n    parcels",
        ("told where bought",),
    ),
    Mutant(
        "ready is never told",
        BACK,
        "    if not location or not around.tells(order.channel, READY):\n",
        "    if location or not around.tells(order.channel, READY):\n",
        ("handed out",),
    ),
    Mutant(
        "no credit note",
        CREDITED,
        "    for credit in found:\n        if credit.teller == name",
        "    for credit in found[:0]:\n        if credit.teller == name",
        ("each sale once",),
        "returning",
    ),
    Mutant(
        "a refund is told to the books twice",
        CREDITED,
        "        wanted.update([target(name, order, fact, value, told_by=credit.teller)])\n",
        "        wanted.update([target(name, order, fact, value, told_by=credit.teller)])\n"
        "        more = {**value, 'number': f'{order.number}{MARK}{number + 7}'}\n"
        "        wanted.update([target(name, order, fact + ':2', more, told_by=credit.teller)])\n",
        ("each sale once",),
        "returning",
    ),
    Mutant(
        "what its shop gives back is no credit",
        "hub/desired/credit.py",
        "    found += _refunds(origin, room, unpaid, stands)\n",
        "",
        ("each sale once",),
        "complaining",
    ),
    Mutant(
        "what was called off when it had left is no sale",
        "hub/desired/crossed.py",
        "        elif over > 0:\n",
        "        elif over > 1_000_000:\n",
        ("each sale once",),
        "complaining",
    ),
    Mutant(
        "shipping is not booked",
        "hub/documents/placed.py",
        'for charge in (record.get("charges") or ()) if carries]',
        'for charge in (record.get("charges") or ()) if not carries]',
        ("each sale once",),
    ),
    Mutant(
        "what was called off is booked all the same",
        "hub/documents/placed.py",
        "    total = line.quantity if line.quantity < 0 else max(0, line.quantity - line.cancelled)\n",
        "    total = line.quantity\n",
        ("handed out", "told where bought"),
        "edited",
    ),
    Mutant(
        "what a till handed over for others stays in its figure",
        "hub/documents/moved.py",
        "    wanted: dict[Key, Target] = {}\n",
        "    wanted: dict[Key, Target] = {}\n    if order.channel:\n        return wanted\n",
        ("shown is true",),
        "returning",
    ),
    Mutant(
        "of a receipt only the first line stands in the book of its day",
        "hub/books.py",
        '        for row in record["lines"]:\n',
        '        for row in record["lines"][:1]:\n',
        ("each sale once",),
        "daily",
    ),
    Mutant(
        "a sale that is told after its book was closed stands in none",
        "hub/books.py",
        "self._book(tx, each, min(each.at or now, now)) or self._book(tx, each, now)",
        "self._book(tx, each, min(each.at or now, now))",
        ("each sale once",),
        "daily",
    ),
    Mutant(
        "an order that is not understood takes nothing",
        "hub/told.py",
        "self._unread.keep(tx, [*said.unread, *unread], settled",
        "self._unread.keep(tx, [], settled",
        ("reservations",),
        "drifting orders",
    ),
)
