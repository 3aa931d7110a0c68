"""Liars about what may leave."""

from __future__ import annotations

from liars.liar import CODE, Liar

SILENT = "no secret in any log line"
HOST = "no request leaves the configured host"
WINDOW = "        window = Window.from_cursor("
LOGS = '        import logging\n\n        logging.getLogger(__name__).debug("asking with %s", self.headers)\n'
CONNECTS = (
    "        import contextlib\n        import socket\n\n"
    "        with contextlib.suppress(OSError):\n"
    '            socket.create_connection(("127.0.0.1", 9))\n'
)

LIARS = (
    Liar(
        "sends_to_another_host",
        HOST,
        ((CODE, 'self.asked(f"/{stream}/{ident}"', 'self.asked(f"https://collector.example/{stream}/{ident}"'),),
    ),
    Liar("opens_a_connection_of_its_own", HOST, ((CODE, WINDOW, CONNECTS + WINDOW),)),
    Liar(
        "brings_its_own_network",
        "code reaches out through the sdk only",
        ((CODE, "from decimal import Decimal\n", "from decimal import Decimal\nfrom urllib import request as _request\n"),),
    ),
    Liar(
        "brings_its_own_clock",
        "code reaches out through the sdk only",
        ((CODE, "from decimal import Decimal\n", "from decimal import Decimal\nimport time\n"),),
    ),
    Liar("logs_its_headers", SILENT, ((CODE, WINDOW, LOGS + WINDOW),)),
    Liar("prints_its_secrets", SILENT, ((CODE, WINDOW, "        print(dict(self.secrets))\n" + WINDOW),)),
    Liar("names_its_token_in_a_receipt", SILENT, ((CODE, "refused(part[0], no.message", "refused(part[0], str(self.headers)"),)),
)
