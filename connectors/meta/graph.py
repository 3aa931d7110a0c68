"""Calls to the Graph API: one place that knows its sign-in, its error codes and its usage headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

from hub.sdk.api import (
    ChannelContext,
    Plain,
    RefusedError,
    Response,
    ThrottledError,
    UnauthorizedError,
    one_line,
    read_json,
    request_id,
    sign,
)

THROTTLED: Final = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
UNAUTHORIZED: Final = frozenset({10, 102, 190, 200})
PASSING: Final = frozenset({1, 2})
"""Their "unknown" and "temporarily unavailable": nothing that asking differently would mend."""
JUDGED_STATUSES: Final = frozenset({400, 401, 403, 404})
USAGE_PERCENT_MAX: Final = 95
USAGE_PAUSE_SECONDS: Final = 10.0
_SHARES: Final = ("call_count", "total_cputime", "total_time")


class Graph:
    """One catalogue's calls; answers are JSON objects, refusals the channel errors whose next step fits."""

    def __init__(self, context: ChannelContext) -> None:
        self._client = context.client
        self._clock = context.clock
        self._token = context.secrets.get("access_token", "")
        secret = context.secrets.get("app_secret", "")
        self._proof = {"appsecret_proof": sign(secret, self._token.encode(), "hex")} if secret and self._token else {}
        self._hidden = [value for value in context.secrets.values() if value] + list(self._proof.values())
        self._headers = {"authorization": f"Bearer {self._token}"}

    def get(self, path: str, query: Mapping[str, str], operation: str) -> dict[str, Plain]:
        """The answer to a read."""
        return self._call("GET", path, query, None, operation)

    def post(self, path: str, body: Plain, operation: str) -> dict[str, Plain]:
        """The answer to a write; OutcomeUnknownError where it may have been taken."""
        return self._call("POST", path, {}, body, operation)

    def _call(self, method: str, path: str, query: Mapping[str, str], body: Plain, operation: str) -> dict[str, Plain]:
        # The client takes every status it is told of for a pass; its count of throttlings in a row is kept over that.
        in_a_row = self._client.bucket.throttled_in_a_row
        answer = self._client.call(
            method,
            path,
            operation=operation,
            writes=method != "GET",
            query={**query, **self._proof},
            headers=self._headers,
            json=body,
            statuses=JUDGED_STATUSES,
        )
        told = self._client.told(answer, operation, writes=method != "GET")
        error = told.get("error")
        if isinstance(error, dict) or answer.status >= 400:
            self._client.bucket.throttled_in_a_row = in_a_row
            self._refuse(error if isinstance(error, dict) else {}, answer, method, operation)
        self._mind_usage(answer)
        return told

    def _refuse(self, error: Mapping[str, Plain], answer: Response, method: str, operation: str) -> NoReturn:
        code = error.get("code")
        trace = error.get("fbtrace_id")
        ident = request_id(answer) or (trace[:100] if isinstance(trace, str) else "")
        words = self._clean(f"code {code}: {error.get('message', 'status ' + str(answer.status))}")
        channel = self._client.channel
        if code in THROTTLED:
            now = self._clock.now()
            wait = self._client.bucket.throttled(_regained_seconds(answer), now)
            raise ThrottledError(words, retry_after_seconds=wait, channel=channel, operation=operation, request_id=ident)
        if code in UNAUTHORIZED or answer.status in (401, 403):
            # Their words on a bad token repeat the token.
            words = f"code {code} subcode {error.get('error_subcode')}: the token is not (or no longer) good for this"
            raise UnauthorizedError(words, channel=channel, operation=operation, request_id=ident)
        if code in PASSING or error.get("is_transient") is True:
            raise self._client.unclear(words, operation, answer, writes=method != "GET")
        raise RefusedError(words, channel=channel, operation=operation, request_id=ident)

    def _clean(self, words: str) -> str:
        for secret in self._hidden:
            words = words.replace(secret, "<secret>")
        return one_line(words)

    def _mind_usage(self, answer: Response) -> None:
        # Near the full allowance the next calls would be refused for a while: waiting before costs less.
        if max(_shares(answer), default=0) >= USAGE_PERCENT_MAX:
            self._client.bucket.pause(_regained_seconds(answer) or USAGE_PAUSE_SECONDS, self._clock.now())


def _usages(answer: Response) -> Iterator[Mapping[str, Plain]]:
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            told = read_json(answer.headers.get(name, "{}"))
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told
            for rows in told.values():
                if isinstance(rows, list):
                    yield from (row for row in rows if isinstance(row, dict))


def _shares(answer: Response) -> list[int]:
    return [int(usage[name]) for usage in _usages(answer) for name in _SHARES if isinstance(usage.get(name), int)]


def _regained_seconds(answer: Response) -> float | None:
    """How long until calls are taken again, told in minutes; None when nothing is told."""
    minutes = [usage.get("estimated_time_to_regain_access") for usage in _usages(answer)]
    longest = max((told for told in minutes if isinstance(told, int)), default=0)
    return longest * 60.0 if longest > 0 else None
