"""Bugs in what is heard, kept and believed."""

from __future__ import annotations

from planted.plant import Mutant

TOLD, POLL, INBOX, TURN = "hub/told.py", "hub/intake/poll.py", "hub/store/inbox.py", "hub/turn.py"

MUTANTS = (
    Mutant(
        "cursor moved before its page",
        POLL,
        "        self._database.transaction(keep)\n        return after",
        "        self._database.transaction(lambda tx: cursors.save(tx, after))\n"
        "        self._database.transaction(keep)\n        return after",
        ("no cursor beyond stored pages",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "a delivery is answered and not stored",
        "hub/walk.py",
        "        self._database.transaction(lambda tx: inbox.store(tx, self._vault, [inbox.Arrival(envelope)]))\n",
        "",
        ("taken is stored",),
        seeds=1,
        quick=True,
    ),
    Mutant(
        "deliveries are known by their id alone",
        INBOX,
        "        name = digest(envelope.body)\n",
        "        name = digest(envelope.body if envelope.door != Door.HOOK else (envelope.delivery_id or 'none').encode())\n",
        ("taken is stored",),
    ),
    Mutant(
        "signature not checked",
        "hub/sdk/signature.py",
        'if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):',
        "if not wanted:",
        ("forgeries",),
    ),
    Mutant(
        "told value accepted during an own write",
        TOLD,
        "        if key in under_way:\n            return False\n",
        "",
        ("never during a write",),
    ),
    Mutant(
        "an older claim replaces a newer one",
        "hub/store/catalogue.py",
        'excluded.version >= claims.version) "\n        "OR ((excluded.version = 0 OR claims.version = 0) AND '
        "excluded.begun >= claims.begun)",
        'excluded.version > 0) "\n        "OR ((excluded.version = 0 OR claims.version = 0) AND excluded.begun >= 0)',
        ("never older",),
        "seven",
    ),
    Mutant(
        "what a stranger to the price list says becomes the price",
        "hub/merge/authority.py",
        "        return self._lists.get((channel, platform_list))\n",
        '        return self._lists.get((channel, platform_list)) or "retail"\n',
        ("shown is true",),
    ),
    Mutant(
        "persons lie open",
        "hub/store/vault.py",
        'return b"".join((self._prefix, nonce, self._seals.encrypt(nonce, plain, _place(table, column, row))))\n\n'
        "    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:\n",
        'return b"open " + plain + nonce[:0]\n\n'
        "    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:\n"
        '        if sealed[:5] == b"open ":\n            return sealed[5:]\n',
        ("persons",),
        "calm",
    ),
    Mutant(
        "a person in the ledger",
        "hub/ordered.py",
        "        ledger.write(tx, remembered.said([b for b in newest if b.order not in old_news], known, numbers, now))\n",
        "        lines = remembered.said([b for b in newest if b.order not in old_news], known, numbers, now)\n"
        '        persons = [each for each in told if each.entity == "party"]\n'
        '        who = str([getattr(part, "revealed", part) for each in persons for part in each.value.values()])\n'
        '        ledger.write(tx, [line._replace(words={**line.words, "who": who}) for line in lines])\n',
        ("persons",),
        "calm",
    ),
    Mutant(
        "of what is not understood only half is said",
        TOLD,
        "        letters.keep(tx, said.letters)\n",
        "        letters.keep(tx, said.letters[::2])\n",
        ("not understood is said",),
        "drifting",
    ),
)
