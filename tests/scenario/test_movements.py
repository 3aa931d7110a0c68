"""Goods between the warehouse and a store: under way they are nobody's, what arrives is sold once, a remainder stays visible."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from stage import FILES, Stage, stage

from hub import moved, transit
from hub.why import why

STORE, FLOOR, WAREHOUSE = "LAARHUS000001", "10", "3"
FILES_HERE = {"locations.yaml": FILES["locations.yaml"].replace("{till: LAARHUS000001}", '{till: LAARHUS000001, erp: "10"}')}


def opened(tmp_path: Path, **files: str) -> Stage:
    made = stage(tmp_path, files={**FILES_HERE, **{name.replace("__", "/") + ".yaml": text for name, text in files.items()}})
    for sku in ("TEE", "CAP"):
        for channel in ("erp", "till", "webshop"):
            made.platforms[channel].add_item(sku, sku, price=Decimal("100.00"))
        made.platforms["erp"].count(sku, 40, WAREHOUSE)
        made.platforms["till"].count(sku, 5, STORE)
    return made


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    made = opened(tmp_path)
    made.run(120)
    assert standing(made) == (40, 5, 45)
    return made


def standing(shop: Stage, sku: str = "TEE") -> tuple[int, int, int]:
    """What there is in the warehouse by the ERP, in the store by the till, and what the webshop sells."""
    warehouse = shop.platforms["erp"].shown()[sku]["stock"][WAREHOUSE]
    return warehouse, shop.platforms["till"].shown()[sku]["stock"][STORE], shop.shows("webshop", sku)


def under_way(shop: Stage) -> list[list[str]]:
    """What `samklang movements --open` names as open."""
    return [each.open for each in transit.latest(shop.hub.config, shop.hub.database, only_open=True)]


def sent(shop: Stage, pieces: int = 20) -> str:
    """A transfer that has left the warehouse."""
    number: str = shop.platforms["erp"].transfer({"TEE": pieces}, WAREHOUSE, FLOOR)
    shop.platforms["erp"].dispatch(number)
    return number


def test_what_is_under_way_is_sold_by_nobody_and_what_arrives_is_sold_once(shop: Stage) -> None:
    number = sent(shop)
    shop.run(130)
    assert standing(shop) == (20, 5, 25)
    assert under_way(shop) == [["20 of TEE"]]

    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.run(130)
    assert standing(shop) == (20, 23, 43)
    assert under_way(shop) == [["2 of TEE"]]
    assert standing(shop, "CAP") == (40, 5, 45)
    assert shop.letters() == []

    writes = shop.writes("till")
    shop.run(7200)
    assert standing(shop) == (20, 23, 43)
    assert shop.writes("till") == writes
    assert under_way(shop) == [["2 of TEE"]]


def test_the_list_says_who_was_told(shop: Stage) -> None:
    number = sent(shop)
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.run(130)
    (found,) = transit.latest(shop.hub.config, shop.hub.database)
    assert (found.told_by, found.source, found.destination, found.words) == ("erp", "warehouse", "aarhus", "")
    (line,) = found.lines
    assert (line.sku, line.dispatched, line.received, line.open) == ("TEE", "20", "18", "2")
    (who,) = line.told
    assert (who["channel"], who["location"], who["knows"], who["should"]) == ("till", "aarhus", "18", "18")


@pytest.mark.parametrize("lost", [1, 3, 6])
def test_answers_are_lost_and_it_arrives_once(shop: Stage, lost: int) -> None:
    number = sent(shop)
    shop.run(130)
    shop.platforms["till"].faults.lose_answer_next = lost
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.run(1800)
    assert standing(shop) == (20, 23, 43)


def test_the_till_is_down_when_it_arrives(shop: Stage) -> None:
    number = sent(shop)
    shop.run(130)
    shop.platforms["till"].faults.down = True
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.run(3600)
    assert standing(shop)[1:] == (5, 25)
    shop.platforms["till"].faults.down = False
    shop.run(1800)
    assert standing(shop) == (20, 23, 43)


@pytest.mark.parametrize("steps", [2, 4, 5, 6, 9])
def test_the_hub_dies_while_it_arrives(shop: Stage, steps: int) -> None:
    number = sent(shop)
    shop.run(130)
    shop.platforms["till"].faults.lose_answer_next = 1
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.clock.advance(61)
    for step in range(steps):
        shop.hub.walk.step()
        shop.hub.turns["erp" if step % 2 else "till"].step()
    shop.restart()
    shop.run(1800)
    assert standing(shop) == (20, 23, 43)


class _DiedError(BaseException):
    """The process is gone."""


def test_the_hub_dies_after_the_till_has_taken_it_and_before_it_is_written_down(
    shop: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise _DiedError

    number = sent(shop)
    shop.run(130)
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    monkeypatch.setattr("hub.store.changes.keep_receipts", die)
    with pytest.raises(_DiedError):
        shop.run(130)
    assert standing(shop) == (20, 23, 25)
    monkeypatch.undo()
    shop.restart()
    shop.run(600)
    assert standing(shop) == (20, 23, 43)


def test_the_till_sells_while_it_arrives(shop: Stage) -> None:
    number = sent(shop)
    shop.platforms["till"].faults.lose_answer_next = 2
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.clock.advance(61)
    for _ in range(12):
        for turn in shop.hub.turns.values():
            turn.step()
        shop.hub.walk.step()
    shop.platforms["till"].ring_up({"TEE": 1}, place=STORE)
    shop.run(1800)
    assert standing(shop) == (20, 22, 42)


def test_what_comes_later_is_added_by_the_difference(shop: Stage) -> None:
    for pieces in (6, 4):
        shop.platforms["erp"].receive_transfer(sent(shop, pieces))
        shop.run(130)
    assert standing(shop) == (30, 15, 45)
    assert under_way(shop) == []


def test_what_had_arrived_before_the_hub_came_is_not_told_again(tmp_path: Path) -> None:
    made = opened(tmp_path)
    made.platforms["erp"].receive_transfer(sent(made))
    number = sent(made, 10)
    made.platforms["till"].count("TEE", 25, STORE)
    made.run(300)
    assert standing(made) == (10, 25, 35)
    made.platforms["erp"].receive_transfer(number)
    made.run(130)
    assert standing(made) == (10, 35, 45)


def test_the_reason_is_told_in_words(shop: Stage) -> None:
    number = sent(shop)
    shop.platforms["erp"].receive_transfer(number, {"TEE": 18})
    shop.run(130)
    manifests = {name: channel.manifest for name, channel in shop.hub.channels.items()}
    (found,) = why(shop.hub.config, manifests, shop.hub.database, "till", "TEE", "movement")
    assert found.target_words == "18 moved (receipt)"
    assert found.standing == "it shows what it should"
    assert any("of erp at aarhus" in step for step in found.steps)
    assert [source["channel"] for source in found.sources] == ["erp"]


def test_what_left_a_store_is_no_longer_sold_there(shop: Stage) -> None:
    shop.platforms["erp"].count("TEE", 5, FLOOR)
    number = shop.platforms["erp"].transfer({"TEE": 3}, FLOOR, WAREHOUSE)
    shop.platforms["erp"].dispatch(number)
    shop.run(130)
    assert standing(shop) == (40, 2, 42)
    shop.platforms["erp"].receive_transfer(number)
    shop.run(130)
    assert standing(shop) == (43, 2, 45)


def test_a_till_that_is_only_watched_is_counted_by_hand(tmp_path: Path) -> None:
    made = opened(tmp_path, channels__till=FILES["channels/till.yaml"].replace("mode: live", "mode: observe"))
    made.run(120)
    made.platforms["erp"].receive_transfer(sent(made))
    made.run(300)
    assert standing(made)[1] == 5
    assert made.writes("till") == 0


def test_a_thing_that_the_till_does_not_know_is_named_and_told_once_it_does(shop: Stage) -> None:
    shop.platforms["erp"].add_item("MUG", "Mug", price=Decimal("50.00"))
    shop.platforms["erp"].count("MUG", 9, WAREHOUSE)
    shop.run(130)
    number = shop.platforms["erp"].transfer({"MUG": 4}, WAREHOUSE, FLOOR)
    shop.platforms["erp"].dispatch(number)
    shop.platforms["erp"].receive_transfer(number)
    shop.run(130)
    (found,) = transit.latest(shop.hub.config, shop.hub.database, only_open=True)
    assert "no listing of MUG on till" in found.words
    shop.platforms["till"].add_item("MUG", "Mug", price=Decimal("50.00"))
    shop.run(7300)
    assert shop.platforms["till"].shown()["MUG"]["stock"][STORE] == 4
    assert under_way(shop) == []


def test_an_old_movement_is_forgotten_with_what_was_told_and_never_told_again(shop: Stage) -> None:
    number = sent(shop)
    shop.platforms["erp"].receive_transfer(number)
    shop.run(130)
    assert standing(shop) == (20, 25, 45)
    days = shop.hub.config.hub.ledger_days + 1
    before = shop.clock.now() + 86_400_000_000
    assert shop.hub.database.transaction(lambda tx: moved.tidy(tx, before, 100)) > 0
    assert transit.latest(shop.hub.config, shop.hub.database) == []
    shop.clock.advance(days * 86_400)
    shop.run(7200)
    assert standing(shop) == (20, 25, 45)
