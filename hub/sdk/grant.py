"""What a person grants in a browser: the address to open, whether what came back is theirs, and the secrets in it.

Authorization code grant as in RFC 6749, section 4.1; `state` binds the answer to the question (section 10.12).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urljoin

from hub.canonical.values import Plain
from hub.errors import RefusedError, UnverifiedError
from hub.sdk.client import Client
from hub.sdk.manifest import Connect

FORM: Final = "application/x-www-form-urlencoded"
SECRET_CHARS_MAX: Final = 4_096
WORDS_CHARS_MAX: Final = 200


def consent_url(connect: Connect, base_url: str, settings: Mapping[str, str], callback: str, state: str) -> str:
    """The address that the person opens: there they say yes, and the platform comes back to `callback` with `state`."""
    asked = {connect.state: state, connect.callback: callback}
    if connect.kind == "oauth2":
        asked |= {"response_type": "code", "client_id": settings.get(connect.client_id, "")}
    further = (one.strip() for one in settings.get(connect.scopes_setting, "").split(","))
    if scopes := [*connect.scopes, *filter(None, further)]:
        asked["scope"] = connect.scope_separator.join(dict.fromkeys(scopes))
    asked |= {name: value.replace("{callback}", callback) for name, value in connect.more.items()}
    return urljoin(base_url.rstrip("/") + "/", connect.authorize.lstrip("/")) + "?" + urlencode(asked, quote_via=quote)


def check_answer(connect: Connect, secrets: Mapping[str, str], state: str, given: Mapping[str, str]) -> None:
    """UnverifiedError when this is no answer to our question, RefusedError when the person or the platform said no."""
    if not hmac.compare_digest(state.encode(), given.get(connect.state, "").encode("utf-8", "replace")):
        raise UnverifiedError("not an answer to this question")
    if connect.signed:
        rest = sorted((name, value) for name, value in given.items() if name != connect.signed)
        key, told = secrets.get(connect.client_secret, "").encode(), given.get(connect.signed, "").encode("utf-8", "replace")
        # Official libraries write the query down in two ways, which differ where a value holds = or /.
        plainly = "&".join(f"{_plain(name, '%&=')}={_plain(value, '%&')}" for name, value in rest)
        written = (urlencode(rest, quote_via=quote), plainly)
        wanted = [hmac.new(key, one.encode(), hashlib.sha256).hexdigest().encode() for one in written]
        if not any(hmac.compare_digest(one, told) for one in wanted):
            raise UnverifiedError("signature wrong")
    if "error" in given:
        raise RefusedError(f"it was not granted: {given['error'][:WORDS_CHARS_MAX]}")
    if connect.kind == "key_grant" and given.get("success") == "0":
        raise RefusedError("it was not granted")


def _plain(text: str, escaped: str) -> str:
    """As it is, but for the marks that would make two queries look the same."""
    return "".join(quote(one, safe="") if one in escaped else one for one in text)


def exchanged(
    connect: Connect, client: Client, settings: Mapping[str, str], secrets: Mapping[str, str], code: str, callback: str
) -> Mapping[str, Plain]:
    """What the platform gives for the code, which is good for one use; the channel errors otherwise."""
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "client_id": settings.get(connect.client_id, ""),
        "client_secret": secrets.get(connect.client_secret, ""),
        **connect.token_more,
    }
    asked = {name: value for name, value in asked.items() if value}
    operation = "exchange the code"
    answer = client.call("POST", connect.token, operation=operation, writes=True, headers={"content-type": FORM},
                         body=urlencode(asked).encode())  # fmt: skip
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise RefusedError("the answer holds no token", channel=client.channel, operation=operation)
    return told


def granted(connect: Connect, answer: Mapping[str, Plain]) -> dict[str, str]:
    """The secrets in an answer by their manifest names; RefusedError names one that lacks (never a value)."""
    found: dict[str, str] = {}
    for name, field in connect.gives.items():
        value = answer.get(field)
        if isinstance(value, str) and 0 < len(value) <= SECRET_CHARS_MAX:
            found[name] = value
        elif name not in connect.optional:
            raise RefusedError(f"the answer holds no {name}")
    return found
