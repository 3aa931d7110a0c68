"""Bugs in what is sent, in which order, and in what is made of the answer."""

from __future__ import annotations

from planted.plant import Mutant

DISPATCH, RECORD, TURN = "hub/push/dispatch.py", "hub/push/record.py", "hub/turn.py"

MUTANTS = (
    Mutant(
        "blind second send",
        DISPATCH,
        'rows = [(c, "unknown", at, c.handle, words) for c in ours]',
        'rows = [(c, "intended", now, c.handle, words) for c in ours]',
        ("looked up before sent again",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "blind second send after a death",
        DISPATCH,
        'rows = [(c, "unknown", at, c.handle, "no receipt before a restart") for c in left]',
        'rows = [(c, "intended", 0, c.handle, "no receipt before a restart") for c in left]',
        ("looked up before sent again",),
        "dying",
    ),
    Mutant(
        "what was sent before a death is forgotten",
        DISPATCH,
        "        if rows:\n            self._database.transaction(lambda tx: changes.settle(tx, rows))\n\n    def next_batch",
        "\n    def next_batch",
        ("asked what became of it",),
    ),
    Mutant(
        "intent not stored",
        DISPATCH,
        "taken = set(self._database.transaction(lambda tx: changes.send(tx, chosen, now, seq)))",
        "taken = {change.id for change in chosen}",
        ("intent first",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "an unknown outcome is taken for success",
        DISPATCH,
        '        if step == "unknown":\n',
        '        if step == "unknown":\n'
        "            self._record.receipts([Sent(c, self._as_sent(c), Receipt(c.id, Outcome.APPLIED, words)) for c in ours])\n"
        '        elif step == "never":\n',
        ("applied on evidence",),
    ),
    Mutant(
        "looked up and not there is taken for there",
        DISPATCH,
        "            if difference(change.key.aspect, _comparable(change), shown.get(change.key)) is None:\n"
        '                receipt = Receipt(change.id, Outcome.APPLIED, "found',
        '            if True:\n                receipt = Receipt(change.id, Outcome.APPLIED, "found',
        ("applied on evidence",),
    ),
    Mutant(
        "no look before writing",
        DISPATCH,
        "if declared.look_before and chosen[0].before is not None:",
        "if declared.look_before and chosen[0].before is None:",
        ("looked before written",),
    ),
    Mutant(
        "rise written without the order barrier",
        TURN,
        "        if not rises:\n            return chosen\n        last",
        "        if rises or not rises:\n            return chosen\n        last",
        ("order barrier",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "a rise of unknown outcome goes again on orders read before it",
        "hub/push/record.py",
        "changes.seen(tx, [c for c in unsent if c.key in shown], now)",
        "changes.seen(tx, [], now)",
        ("order barrier",),
        "slow",
        seeds=1,
    ),
    Mutant(
        "the order barrier takes any reading for a later one",
        "hub/store/cursors.py",
        "now.started_at > at and now.completed_at >= now.started_at",
        "now.completed_at >= now.started_at > 0",
        ("order barrier",),
    ),
    Mutant(
        "pace ignored",
        "hub/sdk/client.py",
        "        wait = self.bucket.wait_seconds(cost, now, self.leave_tokens)\n",
        "        wait = 0.0\n",
        ("pace",),
        "narrow",
    ),
    Mutant(
        "told how long to wait, and asking sooner",
        "hub/sdk/client.py",
        '            told = retry_after_seconds(answer.headers.get("retry-after", ""), now)\n'
        '            wait = self.bucket.throttled(told, now)\n            raise ThrottledError(\n                "too many',
        "            told = 1.0\n"
        '            wait = self.bucket.throttled(told, now)\n            raise ThrottledError(\n                "too many',
        ("told to wait",),
        "throttled",
        seeds=1,
        quick=True,
    ),
    Mutant(
        "after a conflict nobody looks",
        RECORD,
        "        channels.ask(tx, asked, mark, now)\n\n    def _findable_at",
        "\n    def _findable_at",
        ("nothing forgotten",),
        "seven",
    ),
    Mutant(
        "a receipt leaves its listing clean",
        RECORD,
        "        dirty.mark(tx, [(dirty.LISTING, e.change.key.channel, e.change.key.listing) for e in done], mark)\n",
        "",
        ("nothing forgotten",),
        "slow",
    ),
    Mutant(
        "own open orders are subtracted twice",
        "hub/push/batch.py",
        'after["raw"] = int(after["sellable"]) + own_open',
        'after["raw"] = int(after["sellable"])',
        ("in circles",),
    ),
    Mutant(
        "a worker that was replaced goes on storing",
        "hub/store/turns.py",
        "    if ours and turn != ours:\n",
        "    if ours and turn is None:\n",
        ("one worker",),
        "replaced",
    ),
    Mutant(
        "a worker that was replaced goes on writing to platforms",
        "hub/sdk/client.py",
        "            if writes and not self.may_write():\n",
        "            if writes and self.deadline_seconds < 0:\n",
        ("one worker", "looked up before sent again", "applied on evidence"),
        "replaced",
    ),
)
