"""Where shipped things lie, in a checkout and in an installed wheel alike, and where a configuration keeps its data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hub.errors import ConfigError

PRIVATE: Final = 0o700
_HUB: Final = Path(__file__).resolve().parent


def shipped_connectors() -> Path:
    """The folder of the shipped connectors: the `connectors` package beside `hub`, in a checkout and in a wheel."""
    return _HUB.parent / "connectors"


def shipped_mappings() -> Path:
    """The folder of the shipped mappings, one folder per connector in it."""
    return _shipped("mappings")


def shipped_config() -> Path:
    """The folder of the shipped configurations, such as `example`."""
    return _shipped("config")


def from_config(config_folder: str | Path, named: str) -> Path:
    """A path named in a configuration file: absolute as it is, otherwise relative to the configuration's folder."""
    return (Path(config_folder) / Path(named).expanduser()).resolve()


def data_folder(config_folder: str | Path, named: str) -> Path:
    """The folder for databases and keys, made when absent and then open to its owner only."""
    folder = from_config(config_folder, named)
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError as bad:
        raise ConfigError(f"the data folder cannot be made: {bad.strerror}", str(folder)) from None
    return folder


def _shipped(name: str) -> Path:
    # A wheel carries them inside the package; a checkout has them beside it.
    inside = _HUB / "shipped" / name
    return inside if inside.is_dir() else _HUB.parent / name
