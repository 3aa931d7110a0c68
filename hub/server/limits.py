"""Every limit of the receiver by name: connections, waits, sizes and rates."""

from __future__ import annotations

from dataclasses import dataclass

from hub.settings.model import ServerSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """What the receiver allows; the defaults suit one machine, the first four come from the configuration."""

    queue_max: int = 10_000
    """Verified deliveries that may wait for their commit; above it the answer is 503."""
    queue_bytes_max: int = 256 * 1024 * 1024
    """The bodies of those deliveries together; one more may begin below it."""
    commit_rows_max: int = 500
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    connections_max: int = 2_000
    backlog: int = 2_048
    head_bytes_max: int = 64 * 1024
    head_seconds: float = 10.0
    """From the first byte of a request's head (or from connecting) to its end."""
    body_seconds: float = 20.0
    """For the whole body, however it trickles."""
    keep_alive_seconds: int = 20
    refused_bytes_max: int = 64 * 1024
    """How much more of a refused body is read, so that the platform gets to read the answer."""
    commit_wait_seconds: float = 0.002
    """How long a delivery waits for others to share its commit; a lone one is not kept waiting."""
    commit_seconds_max: float = 10.0
    """A commit that takes longer than this is answered as not stored."""
    stop_seconds: int = 10
    retry_after_seconds: int = 5
    ready_seconds: float = 2.0
    tidy_seconds: float = 1.0
    """How often counts are written down and copied deliveries are dropped."""
    keep_seconds: int = 86_400
    """How long a delivery stays in intake.db after it was copied."""
    behind_max: int = 1_000_000
    """How many deliveries may wait for the worker before no more are taken."""

    @classmethod
    def of(cls, settings: ServerSettings) -> Limits:
        """The limits with what the configuration says."""
        return cls(
            queue_max=settings.queue_max,
            commit_rows_max=settings.commit_rows_max,
            public_url=settings.public_url,
            trusted_proxies=settings.trusted_proxies,
        )
