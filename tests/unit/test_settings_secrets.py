"""Secrets come from where the files say, are missed by name, and never show."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings_texts import SOUND, with_text

from hub.errors import ConfigError
from hub.log import redact
from hub.settings.load import load_text
from hub.settings.model import Config
from hub.settings.secrets import Secrets

ENV = {"WEBSHOP_TOKEN": "tok-7f3a-secret"}


def wanting(folder: Path, reference: str) -> Config:
    text = SOUND["channels/webshop.yaml"].replace("'env:WEBSHOP_TOKEN'", f"'{reference}'")
    return load_text(with_text("channels/webshop.yaml", text), str(folder))


def test_a_secret_from_the_environment(tmp_path: Path) -> None:
    secrets = Secrets.resolve(load_text(SOUND, str(tmp_path)), "webshop", ENV)
    assert secrets == {"token": "tok-7f3a-secret"}
    assert secrets.warnings == ()
    assert Secrets.resolve(load_text(SOUND, str(tmp_path)), "erp", {}) == {}


def test_a_secret_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("file-9b1c-secret\n")
    (tmp_path / "token").chmod(0o600)
    secrets = Secrets.resolve(wanting(tmp_path, "file:token"), "webshop", {})
    assert secrets["token"] == "file-9b1c-secret"
    assert secrets.warnings == ()


def test_a_file_that_everybody_may_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open-4d2e-secret\n")
    (tmp_path / "token").chmod(0o644)
    (warning,) = Secrets.resolve(wanting(tmp_path, "file:token"), "webshop", {}).warnings
    assert warning.startswith(f"{tmp_path}/channels/webshop.yaml:5: secrets.token: everybody on this machine may read")
    assert "open-4d2e" not in warning


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    secrets = Secrets.resolve(load_text(SOUND, str(tmp_path)), "webshop", {"WEBSHOP_TOKEN": "sh?w/me-never"})
    assert repr(secrets) == str(secrets) == f"{secrets}" == "<secrets: token>"
    assert redact("GET /x?key=sh?w/me-never&a=1") == "GET /x?key=<secret>&a=1"
    assert redact("GET /x?key=sh%3Fw%2Fme-never&a=1") == "GET /x?key=<secret>&a=1"


@pytest.mark.parametrize(
    ("reference", "env", "said"),
    [
        ("env:WEBSHOP_TOKEN", {}, "the environment variable WEBSHOP_TOKEN is not set"),
        ("env:WEBSHOP_TOKEN", {"WEBSHOP_TOKEN": ""}, "the environment variable WEBSHOP_TOKEN is not set"),
        ("env:WEBSHOP_TOKEN", {"WEBSHOP_TOKEN": "abc"}, "shorter than 4 characters: that is no secret"),
        ("env:WEBSHOP_TOKEN", {"WEBSHOP_TOKEN": "abcd\nefgh"}, "more than one line: write the secret alone on one"),
        ("file:none", {}, "cannot be read: No such file or directory"),
        ("file:empty", {}, "the file empty is empty"),
        ("file:binary", {}, "is not UTF-8 text"),
    ],
)
def test_a_missing_secret_is_named_with_its_line(tmp_path: Path, reference: str, env: dict[str, str], said: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd\xfc")
    with pytest.raises(ConfigError) as caught:
        Secrets.resolve(wanting(tmp_path, reference), "webshop", env)
    assert str(caught.value).startswith(f"{tmp_path}/channels/webshop.yaml:5: secrets.token: ")
    assert str(caught.value).endswith(said)


def test_the_hub_has_secrets_of_its_own(tmp_path: Path) -> None:
    config = load_text(with_text("hub.yaml", "key_secret: env:KEY\ndatabase: env:DB\n"), str(tmp_path))
    secrets = Secrets.of_hub(config, {"KEY": "k" * 32, "DB": "postgresql://hub:pass-word@db/hub"})
    assert secrets == {"key": "k" * 32, "database": "postgresql://hub:pass-word@db/hub"}
    assert Secrets.of_hub(load_text(SOUND, str(tmp_path)), {}) == {}
    with pytest.raises(ConfigError, match=r"hub.yaml:1: key_secret: the environment variable KEY is not set"):
        Secrets.of_hub(config, {"DB": "postgresql://x"})
