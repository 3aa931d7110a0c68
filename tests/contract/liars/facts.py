"""Liars about what becomes of orders, about the people behind them, and about movements."""

from __future__ import annotations

from liars.liar import CODE, Liar

SENDING = "order_sending.py"
PARCEL = "a parcel of some pieces leaves the rest open"
CANCELLED = "cancelled pieces are cancelled once"
REFUNDED = "money is paid back once"
KNOWN_ONLY = "what people must know moves nothing"
LOST = "a fact whose answer was lost takes effect once"
PERSON = "no person in words errors or logs of an order"
DIFFERENCE = "a movement moves the figure by the difference"
NUMBER = "a movement never sets a number"
MOVED_ONCE = "a movement whose answer was lost moves once"
MADE = 'return self.judged(change, self.write("POST", f"/orders/{order}/{kept}", self.fact(change)))'
TIMES = "times = _marks(change, order)"
KEPT = "\nKEPT_UNDER: Final"
ONE_MARK = "\n\ndef mark(change: Change) -> str:\n    return f\"{change.key.listing} {change.after['fact']}\"\n\n"
ASKED = "        person = self.context.party(change.key.listing)\n"
BY = 'by = int(change.after["moved"]) - int((change.before or {}).get("moved", 0))\n'
MOVE = 'told = self.client.json("POST", path, operation="move", writes=True, headers=self.headers, json=body)'


def forgets(fact: str) -> str:
    """Looks for everything but this fact."""
    return f'times = 0 if change.after["fact"] == "{fact}" else _marks(change, order)'


def caught(call: str, then: str) -> str:
    """The call, and what is done when nobody knows what became of it."""
    return f"try:\n            {call}\n        except OutcomeUnknownError:\n            {then}"


LIARS = (
    Liar(
        "ships_one_of_each",
        PARCEL,
        ((SENDING, '"quantity": one["quantity"] // THOUSAND} for one in parts]', '"quantity": 1} for one in parts]'),),
    ),
    Liar("knows_one_parcel_of_an_order", PARCEL, ((SENDING, KEPT, ONE_MARK + KEPT),)),
    Liar("ships_again_when_asked_again", PARCEL, ((SENDING, TIMES, forgets("fulfilled")),)),
    Liar("calls_a_part_the_whole", PARCEL, (("mappings/order.yaml", "open: release", "open: ended"),)),
    Liar("cancels_again_when_asked_again", CANCELLED, ((SENDING, TIMES, forgets("cancelled")),)),
    Liar("cancels_what_it_likes", CANCELLED, ((SENDING, 'if parts := change.after.get("parts"):', "if parts := None:"),)),
    Liar("pays_half_back", REFUNDED, ((SENDING, '"amount": after["amount_minor"]}', '"amount": after["amount_minor"] // 2}'),)),
    Liar("pays_back_again_when_asked_again", REFUNDED, ((SENDING, TIMES, forgets("refunded")),)),
    Liar(
        "pays_back_what_was_paid_back",
        KNOWN_ONLY,
        (
            (SENDING, '"refund_noted": "notes"', '"refund_noted": "refunds"'),
            (SENDING, 'case "refunded":', 'case "refunded" | "refund_noted":'),
        ),
    ),
    Liar("says_ready_again_when_asked_again", KNOWN_ONLY, ((SENDING, TIMES, forgets("ready")),)),
    Liar(
        "says_ready_to_nobody",
        KNOWN_ONLY,
        (
            (
                SENDING,
                "        found = self.find(change)\n",
                (
                    '        if change.after["fact"] == "ready":\n'
                    '            return Receipt(change.id, Outcome.APPLIED, shows={"their": change.after["their"]})\n'
                    "        found = self.find(change)\n"
                ),
            ),
        ),
    ),
    Liar("tells_again_what_nobody_knows", LOST, ((SENDING, MADE, caught(MADE, MADE)),)),
    Liar(
        "calls_what_nobody_knows_refused",
        LOST,
        ((SENDING, MADE, caught(MADE, 'return Receipt(change.id, Outcome.REFUSED, "no answer")')),),
    ),
    Liar(
        "calls_what_nobody_knows_not_sent",
        LOST,
        ((SENDING, MADE, caught(MADE, 'return Receipt(change.id, Outcome.NOT_SENT, "no answer")')),),
    ),
    Liar(
        "calls_nonsense_an_outage", LOST, ((SENDING, 'raise OutcomeUnknownError("answered', 'raise UnavailableError("answered'),)
    ),
    Liar(
        "writes_the_buyer_into_the_log",
        PERSON,
        ((SENDING, ASKED, ASKED + '        __import__("logging").getLogger("orders").info("for %s", dict(person))\n'),),
    ),
    Liar(
        "names_the_buyer_when_refused",
        PERSON,
        (
            (
                SENDING,
                '"answered success, but the order does not show it")',
                'f"not there: {self.context.party(change.key.listing)}")',
            ),
        ),
    ),
    Liar("moves_the_whole_sum_each_time", DIFFERENCE, ((CODE, BY, 'by = int(change.after["moved"])\n'),)),
    Liar("moves_again_when_asked_again", DIFFERENCE, ((CODE, "match marks.count(change.id):", "match 0:"),)),
    Liar(
        "sets_the_figure",
        NUMBER,
        (
            (
                CODE,
                BY,
                (
                    'stock = self.asked(f"/items/{change.key.listing}", {}, "look at stock")["stock"] * 1_000\n'
                    '        began = self.__dict__.setdefault("began", {}).setdefault(change.key, stock)\n'
                    '        by = began + int(change.after["moved"]) - stock\n'
                ),
            ),
        ),
    ),
    Liar("moves_again_what_nobody_knows", MOVED_ONCE, ((CODE, MOVE, caught(MOVE, MOVE)),)),
    Liar(
        "calls_an_unknown_movement_refused",
        MOVED_ONCE,
        ((CODE, MOVE, caught(MOVE, 'return Receipt(change.id, Outcome.REFUSED, "no answer")')),),
    ),
)
