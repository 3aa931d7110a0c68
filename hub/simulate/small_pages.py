"""Connectors as they are, but for their pages: what is listed in many small pages changes while it is read, and records drift."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hub.sdk.contract import Connector
from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry
from hub.simulate.drifting import Drifts, drifting


class SmallPages(Registry):
    """A registry whose manifests ask for at most `page_size_max` records a page, which change their shape as `drifts` says."""

    def __init__(self, extra_folders: Sequence[Path], page_size_max: int, drifts: Drifts) -> None:
        super().__init__(extra_folders)
        self._drifts = drifts
        self._page_size_max = page_size_max

    def connector_class(self, name: str) -> type[Connector]:
        """The connector, whose records may drift."""
        return drifting(super().connector_class(name), self._drifts)

    def manifest(self, name: str) -> Manifest:
        """The connector's manifest with pages of that size."""
        whole = super().manifest(name)
        streams = {
            key: stream.model_copy(update={"page_max": min(stream.page_max, self._page_size_max)})
            for key, stream in whole.streams.items()
        }
        return whole.model_copy(update={"streams": streams})
