"""What a command speaks of: the configuration, the manifests of its channels, and the store beside a running worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hub.app import open_store, registry_of
from hub.check import manifests_of
from hub.clock import Clock, SystemClock
from hub.errors import ConfigError
from hub.files import refuse
from hub.paths import data_folder, from_config
from hub.sdk.fit import fit
from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry
from hub.settings.load import load
from hub.settings.model import Config
from hub.store.database import Database

STORE_FILE = "hub.db"


class Place(NamedTuple):
    """A configuration with its store open; `data` is the folder of databases and keys."""

    config: Config
    registry: Registry
    manifests: dict[str, Manifest]
    database: Database
    clock: Clock
    data: Path


@contextlib.contextmanager
def opened(folder: Path, *, new: bool = False) -> Iterator[Place]:
    """The place of this configuration folder; ConfigError when the configuration is broken or nothing is stored yet.

    With `new` a store is made where there is none.
    """
    config = load(folder)
    registry = registry_of(config)
    refuse(fit(config, {channel.connector: registry.manifest(channel.connector) for channel in config.channels.values()}))
    data = from_config(config.folder, config.hub.folder)
    if new:
        data_folder(config.folder, config.hub.folder)
    elif config.hub.database == "sqlite" and not (data / STORE_FILE).exists():
        raise ConfigError("nothing is stored yet: start `samklang run`, or `samklang work`, first", str(data))
    clock = SystemClock()
    # Threaded: its reads are snapshots on connections of their own, which is what a running worker needs beside it.
    database = open_store(config, clock, threaded=True)
    try:
        yield Place(config, registry, manifests_of(config, registry), database, clock, data)
    finally:
        database.close()
