"""Errors: a class is a next step. Which step follows which class is decided once, by the `match` in `hub.walk`.

Every message names what a person needs to act: file and line for configuration, otherwise channel, record, path and value.
No secret and no personal value may be put into a message.
"""

from __future__ import annotations


class HubError(Exception):
    """Anything the hub knows how to react to."""


class ConfigError(HubError):
    """A person must edit a file; refuse to start (or to reload). `where` is `file:line` when it is known."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class UnverifiedError(HubError):
    """The delivery is not theirs: answer 401, count, keep nothing."""


class UnmappableError(HubError):
    """A record was not understood: dead letter, replay after the mapping is mended.

    `path` is the dotted path inside the record, `value` a short printable form of what stood there (persons redacted).
    """

    def __init__(self, reason: str, path: str = "", value: str = "") -> None:
        said = reason if not path else f"{path}: {reason}"
        super().__init__(f"{said} (value {value})" if value else said)
        self.reason = reason
        self.path = path
        self.value = value


class ChannelError(HubError):
    """A channel did not do what was asked. `request_id` is the platform's own, for its support desk."""

    def __init__(self, message: str, *, channel: str = "", operation: str = "", request_id: str = "") -> None:
        told = f"{channel} {operation}: {message}".strip() if channel or operation else message
        super().__init__(f"{told} (request {request_id})" if request_id else told)
        self.message = message
        self.channel = channel
        self.operation = operation
        self.request_id = request_id


class UnavailableError(ChannelError):
    """Nothing was done, or a read failed: again with backoff, attempts counted."""


class ThrottledError(ChannelError):
    """The channel asked us to wait: wait as told, no attempt is spent. `retry_after_seconds` is None when it did not say."""

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        channel: str = "",
        operation: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, channel=channel, operation=operation, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds


class UnauthorizedError(ChannelError):
    """The channel does not know us any more: pause this channel, tell a person; the others go on."""


class ConflictError(ChannelError):
    """Our picture is old: observe, then plan again."""


class GoneError(ChannelError):
    """No longer there: drop the observation, plan again."""


class RefusedError(ChannelError):
    """Their rule said no: this one change goes to the dead letters, the rest go on."""


class OutcomeUnknownError(ChannelError):
    """It may have happened: look it up by our key before anything else."""


class InvariantError(HubError):
    """We are wrong: stop this station, keep the evidence."""
