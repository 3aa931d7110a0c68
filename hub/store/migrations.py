"""The schema as numbered migrations: one text for every engine (`bigint` and `blob` become the engine's own types).

Times are microseconds UTC, booleans 0/1, JSON is text that SQL never looks into. An older hub refuses a newer store.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from hub.errors import ConfigError

_FIRST: Final = (
    "CREATE TABLE sequence (name text PRIMARY KEY, value bigint NOT NULL)",
    """CREATE TABLE inbox (
        seq bigint PRIMARY KEY, channel text NOT NULL, door text NOT NULL, stream text NOT NULL, topic text NOT NULL,
        delivery_id text NOT NULL, digest text NOT NULL, begun bigint NOT NULL, answered bigint NOT NULL,
        received_at bigint NOT NULL, sweep bigint NOT NULL, state text NOT NULL, doubled bigint NOT NULL,
        gone text NOT NULL, sealed blob)""",
    "CREATE UNIQUE INDEX inbox_known ON inbox (channel, delivery_id, digest)",
    "CREATE INDEX inbox_new ON inbox (seq) WHERE state = 'new'",
    "CREATE INDEX inbox_age ON inbox (received_at)",
    """CREATE TABLE cursors (
        channel text NOT NULL, stream text NOT NULL, kind text NOT NULL, cursor text NOT NULL, started_at bigint NOT NULL,
        under_way bigint NOT NULL, pages bigint NOT NULL, records bigint NOT NULL, number bigint NOT NULL,
        completed_at bigint NOT NULL, last_seq bigint NOT NULL, checked bigint NOT NULL,
        PRIMARY KEY (channel, stream, kind))""",
    """CREATE TABLE items (
        item text PRIMARY KEY, sku text NOT NULL, barcode text NOT NULL, title text NOT NULL, category text NOT NULL,
        kind text NOT NULL, created_at bigint NOT NULL)""",
    "CREATE INDEX items_sku ON items (sku)",
    "CREATE INDEX items_barcode ON items (barcode)",
    """CREATE TABLE bindings (
        channel text NOT NULL, listing text NOT NULL, item text NOT NULL, factor bigint NOT NULL, state text NOT NULL,
        sku text NOT NULL, refs text NOT NULL, made_by text NOT NULL, made_at bigint NOT NULL, sweep bigint NOT NULL,
        PRIMARY KEY (channel, listing))""",
    "CREATE INDEX bindings_item ON bindings (item)",
    "CREATE INDEX bindings_sku ON bindings (sku)",
    """CREATE TABLE claims (
        channel text NOT NULL, listing text NOT NULL, aspect text NOT NULL, place text NOT NULL, value text NOT NULL,
        version bigint NOT NULL, as_of bigint NOT NULL, begun bigint NOT NULL, seq bigint NOT NULL,
        PRIMARY KEY (channel, listing, aspect, place))""",
    """CREATE TABLE catalogue (
        item text NOT NULL, aspect text NOT NULL, place text NOT NULL, value text NOT NULL, at bigint NOT NULL,
        PRIMARY KEY (item, aspect, place))""",
    """CREATE TABLE dirty (
        kind text NOT NULL, a text NOT NULL, b text NOT NULL, mark bigint NOT NULL, PRIMARY KEY (kind, a, b))""",
    "CREATE INDEX dirty_mark ON dirty (mark)",
    """CREATE TABLE targets (
        channel text NOT NULL, listing text NOT NULL, aspect text NOT NULL, place text NOT NULL, item text NOT NULL,
        value text NOT NULL, because text NOT NULL, decided_at bigint NOT NULL,
        PRIMARY KEY (channel, listing, aspect, place))""",
    "CREATE INDEX targets_item ON targets (item)",
    """CREATE TABLE observations (
        channel text NOT NULL, listing text NOT NULL, aspect text NOT NULL, place text NOT NULL, value text NOT NULL,
        told bigint NOT NULL, version bigint NOT NULL, begun bigint NOT NULL, answered bigint NOT NULL, at bigint NOT NULL,
        seq bigint NOT NULL, flips bigint NOT NULL, flips_since bigint NOT NULL,
        PRIMARY KEY (channel, listing, aspect, place))""",
    """CREATE TABLE changes (
        channel text NOT NULL, listing text NOT NULL, aspect text NOT NULL, place text NOT NULL, id text NOT NULL,
        item text NOT NULL, before text NOT NULL, after text NOT NULL, state text NOT NULL, urgency bigint NOT NULL,
        attempts bigint NOT NULL, not_before bigint NOT NULL, decided_at bigint NOT NULL, observed_at bigint NOT NULL,
        sent_at bigint NOT NULL, sent_seq bigint NOT NULL, handle text NOT NULL, hold text NOT NULL, words text NOT NULL,
        PRIMARY KEY (channel, listing, aspect, place))""",
    "CREATE INDEX changes_next ON changes (channel, state, urgency)",
    """CREATE TABLE receipts (
        seq bigint PRIMARY KEY, change text NOT NULL, channel text NOT NULL, listing text NOT NULL, aspect text NOT NULL,
        place text NOT NULL, before text NOT NULL, after text NOT NULL, outcome text NOT NULL, words text NOT NULL,
        request_id text NOT NULL, at bigint NOT NULL)""",
    "CREATE INDEX receipts_key ON receipts (channel, listing, aspect, place)",
    """CREATE TABLE shown_prices (
        channel text NOT NULL, listing text NOT NULL, country text NOT NULL, from_at bigint NOT NULL, to_at bigint,
        amount text NOT NULL, currency text NOT NULL, PRIMARY KEY (channel, listing, country, from_at))""",
    """CREATE TABLE dead_letters (
        id text PRIMARY KEY, kind text NOT NULL, channel text NOT NULL, stream text NOT NULL, record text NOT NULL,
        path text NOT NULL, value text NOT NULL, reason text NOT NULL, seq bigint NOT NULL, at bigint NOT NULL,
        state text NOT NULL, count bigint NOT NULL)""",
    "CREATE INDEX dead_letters_seq ON dead_letters (seq)",
    """CREATE TABLE ledger (
        seq bigint PRIMARY KEY, at bigint NOT NULL, event text NOT NULL, channel text NOT NULL, listing text NOT NULL,
        aspect text NOT NULL, place text NOT NULL, item text NOT NULL, words text NOT NULL)""",
    "CREATE INDEX ledger_key ON ledger (channel, listing, aspect)",
    """CREATE TABLE pace (
        channel text PRIMARY KEY, bucket text NOT NULL, paused_until bigint NOT NULL, paused_by text NOT NULL,
        failures bigint NOT NULL)""",
    """CREATE TABLE tokens (
        channel text NOT NULL, name text NOT NULL, sealed blob NOT NULL, expires_at bigint NOT NULL,
        PRIMARY KEY (channel, name))""",
    """CREATE TABLE lookups (
        channel text NOT NULL, stream text NOT NULL, id text NOT NULL, mark bigint NOT NULL, not_before bigint NOT NULL,
        attempts bigint NOT NULL, reason text NOT NULL, PRIMARY KEY (channel, stream, id))""",
    """CREATE TABLE holds (
        id text PRIMARY KEY, channel text NOT NULL, guard text NOT NULL, words text NOT NULL, at bigint NOT NULL,
        state text NOT NULL, closed_at bigint NOT NULL)""",
    """CREATE TABLE requests (
        id text PRIMARY KEY, kind text NOT NULL, body text NOT NULL, state text NOT NULL, answer text NOT NULL,
        at bigint NOT NULL, done_at bigint NOT NULL)""",
    """CREATE TABLE ticks (
        schedule text NOT NULL, due_at bigint NOT NULL, state text NOT NULL, PRIMARY KEY (schedule, due_at))""",
    """CREATE TABLE leases (
        name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL, until bigint NOT NULL)""",
    """CREATE TABLE workers (
        worker text PRIMARY KEY, started_at bigint NOT NULL, seen_at bigint NOT NULL, version text NOT NULL,
        words text NOT NULL)""",
    """CREATE TABLE counters (
        name text NOT NULL, channel text NOT NULL, what text NOT NULL, value bigint NOT NULL,
        PRIMARY KEY (name, channel, what))""",
)

_ORDERS: Final = (
    """CREATE TABLE orders (
        "order" text PRIMARY KEY, channel text NOT NULL, their text NOT NULL, number text NOT NULL, state text NOT NULL,
        placed_at bigint NOT NULL, seen_at bigint NOT NULL, history bigint NOT NULL, currency text NOT NULL,
        total_minor bigint NOT NULL, words text NOT NULL)""",
    "CREATE UNIQUE INDEX orders_number ON orders (number)",
    """CREATE TABLE order_bindings (
        channel text NOT NULL, their text NOT NULL, "order" text NOT NULL, role text NOT NULL, value text NOT NULL,
        version bigint NOT NULL, as_of bigint NOT NULL, begun bigint NOT NULL, seq bigint NOT NULL, at bigint NOT NULL,
        PRIMARY KEY (channel, their))""",
    """CREATE INDEX order_bindings_order ON order_bindings ("order")""",
    """CREATE TABLE reservations (
        "order" text NOT NULL, line text NOT NULL, part text NOT NULL, item text NOT NULL, place text NOT NULL,
        quantity bigint NOT NULL, origin text NOT NULL, state text NOT NULL, seq bigint NOT NULL, as_of bigint NOT NULL,
        until bigint NOT NULL, PRIMARY KEY ("order", line, part))""",
    "CREATE INDEX reservations_item ON reservations (item)",
    "CREATE INDEX reservations_until ON reservations (until) WHERE until > 0",
    """CREATE TABLE persons (
        person text PRIMARY KEY, sealed_key blob, known_since bigint NOT NULL, erased_at bigint NOT NULL)""",
    """CREATE TABLE parties (
        "order" text PRIMARY KEY, person text NOT NULL, country text NOT NULL, sealed blob NOT NULL, at bigint NOT NULL)""",
    "CREATE INDEX parties_person ON parties (person)",
    """CREATE TABLE person_envelopes (
        person text NOT NULL, seq bigint NOT NULL, PRIMARY KEY (person, seq))""",
    """CREATE TABLE oversells (
        seq bigint PRIMARY KEY, item text NOT NULL, at bigint NOT NULL, quantity bigint NOT NULL, words text NOT NULL)""",
)

_OVERSELLS: Final = (
    "ALTER TABLE oversells ADD COLUMN rose bigint NOT NULL DEFAULT 0",
    "ALTER TABLE oversells ADD COLUMN channels text NOT NULL DEFAULT '[]'",
    "ALTER TABLE oversells ADD COLUMN orders text NOT NULL DEFAULT '[]'",
    "ALTER TABLE oversells ADD COLUMN known text NOT NULL DEFAULT ''",
    "CREATE INDEX oversells_item ON oversells (item, seq)",
)

_MOVEMENTS: Final = (
    """CREATE TABLE movements (
        channel text NOT NULL, movement text NOT NULL, number text NOT NULL, kind text NOT NULL, state text NOT NULL,
        from_place text NOT NULL, to_place text NOT NULL, document text NOT NULL, at bigint NOT NULL, version bigint NOT NULL,
        as_of bigint NOT NULL, begun bigint NOT NULL, seq bigint NOT NULL, seen_at bigint NOT NULL, words text NOT NULL,
        PRIMARY KEY (channel, movement))""",
    "CREATE INDEX movements_seen ON movements (seen_at)",
    """CREATE TABLE moved_parts (
        channel text NOT NULL, movement text NOT NULL, part text NOT NULL, listing text NOT NULL, sku text NOT NULL,
        planned bigint NOT NULL, dispatched bigint NOT NULL, received bigint NOT NULL, left_before bigint NOT NULL,
        came_before bigint NOT NULL, told text NOT NULL, PRIMARY KEY (channel, movement, part))""",
    "CREATE INDEX moved_parts_open ON moved_parts (channel, movement) WHERE dispatched > received",
)

_BOOKS: Final = (
    """CREATE TABLE books (
        "order" text PRIMARY KEY, channel text NOT NULL, place text NOT NULL, currency text NOT NULL, day text NOT NULL,
        closes_at bigint NOT NULL, state text NOT NULL)""",
    "CREATE INDEX books_day ON books (channel, day)",
    "CREATE INDEX books_closing ON books (closes_at) WHERE state = 'open'",
    """CREATE TABLE book_entries (
        channel text NOT NULL, their text NOT NULL, "order" text NOT NULL, PRIMARY KEY (channel, their))""",
    """CREATE INDEX book_entries_order ON book_entries ("order")""",
)

_ROUTES: Final = (
    """CREATE TABLE routes (
        "order" text NOT NULL, line text NOT NULL, place text NOT NULL, item text NOT NULL, quantity bigint NOT NULL,
        short bigint NOT NULL, because text NOT NULL, seq bigint NOT NULL, at bigint NOT NULL,
        PRIMARY KEY ("order", line, place))""",
    "CREATE INDEX routes_waiting ON routes (item) WHERE short > 0 OR place = ''",
    """CREATE TABLE not_found (
        "order" text NOT NULL, fact text NOT NULL, line text NOT NULL, item text NOT NULL, place text NOT NULL,
        quantity bigint NOT NULL, on_hand bigint NOT NULL, seen bigint NOT NULL, at bigint NOT NULL, lifted_at bigint NOT NULL,
        PRIMARY KEY ("order", fact, line, item))""",
    "CREATE INDEX not_found_holding ON not_found (item, place) WHERE lifted_at = 0",
)

_BARCODES: Final = (
    "ALTER TABLE bindings ADD COLUMN barcode text NOT NULL DEFAULT ''",
    "CREATE INDEX bindings_barcode ON bindings (channel, barcode) WHERE barcode <> ''",
)

_VELOCITIES: Final = (
    """CREATE TABLE velocities (
        item text PRIMARY KEY, lately bigint NOT NULL, usually bigint NOT NULL, at bigint NOT NULL)""",
)

_WAITING: Final = (
    # What waits is asked for all the time, and what was understood is kept for weeks: nobody reads through that.
    "CREATE INDEX inbox_waiting ON inbox (channel, stream) WHERE state = 'new'",
)

_BY_HAND: Final = (
    "ALTER TABLE orders ADD COLUMN by_hand text NOT NULL DEFAULT ''",
    "ALTER TABLE orders ADD COLUMN settled text NOT NULL DEFAULT ''",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _FIRST,
    _ORDERS,
    _OVERSELLS,
    _MOVEMENTS,
    _BOOKS,
    _ROUTES,
    _BARCODES,
    _VELOCITIES,
    _WAITING,
    _BY_HAND,
)
SCHEMA_VERSION: Final = len(MIGRATIONS)

TYPES: Final = {
    "sqlite": {"bigint": "INTEGER", "blob": "BLOB"},
    "postgresql": {"blob": "bytea", "text": 'text COLLATE "C"'},
}
"""Texts are compared and sorted by their bytes in every engine, whatever language the server was set up for."""


class Migrating(Protocol):
    """What an engine offers to migrations, inside one transaction of its own making."""

    def begin(self) -> None:
        """Begin the transaction in which one hub migrates; others wait for its end."""
        ...

    def tables(self) -> set[str]:
        """The names of the tables that exist."""
        ...

    def run(self, text: str) -> None:
        """Run one statement."""
        ...

    def version(self) -> int:
        """The newest migration that was made, 0 when none was."""
        ...


def migrate(engine: Migrating, dialect: str) -> None:
    """Bring the store to this version; ConfigError when a newer hub has written it."""
    engine.begin()
    try:
        if "schema_versions" not in engine.tables():
            engine.run("CREATE TABLE schema_versions (version INTEGER PRIMARY KEY)")
        version = engine.version()
        if version > SCHEMA_VERSION:
            raise ConfigError(f"the store has schema {version}, this version knows {SCHEMA_VERSION}: run the newer Samklang")
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements:
                engine.run(_typed(statement, dialect))
            engine.run(f"INSERT INTO schema_versions (version) VALUES ({number})")
        engine.run("COMMIT")
    except BaseException:
        engine.run("ROLLBACK")
        raise


def _typed(statement: str, dialect: str) -> str:
    for name, engine_type in TYPES[dialect].items():
        statement = re.sub(rf" {name}\b", f" {engine_type}", statement)
    return statement
