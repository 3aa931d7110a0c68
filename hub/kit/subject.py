"""The connector under test and the making of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, cast

from hub.app import build
from hub.clock import ManualClock
from hub.errors import ConfigError
from hub.kit.config import BOOKS, TESTED, Terms, configuration
from hub.kit.spy import Spy
from hub.kit.stage import HOOKS, PIECES, PRICE, Stage
from hub.sdk.contract import ReadAsk
from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry
from hub.store.sqlite import SqliteDatabase
from hub.store.vault import Vault

EXAMPLE: Final = "template"
"""The connector that is copied to begin a new one; its small platform plays the system that is right."""
ITEMS: Final = 7
VAULT_KEY: Final = b"k" * 32


@dataclass(frozen=True)
class Subject:
    """One connector folder. `mappings` are folders of mappings besides the shipped ones."""

    registry: Registry
    name: str
    mappings: tuple[Path, ...] = ()
    specification: Path | None = None

    @cached_property
    def manifest(self) -> Manifest:
        """The connector's manifest; ConfigError with file and line."""
        return self.registry.manifest(self.name)

    @cached_property
    def folder(self) -> Path:
        """The connector's folder."""
        return self.registry.folder(self.name)

    @cached_property
    def stated(self) -> dict[str, dict[str, str]]:
        """The settings, secrets and places with which a channel talks to the small platform; ConfigError without them."""
        return _stated(self.registry, self.name)

    @cached_property
    def terms(self) -> Terms:
        """Currency and tax of the platform's prices, as its own records say them; the usual ones when it has none."""
        told = [name for name, stream in self.manifest.streams.items() if "price" in stream.maps]
        if not told:
            return Terms()
        stage = self._stage(1, Terms(), self.stated["secrets"])
        page = stage.channel.connector.read(told[0], ReadAsk("", True, 1, stage.clock.now()))
        prices = [value for entity, value in stage.told(told[0], stage.records(told[0], page.body)) if entity == "price"]
        return Terms(prices[0]["currency"], prices[0].get("tax") or Terms().tax) if prices else Terms()

    def stage(self, items: int = ITEMS, *, secrets: dict[str, str] | None = None) -> Stage:
        """A stage with that many items on sale everywhere, ten pieces of each; nothing was read yet."""
        return self._stage(items, self.terms, self.stated["secrets"] if secrets is None else secrets)

    def settled(self, items: int = ITEMS) -> Stage:
        """A stage whose hub has read everything and is at rest."""
        stage = self.stage(items)
        stage.run(5)
        return stage

    def _stage(self, items: int, terms: Terms, secrets: dict[str, str]) -> Stage:
        clock, registry = ManualClock(), self.registry
        kinds = {BOOKS: registry.sandbox_class(EXAMPLE), TESTED: registry.sandbox_class(self.name)}
        books = kinds[BOOKS](clock, 1, currency=terms.currency)
        spy = Spy(kinds[TESTED](clock, 0))
        located = any(send.located for send in self.manifest.sends.values())
        place = next(iter(self.stated["places"].values()), "") if located else ""
        books.hook_url = HOOKS + BOOKS
        if self.manifest.deliveries is not None:
            spy.sandbox.hook_url = HOOKS + TESTED
        manifests = {EXAMPLE: registry.manifest(EXAMPLE), self.name: self.manifest}
        config = configuration(EXAMPLE, self.name, manifests, self.stated["settings"], place, terms, self.mappings)
        hub = build(
            config,
            clock,
            lambda settings: spy if settings.channel == TESTED else books,
            SqliteDatabase(":memory:", threaded=False),
            Vault({"testkey1": VAULT_KEY}, "testkey1", clock.bytes),
            registry=registry,
            secrets={BOOKS: dict(_stated(registry, EXAMPLE)["secrets"]), TESTED: dict(secrets)},
        )
        aspect = next((one for one in ("stock", "price") if one in self.manifest.sends), "")
        stage = Stage(hub, clock, spy, books, place, {}, aspect)
        for number in range(items):
            stage.listings[f"KIT-{number + 1:04d}"] = ""
        for number, sku in enumerate(stage.skus):
            for hands in (stage.authority, stage.hands):
                listing = hands.add_item(sku, f"Item {number + 1}", price=PRICE + number)
            stage.listings[sku] = listing
            stage.authority.count(sku, PIECES)
            stage.hands.count(sku, PIECES, place)
        clock.advance(3_600)
        # What happened while the shops were furnished is history: the hub reads it.
        books.outbox.clear()
        spy.sandbox.outbox.clear()
        return stage


def _stated(registry: Registry, name: str) -> dict[str, dict[str, str]]:
    stated = getattr(registry.sandbox_class(name), "CHANNEL", None)
    if not isinstance(stated, dict) or set(stated) != {"settings", "secrets", "places"}:
        words = "Sandbox.CHANNEL is missing: {settings, secrets, places} that let a channel talk to it"
        raise ConfigError(words, str(registry.folder(name) / "sandbox.py"))
    return cast(dict[str, dict[str, str]], stated)
