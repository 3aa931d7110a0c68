"""What is sealed opens only where it was sealed, and a stolen file says nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from receiving import Running

from hub.clock import ManualClock, SystemClock
from hub.errors import ConfigError, InvariantError
from hub.store.vault import Vault, key_name


def vault(*keys: bytes) -> Vault:
    return Vault({key_name(key): key for key in keys}, key_name(keys[-1]), SystemClock().bytes)


OLD, NEW = b"o" * 32, b"n" * 32


def test_a_value_opens_only_in_its_own_place() -> None:
    sealed = vault(OLD).seal(b"Mette", "parties", "name", "7")
    assert vault(OLD).open(sealed, "parties", "name", "7") == b"Mette"
    for place in (("parties", "name", "8"), ("parties", "email", "7"), ("orders", "name", "7")):
        with pytest.raises(InvariantError) as wrong:
            vault(OLD).open(sealed, *place)
        assert "Mette" not in str(wrong.value)


@pytest.mark.parametrize("place", [0, 5, 10, 25, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(vault(OLD).seal(b"Mette Madsen", "parties", "name", "7"))
    sealed[place] ^= 1
    with pytest.raises(InvariantError):
        vault(OLD).open(bytes(sealed), "parties", "name", "7")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + key_name(OLD).encode(), b"\x01" + key_name(OLD).encode() + b"x" * 5])
def test_a_cut_value_is_noticed(sealed: bytes) -> None:
    with pytest.raises(InvariantError):
        vault(OLD).open(sealed, "parties", "name", "7")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before = vault(OLD).seal(b"Mette", "parties", "name", "7")
    both = vault(OLD, NEW)
    assert both.open(before, "parties", "name", "7") == b"Mette"
    after = both.seal(b"Mette", "parties", "name", "7")
    with pytest.raises(InvariantError, match="does not have"):
        vault(OLD).open(after, "parties", "name", "7")
    assert both.blind("mette@example.org") == vault(OLD).blind("mette@example.org") != vault(NEW).blind("mette@example.org")


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    made = Vault.from_file(path, ManualClock(seed=1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Vault.from_file(path, ManualClock(seed=2))
    assert again.open(made.seal(b"x", "t", "c", "r"), "t", "c", "r") == b"x"
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_a_bad_key_file_is_named_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("# keys\nhemmelig\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"key:2: not a key") as wrong:
        Vault.from_file(path, ManualClock())
    assert "hemmelig" not in str(wrong.value)
    path.write_text("")
    with pytest.raises(ConfigError, match="no key in it"):
        Vault.from_file(path, ManualClock())
    path.write_text(OLD.hex())
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Vault.from_file(path, ManualClock())


def test_a_stolen_store_says_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path)
    try:
        assert running.deliver(b'{"email": "mette@example.org"}', ident="order-4711") == 200
    finally:
        running.stop()
    for path in tmp_path.glob("intake.db*"):
        assert b"mette" not in path.read_bytes()
        assert b"order-4711" not in path.read_bytes()
