"""The runner behind `make bench`: measures everything in one run, prints a table and writes bench-results.json.

Ratios are CPU time (user and system) against CPU time of the same run, so they hold on a slow or busy machine as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench-results.json"
GOALS = {
    "intake_vs_echo": 0.6,
    "mapping_order_vs_hand": 0.6,
    "mapping_product_vs_hand": 0.6,
    "walk_events_per_second": 3_000.0,
    "orders_per_second": 100.0,
}
WORDS = {
    "intake_vs_echo": "durable intake against a bare echo with the same signature check",
    "mapping_order_vs_hand": "an order of 10 lines mapped, against hand-written Python",
    "mapping_product_vs_hand": "a product of 100 variants mapped, against hand-written Python",
    "walk_events_per_second": "distinct stock events to intended changes, four channels, one core",
    "orders_per_second": "orders from a shop's deliveries to sales in an ERP, both platforms in small, one core",
}


def benches() -> dict[str, Callable[[], dict[str, float]]]:
    """What can be measured, by name."""
    sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
    import bench_contact
    import bench_intake
    import bench_mapping
    import bench_orders
    import bench_walk

    return {
        "intake": bench_intake.measure,
        "mapping": bench_mapping.measure,
        "walk": bench_walk.measure,
        "orders": bench_orders.measure,
        "contact": bench_contact.measure,
    }


def main() -> None:
    """Measure, show, write."""
    known = benches()
    parser = argparse.ArgumentParser(description="Measure what the hub costs.")
    parser.add_argument("only", nargs="*", choices=[[], *known], help="which to measure (all)")
    chosen = parser.parse_args().only or list(known)
    console = Console()
    raw: dict[str, dict[str, float]] = {}
    for name in chosen:
        with console.status(f"measuring {name} …"):
            raw[name] = known[name]()
    machine = {"cores": os.cpu_count() or 1, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    found = {key: figures[key] for key in GOALS for figures in raw.values() if key in figures}
    RESULTS.write_text(json.dumps({**found, "goals": GOALS, "raw": raw, "machine": machine}, indent=2) + "\n", encoding="utf-8")
    console.print(_goals(found))
    console.print(_raw(raw))
    console.print(f"{machine['cores']} cores, Python {machine['python']}, SQLite {machine['sqlite']}; written: {RESULTS.name}")


def _goals(found: dict[str, float]) -> Table:
    table = Table("measured", "what", "goal", title="Samklang, CPU time")
    for key, value in found.items():
        missed = "" if value >= GOALS[key] else f" (missed by {100 - value * 100 / GOALS[key]:.0f} %)"
        table.add_row(f"{value:,g}", f"{WORDS[key]}\n[dim]{key}[/dim]", f"at least {GOALS[key]:,g}{missed}")
    return table


def _raw(raw: dict[str, dict[str, float]]) -> Table:
    table = Table("raw figure", "value", title="beside them")
    for figures in raw.values():
        for key, value in figures.items():
            if key not in GOALS:
                table.add_row(key, f"{value:,g}")
    return table


if __name__ == "__main__":
    main()
