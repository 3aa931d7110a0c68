"""A webshop that stops telling the hub: it is noticed, mended, and what was missed is read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from stage import FILES, HOOKS, SUBSCRIBED, Stage, stage

from hub.cli import ask

WEBSHOP = SUBSCRIBED["channels/webshop.yaml"]
OTHERS = ("channels/till.yaml", "channels/erp.yaml")
SKU = "TEE-001"


def opened(folder: Path, **files: str) -> Stage:
    """A shop, its till and its ERP, that show the same; nobody has subscribed anything yet."""
    made = stage(folder, files={**SUBSCRIBED, **files})
    made.platforms["webshop"].hook_url = ""
    for platform in made.platforms.values():
        platform.add_item(SKU, "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count(SKU, 10, "3")
    made.platforms["till"].count(SKU, 5, "LAARHUS000001")
    made.run(5)
    return made


def hooks_of(made: Stage) -> dict[str, str]:
    """Topic → status of what delivers to the hub."""
    kept = made.platforms["webshop"].webhooks.kept.values()
    return {hook.topic: hook.status for hook in kept if hook.url == f"{HOOKS}webshop"}


def test_a_live_channel_subscribes_itself(tmp_path: Path) -> None:
    made = opened(tmp_path)
    assert len(hooks_of(made)) == 8
    assert set(hooks_of(made).values()) == {"active"}
    made.platforms["webshop"].add_item("NEW-1", "New", price=Decimal("10"))
    made.run(30)
    assert [letter.value for letter in made.letters()] == ["NEW-1"], "a delivery told of it long before the next reading"


def test_an_observed_channel_is_left_alone(tmp_path: Path) -> None:
    made = opened(tmp_path, **{"channels/webshop.yaml": WEBSHOP.replace("mode: live", "mode: observe")})
    made.run(3_600)
    made.pass_by(86_400)
    assert hooks_of(made) == {}
    assert made.writes("webshop") == 0


def test_without_a_public_address_nothing_is_asked_about_subscriptions(tmp_path: Path) -> None:
    made = opened(tmp_path, **{"hub.yaml": "name: test\n"})
    made.run(3_600)
    made.pass_by(86_400)
    assert not [call for call in made.platforms["webshop"].calls if "webhooks" in call.path]


def test_a_webhook_that_the_shop_switched_off_is_switched_on_again_after_a_gap(tmp_path: Path) -> None:
    made = opened(tmp_path)
    made.run(7_200)
    shop = made.platforms["webshop"]
    for hook in shop.webhooks.kept.values():
        hook.status = "disabled"
    shop.count(SKU, 99)
    made.run(700)
    assert set(hooks_of(made).values()) == {"active"}, "the poll found what no delivery had told"
    assert made.shows("webshop", SKU) == 15


def test_deleted_webhooks_are_made_again_within_a_day(tmp_path: Path) -> None:
    made = opened(tmp_path)
    made.platforms["webshop"].webhooks.kept.clear()
    made.run(3_600)
    assert hooks_of(made) == {}, "no delivery was missed yet, and it is looked once a day"
    made.pass_by(86_400 - 3_600)
    assert len(hooks_of(made)) == 8


def test_subscriptions_that_are_in_order_cost_one_look_a_day(tmp_path: Path) -> None:
    seldom = {name: FILES[name].replace("sweep_seconds: 600", "sweep_seconds: 14400") for name in OTHERS}
    made = opened(tmp_path, **{name: text.replace("poll_seconds: 60,", "poll_seconds: 3600,") for name, text in seldom.items()})
    shop = made.platforms["webshop"]
    shop.calls.clear()
    made.run(2 * 86_400)
    assert 2 <= sum("webhooks" in call.path for call in shop.calls) <= 4
    assert not [call for call in shop.calls if call.writes]


def test_a_key_that_may_not_see_webhooks_does_not_stop_the_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.sdk.wire import Request, Response

    made = opened(tmp_path)
    shop = made.platforms["webshop"]
    send = shop.send

    def guarded(request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        if "/webhooks" in request.path:
            return Response(403, {"content-type": "application/json"}, b'{"code":"woocommerce_rest_cannot_view"}')
        return send(request, deadline_seconds, answer_bytes_max)

    monkeypatch.setattr(shop, "send", guarded)
    made.run(3_600)
    made.pass_by(86_400)
    made.platforms["till"].count(SKU, 4, "LAARHUS000001")
    made.run(900)
    assert made.shows("webshop", SKU) == 14


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose commands reach the platforms in small."""
    monkeypatch.setenv("X", "made-up-hook-secret")
    made = Desk(tmp_path, SUBSCRIBED)
    made.platforms["webshop"].hook_url = ""
    made.platforms["webshop"].add_item(SKU, "T-shirt", price=Decimal("199.95"))
    secrets = made.secrets["webshop"]
    for name, value in secrets.items():
        monkeypatch.setenv(f"WOO_{name.upper()}", value)
    made.write("channels/webshop.yaml", WEBSHOP.replace(
        'secrets: {consumer_key: "env:X", consumer_secret: "env:X", hook_secret: "env:X"}',
        'secrets: {consumer_key: "env:WOO_CONSUMER_KEY", consumer_secret: "env:WOO_CONSUMER_SECRET", '
        'hook_secret: "env:WOO_HOOK_SECRET"}',
    ))  # fmt: skip
    monkeypatch.setattr(ask, "http_transports", lambda clock: lambda settings: made.platforms[settings.channel])
    yield made
    made.close()


def test_a_person_looks_and_mends(desk: Desk) -> None:
    said = desk.type("hooks", "webshop")
    assert said.code == 1
    assert "no active subscription names our address" in said.err
    mended: Any = desk.type("hooks", "webshop", "--heal", "--json")
    assert mended.code == 0
    assert len(mended.json["done"]) == 8
    assert {row["url"] for row in mended.json["hooks"]} == {f"{HOOKS}webshop"}
    again = desk.type("hooks", "webshop", "--heal", "--json")
    assert (again.code, again.json["done"]) == (0, [])
    assert desk.secrets["webshop"]["hook_secret"] not in mended.out + mended.err
    next(iter(desk.platforms["webshop"].webhooks.kept.values())).status = "disabled"
    assert "is disabled" in desk.type("hooks", "webshop").err


def test_it_says_where_nothing_can_be_looked_after(desk: Desk) -> None:
    assert "keeps no subscriptions" in desk.type("hooks", "erp").err
    assert "no channel shop" in desk.type("hooks", "shop").err
    desk.write("hub.yaml", "name: test\n")
    said = desk.type("hooks", "webshop", "--heal")
    assert said.code == 1
    assert "public_url" in said.err
