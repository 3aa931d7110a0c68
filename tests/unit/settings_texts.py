"""A small sound configuration as texts, for tests that break one thing in it."""

from __future__ import annotations

from collections.abc import Mapping

from hub.errors import ConfigError
from hub.settings.load import load_text

SOUND: Mapping[str, str] = {
    "hub.yaml": "name: test\n",
    "locations.yaml": (
        "warehouse: {title: Warehouse, channels: {erp: '4'}}\n"
        "aarhus: {title: Aarhus, channels: {till: L1}}\n"
        "quarantine: {sellable: false}\n"
    ),
    "authority.yaml": (
        "items: [{channel: erp}]\n"
        "stock:\n"
        "  - {channel: erp, covers: [warehouse]}\n"
        "  - {channel: till, covers: [aarhus], contains: ['till:*']}\n"
        "prices: [{channel: erp, list: retail}]\n"
    ),
    "allocation.yaml": "rules:\n  - {channels: [webshop], safety_stock: 1}\nbundles:\n  K: [{sku: A, pieces: 1}]\n",
    "pricing.yaml": (
        "lists:\n  retail: {currency: DKK, tax: excluded, country: DK}\n"
        "taxes: {DK: 25}\n"
        "channels:\n  webshop: {list: retail, tax: included, ending: 0.95}\n"
    ),
    "channels/erp.yaml": "channel: erp\nconnector: books\nrole: erp\n",
    "channels/till.yaml": "channel: till\nconnector: desk\nrole: pos\nsells_from: [aarhus]\n",
    "channels/webshop.yaml": (
        "channel: webshop\nconnector: window\nrole: webshop\n"
        "settings: {currency: DKK}\n"
        "secrets: {token: 'env:WEBSHOP_TOKEN'}\n"
        "sells_from: [warehouse, aarhus]\nprice_list: retail\n"
    ),
}


def with_text(name: str, text: str) -> dict[str, str]:
    """The sound configuration with this file's text in place of its own."""
    return {**SOUND, name: text}


def with_line(name: str, line: str) -> dict[str, str]:
    """The sound configuration with one more line at the end of this file."""
    return {**SOUND, name: SOUND[name] + line + "\n"}


def problems(files: Mapping[str, str]) -> list[str]:
    """Every problem as it is told to a person, a line each; none when the configuration is taken."""
    try:
        load_text(files, "shop")
    except ConfigError as bad:
        return str(bad).split("\n")
    return []
