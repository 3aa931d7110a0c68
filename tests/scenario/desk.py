"""The small retailer with its configuration and store in files, and a person who types commands beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from stage import FILES, HOOKS, Stage
from typer.testing import CliRunner

from hub.app import Hub, build, open_vault
from hub.cli.main import command
from hub.clock import ManualClock, SystemClock
from hub.sdk.registry import Registry
from hub.settings.load import load
from hub.store.sqlite import SqliteDatabase


class Said(NamedTuple):
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.out)


class Desk:
    """A stage whose files lie in `folder`; `type` runs a command on them in this process."""

    def __init__(self, folder: Path, files: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        for name, text in {**FILES, **(files or {})}.items():
            self.write(name, text)
        # Commands have the machine's clock: the stage begins at the same time.
        self.clock = ManualClock(SystemClock().now())
        self.config = load(folder)
        self.registry = Registry([])
        self.platforms: dict[str, Any] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        for name, settings in self.config.channels.items():
            kind: Any = self.registry.sandbox_class(settings.connector)
            self.platforms[name] = kind(self.clock, 0)
            if self.registry.manifest(settings.connector).deliveries is not None:
                self.platforms[name].hook_url = HOOKS + name
            self.secrets[name] = dict(kind.CHANNEL["secrets"])
        (folder / "data").mkdir(mode=0o700, exist_ok=True)
        self.database = SqliteDatabase(folder / "data" / "hub.db", threaded=False)
        self.stage = Stage(self._hub(), self.platforms, self.clock, dict(FILES))
        self.stage.rebuild = self._hub

    def write(self, name: str, text: str) -> None:
        """Put one configuration file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def reload(self) -> None:
        """The hub takes up the files as they are now, as its worker does it."""
        self.config = load(self.folder)
        self.stage.hub = self._hub()
        self.stage.hub.walk.mark_all()

    def type(self, name: str, *arguments: str) -> Said:
        """Run `samklang NAME …` on this configuration."""
        given = [*arguments, "--config", str(self.folder)]
        done = CliRunner().invoke(command(name), given, prog_name=f"samklang {name}")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def close(self) -> None:
        """Give the store back."""
        self.database.close()

    def _hub(self) -> Hub:
        vault = open_vault(self.config, self.clock)
        return build(
            self.config,
            self.clock,
            lambda settings: self.platforms[settings.channel],
            self.database,
            vault,
            registry=self.registry,
            secrets=self.secrets,
        )


def stocked(desk: Desk, count: int = 6) -> Desk:
    """`count` T-shirts in all three systems, 10 in the warehouse and 5 in the shop each, and everything read and shown."""
    for number in range(1, count + 1):
        sku, price = f"TEE-{number:03d}", Decimal("159.96") + number - 1
        for name in desk.platforms:
            desk.platforms[name].add_item(sku, f"T-shirt {number}", price=price)
        desk.platforms["erp"].count(sku, 10, "3")
        desk.platforms["till"].count(sku, 5, "LAARHUS000001")
    desk.stage.run(5)
    return desk
