"""Bugs in what becomes of things that are new, given up or deleted."""

from __future__ import annotations

from planted.plant import Mutant

TOLD = "hub/told.py"

MUTANTS = (
    Mutant(
        "what somebody deleted is listed anew",
        "hub/decide.py",
        "if not any(b.channel == name for b in bindings)]",
        'if not any(b.channel == name and b.state != "gone" for b in bindings)]',
        ("shown is true",),
        "changing",
    ),
    Mutant(
        "what is given up stays on sale where the hub lists it",
        "hub/desired/listing.py",
        'item.get("state") in ("inactive", "gone")',
        'item.get("state") == "gone"',
        ("shown is true",),
        "changing",
        quick=True,
    ),
    Mutant(
        "what is gone is not remembered as gone",
        TOLD,
        'replace(b, state="gone") if',
        "b if",
        ("in circles", "at rest"),
        "changing",
    ),
    Mutant(
        "an order forgets what it is about once its product is deleted",
        "hub/ordered.py",
        "recognised(tx, [(t.channel, t.value) for t in said], known)",
        "[t.value for t in said]",
        ("at rest", "each sale once", "handed out"),
        "changing seven",
    ),
    Mutant(
        "what was fetched long ago is taken off a listing made anew",
        "hub/documents/moved.py",
        "(quantity * pieces - before) // listing.factor",
        "quantity * pieces // listing.factor",
        ("shown is true",),
        "relisting",
        seeds=4,
    ),
    Mutant(
        "what a till has deleted is no item for the order that waits there",
        "hub/documents/placed.py",
        "    return bound if bound is not None and bound.item == item else around.listings.get((name, item))",
        "    return around.listings.get((name, item))",
        ("at rest",),
        "relisting",
        seeds=2,
    ),
    Mutant(
        "a letter outlives the listing that it is about",
        TOLD,
        " - fresh - listings | over)",
        " - fresh - listings)",
        ("at rest",),
        "drifting",
    ),
)
