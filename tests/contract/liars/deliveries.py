"""Liars about deliveries: each has a `verify` of its own, or declares the wrong thing."""

from __future__ import annotations

from liars.liar import CODE, MANIFEST, METHODS, Liar

VERDICT = 'read_json(delivery.body)["delivery"], "items.changed"'


def verifies(name: str, rule: str, *lines: str) -> Liar:
    """A liar whose `verify` has these lines."""
    head = "    def verify(self, delivery):\n        import hmac\n        from dataclasses import replace\n"
    head += "        from hub.sdk.api import UnverifiedError, Verdict, read_json, sign\n"
    body = "".join(f"        {line}\n" for line in lines)
    return Liar(name, rule, ((CODE, METHODS, METHODS + head + body + "\n"),))


LIARS = (
    verifies("ignores_the_signature", "a wrong signature is refused", f"return Verdict({VERDICT})"),
    verifies(
        "takes_the_beginning_of_a_signature",
        "a wrong signature is refused",
        'stamp, given = delivery.headers.get("x-timestamp", ""), delivery.headers.get("x-signature", "")',
        'right = sign(self.secrets["hook_secret"], stamp.encode() + delivery.body, "hex")',
        "if not given or not right.startswith(given):",
        '    raise UnverifiedError("wrong")',
        f"return Verdict({VERDICT})",
    ),
    verifies(
        "takes_an_empty_signature",
        "an empty signature is refused",
        'if delivery.headers.get("x-signature") == "":',
        f"    return Verdict({VERDICT})",
        "return super().verify(delivery)",
    ),
    verifies(
        "takes_what_has_no_signature",
        "a missing signature is refused",
        'if "x-signature" not in delivery.headers:',
        f"    return Verdict({VERDICT})",
        "return super().verify(delivery)",
    ),
    verifies(
        "minds_no_age",
        "a stale delivery is refused",
        'stamp, given = delivery.headers.get("x-timestamp", ""), delivery.headers.get("x-signature", "")',
        'right = sign(self.secrets["hook_secret"], stamp.encode() + delivery.body, "hex")',
        "if not hmac.compare_digest(right, given):",
        '    raise UnverifiedError("wrong")',
        f"return Verdict({VERDICT})",
    ),
    Liar(
        "has_a_window_of_a_year",
        "a stale delivery is refused",
        ((MANIFEST, "replay_window_seconds: 300", "replay_window_seconds: 31536000"),),
    ),
    verifies(
        "signs_without_the_last_byte",
        "a delivery changed in one byte is refused",
        "return super().verify(replace(delivery, body=delivery.body.strip()))",
    ),
    verifies(
        "compares_with_equals",
        "signatures are compared in constant time",
        'stamp, given = delivery.headers.get("x-timestamp", ""), delivery.headers.get("x-signature", "")',
        'if sign(self.secrets["hook_secret"], stamp.encode() + delivery.body, "hex") != given:',
        '    raise UnverifiedError("wrong")',
        f"return Verdict({VERDICT})",
    ),
    verifies(
        "verifies_without_a_secret",
        "without its secret nothing is verified",
        'if not self.secrets["hook_secret"]:',
        f"    return Verdict({VERDICT})",
        "return super().verify(delivery)",
    ),
    verifies(
        "invents_delivery_ids",
        "a doubled delivery is one envelope and marks again",
        "return replace(super().verify(delivery), delivery_id=self.clock.token())",
    ),
    Liar("does_not_know_its_topic", "a good delivery passes", ((MANIFEST, "    items.changed: {", "    items.moved: {"),)),
    Liar("spells_signatures_otherwise", "a good delivery passes", ((MANIFEST, "encoding: hex", "encoding: base64"),)),
)
