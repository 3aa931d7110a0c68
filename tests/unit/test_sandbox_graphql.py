"""The small GraphQL of the sandboxes gives exactly what was chosen, and refuses what a schema would refuse."""

from __future__ import annotations

import pytest

from hub.canonical.values import Plain
from hub.sdk.sandbox_graphql import DocumentError, Phrases, Scalar, bound, read_document, shaped

SHOP: dict[str, Plain] = {
    "__typename": "Shop",
    "id": "1",
    "name": "Made Shop",
    "data": Scalar({"any": "thing"}),
    "items": lambda said: [{"__typename": "Item", "sku": f"S-{n}"} for n in range(said.get("first") or 2)],
}


def answer(document: str, **variables: Plain) -> Plain:
    operation = read_document(document)
    return {one.alias: shaped(SHOP, one.chosen, operation, variables, one.name) for one in operation.chosen}


def test_a_selection_is_answered_and_nothing_else() -> None:
    more = "fragment More on Shop { id }"
    told = answer('query Q($n: Int = 1) { mine: shop(id: "1") { name items(first: 1) { sku } ...More data } }' + more)
    assert told == {"mine": {"name": "Made Shop", "items": [{"sku": "S-0"}], "id": "1", "data": {"any": "thing"}}}


def test_fragments_of_another_type_and_skipped_fields_are_left_out() -> None:
    document = "query($no: Boolean!) { shop { ... on Item { sku } id @include(if: $no) name @skip(if: $no) } }"
    assert answer(document, no=False) == {"shop": {"name": "Made Shop"}}
    assert answer(document, no=True) == {"shop": {"id": "1"}}


def test_variables_with_a_default_need_not_be_given() -> None:
    operation = read_document("mutation($a: [ID!]!, $b: Int! = 3, $c: String) { set(a: $a, b: $b, in: {c: $c, d: $d}) { id } }")
    assert (operation.kind, operation.required, operation.defaults) == ("mutation", ["a"], {"b": 3})
    assert bound(operation.chosen[0].arguments, {"a": ["1"], "c": None}) == {"a": ["1"], "in": {"c": None}}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{ shop { colour } }", 'Cannot query field "colour" on type "Shop".'),
        ("{ shop }", 'Field "shop" of an object type must have a selection of subfields.'),
        ("{ shop { name { first } } }", 'Field "name" must not have a selection since it has no subfields.'),
        ("{ shop { ...Unknown } }", 'Unknown fragment "Unknown".'),
        ("{ shop { id }", "Syntax Error: Expected a token, found the end."),
        ("subscription { shop { id } }", 'Syntax Error: Unexpected Name "subscription".'),
        ("{ shop { id } } { shop { id } }", "Must provide operation name if query contains multiple operations."),
        ("fragment More on Shop { id }", "Must provide an operation."),
        ("{ shop { id ; } }", "Syntax Error: Unexpected character."),
        ("{a" * 40 + "}" * 40, "Nested too deeply."),
    ],
)
def test_what_no_schema_allows_is_refused(document: str, words: str) -> None:
    with pytest.raises(DocumentError) as said:
        answer(document)
    assert str(said.value) == words


def test_a_platform_refuses_in_its_own_words() -> None:
    own = Phrases(unknown="{kind} knows no {name}")
    operation = read_document("{ shop { colour } }", own)
    with pytest.raises(DocumentError, match="Shop knows no colour"):
        shaped(SHOP, operation.chosen[0].chosen, operation, {}, "shop")
