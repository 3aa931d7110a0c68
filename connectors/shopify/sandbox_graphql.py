"""The shop's own words for a bad document, and what a document costs: at most, and when it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.sdk.api import Plain
from hub.sdk.sandbox_graphql import Operation, Phrases, Selection, bound, included

FREE: Final = frozenset({"pageInfo", "userErrors", "nodes", "edges", "node", "orderCancelUserErrors"})
"""Parts of an answer that cost nothing by themselves."""
MUTATION_COST: Final = 10
PHRASES: Final = Phrases(
    character="syntax error, unexpected invalid token",
    token="syntax error, unexpected {found}, expecting {wanted}",
    kind="syntax error, unexpected {found}",
    several="An operation name is required",
    none="No operation",
    deep="Query has too many levels",
    scalar="Selections can't be made on scalars (field '{name}' selects)",
    bare="Field must have selections (field '{name}' returns an object but has no selections)",
    fragment="Fragment {name} was used, but not defined",
    unknown="Field '{name}' doesn't exist on type '{kind}'",
)


def requested_cost(operation: Operation, variables: Mapping[str, Plain]) -> int:
    """What the document may cost at most: an object is 1, a connection as many as it may list, a mutation 10.

    Lists that take no `first` count as one object. What is not known of the platform's own count is counted high.
    """
    base = MUTATION_COST if operation.kind == "mutation" else 0
    return sum(base + _cost(one, operation, variables) for one in operation.chosen if included(one, variables))


def _cost(one: Selection, operation: Operation, variables: Mapping[str, Plain]) -> int:
    if one.spread:
        one = operation.fragments.get(one.spread, one)
    # Of several types that an object may be of, the dearest counts.
    parts = [part for part in one.chosen if (part.chosen or part.spread) and included(part, variables)]
    inner = sum([_cost(part, operation, variables) for part in parts if part.name])
    inner += max([_cost(part, operation, variables) for part in parts if not part.name], default=0)
    if not one.name or (one.name in FREE and "ids" not in one.arguments):
        return inner
    if not one.chosen:
        return 0
    many = bound(one.arguments.get("first", 1), variables)
    ids = bound(one.arguments.get("ids"), variables)
    return int(len(ids) if isinstance(ids, list) else many or 1) * (1 + inner)


def actual_cost(answer: Plain) -> int:
    """What the answer did cost: one for each object in it that is not a mere wrapper."""
    if isinstance(answer, list):
        return sum([actual_cost(one) for one in answer])
    if not isinstance(answer, dict):
        return 0
    wrapper = "pageInfo" in answer or "nodes" in answer or "edges" in answer
    inner = [part for name, part in answer.items() if isinstance(part, (dict, list)) and name not in ("pageInfo", "userErrors")]
    return (0 if wrapper else 1) + sum([actual_cost(part) for part in inner])
