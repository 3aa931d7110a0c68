"""Everything a connector needs, in one import: `from hub.sdk.api import Connector, Page, …`."""

from hub.canonical.json import body_json, read_json, write_json
from hub.canonical.values import (
    THOUSAND,
    Plain,
    exact_minor,
    from_minor,
    iso,
    micros,
    minor_from,
    moment,
    pieces,
    plain_decimal,
    quantity,
    unit_price,
)
from hub.clock import Clock, ManualClock
from hub.errors import (
    ChannelError,
    ConfigError,
    ConflictError,
    GoneError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
    UnverifiedError,
)
from hub.flow import Change, Key, Outcome, Receipt
from hub.sdk.choices import pairs_in
from hub.sdk.client import Client, request_id, spoken
from hub.sdk.contract import ChannelContext, Connector, Delivery, Page, ReadAsk, Verdict
from hub.sdk.facts import mark, named_mark, strange_line, whole_parts
from hub.sdk.graphql import code_of, errors_said
from hub.sdk.manifest import Manifest
from hub.sdk.paging import Bookmark, Spot, Stretch, Window, anchored
from hub.sdk.receipts import broken_off, compared, not_sent, one_line, refused, unsure
from hub.sdk.sandbox import SandboxBase, json_response
from hub.sdk.sandbox_people import MADE_PERSON, Basket, rows_of
from hub.sdk.sending import Planned, cut, send_in_parts, whole_figure
from hub.sdk.signature import sign
from hub.sdk.times import MICROS_PER_SECOND, answered_at, read_time
from hub.sdk.wire import Request, Response

__all__ = [
    "MADE_PERSON",
    "MICROS_PER_SECOND",
    "THOUSAND",
    "Basket",
    "Bookmark",
    "Change",
    "ChannelContext",
    "ChannelError",
    "Client",
    "Clock",
    "ConfigError",
    "ConflictError",
    "Connector",
    "Delivery",
    "GoneError",
    "Key",
    "Manifest",
    "ManualClock",
    "Outcome",
    "OutcomeUnknownError",
    "Page",
    "Plain",
    "Planned",
    "ReadAsk",
    "Receipt",
    "RefusedError",
    "Request",
    "Response",
    "SandboxBase",
    "Spot",
    "Stretch",
    "ThrottledError",
    "UnauthorizedError",
    "UnavailableError",
    "UnverifiedError",
    "Verdict",
    "Window",
    "anchored",
    "answered_at",
    "body_json",
    "broken_off",
    "code_of",
    "compared",
    "cut",
    "errors_said",
    "exact_minor",
    "from_minor",
    "iso",
    "json_response",
    "mark",
    "micros",
    "minor_from",
    "moment",
    "named_mark",
    "not_sent",
    "one_line",
    "pairs_in",
    "pieces",
    "plain_decimal",
    "quantity",
    "read_json",
    "read_time",
    "refused",
    "request_id",
    "rows_of",
    "send_in_parts",
    "sign",
    "spoken",
    "strange_line",
    "unit_price",
    "unsure",
    "whole_figure",
    "whole_parts",
    "write_json",
]
