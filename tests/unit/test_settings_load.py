"""A folder of files becomes one configuration, or one list of everything wrong with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from settings_texts import SOUND, problems, with_line, with_text

from hub.errors import ConfigError
from hub.paths import data_folder, shipped_config
from hub.sdk.fit import fit
from hub.sdk.registry import Registry
from hub.settings.load import load, load_text


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_example_configuration_is_sound_and_fits_its_connectors() -> None:
    config = load(shipped_config() / "example")
    assert set(config.channels) == {"erp", "till", "webshop", "social"}
    assert config.channels["webshop"].sells_from == ("warehouse", "aarhus")
    assert config.channels["erp"].streams["stock"].poll_seconds == Decimal(10)
    assert config.pricing.channels["webshop"].ending == Decimal("0.95")
    registry = Registry()
    manifests = {channel.connector: registry.manifest(channel.connector) for channel in config.channels.values()}
    assert [str(problem) for problem in fit(config, manifests)] == []


def test_files_on_disk_and_texts_give_the_same(tmp_path: Path) -> None:
    assert load(written(tmp_path, dict(SOUND))) == load_text(SOUND, str(tmp_path)).model_copy(update={"folder": str(tmp_path)})


def test_left_out_files_are_their_defaults(tmp_path: Path) -> None:
    config = load(written(tmp_path, {"hub.yaml": "# all as usual\n", "channels/a.yaml": "channel: a\nconnector: x\nrole: pos\n"}))
    assert config.hub.database == "sqlite"
    assert config.channels["a"].mode == "observe"
    assert config.pricing.guards.to_zero_percent == 30
    assert config.locations == {}


def test_every_value_knows_its_place() -> None:
    config = load_text(SOUND, "shop")
    assert config.place("channels", "webshop", "settings", "currency") == "shop/channels/webshop.yaml:4"
    assert config.place("authority", "stock", "1", "covers", "0") == "shop/authority.yaml:4"
    assert config.place("channels", "webshop", "streams", "stock") == "shop/channels/webshop.yaml:1"


def test_hub_and_one_channel_are_wanted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load(tmp_path / "none")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert f"{tmp_path}/channels: from 1 to 500 files" in str(caught.value)
    assert f"{tmp_path}/hub.yaml: this file is missing" in str(caught.value)


def test_a_file_that_nobody_reads_is_named(tmp_path: Path) -> None:
    written(tmp_path, {**SOUND, "location.yaml": "a: b\n", "channels/shop.yml": "x: y\n", ".hidden.yaml": "a: b\n"})
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    lines = str(caught.value).split("\n")
    assert (
        lines[1]
        == f"{tmp_path}/location.yaml: not a file of the configuration: did you mean `locations.yaml`? Else move it elsewhere"
    )
    assert lines[0] == f"{tmp_path}/channels/shop.yml: call it shop.yaml"
    assert len(lines) == 2


def test_the_problems_of_all_files_are_told_together() -> None:
    files = {**SOUND, "hub.yaml": "port: 1\n", "channels/erp.yaml": "channel: erp\nconnector: books\nrole: erp\nmode: life\n"}
    first, second = problems(files)
    assert first == ("shop/channels/erp.yaml:4: mode: `life` is not one of `observe`, `rehearse`, `live`: did you mean `live`?")
    assert second.startswith(
        "shop/hub.yaml:1: port: nothing of this name belongs here: write one of `alerts`, `commit_rows_max`, "
    )


def test_a_channel_is_called_as_its_file() -> None:
    assert problems(with_text("channels/erp.yaml", "channel: epr\nconnector: x\nrole: erp\n")) == [
        "shop/channels/erp.yaml: this file says `channel: epr`: call it epr.yaml, or write `channel: erp`"
    ]


def test_broken_yaml_names_its_file() -> None:
    assert problems(with_line("channels/erp.yaml", "channel: again")) == [
        "shop/channels/erp.yaml:4: `channel` is said twice: keep one (the other is shop/channels/erp.yaml:1)"
    ]


def test_a_data_folder_is_made_private(tmp_path: Path) -> None:
    made = data_folder(tmp_path, "data")
    assert made == tmp_path.resolve() / "data"
    assert made.stat().st_mode & 0o077 == 0
    assert data_folder(tmp_path, str(made)) == made
