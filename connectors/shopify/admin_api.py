"""One GraphQL call to the Admin API: signed in, paced by cost points, judged by its body.

Being asked too often (THROTTLED) and most errors come as HTTP 200. What a call may cost is learned from the answers.
"""

from __future__ import annotations

import logging
from typing import Final, Never

from connectors.shopify.tokens import HEADER, Tokens
from hub.sdk.api import (
    ChannelContext,
    Manifest,
    Plain,
    RefusedError,
    Response,
    ThrottledError,
    UnauthorizedError,
    answered_at,
    errors_said,
    request_id,
)

VERSION_HEADER: Final = "x-shopify-api-version"
COST_GUESS: Final = 50.0
"""Points that a document is taken to cost until an answer has said it."""
COST_MAX: Final = 1_000.0
"""A single document above this is refused by the platform."""
THROTTLED_SECONDS: Final = 5.0
DOUBLINGS_MAX: Final = 6
TURNED_AWAY: Final = frozenset({401, 402, 423})
"""Not signed in, a shop frozen for its bill, a locked shop: each waits for a person."""
SHUT: Final = {402: "the shop is frozen: its bill is open", 423: "the shop is locked"}
PASSING: Final = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
_log = logging.getLogger("connectors.shopify")


class Answer:
    """What one document was answered: `told` by root field, the platform's request id and its clock."""

    def __init__(self, told: dict[str, Plain], response: Response) -> None:
        self.told = told
        self.request_id = request_id(response)
        self.at = answered_at(response)


class AdminApi:
    """Asks documents of one shop."""

    def __init__(self, context: ChannelContext, manifest: Manifest) -> None:
        self.context = context
        self.version = manifest.api_version
        self._path = f"/admin/api/{manifest.api_version}/graphql.json"
        self._tokens = Tokens(context)
        self._share = context.client.bucket.burst / manifest.pace.burst
        self._costs: dict[str, float] = {}
        self._throttled_in_a_row = 0
        self.notices: dict[str, str] = {}
        """What a person should know of this channel, by kind: a version that is answered by another one."""

    def ask(self, operation: str, document: str, variables: dict[str, Plain], *, writes: bool = False) -> Answer:
        """The document's answer; a ChannelError when it holds errors."""
        headers = self._tokens.headers()
        answer = self._post(operation, document, variables, writes, headers)
        if answer.status == 401 and self._tokens.renewed(headers[HEADER]):
            # Turned away before anything was executed, so the same call may be made again.
            answer = self._post(operation, document, variables, writes, self._tokens.headers())
        if answer.status in TURNED_AWAY:
            words = SHUT.get(answer.status, "the access token is not accepted")
            raise UnauthorizedError(words, channel=self.context.channel, operation=operation, request_id=request_id(answer))
        self._notice_version(answer)
        body = self.context.client.told(answer, operation, writes=writes)
        self._learn(document, body)
        if body.get("errors"):
            self._refuse(operation, body, answer, writes)
        self._throttled_in_a_row = 0
        told = body.get("data")
        if not isinstance(told, dict):
            raise self.context.client.unclear("the answer has neither data nor errors", operation, answer, writes=writes)
        return Answer(told, answer)

    def _post(
        self, operation: str, document: str, variables: dict[str, Plain], writes: bool, headers: dict[str, str]
    ) -> Response:
        return self.context.client.call(
            "POST",
            self._path,
            operation=operation,
            writes=writes,
            headers=headers,
            json={"query": document, "variables": variables},
            cost=self._costs.get(document, COST_GUESS),
            statuses=TURNED_AWAY,
        )

    # pace

    def _learn(self, document: str, body: dict[str, Plain]) -> None:
        cost = _cost(body)
        requested, status = cost.get("requestedQueryCost"), cost.get("throttleStatus") or {}
        if requested is not None:
            self._costs[document] = min(COST_MAX, float(requested))
        if _throttled(body) or status.get("currentlyAvailable") is None:
            return
        self.context.client.bucket.learn(
            float(status["currentlyAvailable"]),
            self.context.clock.now(),
            burst=float(status["maximumAvailable"]) * self._share,
            per_second=float(status["restoreRate"]) * self._share,
        )

    def _throttle(self, operation: str, body: dict[str, Plain], answer: Response) -> Never:
        cost = _cost(body)
        status = cost.get("throttleStatus") or {}
        self._throttled_in_a_row = min(self._throttled_in_a_row + 1, DOUBLINGS_MAX)
        wait = THROTTLED_SECONDS * 2 ** (self._throttled_in_a_row - 1)
        if cost.get("requestedQueryCost") is not None and status.get("restoreRate"):
            lacking = float(cost["requestedQueryCost"]) - float(status.get("currentlyAvailable") or 0)
            wait = max(1.0, lacking / float(status["restoreRate"]))
        raise ThrottledError(
            "throttled: the cost points are used up",
            retry_after_seconds=self.context.client.bucket.throttled(wait, self.context.clock.now()),
            channel=self.context.channel,
            operation=operation,
            request_id=request_id(answer),
        )

    # errors

    def _refuse(self, operation: str, body: dict[str, Plain], answer: Response, writes: bool) -> Never:
        """The error that fits what the answer's `errors` say."""
        if _throttled(body):
            self._throttle(operation, body, answer)
        channel, ident, said = self.context.channel, request_id(answer), errors_said(body)
        assert said is not None
        if "ACCESS_DENIED" in said.codes:
            missing = f"the app lacks an access scope: {said.words}"
            raise UnauthorizedError(missing, channel=channel, operation=operation, request_id=ident)
        if said.codes & PASSING or body.get("data") is not None:
            raise self.context.client.unclear(said.words, operation, answer, writes=writes)
        # Without `data` and with a fault of the document itself nothing was executed.
        raise RefusedError(said.words, channel=channel, operation=operation, request_id=ident)

    def _notice_version(self, answer: Response) -> None:
        """A version that has expired is answered by the oldest supported one: told once, and for as long as it lasts."""
        said = answer.headers.get(VERSION_HEADER, "")
        if not said or said == self.version:
            self.notices.pop("version", None)
        elif "version" not in self.notices:
            words = f"asked for API version {self.version}, answered by {said[:20]}: this connector must be brought up to date"
            self.notices["version"] = words
            _log.warning("%s: %s", self.context.channel, words)


def _cost(body: dict[str, Plain]) -> dict[str, Plain]:
    extensions = body.get("extensions")
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    return cost if isinstance(cost, dict) else {}


def _throttled(body: dict[str, Plain]) -> bool:
    said = errors_said(body)
    return said is not None and ("THROTTLED" in said.codes or said.words == "Throttled")
