"""Liars about reading."""

from __future__ import annotations

from liars.liar import CODE, Liar

ONCE = "reading to the end gives each record once"
FIRST_PAGE = "        if not window.page:\n            # By their clock"
ASKED = '        told = self.asked(f"/{stream}", query, f"read {stream}")\n'

LIARS = (
    Liar(
        "drops_the_last_page",
        ONCE,
        ((CODE, FIRST_PAGE, '        if window.page and not told["next"]:\n            told[stream] = []\n' + FIRST_PAGE),),
    ),
    Liar("says_a_record_twice", ONCE, ((CODE, "{stream: told[stream]})", "{stream: told[stream][:1] + told[stream]})"),)),
    Liar("never_comes_to_an_end", ONCE, ((CODE, 'query["page"] = window.page', 'query["page"] = ""'),)),
    Liar(
        "takes_a_cut_for_the_end",
        "a cut read resumes without loss",
        (
            (
                CODE,
                ASKED,
                "        try:\n    " + ASKED + "        except UnavailableError:\n"
                '            told = {"items": [], "now": 0, "total": 0}\n',
            ),
        ),
    ),
    Liar(
        "leads_nowhere_after_a_cut",
        "a cut read resumes without loss",
        ((CODE, "window.next_page(following), True", "window.next_page(following) if ask.page_max > 2 else 'x', True"),),
    ),
    Liar(
        "takes_its_time_from_the_last_page",
        "a record changed during paging is seen",
        ((CODE, FIRST_PAGE, FIRST_PAGE.replace("not window.page", "told")),),
    ),
    Liar(
        "never_reads_what_changed",
        "a change is seen by the next poll",
        ((CODE, "str(window.since // MICROS_PER_MILLI)", "str(10**15)"),),
    ),
    Liar("keeps_what_is_gone", "a look up names what is gone and nothing else", ((CODE, "gone.append(ident)", "continue"),)),
    Liar(
        "calls_everything_gone",
        "a look up names what is gone and nothing else",
        ((CODE, "gone=tuple(gone))", "gone=tuple(ids))"),),
    ),
)
