"""`samklang init --from`: a configuration out of running shops, which only observes, and is enough to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub import app
from hub.cli.main import command
from hub.clock import SystemClock
from hub.sdk.registry import Registry
from hub.settings.load import load

SHOP, OTHER = "https://made-shop.myshopify.com", "https://shop.example"


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Platforms in small behind their connectors' names, and their secrets in the environment."""
    made: dict[str, Any] = {}
    for name in ("shopify", "woocommerce", "tryton"):
        kind: Any = Registry([]).sandbox_class(name)
        made[name] = kind(SystemClock())
        for secret, value in kind.CHANNEL["secrets"].items():
            monkeypatch.setenv(f"{name}_{secret}".upper(), value)
    monkeypatch.setattr(app, "http_transports", lambda clock: lambda settings: made[settings.connector])
    return made


def init(folder: Path, *sources: str) -> Any:
    """What the command says."""
    given = [part for source in sources for part in ("--from", source)]
    return CliRunner().invoke(command("init"), [str(folder), *given])


def test_one_shop_is_right_about_itself(tmp_path: Path, platforms: dict[str, Any]) -> None:
    folder = tmp_path / "shop"
    done = init(folder, f"shopify={SHOP}")
    assert done.exit_code == 0, done.output
    assert "still to fill in" not in done.output
    config = load(folder)
    shop = config.channels["shopify"]
    assert (shop.mode, shop.base_url, shop.role) == ("observe", SHOP, "webshop")
    assert {place.channels["shopify"] for place in config.locations.values()} == {"70000001", "70000002"}
    assert all(place.country == "DK" for place in config.locations.values())
    assert config.authority.stock[0].covers == tuple(config.locations)
    assert config.authority.stock[0].contains == ("shopify:*",), "what its own customers ordered is out of its figure"
    assert config.pricing.lists["retail"].currency == platforms["shopify"].state.currency
    assert config.pricing.guards.unexplained_pieces == 5
    assert len(shop.orders_since) == 10


def test_books_and_a_shop(tmp_path: Path, platforms: dict[str, Any]) -> None:
    folder = tmp_path / "shop"
    done = init(folder, "tryton=https://erp.example", f"woocommerce={OTHER}")
    assert done.exit_code == 0, done.output
    text = (folder / "channels" / "woocommerce.yaml").read_text()
    assert 'currency: "DKK"' in text
    assert 'prices_tax: "included"' in text
    assert "mode: observe" in text
    assert "sells_from: [main]" in text
    assert "settings.database: is missing" in done.output, "what nobody could say is named, to be filled in"
    assert "# prices:" in (folder / "authority.yaml").read_text(), "nobody said in which currency the books are"


def test_secrets_are_named_and_never_written(tmp_path: Path, platforms: dict[str, Any]) -> None:
    folder = tmp_path / "shop"
    done = init(folder, f"woocommerce={OTHER}")
    written = done.output + "".join(path.read_text() for path in folder.rglob("*.yaml"))
    for value in platforms["woocommerce"].CHANNEL["secrets"].values():
        assert value not in written
    assert "consumer_key: env:WOOCOMMERCE_CONSUMER_KEY" in written


def test_settings_may_stand_in_the_environment_beside_the_secrets(
    tmp_path: Path, platforms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOPIFY_ACCESS_TOKEN")
    monkeypatch.setenv("SHOPIFY_CLIENT_ID", "made-app")
    platforms["shopify"].options["client_id"] = "made-app"
    done = init(tmp_path / "shop", f"shopify={SHOP}")
    assert done.exit_code == 0, done.output
    assert "could not be asked" not in done.output
    config = load(tmp_path / "shop")
    assert config.channels["shopify"].settings["client_id"] == "made-app"
    assert len(config.locations) == 2, "the app's own credentials let it in"


def test_without_secrets_it_says_what_is_left_to_do(
    tmp_path: Path, platforms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("CONSUMER_KEY", "CONSUMER_SECRET", "HOOK_SECRET"):
        monkeypatch.delenv(f"WOOCOMMERCE_{secret}")
    folder = tmp_path / "shop"
    done = init(folder, f"woocommerce={OTHER}")
    assert done.exit_code == 0, done.output
    assert "WOOCOMMERCE_CONSUMER_KEY" in done.output
    assert "settings.currency: is missing" in done.output
    assert "samklang connect woocommerce" in (folder / "channels" / "woocommerce.yaml").read_text()
    assert platforms["woocommerce"].calls.maxlen is not None
    assert not platforms["woocommerce"].calls, "nothing was asked without a key"


def test_a_shop_that_is_down_does_not_stop_it(tmp_path: Path, platforms: dict[str, Any]) -> None:
    platforms["shopify"].faults.down = True
    done = init(tmp_path / "shop", f"shopify={SHOP}")
    assert done.exit_code == 0, done.output
    assert "could not be asked" in done.output


@pytest.mark.parametrize("source", ["nothing=https://x.example", "woocommerce", "https://shop.example"])
def test_what_cannot_be_meant_is_refused(tmp_path: Path, platforms: dict[str, Any], source: str) -> None:
    done = init(tmp_path / "shop", source)
    assert done.exit_code == 2
    assert "--from" in done.output
    assert not (tmp_path / "shop").exists()
