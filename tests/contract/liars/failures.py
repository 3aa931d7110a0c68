"""Liars about what goes wrong."""

from __future__ import annotations

from liars.liar import CODE, MANIFEST, Liar

NOTHING = '{"items": [], "now": 0, "total": 0, "id": ""}'
PUT = "    def put(self, change: Change, what: str, body: dict[str, Plain]) -> dict[str, Plain]:\n"
ASKED = "    def asked(self, path: str, query: dict[str, str], operation: str) -> dict[str, Plain]:\n"


def puts(name: str, rule: str, *lines: str) -> Liar:
    """A liar whose writes have these lines around them; `self.once` is the honest way."""
    body = "".join(f"        {line}\n" for line in ("from hub.sdk.api import ThrottledError", *lines))
    return Liar(name, rule, ((CODE, PUT, PUT + body + "\n" + PUT.replace("def put", "def once")),))


def asks(name: str, rule: str, *lines: str) -> Liar:
    """A liar whose reads have these lines around them; `self.ask_once` is the honest way."""
    body = "".join(f"        {line}\n" for line in ("from hub.sdk.api import UnauthorizedError", *lines))
    return Liar(name, rule, ((CODE, ASKED, ASKED + body + "\n" + ASKED.replace("def asked", "def ask_once")),))


LIARS = (
    puts(
        "sleeps_through_a_429",
        "told to wait it waits by the clock",
        "try:",
        "    return self.once(change, what, body)",
        "except ThrottledError as bad:",
        "    self.clock.sleep(bad.retry_after_seconds)",
        "    return self.once(change, what, body)",
    ),
    puts(
        "asks_again_at_once_after_a_429",
        "told to wait it waits by the clock",
        "try:",
        "    return self.once(change, what, body)",
        "except ThrottledError:",
        "    self.client.bucket.paused_until, self.client.bucket.tokens = 0, 9.0",
        "    return self.once(change, what, body)",
    ),
    puts(
        "takes_a_429_for_a_no",
        "a 429 without a time waits too",
        "try:",
        "    return self.once(change, what, body)",
        "except ThrottledError as bad:",
        "    raise RefusedError(bad.message)",
    ),
    puts(
        "writes_again_blindly",
        "an answer lost after being applied has one effect",
        "try:",
        "    return self.once(change, what, body)",
        "except OutcomeUnknownError:",
        "    return self.once(change, what, body)",
    ),
    puts(
        "calls_a_lost_answer_unsent",
        "an answer lost after being applied has one effect",
        "try:",
        "    return self.once(change, what, body)",
        "except OutcomeUnknownError as bad:",
        "    raise UnavailableError(bad.message)",
    ),
    puts(
        "writes_for_ever",
        "writes that always fail end",
        "for _ in range(50):",
        "    try:",
        "        return self.once(change, what, body)",
        "    except OutcomeUnknownError as bad:",
        "        last = bad",
        "raise last",
    ),
    asks(
        "takes_a_refused_login_for_nothing",
        "a refused login pauses this channel only",
        "try:",
        "    return self.ask_once(path, query, operation)",
        "except UnauthorizedError:",
        f"    return {NOTHING}",
    ),
    asks(
        "takes_an_outage_for_a_refused_login",
        "an outage is retried within the limit",
        "try:",
        "    return self.ask_once(path, query, operation)",
        "except UnavailableError as bad:",
        "    raise UnauthorizedError(bad.message)",
    ),
    asks(
        "hammers_what_is_down",
        "an outage is retried within the limit",
        "for _ in range(50):",
        "    try:",
        "        return self.ask_once(path, query, operation)",
        "    except UnavailableError as bad:",
        "        last = bad",
        "raise last",
    ),
    Liar(
        "takes_nonsense_for_nothing",
        "a malformed answer is a clear refusal",
        (
            (
                CODE,
                'raise UnavailableError("answered with something else", channel=self.context.channel, operation=operation)',
                f"return {NOTHING}",
            ),
        ),
    ),
    Liar(
        "breaks_on_nonsense",
        "a malformed answer is a clear refusal",
        ((CODE, "if not isinstance(told, dict) or not ({", "if not ({"),),
    ),
    Liar(
        "takes_any_failure_for_gone",
        "a malformed answer is a clear refusal",
        ((CODE, "            except GoneError:\n", "            except ChannelError:\n"),),
    ),
    Liar(
        "reads_without_an_end",
        "an endless answer is cut off",
        ((MANIFEST, "answer_bytes_max: 8388608", "answer_bytes_max: 1099511627776"),),
    ),
)
