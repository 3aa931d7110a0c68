"""A class of error is a next step: every class has its own, and none slips through."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap

import pytest

import hub
from hub import errors
from hub.errors import (
    ChannelError,
    ConfigError,
    ConflictError,
    GoneError,
    HubError,
    InvariantError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
    UnmappableError,
    UnverifiedError,
)
from hub.walk import Step, next_step

FOLLOWS = {
    ConfigError: Step.STOP,
    UnverifiedError: Step.DROP,
    UnmappableError: Step.LETTER,
    UnavailableError: Step.AGAIN,
    ThrottledError: Step.WAIT,
    UnauthorizedError: Step.PAUSE,
    ConflictError: Step.OBSERVE,
    GoneError: Step.FORGET,
    RefusedError: Step.REFUSED,
    OutcomeUnknownError: Step.UNKNOWN,
    InvariantError: Step.STOP,
}
GROUPS = {HubError, ChannelError}
"""Never raised themselves: they only gather the others."""


def below(kind: type[HubError]) -> set[type[HubError]]:
    found = set(kind.__subclasses__())
    return found.union(*(below(one) for one in found))


def every_class() -> set[type[HubError]]:
    """All error classes of the hub, wherever they are written."""
    for module in pkgutil.walk_packages(hub.__path__, "hub."):
        importlib.import_module(module.name)
    return {kind for kind in below(HubError) if kind.__module__.startswith("hub.")}


def branches() -> set[str]:
    """The classes that the `match` names."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(next_step)))
    return {ast.unparse(node.cls) for node in ast.walk(tree) if isinstance(node, ast.MatchClass)}


@pytest.mark.parametrize("kind", FOLLOWS, ids=lambda kind: kind.__name__)
def test_each_class_is_followed_by_its_step(kind: type[HubError]) -> None:
    assert next_step(kind("said so")) is FOLLOWS[kind]


def test_every_class_has_a_branch_of_its_own() -> None:
    named = branches()
    missing = {
        f"{kind.__module__}.{kind.__name__}"
        for kind in every_class() - GROUPS
        if not any(base.__name__ in named for base in kind.__mro__ if base not in GROUPS)
    }
    assert not missing, f"classes that no branch of hub.walk.next_step names: {missing}"


def test_every_class_of_the_tree_is_in_the_table() -> None:
    """A new class is documented here with the step that it takes."""
    written = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HubError)}
    assert written - GROUPS == set(FOLLOWS)


def test_only_what_makes_us_stop_is_shared_by_two_classes() -> None:
    steps = [step for step in FOLLOWS.values() if step is not Step.STOP]
    assert len(steps) == len(set(steps))
    assert set(FOLLOWS.values()) == set(Step)


def test_a_class_that_nobody_decided_about_stops() -> None:
    class NewError(HubError):
        """One that somebody added and forgot."""

    assert next_step(NewError("?")) is Step.STOP


def test_a_channel_error_names_channel_operation_and_the_platforms_request() -> None:
    error = RefusedError("price below cost", channel="webshop", operation="send price", request_id="r-17")
    assert str(error) == "webshop send price: price below cost (request r-17)"
    assert (error.channel, error.operation, error.request_id) == ("webshop", "send price", "r-17")


def test_a_configuration_error_begins_with_its_place() -> None:
    assert str(ConfigError("unknown key `covrs`: did you mean `covers`?", "authority.yaml:7")).startswith("authority.yaml:7: ")
    assert str(ConfigError("no such folder")) == "no such folder"


def test_an_unmappable_record_names_path_and_value() -> None:
    assert str(UnmappableError("not a quantity", "lines.0.quantity", "'many'")) == (
        "lines.0.quantity: not a quantity (value 'many')"
    )
    assert str(UnmappableError("empty record")) == "empty record"


def test_a_throttled_channel_says_how_long_or_that_it_did_not_say() -> None:
    assert ThrottledError("slow down", retry_after_seconds=2.5).retry_after_seconds == 2.5
    assert ThrottledError("slow down").retry_after_seconds is None
