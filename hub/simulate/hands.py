"""A platform as its people have it: whoever reaches for more of it than to look may change something, and that is counted."""

from __future__ import annotations

from typing import Any, Final

from hub.sdk.sandbox import SandboxBase

LOOKS: Final = frozenset(
    {
        "CHANNEL", "admits", "calls", "dated_waits", "hook_url", "is_write", "lists", "micros", "orders_shown",
        "outbox", "put_state", "restore", "route", "send", "shown", "snapshot", "subscribes", "throttled", "to_ship",
        "unauthorized", "whole_state",
    }
)  # fmt: skip
"""What changes nothing that anybody could be shown. Requests are counted where it is known whether they write."""


class Hands:
    """The platform itself; `touched` counts how often something other than `LOOKS` was reached for."""

    def __init__(self, platform: SandboxBase) -> None:
        self.__dict__["touched"], self.__dict__["_platform"] = 0, platform

    def __getattr__(self, name: str) -> Any:
        if name not in LOOKS:
            self.__dict__["touched"] += 1
        return getattr(self.__dict__["_platform"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["touched"] += 1
        setattr(self.__dict__["_platform"], name, value)
