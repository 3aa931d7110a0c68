"""Bugs in figures, reservations and prices."""

from __future__ import annotations

from planted.plant import Mutant

STOCK, ORDER, PRICE, TOLD = "hub/desired/stock.py", "hub/desired/order.py", "hub/desired/price.py", "hub/told.py"

MUTANTS = (
    Mutant(
        "reservation released at send",
        "hub/ordered.py",
        "        if order.history or told.origin.record.get(DAY):\n            # The sales",
        "        there = [key.place for key in around.observations if key.listing == order.order]\n"
        "        sent = any(place.startswith('placed') for place in there)\n"
        "        if sent or order.history or told.origin.record.get(DAY):\n            # The sales",
        ("reservations",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "a reservation never ends by a figure",
        ORDER,
        "    if figure.begun > seq:\n        return True\n",
        "",
        ("shown is true",),
    ),
    Mutant(
        "an order reserves nothing until it is sent",
        ORDER,
        'COUNTING: Final = ("hold", "reserve", "release", "ended")',
        'COUNTING: Final = ("hold", "ended")',
        ("reservations",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "an unexplained fall is no sale",
        TOLD,
        "            if fall > 0:\n",
        "            if fall > 1_000_000:\n",
        ("a fall is a sale",),
    ),
    Mutant(
        "a fall counts as a sale for ever",
        "hub/walk.py",
        "            orders.end_reservations(tx, rows)\n",
        "",
        ("shown is true",),
    ),
    Mutant(
        "one place's figure is counted twice",
        STOCK,
        "        total += left\n        step",
        "        total += left if total else 2 * left\n        step",
        ("shown is true",),
    ),
    Mutant(
        "safety stock forgotten",
        STOCK,
        "        amount = max(0, amount - rule.safety_stock * THOUSAND)\n",
        "",
        ("shown is true",),
        "careful",
    ),
    Mutant(
        "rounding in floats",
        PRICE,
        "amount = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUNDINGS[rule.rounding])",
        "amount = Decimal(str(round(float(amount), digits))) + 0 * ROUNDINGS[rule.rounding].count('')",
        ("shown is true",),
        seeds=5,
    ),
    Mutant(
        "price floor ignored",
        PRICE,
        "    if rule.floor is not None and amount < rule.floor:\n",
        "    if rule.floor is not None and amount < 0:\n",
        ("price floor",),
        "careful",
    ),
    Mutant(
        "a price in another currency",
        PRICE,
        'return PriceTarget({"amount": shown, "currency": base.currency, "tax": rule.tax}, because)',
        'return PriceTarget({"amount": shown, "currency": "EUR", "tax": rule.tax}, because)',
        ("currency",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "tax forgotten",
        PRICE,
        '    if rule.tax == "included":\n        return amount * (HUNDRED + percent) / HUNDRED\n',
        '    if rule.tax == "included":\n        return amount\n',
        ("shown is true",),
    ),
    Mutant(
        "prices compare as text",
        "hub/diff/compare.py",
        'Decimal(one["amount"]) != Decimal(other["amount"])',
        'len(str(one["amount"])) != len(str(other["amount"]))',
        ("nothing forgotten",),
    ),
    Mutant(
        "the last pieces are not divided",
        "hub/desired/quota.py",
        "    found = [each // whole // member.factor * member.factor for each, member in zip(exact, members, strict=True)]\n",
        "    found = [stock // member.factor * member.factor for member in members]\n",
        ("shown is true", "divided is never sold twice"),
        "divided",
    ),
    Mutant(
        "divided pieces rise without waiting for anybody",
        "hub/desired/quota.py",
        "            room = 0 if stale else max(0, stock - (together - most) - member.shown)\n",
        "            room = now\n",
        ("divided is never sold twice",),
        "all divided",
    ),
    Mutant(
        "divided pieces rise by what somebody showed long ago",
        "hub/desired/quota.py",
        "            room = 0 if stale else max(",
        "            room = max(",
        ("divided is never sold twice",),
        "all divided",
    ),
)
