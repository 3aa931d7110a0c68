"""Liars about the folder and what it promises."""

from __future__ import annotations

from liars.liar import CODE, MANIFEST, METHODS, Liar

CHALLENGE = '    def challenge(self, delivery):\n        return delivery.query["hub.challenge"].encode()\n\n'

LIARS = (
    Liar("has_no_readme", "the folder is whole", (("README.md", "", None),)),
    Liar("names_a_method_it_lacks", "the manifest is valid", ((MANIFEST, "code: send_price", "code: send_prices"),)),
    Liar(
        "looks_up_nothing",
        "every capability is answered by the sandbox",
        ((CODE, 'self.asked(f"/{stream}/{ident}"', 'self.asked(f"/things/{ident}"'),),
    ),
    Liar(
        "answers_any_challenge",
        "a challenge of a stranger is not answered",
        (
            (MANIFEST, "  ignored_topics: [shop.opened]", "  ignored_topics: [shop.opened]\n  methods: [POST, GET]"),
            (CODE, METHODS, METHODS + CHALLENGE),
        ),
    ),
)
