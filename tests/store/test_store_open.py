"""The configuration says which engine keeps the store; a person's choice is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app import open_store
from hub.clock import SystemClock
from hub.settings.load import load
from hub.settings.model import Config
from hub.store import catalogue
from hub.store.catalogue import Item
from hub.store.open import open_database

DEMO = Path(__file__).parents[2] / "config" / "demo"


def _config(folder: Path, database: str) -> Config:
    config = load(DEMO)
    return config.model_copy(update={"folder": str(folder), "hub": config.hub.model_copy(update={"database": database})})


def _keep_one(config: Config) -> None:
    opened = open_store(config, SystemClock(), threaded=True)
    try:
        opened.transaction(lambda tx: catalogue.save_items(tx, [Item("kept", "SKU")]))
    finally:
        opened.close()


def test_sqlite_lives_in_the_data_folder(tmp_path: Path) -> None:
    config = _config(tmp_path, "sqlite")
    _keep_one(config)
    again = open_database(tmp_path / config.hub.folder / "hub.db", clock=SystemClock(), threaded=False)
    try:
        assert again.read(catalogue.all_item_ids) == ["kept"]
    finally:
        again.close()


def test_postgresql_is_one_setting(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_DATABASE", postgres_url)
    _keep_one(_config(tmp_path, "env:MADE_DATABASE"))
    again = open_database(postgres_url, clock=SystemClock())
    try:
        assert again.read(catalogue.all_item_ids) == ["kept"]
    finally:
        again.close()
    assert not list(tmp_path.rglob("hub.db"))
