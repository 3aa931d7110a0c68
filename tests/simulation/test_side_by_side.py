"""The same days allocated in other ways: which ways there are, and what their sums say."""

from __future__ import annotations

from hub.settings.check_quota import quota_problems
from hub.simulate.all_knowing import BLAME, OURS, Account
from hub.simulate.exposure import Exposed
from hub.simulate.retailer import generated
from hub.simulate.side_by_side import DIVIDED, _outcomes, ways
from hub.simulate.simulation import Result


def result(oversold: int, lost: int) -> Result:
    account = Account({"webshop": {OURS: oversold}}, {"webshop": lost}, {})
    exposure = {"webshop": Exposed("set", True, False, 4, 2, 1, 0.4, 0.2)}
    return Result(1, [], "", 0, 0.0, 0.0, 10, oversold, {}, {}, 1, {}, "", [], [], account, exposure)


def test_nothing_kept_one_two_and_the_last_pieces_divided() -> None:
    for world in ("small", "seven"):
        found = list(ways(generated(world)))
        assert [way.name for way in found] == ["safety stock 0", "safety stock 1", "safety stock 2", DIVIDED]
        assert [way.config.allocation.rules[0].safety_stock for way in found] == [0, 1, 2, 0]
        weights = found[-1].config.allocation.rules[0].quota_weights
        assert (weights["webshop"], weights["erp"], weights["social"]) == (1, 1, 0)
        assert not set(weights) & {"till"}
        assert list(quota_problems(found[-1].config)) == []


def test_sums_over_seeds() -> None:
    way = next(ways(generated("small")))
    way.add(result(2, 3))
    way.add(result(1, 0))
    assert (way.sold, way.lost, way.oversold) == (20, 3, {**dict.fromkeys(BLAME, 0), OURS: 3})
    first, _, _, last = _outcomes([way])
    assert first.startswith("Pieces")
    assert last == (
        "  safety stock 0: webshop, set (looks right before): 8 writes, "
        "0.10 s, longest 0.2 s; 4 sold meanwhile, 2 of them offered again"
    )
