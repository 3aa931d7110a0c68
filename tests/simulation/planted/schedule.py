"""Bugs in when something is read, asked again, waited for and worked out anew."""

from __future__ import annotations

from planted.plant import Mutant

TURN, POLL, DISPATCH = "hub/turn.py", "hub/intake/poll.py", "hub/push/dispatch.py"

MUTANTS = (
    Mutant(
        "dirty cleared without its mark",
        "hub/store/dirty.py",
        'AND b = :b AND mark = :mark",\n        [(row.kind, row.a, row.b, row.mark) for row in seen]',
        'AND b = :b",\n        [(row.kind, row.a, row.b) for row in seen]',
        ("marked anew stays",),
        "slow",
    ),
    Mutant(
        "read ten times as often as configured",
        TURN,
        "return poll.started_at + int(poll_seconds * 1_000_000) if poll_seconds else -1",
        "return poll.started_at + int(poll_seconds * 100_000) if poll_seconds else -1",
        ("silence",),
        "calm",
    ),
    Mutant(
        "what was looked up is looked up again for ever",
        POLL,
        "            channels.looked_up(tx, asked)\n",
        "            channels.looked_up(tx, asked)\n"
        "            channels.ask(tx, [(each.channel, each.stream, each.id, each.reason) for each in asked], seq, "
        "asked_at + 1_200_000_000)\n",
        ("silence",),
        "calm",
    ),
    Mutant(
        "what was told by deliveries is never swept",
        TURN,
        "            elif rhythm.sweep_seconds:\n",
        "            elif rhythm.sweep_seconds and not declared.poll and self.name == '':\n",
        ("read on schedule",),
    ),
    Mutant(
        "being told to wait counts as an attempt",
        DISPATCH,
        "            self._database.transaction(lambda tx: changes.unspend(tx, ours, retry_at))\n",
        '            rows = [(c, "intended", retry_at, c.handle, words) for c in ours if not self._record._spent(c)]\n'
        "            self._database.transaction(lambda tx: changes.settle(tx, rows))\n"
        "            self._record._give_up([c for c in ours if self._record._spent(c)])\n",
        ("never during a write", "handed out", "at rest"),
        "throttled",
    ),
    Mutant(
        "what they hold is overwritten whatever was expected",
        "connectors/shopify/stock_sending.py",
        "            elif before is not None and level.available != before:\n",
        "            elif before is not None and level.available < 0:\n",
        ("as expected",),
        "slow",
    ),
)
