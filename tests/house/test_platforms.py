"""The hub knows no platform by name: neither a connector of this house nor one that may come."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from house_grounds import ROOT, modules, parsed, text, words

ENGLISH = {"square", "meta", "template", "wise", "faire"}
"""Names of platforms that are ordinary words as well: allowed in a sentence, not in a name or as a text of their own."""
OTHERS = {
    "shopify",
    "woocommerce",
    "wordpress",
    "magento",
    "prestashop",
    "bigcommerce",
    "shopware",
    "odoo",
    "navision",
    "economic",
    "xero",
    "lightspeed",
    "zettle",
    "clover",
    "amazon",
    "ebay",
    "etsy",
    "zalando",
    "facebook",
    "instagram",
    "tiktok",
    "trytond",
}


def platforms() -> set[str]:
    """The connectors of this house and some others, in lower case."""
    return {path.parent.name for path in (ROOT / "connectors").glob("*/connector.yaml")} | OTHERS


def said(path: Path) -> Iterator[tuple[int, str]]:
    """Every word of the file, comments and docstrings too, with its line."""
    for number, line in enumerate(text(path).splitlines(), 1):
        yield from ((number, word) for word in words(line))


def named(path: Path) -> Iterator[tuple[int, str]]:
    """The first word of every name, and every text that is one word (so that it can be compared with something)."""
    for node in ast.walk(parsed(path)):
        line = getattr(node, "lineno", 0)
        for field in ("id", "attr", "name", "arg", "module", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from ((line, word) for word in words(value)[:1])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value.strip():
            yield from ((line, word) for word in words(node.value))


def test_no_platform_is_named_in_the_hub() -> None:
    plain = platforms() - ENGLISH
    found = [f"{path}:{line} {word}" for path in modules("hub") for line, word in said(path) if word in plain]
    assert not found, f"the hub names platforms: {found}"


def test_no_platform_with_an_ordinary_name_is_a_name_in_the_hub() -> None:
    # `hub.kit` makes new connectors from the folder `template`, which is a connector of the house and no platform.
    meant = platforms() & ENGLISH
    found = [
        f"{path}:{line} {word}"
        for path in modules("hub")
        for line, word in named(path)
        if word in meant and not (word == "template" and path.parts[1] in {"kit", "cli"})
    ]
    assert not found, f"the hub names platforms: {found}"


def test_no_folder_or_file_of_the_hub_is_a_platforms() -> None:
    found = [str(path) for path in (ROOT / "hub").rglob("*") if set(words(path.stem)) & platforms()]
    assert not found


def test_no_connector_names_another() -> None:
    """Nor does it say the name of a colleague in its manifest or code."""
    homes = sorted(path.parent.name for path in (ROOT / "connectors").glob("*/connector.yaml"))
    plain = set(homes) - ENGLISH
    found = [
        f"{path}:{line} {word}"
        for path in modules("connectors")
        for line, word in said(path)
        if word in plain and path.parts[1] != word
    ]
    assert not found
