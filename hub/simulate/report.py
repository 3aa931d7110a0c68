"""What came of simulated days as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from hub.simulate.all_knowing import BLAME
from hub.simulate.onepage import one_page, table
from hub.simulate.simulation import Result


def page(results: Sequence[Result], faults: str) -> str:
    """The whole page as HTML."""
    broken = sum(1 for result in results if result.violations)
    verdict = f"{broken} of {len(results)} seeds broke a promise" if broken else f"all {len(results)} seeds agree in the end"
    parts = [
        f"<p>Faults: {escape(faults)}. <strong>{verdict}.</strong></p>",
        _overview(results),
        *(_seed(result) for result in results),
    ]
    return one_page("Simulated days", parts)


def _overview(results: Sequence[Result]) -> str:
    heads = ("seed", "agree", "virtual hours", "agreed after", "sold", "oversold", "requests", "hub starts", "ledger")
    rows = []
    for result in results:
        word = "no" if result.violations else "yes"
        calls = sum(count for (_, what), count in result.calls.items() if what != "refused")
        cells = [str(result.seed), f'<span class="{word}">{word}</span>', f"{result.virtual_seconds / 3600:.0f}"]
        cells += [f"{result.settled_seconds / 60:.0f} min", str(result.sold), str(result.oversold), str(calls)]
        rows.append([*cells, str(result.starts), f"<code>{result.ledger_hash[:16]}</code>"])
    return table(heads, rows)


def _seed(result: Result) -> str:
    heads = ("channel", "disagreed: half", "99 of 100", "longest", "reads", "writes", "refused")
    rows = [
        [escape(name), *(f"{seconds / 60:.0f} min" for seconds in lasted)]
        + [str(result.calls.get((name, what), 0)) for what in ("read", "write", "refused")]
        for name, lasted in result.disagreed.items()
    ]
    faults = ", ".join(f"{name} {count}" for name, count in result.faults.items()) or "none"
    said = [f"<h2>Seed {result.seed}</h2>", table(heads, rows), f"<p>What went wrong: {escape(faults)}.</p>"]
    said.append(_account(result))
    said.append(f"<p>The longest: {escape(result.worst) or 'none'}.</p>")
    if result.violations:
        said.append("<h3>Promises broken</h3>" + _listed(map(str, result.violations)))
        said.append("<h3>What people did last</h3>" + _listed(result.tells))
        said.append("<h3>The last lines of the ledger</h3>" + _listed(result.last_lines))
    return "\n".join(said)


def _account(result: Result) -> str:
    """Who is to blame for what was sold twice, what was not sold, and what each way of writing stock exposes to."""
    account = result.account
    heads = ("sold on", "oversold: nobody's fault", "somebody typed it", "the hub's fault", "lost to caution", "rightly not sold")
    rows: list[list[str]] = []
    for name in sorted({*account.oversold, *account.turned_away, *account.rightly}):
        pieces = [account.oversold.get(name, {}).get(whose, 0) for whose in BLAME]
        pieces += [account.turned_away.get(name, 0), account.rightly.get(name, 0)]
        rows.append([escape(name), *map(str, pieces)])
    wrote = ("stock is written to", "how", "writes", "seconds from figure to effect, longest", "sold meanwhile", "offered again")
    ways: list[list[str]] = []
    for name, each in result.exposure.items():
        seconds = f"{each.seconds / max(1, each.writes):.2f}, {each.seconds_max:.1f}"
        if each.writes:
            ways.append([escape(name), escape(each.words()), str(each.writes), seconds, str(each.sold_between), str(each.undone)])
    return "<p>Pieces, against a hub that knows everything at once:</p>" + table(heads, rows) + table(wrote, ways)


def _listed(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"
