"""The shop's REST API: one address, one way to sign in, and answers whose next step is right even when a host got in between.

A WooCommerce behind a firewall, a cache or a maintenance page answers with other people's words under WooCommerce's address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from connectors.woocommerce.sign_in import SignIn
from hub.sdk.api import (
    ChannelContext,
    GoneError,
    OutcomeUnknownError,
    Plain,
    RefusedError,
    Response,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
    one_line,
    spoken,
)

ROOT: Final = "wp-json/wc/v3/"
BLOCKED_SECONDS: Final = 300.0
"""How long nothing is asked after a host's firewall turned us away: asking on makes such blocks longer."""
MOVED: Final = frozenset({301, 302, 307, 308})
WRITTEN: Final = frozenset({"id", "update"})
"""What the answer to a write that was done has: the object with its id, or the objects of a batch."""
NO_ROUTE: Final = "rest_no_route"
WORDS_CHARS_MAX: Final = 200

Row = dict[str, Plain]


class Listing(NamedTuple):
    """Rows of a list, how many there are in all (None: the headers do not say), and the answer they came in."""

    rows: list[Row]
    total: int | None
    answer: Response


class ShopApi:
    """Calls of one channel."""

    def __init__(self, context: ChannelContext) -> None:
        self._client = context.client
        self._channel = context.channel
        self._clock = context.clock
        given = context.secrets
        sign_in = SignIn(
            context.settings.get("sign_in", "auto"),
            self._client.base_url,
            given.get("consumer_key", ""),
            given.get("consumer_secret", ""),
            context.clock,
        )
        self._client.sign = sign_in.signed

    def list(self, path: str, query: Mapping[str, str], operation: str, *, counted: bool = True) -> Listing:
        """Rows of a list; where the list is `counted`, an empty one must say that it is."""
        answer, said = self._call("GET", path, operation, False, query=query)
        if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
            raise UnavailableError("answered with no list of objects", channel=self._channel, operation=operation)
        given = answer.headers.get("x-wp-total", "")
        total = int(given) if given.isascii() and given.isdigit() else None
        if counted and not said and total is None:
            raise UnavailableError("an empty list without its count", channel=self._channel, operation=operation)
        return Listing(said, total, answer)

    def one(self, path: str, query: Mapping[str, str], operation: str) -> Row | None:
        """One object; None when WooCommerce itself says that there is none (a missing route is an outage, not an absence)."""
        answer, said = self._call("GET", path, operation, False, query=query, statuses=frozenset({404}))
        if not isinstance(said, dict):
            raise UnavailableError("answered with no object", channel=self._channel, operation=operation)
        if answer.status != 404:
            return said
        if str(said.get("code", "")).endswith("_invalid_id"):
            return None
        words = "the shop has no such route: is WooCommerce switched on, are pretty permalinks?"
        if said.get("code") != NO_ROUTE:
            words = f"status 404: {words_of(said)}"
        raise UnavailableError(words, channel=self._channel, operation=operation)

    def write(
        self, method: str, path: str, body: Plain, operation: str, *, statuses: frozenset[int] = frozenset()
    ) -> tuple[int, Row]:
        """Status and object of a write's answer; one of `statuses` comes back with the error's own object."""
        answer, said = self._call(method, path, operation, True, json=body, statuses=statuses)
        if not isinstance(said, dict):
            raise OutcomeUnknownError("answered with no object", channel=self._channel, operation=operation)
        if answer.status < 300 and not WRITTEN & said.keys():
            raise OutcomeUnknownError("answered success without what was written", channel=self._channel, operation=operation)
        return answer.status, said

    def option(self, group: str, name: str) -> str:
        """One of the shop's own settings; "" where our key may not see it."""
        try:
            found = self._api_object(f"{ROOT}settings/{group}/{name}")
        except (UnauthorizedError, GoneError):
            return ""
        return str(found.get("value") or "")

    def title(self) -> str:
        """The site's title, which it tells everybody; "" where it does not."""
        try:
            return str(self._api_object("wp-json/").get("name") or "")
        except (UnauthorizedError, GoneError, UnavailableError):
            return ""

    def _api_object(self, path: str) -> Row:
        said = self._client.json("GET", path, operation="survey", writes=False)
        if not isinstance(said, dict):
            raise UnavailableError("answered with no object", channel=self._channel, operation="survey")
        return said

    def _call(
        self,
        method: str,
        path: str,
        operation: str,
        writes: bool,
        *,
        query: Mapping[str, str] | None = None,
        json: Plain = None,
        statuses: frozenset[int] = frozenset(),
    ) -> tuple[Response, Plain]:
        answer = self._client.call(
            method,
            ROOT + path,
            operation=operation,
            writes=writes,
            query=query,
            json=json,
            statuses=statuses | MOVED | {401, 403, 406},
        )
        said = _json(answer)
        if answer.status in MOVED:
            words = f"the shop answers at another address ({_host(answer)}): write that one as base_url"
            raise UnavailableError(words, channel=self._channel, operation=operation)
        if answer.status in (401, 403, 406) and answer.status not in statuses:
            self._turned_away(answer, said, operation)
        if said is None:
            kind = OutcomeUnknownError if writes else UnavailableError
            raise kind(f"answered with no JSON: {spoken(answer)[:80]}", channel=self._channel, operation=operation)
        return answer, said

    def _turned_away(self, answer: Response, said: Plain, operation: str) -> None:
        """By WooCommerce, which speaks JSON and means our key, or by somebody before it, who means our haste."""
        words = f"status {answer.status}: {words_of(said) if isinstance(said, dict) else spoken(answer)}"
        if isinstance(said, dict) and "code" in said:
            kind = RefusedError if answer.status == 406 else UnauthorizedError
            raise kind(words, channel=self._channel, operation=operation)
        if answer.status == 401:
            raise UnauthorizedError(words, channel=self._channel, operation=operation)
        self._client.bucket.pause(BLOCKED_SECONDS, self._clock.now())
        raise ThrottledError(
            f"turned away by the host, not by WooCommerce ({words[:WORDS_CHARS_MAX]})",
            retry_after_seconds=BLOCKED_SECONDS,
            channel=self._channel,
            operation=operation,
        )


def words_of(error: Mapping[str, Plain]) -> str:
    """An error's code and message on one line."""
    return one_line(f"{error.get('code', '')}: {error.get('message', '')}")


def _json(answer: Response) -> Plain:
    try:
        return answer.json()
    except ValueError:
        return None


def _host(answer: Response) -> str:
    target = answer.headers.get("location", "")
    head, found, rest = target.partition("://")
    return f"{head}://{rest.split('/')[0]}"[:WORDS_CHARS_MAX] if found else "not said"
