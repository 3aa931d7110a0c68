"""The small retailer of the fault stories: four channels, a few things, everything read and right, nothing under way."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from stage import FILES, Stage, stage

from hub.people import People
from hub.store import channels, requests

SHOP, WAREHOUSE, STORE = "LAARHUS000001", "3", "11"
SOCIAL = """
channel: social
connector: meta
role: social
mode: live
base_url: https://social.example
settings: {catalog_id: "1029384756", currency: DKK, brand: Made, link_base: "https://shop.example/", picture_default: "https://shop.example/p.jpg"}
secrets: {access_token: "env:X", app_secret: "env:X", verify_token: "env:X"}
sells_from: [aarhus, warehouse]
listing: {offer: all}
streams: {items: {poll_seconds: 60, sweep_seconds: 600}}
"""
FOUR = {
    "locations.yaml": FILES["locations.yaml"].replace("{till: LAARHUS000001}", '{till: LAARHUS000001, erp: "11"}'),
    "pricing.yaml": FILES["pricing.yaml"] + "  social: {list: retail, tax: included}\n",
    "channels/erp.yaml": FILES["channels/erp.yaml"] + "figures_at: [aarhus]\n",
    "channels/social.yaml": SOCIAL,
}
SLOW = {
    name: text.replace("poll_seconds: 60, sweep_seconds: 600", "poll_seconds: 7200, sweep_seconds: 14400")
    for name, text in {**FILES, **FOUR}.items()
    if name.startswith("channels/")
}
"""Polls every two hours: for stories of whole days."""
PRICE = Decimal("100.00")
ASKED = Decimal("125.00")
SHOWN = {"till": 5, "erp": 15, "webshop": 15, "social": 15}


def add(made: Stage, sku: str, *, shop: int = 5, warehouse: int = 10) -> None:
    """A thing that every channel knows (the social shop gets it from the hub)."""
    for channel in ("erp", "till", "webshop"):
        made.platforms[channel].add_item(sku, f"Thing {sku}", price=PRICE)
    made.platforms["erp"].count(sku, warehouse, WAREHOUSE)
    made.platforms["till"].count(sku, shop, SHOP)


def four_channels(tmp_path: Path, count: int = 4, files: dict[str, str] | None = None) -> Stage:
    """A, B, C and so on with 5 in the shop and 10 in the warehouse at 125.00, shown everywhere."""
    made = stage(tmp_path, files={**FOUR, **(files or {})})
    for sku in skus(count):
        add(made, sku)
    made.run(30)
    assert {name: shows(made, sku) for sku in skus(count) for name, shows in ((sku, everywhere),)} == dict.fromkeys(
        skus(count), SHOWN
    )
    assert made.letters() == []
    return made


def skus(count: int) -> list[str]:
    """A, B, C … or S001, S002 … where letters do not suffice."""
    return [chr(65 + number) if count <= 26 else f"S{number + 1:03d}" for number in range(count)]


def everywhere(made: Stage, sku: str) -> dict[str, int]:
    """What every channel shows of this SKU."""
    return {channel: made.shows(channel, sku) for channel in made.platforms}


def sell(made: Stage, sku: str, pieces: int = 1) -> list[Any]:
    """A sale at the till; gives the deliveries of its count, not handed over (that of its receipt is lost)."""
    till = made.platforms["till"]
    till.outbox.clear()
    till.sell(sku, pieces, SHOP)
    caused = [each for each in till.outbox if b"inventory.count.updated" in each.body]
    till.outbox.clear()
    return caused


def ask(made: Stage, kind: str, **body: Any) -> dict[str, Any]:
    """A person asks the worker for something; gives the answer."""
    ident = made.clock.token()
    at = made.clock.now()
    made.hub.database.transaction(lambda tx: requests.ask(tx, ident, kind, body, at))
    People(made.hub).step()
    answered = made.hub.database.read(lambda tx: requests.one(tx, ident))
    assert answered is not None
    said: dict[str, Any] = answered.answer
    return said


def holds(made: Stage) -> dict[str, str]:
    """The open holds: channel and guard → words."""
    return {f"{hold.channel} {hold.guard}": hold.words for hold in made.hub.database.read(requests.holds)}


def paused(made: Stage) -> dict[str, str]:
    """The channels that wait for a person, and why."""
    states = made.hub.database.read(channels.states)
    return {name: state.paused_by for name, state in states.items() if state.paused_by}


def inbox_rows(made: Stage) -> int:
    """How many deliveries and pages are kept."""
    rows = made.hub.database.read(lambda tx: tx.query("SELECT count(*) FROM inbox"))
    return int(rows[0][0])
