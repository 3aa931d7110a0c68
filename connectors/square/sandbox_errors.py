"""The small Square's way of saying no."""

from __future__ import annotations

from hub.sdk.api import Plain, Response, json_response

_CATEGORIES = {401: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR", 500: "API_ERROR"}


class RefusalError(Exception):
    """A request that Square refuses: status and one error of its list."""

    def __init__(self, code: str, detail: str, field: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.status = status
        self.error: dict[str, Plain] = {
            "category": _CATEGORIES.get(status, "INVALID_REQUEST_ERROR"),
            "code": code,
            "detail": detail,
        }
        if field:
            self.error["field"] = field

    def response(self) -> Response:
        """The answer."""
        return json_response({"errors": [self.error]}, self.status)


def text_of(body: Plain, name: str, chars_max: int) -> str:
    """A required text of a body."""
    value = body.get(name)
    if value is None:
        raise RefusalError("MISSING_REQUIRED_PARAMETER", "Missing required parameter.", name)
    if not isinstance(value, str):
        raise RefusalError("EXPECTED_STRING", "Expected a string value.", name)
    if not value:
        raise RefusalError("VALUE_EMPTY", "Field must not be blank.", name)
    if len(value) > chars_max:
        raise RefusalError("VALUE_TOO_LONG", f"Field must not be greater than {chars_max} in length.", name)
    return value


def list_of(body: Plain, name: str, length_max: int, *, required: bool = True) -> list[Plain]:
    """A list of a body."""
    value = body.get(name)
    if value is None and not required:
        return []
    if value is None:
        raise RefusalError("MISSING_REQUIRED_PARAMETER", "Missing required parameter.", name)
    if not isinstance(value, list):
        raise RefusalError("EXPECTED_ARRAY", "Expected an array.", name)
    if required and not value:
        raise RefusalError("ARRAY_EMPTY", "Array must not be empty.", name)
    if len(value) > length_max:
        raise RefusalError("ARRAY_LENGTH_TOO_LONG", f"Array must not have more than {length_max} elements.", name)
    return value
