"""Tryton's JSON-RPC as plain calls: signs in, keeps the session, and turns its errors into the ones with the right next step.

The platform answers 200 with `{"error": [...]}` for most refusals (observed on 8.2.1), so the status alone says nothing.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from hub.sdk.api import (
    ChannelError,
    Client,
    ConflictError,
    GoneError,
    OutcomeUnknownError,
    Plain,
    RefusedError,
    Response,
    UnauthorizedError,
    UnavailableError,
    micros,
    moment,
    one_line,
    plain_decimal,
    spoken,
)

WORDS_CHARS_MAX: Final = 300
ROLLED_BACK: Final = ("could not serialize", "deadlock detected", "database is locked", "could not obtain lock")
"""Words of a 503 that mean that the whole transaction was undone: nothing happened, it may be sent again."""

TIME_PARTS: Final = ("year", "month", "day", "hour", "minute", "second", "microsecond")

Domain = list[Plain]


class Session:
    """One signed-in user of one Tryton database; signs in at the first call and again when the session has run out."""

    def __init__(self, client: Client, database: str, username: str, password: str) -> None:
        self._client = client
        self._path = f"{database}/rpc/"
        self._username = username
        self._password = password
        self._authorization = ""
        self._context: dict[str, Plain] = {}
        self.user = 0
        """The id of our user, known once signed in."""

    def call(
        self, method: str, *params: Plain, operation: str, writes: bool = False, context: Mapping[str, Plain] | None = None
    ) -> Plain:
        """The result of a method; `context` is laid over the user's own and sent as the last parameter."""
        if not self._authorization:
            self._sign_in()
        for last in (False, True):
            full: list[Plain] = [*params, {**self._context, **(context or {})}]
            try:
                return self._once(method, full, operation, writes, self._authorization)
            except UnauthorizedError:
                # An expired session is refused before anything is done, so even a write may go again.
                if last:
                    raise
                self._sign_in()
        raise AssertionError("unreachable")

    def search_read(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int,
        order: str = "id",
        descending: bool = False,
        context: Mapping[str, Plain] | None = None,
    ) -> list[dict[str, Plain]]:
        """Matching records as the platform writes them, at most `limit`, ordered by one field."""
        ordered = [[order, "DESC" if descending else "ASC"]]
        found = self.call(
            f"model.{model}.search_read", domain, 0, limit, ordered, list(fields), operation=f"read {model}", context=context
        )
        if not isinstance(found, list):
            raise UnavailableError("answered without a list", channel=self._client.channel, operation=f"read {model}")
        return found

    def _sign_in(self) -> None:
        self._authorization = ""
        asked = [self._username, {"password": self._password}, "en"]
        answer = self._once("common.db.login", asked, "sign in", False)
        try:
            self.user, token = int(answer[0]), str(answer[1])
        except (TypeError, ValueError, IndexError, KeyError):
            raise UnavailableError("no session in the answer", channel=self._client.channel, operation="sign in") from None
        secret = base64.b64encode(f"{self._username}:{self.user}:{token}".encode()).decode()
        session = f"Session {secret}"
        preferences = self._once("model.res.user.get_preferences", [True, {}], "read preferences", False, session)
        if not isinstance(preferences, dict):
            raise UnavailableError("no preferences", channel=self._client.channel, operation="read preferences")
        # The locale only formats texts for people. Without the company figures and prices would be another's or nobody's,
        # so a session counts only once its context is known.
        self._context = {key: value for key, value in preferences.items() if key != "locale"}
        self._authorization = session

    def _once(self, method: str, params: list[Plain], operation: str, writes: bool, session: str = "") -> Plain:
        headers = {"authorization": session} if session else {}
        # Any other key in the body would turn errors into bare statuses; a fixed id keeps equal pages equal.
        body = {"id": 1, "method": method, "params": params}
        try:
            answer = self._client.call(
                "POST",
                self._path,
                operation=operation,
                writes=writes,
                headers=headers,
                json=body,
                statuses=frozenset({503}) if writes else frozenset(),
            )
        except GoneError as bad:
            raise UnauthorizedError(
                f"no such database: {bad.message}", channel=bad.channel, operation=operation, request_id=bad.request_id
            ) from None
        if answer.status == 503:
            raise self._busy(answer, operation)
        try:
            said = answer.json()
        except ValueError as bad_body:
            said = {"error": [f"no JSON: {bad_body}"]}
        if isinstance(said, dict) and "result" in said:
            return said["result"]
        raise self._failed(said.get("error") if isinstance(said, dict) else None, operation, writes)

    def _busy(self, answer: Response, operation: str) -> ChannelError:
        words = spoken(answer)
        undone = any(phrase in words for phrase in ROLLED_BACK)
        kind = UnavailableError if undone else OutcomeUnknownError
        return kind(f"busy: {words}", channel=self._client.channel, operation=operation)

    def _failed(self, error: Plain, operation: str, writes: bool) -> ChannelError:
        name = str(error[0]) if isinstance(error, list) and error else "an answer that is neither result nor error"
        where = {"channel": self._client.channel, "operation": operation}
        if name == "ConcurrencyException":
            return ConflictError("changed by somebody else meanwhile", **where)
        if name == "LoginException":
            return UnauthorizedError("wants a person to sign in", **where)
        if name in ("UserError", "UserWarning") and writes:
            return RefusedError(words_of(error), **where)
        kind = OutcomeUnknownError if writes else UnavailableError
        return kind(words_of(error) if name in ("UserError", "UserWarning") else name[:WORDS_CHARS_MAX], **where)


def words_of(error: Plain) -> str:
    """The sentence inside `["UserError", [sentence, description, domain]]` or `["UserWarning", [name, sentence, …]]`."""
    told = error[1] if len(error) > 1 else error[0]
    if isinstance(told, list):
        told = told[1 if error[0] == "UserWarning" and len(told) > 1 else 0] if told else ""
    return one_line(told, WORDS_CHARS_MAX)


def decimal_tag(amount: Decimal) -> Plain:
    """The platform's form of an exact number."""
    return {"__class__": "Decimal", "decimal": plain_decimal(amount)}


def time_tag(at: int) -> Plain:
    """The platform's form of a time (UTC without a zone), from microseconds."""
    when = moment(at)
    return {"__class__": "datetime", **{part: getattr(when, part) for part in TIME_PARTS}}


def time_of(tag: Plain) -> int | None:
    """Microseconds of a tagged time; None for null (a record that was never changed has no write date)."""
    if not isinstance(tag, dict):
        return None
    year, month, day, hour, minute, second, rest = (int(tag[part]) for part in TIME_PARTS)
    return micros(dt.datetime(year, month, day, hour, minute, second, rest, tzinfo=dt.UTC))


def changed_since(at: int, *prefixes: str) -> Plain:
    """The clause "changed or made at or after then" for the record ("") and records it points to (`template.`)."""
    tag = time_tag(at)
    return ["OR", *([f"{prefix}{name}", ">=", tag] for prefix in prefixes for name in ("write_date", "create_date"))]


def times_in(rows: Sequence[Mapping[str, Plain]]) -> list[int]:
    """Every write and create date of the rows and of the records nested in them."""
    found: list[int] = []
    for row in rows:
        for source in (row, row.get("template.") or {}):
            found.extend(at for name in ("write_date", "create_date") if (at := time_of(source.get(name))) is not None)
    return found


NEVER: Final = {"__class__": "date", "year": 9999, "month": 12, "day": 31}
"""An end date after every other: Tryton cuts it to its own today, so no clock but its own decides what today is."""
ACTIVE_OR_NOT: Final = ["active", "in", [True, False]]
"""Without a word on `active` a search leaves inactive records out."""
