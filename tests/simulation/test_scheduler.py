"""The seeded scheduler: the same seed is the same order of workers, time is virtual, and the dead do nothing more."""

from __future__ import annotations

import pytest

from hub.simulate.scheduler import START, Flag, Scheduler, StuckError, VirtualClock


def told_by_three(seed: int) -> list[str]:
    scheduler, told = Scheduler(seed, switching=0.5), []

    def work(name: str) -> None:
        for number in range(20):
            told.append(f"{name}{number}")
            scheduler.pause("between")

    for name in "abc":
        scheduler.start(name, lambda name=name: work(name))  # type: ignore[misc]
    scheduler.run(START + 1)
    return told


def test_a_seed_is_an_order_of_workers() -> None:
    assert told_by_three(1) == told_by_three(1)
    assert len({tuple(told_by_three(seed)) for seed in range(5)}) == 5
    assert told_by_three(1) != sorted(told_by_three(1)), "workers take turns"


def test_waiting_costs_no_time_and_a_raised_flag_ends_it() -> None:
    scheduler = Scheduler(0)
    clock, flag, woke = VirtualClock(scheduler), Flag(), []

    def waits() -> None:
        woke.append((clock.wait(flag, 3_600.0), scheduler.now - START))
        woke.append((clock.wait(Flag(), 60.0), scheduler.now - START))

    def raises() -> None:
        clock.sleep(5.0)
        flag.set()

    scheduler.start("waits", waits)
    scheduler.start("raises", raises)
    scheduler.run(START + 86_400_000_000)
    assert woke == [(True, 5_000_000), (False, 65_000_000)]
    assert scheduler.now == START + 86_400_000_000


def test_who_dies_at_a_seam_does_nothing_more_not_even_at_its_end() -> None:
    scheduler, did, deaths = Scheduler(0), [], []

    def work(name: str) -> None:
        try:
            for number in range(10):
                did.append((name, number))
                scheduler.sleep(1.0)
                scheduler.pause("seam")
        finally:
            scheduler.pause("a last thing")
            did.append((name, -1))

    scheduler.crashing = lambda task, where: task.name == "one" and where == "seam" and scheduler.now >= START + 3_000_000
    scheduler.died = deaths.append
    for name in ("one", "two"):
        scheduler.start(name, lambda name=name: work(name), "hub")  # type: ignore[misc]
    scheduler.run(START + 60_000_000)
    assert deaths == ["hub"]
    assert not scheduler.lives("hub")
    assert (-1) not in {number for _, number in did}
    assert max(number for _, number in did) <= 3


def test_a_worker_that_fails_is_not_passed_over() -> None:
    scheduler = Scheduler(0)

    def fails() -> None:
        raise ValueError("wrong")

    scheduler.start("fails", fails)
    with pytest.raises(ValueError, match="wrong"):
        scheduler.run(START + 1)


def test_running_in_circles_is_noticed() -> None:
    scheduler = Scheduler(0)

    def circles() -> None:
        while True:
            scheduler.sleep(0.0)

    scheduler.start("circles", circles)
    with pytest.raises(StuckError, match="circles"):
        scheduler.run(START + 1)
