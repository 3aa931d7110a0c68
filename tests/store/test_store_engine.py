"""The contract of every engine: units, reads, the sequence, key sets, cells, migrations and leaving."""

from __future__ import annotations

import pytest
from store_places import Place

from hub.errors import ConfigError, InvariantError
from hub.store import catalogue, dirty
from hub.store.catalogue import Item
from hub.store.database import KEYS_MAX, SEQUENCE_BLOCK, Database, Tx
from hub.store.dirty import Dirty
from hub.store.migrations import MIGRATIONS, SCHEMA_VERSION


def _save(tx: Tx, *ids: str) -> None:
    catalogue.save_items(tx, [Item(each, each) for each in ids])


def test_a_failed_unit_leaves_nothing(database: Database) -> None:
    def unit(tx: Tx) -> None:
        _save(tx, "a", "b")
        raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        database.transaction(unit)
    assert database.read(catalogue.all_item_ids) == []


def test_a_unit_sees_what_it_wrote_and_gives_its_result(database: Database) -> None:
    def unit(tx: Tx) -> list[str]:
        _save(tx, "a")
        return catalogue.all_item_ids(tx)

    assert database.transaction(unit) == ["a"]


def test_the_writer_is_not_called_from_the_writer(database: Database) -> None:
    for inner in (
        lambda: database.transaction(lambda tx: None),
        lambda: database.read(catalogue.all_item_ids),
        lambda: database.next(),
    ):
        with pytest.raises(InvariantError):
            database.transaction(lambda tx, inner=inner: inner())  # type: ignore[misc]
    database.transaction(lambda tx: _save(tx, "still works"))
    assert database.read(catalogue.all_item_ids) == ["still works"]


def test_a_read_does_not_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        database.read(lambda tx: _save(tx, "a"))
    assert database.read(catalogue.all_item_ids) == []
    database.transaction(lambda tx: _save(tx, "b"))
    assert database.read(catalogue.all_item_ids) == ["b"]


def test_sequence_numbers_rise_over_blocks_and_reopening(place: Place) -> None:
    database = place.open()
    drawn = [database.next() for _ in range(3)]
    block = database.next_block(SEQUENCE_BLOCK + 7)
    drawn += [*block, database.next()]
    assert len(block) == SEQUENCE_BLOCK + 7
    place.close(database)
    drawn.append(place.open().next())
    assert drawn == sorted(set(drawn))
    assert drawn[0] > 0


def test_an_empty_set_is_no_statement(database: Database) -> None:
    assert (
        database.transaction(lambda tx: tx.execute_keys("DELETE FROM nowhere WHERE x IN (SELECT k.x FROM @keys(x) k)", [])) == 0
    )
    database.transaction(lambda tx: tx.many("INSERT INTO nowhere VALUES (:x)", []))


def test_too_many_keys_are_refused(database: Database) -> None:
    with pytest.raises(InvariantError, match=str(KEYS_MAX)):
        database.read(lambda tx: catalogue.items(tx, (str(n) for n in range(KEYS_MAX + 1))))


ODD_TEXTS = ("", " ", "'", '"', "\\", "\\u0000", "%s %(x)s $1 ?1 :name", "ﬀ å\u0301 🫖", "\u2028\t\n", "[]", "null")


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_texts_are_keys_like_any_other(database: Database, text: str) -> None:
    database.transaction(lambda tx: _save(tx, text))
    assert set(database.read(lambda tx: catalogue.items(tx, [text, "other"]))) == {text}


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_whole_numbers_of_64_bits(database: Database, number: int) -> None:
    database.transaction(lambda tx: catalogue.save_items(tx, [Item("a", "", created_at=number)]))
    assert database.read(lambda tx: catalogue.items(tx, ["a"]))["a"].created_at == number


def test_what_cannot_be_stored_is_refused_without_its_value(database: Database) -> None:
    for wrong in (Item("secret\0", "x"), Item("secret", "x", created_at=2**63)):
        with pytest.raises(InvariantError) as refused:
            database.transaction(lambda tx, wrong=wrong: catalogue.save_items(tx, [wrong]))  # type: ignore[misc]
        assert "secret" not in str(refused.value)
    with pytest.raises(InvariantError):
        database.read(lambda tx: catalogue.items(tx, ["a\0"]))
    with pytest.raises(InvariantError):
        database.read(lambda tx: catalogue.bindings_in(tx, "shop\0"))
    assert database.read(catalogue.all_item_ids) == []


def test_the_same_key_twice_is_refused_without_its_value(database: Database) -> None:
    def unit(tx: Tx) -> None:
        for _ in range(2):
            tx.execute("INSERT INTO pace VALUES (:channel, :bucket, 0, '', 0)", channel="secret", bucket="secret")

    with pytest.raises(InvariantError) as refused:
        database.transaction(unit)
    assert "secret" not in str(refused.value)


def test_touched_rows_are_counted_alike(database: Database) -> None:
    put = (
        "INSERT INTO pace VALUES (:c, '', :until, '', 0) ON CONFLICT (channel) DO UPDATE SET paused_until = excluded.paused_until"
    )

    def unit(tx: Tx) -> list[int]:
        return [
            tx.execute(put, c="a", until=1),
            tx.execute(put, c="b", until=1),
            tx.execute(put, c="a", until=5),
            tx.execute(put + " WHERE pace.paused_until < excluded.paused_until", c="a", until=4),
            tx.execute("INSERT INTO pace VALUES (:c, '', 0, '', 0) ON CONFLICT (channel) DO NOTHING", c="a"),
            tx.execute("UPDATE pace SET failures = 0"),
            tx.execute("UPDATE pace SET failures = 1 WHERE channel = 'none'"),
            tx.execute("DELETE FROM pace"),
        ]

    assert database.transaction(unit) == [1, 1, 1, 0, 0, 2, 0, 2]


def test_the_seams_are_called_around_each_unit(database: Database) -> None:
    seen: list[str] = []
    database.seam = seen.append
    database.transaction(lambda tx: seen.append("unit"))
    database.read(lambda tx: seen.append("look"))
    assert seen == ["before transaction", "unit", "after transaction", "before read", "look", "after read"]


def test_what_is_stored_is_there_after_reopening(place: Place) -> None:
    first = place.open()
    first.transaction(lambda tx: _save(tx, "a"))
    assert first.size_bytes() > 0
    place.close(first)
    assert place.open().read(catalogue.all_item_ids) == ["a"]


def test_a_newer_store_is_refused_and_left_alone(place: Place) -> None:
    database = place.open()
    database.transaction(lambda tx: tx.execute("INSERT INTO schema_versions (version) VALUES (:v)", v=SCHEMA_VERSION + 1))
    place.close(database)
    with pytest.raises(ConfigError, match="newer"):
        place.open()


def test_all_tables_are_made_once(place: Place) -> None:
    place.close(place.open())
    database = place.open()
    tables = [text.split()[2] for migration in MIGRATIONS for text in migration if text.startswith("CREATE TABLE")]
    for table in tables:
        assert database.read(lambda tx, table=table: tx.query(f"SELECT count(*) FROM {table}")) == [(0,)]  # type: ignore[misc]


def test_a_mark_set_meanwhile_is_not_cleared(database: Database) -> None:
    database.transaction(
        lambda tx: dirty.mark(tx, [(dirty.ITEM, "a", ""), (dirty.LISTING, "shop", "L1"), (dirty.ITEM, "a", "")], 7)
    )
    seen = database.read(lambda tx: dirty.oldest(tx, 10))
    assert seen == [Dirty("item", "a", "", 7), Dirty("listing", "shop", "L1", 7)]
    # Drawn before 7, committed after it.
    database.transaction(lambda tx: dirty.mark(tx, [(dirty.ITEM, "a", "")], 5))
    database.transaction(lambda tx: dirty.clear(tx, seen))
    assert database.read(lambda tx: dirty.oldest(tx, 10)) == [Dirty("item", "a", "", 5)]
    database.transaction(lambda tx: dirty.clear(tx, [Dirty("item", "a", "", 5)]))
    assert database.read(dirty.count) == 0


def test_every_item_is_marked_at_once(database: Database) -> None:
    database.transaction(lambda tx: _save(tx, *(f"i{n:03}" for n in range(300))))
    database.transaction(lambda tx: dirty.mark(tx, [(dirty.ITEM, "i007", ""), (dirty.LISTING, "shop", "L1")], 3))
    database.transaction(lambda tx: dirty.mark_all_items(tx, 9))
    assert database.read(dirty.count) == 301
    assert database.read(lambda tx: dirty.oldest(tx, 2)) == [Dirty("listing", "shop", "L1", 3), Dirty("item", "i000", "", 9)]


def test_orders_wait_in_a_line_of_their_own(database: Database) -> None:
    database.transaction(lambda tx: dirty.mark(tx, [(dirty.ORDER, "o2", ""), (dirty.ITEM, "i", "")], 3))
    database.transaction(lambda tx: dirty.mark(tx, [(dirty.ORDER, "o1", "")], 4))
    assert database.read(lambda tx: dirty.oldest_orders(tx, 9)) == [Dirty("order", "o2", "", 3), Dirty("order", "o1", "", 4)]
    assert database.read(lambda tx: dirty.oldest(tx, 9)) == [Dirty("item", "i", "", 3)]
