"""Everything a connector needs, in one import: `from hub.sdk.api import Connector, Page, …`."""

from hub.canonical.json import body_json, read_json, write_json
from hub.canonical.values import (
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
from hub.sdk.client import Client, request_id, spoken
from hub.sdk.contract import ChannelContext, Connector, Delivery, Page, ReadAsk, Verdict
from hub.sdk.manifest import Manifest
from hub.sdk.paging import Window
from hub.sdk.sandbox import SandboxBase, json_response
from hub.sdk.signature import sign
from hub.sdk.wire import Request, Response

__all__ = [
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
    "ReadAsk",
    "Receipt",
    "RefusedError",
    "Request",
    "Response",
    "SandboxBase",
    "ThrottledError",
    "UnauthorizedError",
    "UnavailableError",
    "UnverifiedError",
    "Verdict",
    "Window",
    "body_json",
    "exact_minor",
    "from_minor",
    "iso",
    "json_response",
    "micros",
    "minor_from",
    "moment",
    "pieces",
    "plain_decimal",
    "quantity",
    "read_json",
    "request_id",
    "sign",
    "spoken",
    "unit_price",
    "write_json",
]
