"""One GraphQL call to the Admin API: signed in, judged by its body (Vendure answers its errors with HTTP 200)."""

from __future__ import annotations

from typing import Final, Never

from connectors.vendure.documents import SIGN_IN
from hub.sdk.api import (
    ChannelContext,
    Plain,
    RefusedError,
    Response,
    UnauthorizedError,
    code_of,
    errors_said,
    request_id,
)

PATH: Final = "/admin-api"
TOKEN_HEADER: Final = "vendure-auth-token"
UNEXPECTED: Final = "INTERNAL_SERVER_ERROR"
FORBIDDEN_WORDS: Final = "You are not currently authorized"

BAD_DOCUMENT: Final = frozenset({400})
"""What Apollo answers to a document that the schema does not allow (to bad variables it answers 200); the body says why."""


class RejectedError(RefusedError):
    """The call certainly changed nothing: it was not executed, or its one field threw and was rolled back.

    `meant` says that Vendure named a reason; without one it may be a passing fault of the server.
    """

    def __init__(self, message: str, *, meant: bool, channel: str, operation: str, request_id: str) -> None:
        super().__init__(message, channel=channel, operation=operation, request_id=request_id)
        self.meant = meant


class AdminApi:
    """Asks documents of one shop; signs in when needed and once again when the session has ended."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._client = context.client
        self._api_key = context.secrets.get("api_key", "")
        self._token = ""

    def ask(self, operation: str, document: str, variables: dict[str, Plain], *, writes: bool) -> tuple[Plain, str]:
        """The answer's `data` and the platform's request id; a ChannelError when the answer holds errors."""
        answer, body = self._post(operation, document, variables, writes)
        if _is_forbidden(body) and not self._api_key:
            # A refusal by the guard comes before any effect, so the same call may be made again under a fresh session.
            self._token = ""
            answer, body = self._post(operation, document, variables, writes)
        if body.get("errors"):
            self._refuse(operation, body, answer, writes)
        if not isinstance(body.get("data"), dict):
            raise self._client.unclear("the answer has neither data nor errors", operation, answer, writes=writes)
        return body["data"], request_id(answer)

    def _post(
        self, operation: str, document: str, variables: dict[str, Plain], writes: bool
    ) -> tuple[Response, dict[str, Plain]]:
        answer = self._client.call(
            "POST",
            PATH,
            operation=operation,
            writes=writes,
            headers=self._headers(),
            json={"query": document, "variables": variables},
            statuses=BAD_DOCUMENT,
        )
        return answer, self._client.told(answer, operation, writes=writes)

    def _headers(self) -> dict[str, str]:
        channel = self._context.settings.get("channel_token", "")
        headers = {"vendure-token": channel} if channel else {}
        if self._api_key:
            return headers | {"vendure-api-key": self._api_key}
        if not self._token:
            self._token = self._sign_in()
        return headers | {"authorization": f"Bearer {self._token}"}

    def _sign_in(self) -> str:
        username = self._context.settings.get("username", "")
        password = self._context.secrets.get("password", "")
        if not username or not password:
            self._unauthorized("neither an api_key nor username and password are given")
        answer = self._client.call(
            "POST",
            PATH,
            operation="sign in",
            writes=False,
            json={"query": SIGN_IN, "variables": {"username": username, "password": password}},
            statuses=BAD_DOCUMENT,
        )
        body = self._client.told(answer, "sign in", writes=False)
        if _is_forbidden(body):
            self._unauthorized("signing in is forbidden")
        if body.get("errors"):
            self._refuse("sign in", body, answer, False)
        said = (body.get("data") or {}).get("login") or {}
        if said.get("__typename") != "CurrentUser":
            self._unauthorized(f"signing in was refused: {said.get('errorCode', 'no reason given')}")
        token = answer.headers.get(TOKEN_HEADER, "")
        if not token:
            self._unauthorized(f"no {TOKEN_HEADER} in the answer: the shop's tokenMethod must allow bearer, or use an api_key")
        return token

    def _unauthorized(self, words: str) -> Never:
        raise UnauthorizedError(words, channel=self._context.channel, operation="sign in")

    def _refuse(self, operation: str, body: dict[str, Plain], answer: Response, writes: bool) -> Never:
        """The error that fits what the answer's `errors` say."""
        channel, ident, said = self._context.channel, request_id(answer), errors_said(body)
        assert said is not None
        error, words = said.errors[0] if said.errors else {}, said.words
        path = error.get("path") or []
        if _is_forbidden(body):
            raise UnauthorizedError(words, channel=channel, operation=operation, request_id=ident)
        # Without `data` nothing was executed. With a path of one step the resolver itself threw; a deeper one would mean
        # that it had done its work and only the answer broke.
        threw = len(path) == 1 and body.get("data") is None and len(body["errors"]) == 1
        if "data" not in body or threw:
            meant = (code_of(error) or UNEXPECTED) != UNEXPECTED
            raise RejectedError(words, meant=meant, channel=channel, operation=operation, request_id=ident)
        raise self._client.unclear(words, operation, answer, writes=writes)


def _is_forbidden(body: dict[str, Plain]) -> bool:
    said = errors_said(body)
    return said is not None and (
        "FORBIDDEN" in said.codes or any(str(one.get("message")).startswith(FORBIDDEN_WORDS) for one in said.errors)
    )
