"""Liars about orders that are read, and about documents."""

from __future__ import annotations

from liars.liar import CODE, MANIFEST, Liar

SENDING, ORDER = "order_sending.py", "mappings/order.yaml"
ADDS_UP = "an order is told once and adds up"
SEEN = "a changed order is seen"
ONCE = "a document is made once and found again"
TWO = "two documents of one number are refused with words"
CORRECTED = "a corrected document stays one record"
NAMED = "what is delivered of an order names it"
BY_NAME = "every state of an order is mapped by name"
PARTY = "a person stands in the party alone"
KNOWN = '        if known:\n            return self.judged(change, self.write("PUT"'
STANDS = "_applied(change, same[0]) if same else not_sent(change)"

LIARS = (
    Liar("adds_the_tax_twice", ADDS_UP, ((ORDER, "tax: {const: included}", "tax: {const: excluded}"),)),
    Liar(
        "tells_the_last_order_twice",
        ADDS_UP,
        (
            (
                CODE,
                "body_json({stream: told[stream]})",
                'body_json({stream: told[stream] + told[stream][-1:] * (stream == "orders")})',
            ),
        ),
    ),
    Liar(
        "sells_lines_for_listings",
        ADDS_UP,
        ((ORDER, "listing: {from: item, as: text, optional: true}", "listing: {from: id, as: text}"),),
    ),
    Liar(
        "reads_orders_once",
        SEEN,
        (
            (
                CODE,
                'return self.page("orders", ask)',
                'return self.page("orders", ask) if ask.full else Page(body_json({"orders": []}), ask.cursor, False)',
            ),
        ),
    ),
    Liar(
        "looks_orders_up_in_memory",
        SEEN,
        (
            (
                CODE,
                'return self.looked_up("orders", ids)',
                (
                    'kept = self.__dict__.setdefault("kept", {})\n'
                    '        return kept.setdefault(tuple(ids), self.looked_up("orders", ids))  # type: ignore[no-any-return]'
                ),
            ),
        ),
    ),
    Liar("knows_every_state_to_come", BY_NAME, ((ORDER, "cancelled: cancelled}", "cancelled: cancelled, else: release}"),)),
    Liar(
        "takes_what_it_does_not_know_for_released",
        BY_NAME,
        (
            (
                ORDER,
                "state: {from: state, as: lookup, table: state}\n  placed",
                "state: {value: \"lookup(state, 'state') if state in ['waiting', 'open', 'done'] else 'cancelled'\"}\n  placed",
            ),
        ),
    ),
    Liar(
        "says_what_a_state_is_by_itself",
        BY_NAME,
        ((ORDER, "state: {from: state, as: lookup, table: state}\n  placed", "state: {const: release}\n  placed"),),
    ),
    Liar(
        "numbers_orders_by_their_buyers",
        PARTY,
        ((ORDER, "number: {from: number, as: text}", "number: {from: customer.name, as: text, optional: true}"),),
    ),
    Liar("knows_no_buyers", PARTY, ((MANIFEST, "maps: [order, party]", "maps: [order]"),)),
    Liar("hears_of_orders_without_their_ids", NAMED, ((MANIFEST, "ids: orders}", "ids: items}"),)),
    Liar("does_not_listen_to_orders", NAMED, ((MANIFEST, "{stream: orders, trust: hint, ids: orders}", "{stream: orders}"),)),
    Liar(
        "makes_every_document_anew",
        ONCE,
        (
            (SENDING, STANDS, "Receipt(change.id, Outcome.NOT_SENT)"),
            (SENDING, KNOWN, KNOWN.replace("known:", "known and False:")),
        ),
    ),
    Liar("finds_what_is_not_there", ONCE, ((SENDING, STANDS, 'Receipt(change.id, Outcome.APPLIED, shows={"their": ""})'),)),
    Liar(
        "puts_no_number_there",
        ONCE,
        ((SENDING, '{"reference": str(change.after["number"]), "moves"', '{"reference": "", "moves"'),),
    ),
    Liar("takes_the_first_of_two", TWO, ((SENDING, "if len(orders) > 1:", "if len(orders) > 9:"),)),
    Liar("is_silent_about_two", TWO, ((SENDING, 'f"{len(orders)} orders have our number as their reference"', '""'),)),
    Liar("corrects_by_another_document", CORRECTED, ((SENDING, KNOWN, KNOWN.replace("known:", "known and not change.before:")),)),
    Liar(
        "says_corrected_and_does_nothing",
        CORRECTED,
        ((SENDING, KNOWN, "        if known:\n            return _applied(change, known[0])\n" + KNOWN),),
    ),
)
