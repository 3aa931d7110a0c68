"""Calls to Shopify: cost points, tokens that end, shops that let nobody in, versions that have expired."""

from __future__ import annotations

import json

import pytest
from shopify_rig import Rig

from hub.errors import ThrottledError, UnauthorizedError
from hub.sdk.contract import ReadAsk
from hub.sdk.wire import NoAnswerError, Request, Response

SECRET = "made-up-client-secret"


def test_the_pace_is_what_the_platform_says_it_is() -> None:
    rig = Rig()
    rig.stocked(3)
    rig.read("items", full=True)
    said = rig.sandbox.points
    assert abs(rig.client.bucket.tokens - said) < 2
    assert rig.client.bucket.burst == 2000


def test_throttled_under_200_is_waited_out_as_the_points_say() -> None:
    rig = Rig()
    rig.stocked(1)
    rig.read("items", full=True)
    rig.sandbox._restore_points()
    rig.sandbox.points = 2.0
    rig.client.bucket.tokens = 2000.0
    with pytest.raises(ThrottledError) as told:
        rig.connector.read("items", ReadAsk("", True, 100, 0))
    assert told.value.retry_after_seconds is not None
    assert 6 < told.value.retry_after_seconds < 9, "about 700 points at 100 a second"
    with pytest.raises(ThrottledError):
        rig.connector.read("items", ReadAsk("", True, 100, 0))
    rig.clock.advance(told.value.retry_after_seconds)
    assert len(rig.records(rig.connector.read("items", ReadAsk("", True, 100, 0)), "items")) == 1


def test_no_request_may_cost_more_than_a_document_may() -> None:
    rig = Rig()
    rig.stocked(60)
    order = rig.sandbox.order({f"TEE-{one:03d}": 1 for one in range(1, 60)})
    rig.read("items", full=True)
    rig.clock.advance(60)
    rig.read("stock", full=True)
    rig.clock.advance(60)
    assert len(rig.order(order)["lines"]) == 59
    costs = list(rig.connector.api._costs.values())
    assert costs
    assert max(costs) < 1000


# the sign-in


def test_tokens_of_an_app_that_end_are_renewed_and_survive_a_restart() -> None:
    app = {"client_id": "made-app", "refresh_token": "made-first-refresh"}
    secrets = {"client_secret": SECRET, "refresh_token": "made-first-refresh"}
    kept: dict[str, str] = {}
    rig = Rig(settings={"client_id": "made-app"}, secrets=secrets, kept=kept, **app)
    rig.stocked(1)
    rig.read("items")
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 1
    rig.clock.advance(3600)
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 2, "renewed before it was refused"
    rig.restart()
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 2, "the kept token still holds"
    rig.clock.advance(3600)
    rig.restart()
    assert len(rig.read("items")[0]) == 1, "the kept refresh token is the newest one"
    assert "made-first-refresh" not in rig.sandbox.tokens._refresh
    asked = [one for one in rig.wire.requests if one.path == "/admin/oauth/access_token"]
    assert all(one.headers["content-type"] == "application/x-www-form-urlencoded" for one in asked)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    rig = Rig(settings={"client_id": "made-app"}, secrets={"client_secret": SECRET}, client_id="made-app")
    rig.stocked(1)
    rig.read("items")
    rig.sandbox.tokens.expire()
    assert len(rig.read("items")[0]) == 1
    assert rig.sandbox.tokens.granted_times == 2
    rig.sandbox.tokens.revoke()
    rig.sandbox.options["client_secret"] = "another"
    with pytest.raises(UnauthorizedError, match="install the app again"):
        rig.read("items")


def test_what_another_command_renewed_meanwhile_is_taken_up_and_not_renewed_again() -> None:
    app = {"client_id": "made-app", "refresh_token": "made-first-refresh"}
    secrets = {"client_secret": SECRET, "refresh_token": "made-first-refresh"}
    rig = Rig(settings={"client_id": "made-app"}, secrets=secrets, **app)
    rig.stocked(1)
    rig.read("items")
    worker = rig.connector
    rig.clock.advance(3600)
    rig.restart()
    rig.read("items")
    # The command's token ended the worker's, and its refresh token the one that the worker knows.
    rig.connector = worker
    assert len(rig.read("items")[0]) == 1
    assert rig.sandbox.tokens.granted_times == 2
    rig.sandbox.tokens.expire()
    rig.restart()
    rig.read("items")
    rig.connector = worker
    assert len(rig.read("items")[0]) == 1, "a token that is refused before its time is looked up as well"
    assert rig.sandbox.tokens.granted_times == 3


def test_a_token_for_ever_is_given_where_no_other_was_asked_for() -> None:
    desk = Rig(client_id="made-app").sandbox.tokens
    app = {"client_id": "made-app", "client_secret": SECRET}
    code = desk.install()
    lasting = desk.granted({**app, "code": code})
    assert set(lasting.json()) == {"access_token", "scope"}
    assert desk.granted({**app, "code": code}).status == 400, "a code is good for one exchange"
    ends = desk.granted({**app, "code": desk.install(), "expiring": "1"}).json()
    assert (ends["expires_in"], ends["refresh_token_expires_in"]) == (3600, 7_776_000)
    assert desk.knows(lasting.json()["access_token"])
    assert desk.knows(ends["access_token"])


def test_a_lost_answer_to_a_renewal_is_asked_for_again() -> None:
    app = {"client_id": "made-app", "refresh_token": "made-first-refresh"}
    secrets = {"client_secret": SECRET, "refresh_token": "made-first-refresh"}
    rig = Rig(settings={"client_id": "made-app"}, secrets=secrets, **app)
    rig.stocked(1)
    original, lost = rig.wire.send, []

    def send(request: Request, deadline: float, most: int) -> Response:
        answer = original(request, deadline, most)
        if request.path.endswith("access_token") and not lost:
            lost.append(request)
            raise NoAnswerError("lost on the way")
        return answer

    rig.wire.send = send  # type: ignore[method-assign]
    assert len(rig.read("items")[0]) == 1
    assert rig.sandbox.tokens.granted_times == 2


@pytest.mark.parametrize(("status", "words"), [(401, "not accepted"), (402, "frozen"), (423, "locked")])
def test_a_shop_that_lets_nobody_in_waits_for_a_person(status: int, words: str) -> None:
    rig = Rig()
    rig.wire.send = lambda *_: Response(status, {}, b'{"errors": "no"}')  # type: ignore[method-assign]
    with pytest.raises(UnauthorizedError, match=words):
        rig.read("items")


def test_a_missing_access_scope_is_told_by_name() -> None:
    rig = Rig()
    words = "Access denied for productVariants field. Required access: `read_products` access scope."
    answered = {"errors": [{"message": words, "extensions": {"code": "ACCESS_DENIED"}}], "data": None}
    rig.wire.send = lambda *_: Response(200, {}, json.dumps(answered).encode())  # type: ignore[method-assign]
    with pytest.raises(UnauthorizedError, match="read_products"):
        rig.read("items")


# versions


def test_a_version_that_has_expired_is_noticed_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(versions="2027-01,2027-04")
    rig.stocked(1)
    assert len(rig.read("items")[0]) == 1
    rig.read("stock")
    assert rig.connector.notices == [
        "asked for API version 2026-10, answered by 2027-01: this connector must be brought up to date"
    ]
    assert len([one for one in caplog.records if "2027-01" in one.getMessage()]) == 1, "said once"
    rig.sandbox.options["versions"] = "2026-10"
    rig.read("items")
    assert rig.connector.notices == []
