"""Bulk operations: the shop writes a whole listing into a file of lines (JSONL), which is read part by part.

The cursor knows the operation and the byte reached, so a reading that was killed goes on where it was. An operation that
fails, or never ends, gives way to reading by pages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple, Never

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.documents import BULK, COUNT, RUN_BULK
from connectors.shopify.reading import Reading
from hub.sdk.api import GoneError, Plain, UnavailableError, read_json

FILE_HOSTS: Final = frozenset({"https://storage.googleapis.com"})
"""Where the shop's result files lie."""
PART_BYTES_MAX: Final = 1_048_576
LINE_BYTES_MAX: Final = 1_000_000
LOOK_SECONDS: Final = 2.0
LOOKS_MAX: Final = 1_800
"""An hour; after that the listing is read by pages."""
UNDER_WAY: Final = frozenset({"CREATED", "RUNNING", "CANCELING"})


class Part(NamedTuple):
    """Some lines of the file and the reading after them; `over` says that they were the last."""

    lines: list[Plain]
    reading: Reading
    over: bool


class Bulk:
    """The bulk operations of one channel."""

    def __init__(self, api: AdminApi, bulk_from: int) -> None:
        self._api = api
        self._bulk_from = bulk_from

    def begun(self, reading: Reading, query: str) -> Reading:
        """The reading with an operation that was started for it, where the catalogue is large enough and one may start."""
        if not self._bulk_from:
            return reading
        counted = self._api.ask("count the catalogue", COUNT, {})
        said = counted.told.get("productVariantsCount") or {}
        if int(said.get("count") or 0) < self._bulk_from and said.get("precision") == "EXACT":
            return reading.opened(counted.at)
        # It changes nothing in the shop, and started twice it only leaves a second file behind.
        started = self._api.ask("start a bulk operation", RUN_BULK, {"query": query})
        operation = (started.told.get("bulkOperationRunQuery") or {}).get("bulkOperation")
        begun = reading.opened(counted.at)
        return replace(begun, bulk=str(operation["id"])) if operation else begun

    def part(self, reading: Reading) -> Part | None:
        """The next lines; none while the operation runs. None when it has failed and the listing must be read by pages."""
        said = self._api.ask("look at a bulk operation", BULK, {"id": reading.bulk}).told.get("bulkOperation")
        if said is None or reading.looks >= LOOKS_MAX:
            return None
        if said["status"] in UNDER_WAY:
            self._api.context.clock.sleep(LOOK_SECONDS)
            return Part([], replace(reading, looks=reading.looks + 1), False)
        if said["status"] != "COMPLETED":
            return None
        size = int(said.get("fileSize") or 0)
        if not said.get("url") or reading.offset >= size:
            return Part([], reading, True)
        try:
            return self._lines(str(said["url"]), reading, size)
        except GoneError:
            return None

    def _lines(self, url: str, reading: Reading, size: int) -> Part:
        answer = self._api.context.client.file(
            url, operation="read a bulk file", hosts=FILE_HOSTS, first_byte=reading.offset, bytes_max=PART_BYTES_MAX
        )
        part = answer.body
        if answer.status == 200:
            # All of the file, from a host that knows no ranges.
            part = part[reading.offset : reading.offset + PART_BYTES_MAX]
        whole = part if reading.offset + len(part) >= size else part[: part.rfind(b"\n") + 1]
        if not whole or max(map(len, whole.split(b"\n"))) > LINE_BYTES_MAX:
            self._unavailable("a part of the bulk file holds no whole line")
        try:
            lines = [read_json(line) for line in whole.split(b"\n") if line]
        except ValueError as bad:
            self._unavailable(f"the bulk file is not readable: {bad}")
        after = replace(reading, offset=reading.offset + len(whole), read=reading.read + len(lines))
        return Part(lines, after, after.offset >= size)

    def _unavailable(self, words: str) -> Never:
        raise UnavailableError(words, channel=self._api.context.channel, operation="read a bulk file")


def bulk_from(setting: str) -> int:
    """From how many variants on a listing is read in bulk; 0 is never."""
    return int(setting) if setting.isascii() and setting.isdigit() else 0
