"""The commands that need no running hub: init, check, schemas, connectors; as a person types them, and as a process."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.main import COMMANDS, command

SECRETS = {
    "ERP_PASSWORD": "erp-password",
    "TILL_ACCESS_TOKEN": "till-access-token",
    "TILL_SIGNATURE_KEY": "till-signature-key",
    "SOCIAL_ACCESS_TOKEN": "social-access-token",
    "SOCIAL_APP_SECRET": "social-app-secret",
    "SOCIAL_VERIFY_TOKEN": "social-verify-token",
    "WEBSHOP_HOOK_SECRET": "webshop-hook-secret",
}
LOOKING = [name for name in COMMANDS if name not in ("run", "serve", "work", "demo")]


def typed(name: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
    """The result of `samklang NAME …`; anything but an ordinary end fails here."""
    done = CliRunner().invoke(command(name), list(arguments), prog_name=f"samklang {name}", env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def samklang(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`samklang …` as a process of its own, without any secret in its environment."""
    env = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return subprocess.run(
        [sys.executable, "-m", "hub.cli.main", *arguments], capture_output=True, text=True, env=env, timeout=60, check=False
    )


@pytest.fixture
def closed_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    assert typed("init", str(folder)).exit_code == 0
    (folder / "secrets").mkdir()
    secret = folder / "secrets" / "webshop-api-key"
    secret.write_text("webshop-api-key-text\n")
    secret.chmod(0o600)
    return folder


@pytest.mark.parametrize("name", LOOKING)
def test_every_command_explains_itself(name: str) -> None:
    done = typed(name, "--help")
    assert done.exit_code == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize("name", [name for name in LOOKING if name not in ("init", "connector")])
def test_every_command_speaks_json_and_names_its_configuration(name: str) -> None:
    done = typed(name, "--help")
    assert "--json" in done.stdout
    assert "--config" in done.stdout


def test_init_writes_what_check_finds_in_order(shop: Path) -> None:
    done = typed("check", "--config", str(shop), "--json", env=SECRETS)
    said = json.loads(done.stdout)
    assert (said["problems"], said["warnings"]) == ([], [])
    assert done.exit_code == 0
    assert any(note.startswith("social: no order: ") for note in said["notes"])
    written = {path.name for path in (shop / ".schemas").iterdir()}
    assert written >= {"hub.schema.json", "channel.schema.json", "connector.schema.json"}


def test_init_leaves_a_folder_with_anything_in_it_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    done = typed("init", str(tmp_path))
    assert done.exit_code == 2
    assert "there is something here already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_check_names_every_missing_secret_with_its_line(shop: Path) -> None:
    done = typed("check", "--config", str(shop), env=dict.fromkeys(SECRETS, ""))
    assert done.exit_code == 2
    for name in SECRETS:
        assert f"the environment variable {name} is not set" in done.stderr
    line = (shop / "channels" / "erp.yaml").read_text().splitlines().index("  password: env:ERP_PASSWORD") + 1
    assert f"{shop / 'channels' / 'erp.yaml'}:{line}: secrets.password: " in done.stderr
    assert f"{len(SECRETS)} to mend" in done.stderr


def test_check_warns_of_a_secret_that_everybody_may_read(shop: Path) -> None:
    secret = shop / "secrets" / "webshop-api-key"
    secret.chmod(secret.stat().st_mode | stat.S_IROTH)
    done = typed("check", "--config", str(shop), env=SECRETS)
    assert done.exit_code == 0
    assert "warning: " in done.stderr
    assert "chmod 600" in done.stderr
    assert "webshop-api-key-text" not in done.stdout + done.stderr


def test_check_tells_all_mistakes_of_all_files_at_once(shop: Path) -> None:
    for name, old, new in (
        ("channels/till.yaml", "mode: rehearse", "mode: lively"),
        ("pricing.yaml", "currency: DKK", "currency: KRONER"),
        ("channels/erp.yaml", "connector: tryton", "connector: trytan"),
    ):
        path = shop / name
        path.write_text(path.read_text().replace(old, new))
    first = samklang("check", "--config", str(shop))
    assert first.returncode == 2
    assert "did you mean `live`?" in first.stderr
    assert "Traceback" not in first.stderr
    path = shop / "channels" / "till.yaml"
    path.write_text(path.read_text().replace("lively", "live"))
    second = samklang("check", "--config", str(shop))
    assert "KRONER" in second.stderr


def test_check_tells_a_connector_that_is_not_there_and_a_mapping_that_breaks(shop: Path) -> None:
    path = shop / "channels" / "erp.yaml"
    path.write_text(path.read_text().replace("connector: tryton", "connector: trytan"))
    own = shop / "mappings" / "vendure"
    own.mkdir(parents=True)
    (own / "item.yaml").write_text("connector: vendure\nmaps: item\nfields:\n  listing: {from: idd, as: textt}\n")
    hub = shop / "hub.yaml"
    hub.write_text(hub.read_text().replace("# mappings: [mappings]", "mappings: [mappings]"))
    done = typed("check", "--config", str(shop), env=SECRETS)
    assert done.exit_code == 2
    assert "there is no connector `trytan`" in done.stderr
    assert f"{own / 'item.yaml'}:4" in done.stderr


def test_check_asks_every_channel_and_says_which_cannot_be_reached(shop: Path, closed_port: int) -> None:
    for path in (shop / "channels").iterdir():
        text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("base_url:"))
        path.write_text(text + f"base_url: http://127.0.0.1:{closed_port}\n")
    done = typed("check", "--config", str(shop), "--connect", "--json", env=SECRETS)
    assert done.exit_code == 1
    said = {each["channel"]: each for each in json.loads(done.stdout)["connected"]}
    assert set(said) == {"erp", "social", "till", "webshop"}
    assert not any(each["ok"] for each in said.values())
    assert "it cannot be reached" in said["till"]["words"]
    assert str(shop / "channels" / "till.yaml") in said["till"]["words"]


def test_schemas_accept_the_example(tmp_path: Path) -> None:
    done = typed("check", "--schemas", str(tmp_path / "schemas"))
    assert done.exit_code == 0
    manifest = json.loads((tmp_path / "schemas" / "connector.schema.json").read_text())
    assert {"connector", "pace", "limits", "streams", "sends"} <= set(manifest["properties"])


def test_connectors_are_listed_with_what_they_can_and_when_that_was_checked() -> None:
    done = typed("connectors", "--json", "--config", "/nowhere")
    assert done.exit_code == 0
    said = {each["name"]: each for each in json.loads(done.stdout)["connectors"]}
    assert {"square", "tryton", "vendure", "meta"} <= set(said)
    assert said["tryton"]["roles"] == ["erp"]
    assert said["square"]["writes"] == ["stock", "price", "order", "movement"]
    assert all(each["checked"] >= "2026-01-01" for each in said.values())


def test_a_connector_of_ones_own_is_listed_with_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "till9"
    own.mkdir()
    said = [
        "connector: till9",
        "title: Till nine",
        "api_version: '1'",
        "checked: 2026-11-21",
        "roles: [pos]",
        "base_url: https://till9.example",
    ]
    said += ["pace: {per_second: 1, burst: 1}", "limits: {attempts_max: 8}", ""]
    (own / "connector.yaml").write_text("\n".join(said))
    done = typed("connectors", "--folder", str(tmp_path))
    assert "till9\tTill nine\tpos" in done.stdout


def test_a_command_where_there_is_no_configuration_says_so(tmp_path: Path) -> None:
    for name in ("plan", "drift", "status", "dead", "approve"):
        done = typed(name, "--config", str(tmp_path))
        assert done.exit_code == 2
        assert "this file is missing" in done.stderr
    told = typed("status", "--config", str(tmp_path), "--json")
    assert told.exit_code == 2
    assert json.loads(told.stdout)["problems"]


def test_a_store_that_is_not_there_yet_is_said_and_not_made(shop: Path) -> None:
    done = typed("status", "--config", str(shop))
    assert done.exit_code == 2
    assert "nothing is stored yet" in done.stderr
    assert not (shop / "data").exists()


def test_as_a_process_usage_ends_with_two_and_no_traceback(shop: Path) -> None:
    for arguments in (["plann"], ["plan", "--nope"], ["why", "webshop"], ["plan", "--config", str(shop)], ["replay"], []):
        done = samklang(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert samklang("--help").returncode == 0


def test_reload_refuses_a_broken_configuration_and_says_when_nothing_runs(shop: Path) -> None:
    (shop / "data").mkdir()
    nobody = typed("reload", "--config", str(shop), env=SECRETS)
    assert nobody.exit_code == 2
    assert "no `samklang run` is at work" in nobody.stderr
    path = shop / "channels" / "till.yaml"
    path.write_text(path.read_text().replace("mode: rehearse", "mode: lively"))
    broken = typed("reload", "--config", str(shop), "--json", env=SECRETS)
    assert broken.exit_code == 2
    assert json.loads(broken.stdout)["taken"] is False
    assert "the old configuration goes on" in broken.stderr
