"""Connectors as they are, but for the size of their pages: what is listed in many small pages changes while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry


class SmallPages(Registry):
    """A registry whose manifests ask for at most `page_size_max` records a page."""

    def __init__(self, extra_folders: Sequence[Path], page_size_max: int) -> None:
        super().__init__(extra_folders)
        self._page_size_max = page_size_max

    def manifest(self, name: str) -> Manifest:
        """The connector's manifest with pages of that size."""
        whole = super().manifest(name)
        streams = {
            key: stream.model_copy(update={"page_max": min(stream.page_max, self._page_size_max)})
            for key, stream in whole.streams.items()
        }
        return whole.model_copy(update={"streams": streams})
