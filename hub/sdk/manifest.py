"""The manifest: what a connector declares about its platform, from signing in and pace to streams, writes and answers.

`connectors/<platform>/connector.yaml`, read with every scalar as text; unknown keys are refused.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["pos", "erp", "webshop", "social", "marketplace"]
Fact = Literal["placed", "fulfilled", "ready", "cancelled", "refunded", "refund_noted"]
"""What can be told of an order: see `Send`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Part):
    """A setting of a channel: `default` None means that the channel must say it."""

    text: str
    default: str | None = None


class Secret(_Part):
    """A secret of a channel; `needed_by: receiver` secrets verify deliveries, the rest sign requests in."""

    text: str
    needed_by: Literal["receiver", "worker"] = "worker"
    optional: bool = False


class Connect(_Part):
    """How a person signs the hub in with a browser, instead of pasting secrets: `samklang connect CHANNEL`.

    `oauth2` is the authorization code grant (RFC 6749, section 4.1): the browser comes back with a code that is exchanged at
    `token`. With `key_grant` the platform posts the keys itself to the callback, which must then be an https address of ours.
    `state` is the parameter that comes back as it was sent. `gives` are secrets → where the answer has them. `signed` names a
    parameter of the callback that signs all others (hex HMAC-SHA256 over the sorted query, with `client_secret`).
    """

    kind: Literal["oauth2", "key_grant"]
    authorize: str
    token: str = ""
    client_id: str = "client_id"
    """The setting that names our application there."""
    client_secret: str = "client_secret"
    """The secret that proves it."""
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    scopes_setting: str = ""
    """The setting in which a channel may name further scopes, separated by commas."""
    state: str = "state"
    callback: str = "redirect_uri"
    """The parameter that says where to come back to."""
    more: dict[str, str] = {}
    """Further parameters of the address that is opened; `{callback}` stands for ours."""
    token_more: dict[str, str] = {}
    """Further fields of the exchange; an empty one leaves out what would be sent by itself."""
    gives: dict[str, str]
    optional: tuple[str, ...] = ()
    """Of `gives` those that an answer may lack."""
    signed: str = ""


class Pace(_Part):
    """How fast the platform may be asked.

    A token bucket of `burst` refilled at `per_second`; `unit` says what a token is (a request, or the platform's cost points).
    `remaining_header` names an answer header that corrects our own count. `parallel_max` is always 1 per channel.
    """

    per_second: Decimal = Field(gt=0)
    burst: int = Field(ge=1)
    unit: Literal["request", "point"] = "request"
    remaining_header: str = ""
    reserve_for_push: Decimal = Field(default=Decimal("0.3"), ge=0, lt=1)


class Limits(_Part):
    """The bounds of one exchange with the platform."""

    deadline_seconds: Decimal = Decimal(30)
    answer_bytes_max: int = 33_554_432
    delivery_bytes_max: int = 1_048_576
    attempts_max: int = 8


class Verify(_Part):
    """A declared signature: HMAC over the concatenation of `over`, compared in constant time with the header's value."""

    scheme: Literal["hmac_sha256", "code"]
    header: str = ""
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "base64"
    over: tuple[Literal["url", "body", "timestamp"], ...] = ("body",)
    secret: str = ""
    timestamp_header: str = ""
    replay_window_seconds: int = 300


class Topic(_Part):
    """What a delivery of this topic means.

    With `records` and `trust: versioned` its records are understood like the stream's own (they carry the platform's
    version); with `ids` it is a hint and those ids are looked up; with neither the stream is read from its cursor.
    """

    stream: str
    trust: Literal["versioned", "hint"] = "hint"
    records: str | None = None
    ids: str | None = None
    maps: tuple[str, ...] = ()
    """The mappings that understand these records; empty: the stream's own."""


class Deliveries(_Part):
    """How deliveries are verified and told apart; `topic_from` and `id_from` are `header:NAME` or `body:dotted.path`."""

    verify: Verify
    topic_from: str
    id_from: str = ""
    topics: dict[str, Topic]
    ignored_topics: tuple[str, ...] = ()
    methods: tuple[Literal["POST", "GET"], ...] = ("POST",)


class Stream(_Part):
    """A listing that can be read: `code` and `look_up` name methods, `records` the path of the records in a page's body.

    `maps` are the mappings that understand each record. `sweep: complete` means that a full read lists all there is, so an
    absent id may be looked up singly. `version: false` records carry no comparable version and are ordered by our own sequence.
    """

    code: str
    look_up: str = ""
    records: str
    maps: tuple[str, ...]
    page_max: int = Field(ge=1, le=5_000)
    look_up_max: int = Field(default=100, ge=1, le=1_000)
    overlap_seconds: int = Field(default=60, ge=0)
    poll: bool = True
    complete: bool = True


class Send(_Part):
    """A way to write one aspect, its limits and its manner; its `stream`, which has a `look_up`, shows what came of it.

    `own_orders: subtracted_by_platform` says that the raw figure still holds the channel's own open units; `look_before`
    that a batch is observed right before it is written; `create` that a listing can be made (by upsert on our id when
    `find_again: our_id`). `visible_after_seconds`: a read begun within this time of a write may still show the old value.
    `facts` are those of an order that can be told here: a document is `placed`, a parcel `fulfilled`, goods are `ready` to be
    fetched, pieces are `cancelled`, money is `refunded` by this system, or what another gave back is `refund_noted`.
    """

    code: str
    stream: str
    batch_max: int = Field(ge=1, le=5_000)
    manner: Literal["compare_and_set", "adjust", "set_as_of", "set"] = "set"
    basis: Literal["on_hand", "available", "amount", "fields"] = "fields"
    step: Literal["whole", "thousandth"] = "whole"
    negative: Literal["allowed", "refused"] = "refused"
    own_orders: Literal["subtracted_by_platform", "not_in_figure"] = "not_in_figure"
    look_before: bool = False
    create: bool = False
    find_again: str = ""
    findable_within_seconds: int | None = None
    visible_after_seconds: int = 0
    follow: str = ""
    find: str = ""
    located: bool = False
    amount_digits_max: int = 2
    fields: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()

    @model_validator(mode="after")
    def _creates_find_again(self) -> Send:
        if self.create and (not self.find_again or self.findable_within_seconds is None):
            raise ValueError("a `create` must say `find_again` and `findable_within_seconds`")
        return self


class Manifest(_Part):
    """One connector's manifest."""

    connector: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    api_version: str
    checked: dt.date
    roles: tuple[Role, ...]
    base_url: str
    settings: dict[str, Setting] = {}
    secrets: dict[str, Secret] = {}
    pace: Pace
    limits: Limits
    short_wait_seconds_max: Decimal = Decimal(2)
    connect: Connect | None = None
    deliveries: Deliveries | None = None
    streams: dict[str, Stream] = {}
    sends: dict[str, Send] = {}
    never: dict[str, str] = {}

    @model_validator(mode="after")
    def _names_fit(self) -> Manifest:
        for aspect, send in self.sends.items():
            if send.stream not in self.streams:
                raise ValueError(f"sends.{aspect}.stream names no stream: {send.stream}")
            if not self.streams[send.stream].look_up:
                unread = f"`{send.stream}` has no `look_up`: what came of an unanswered write could not be read"
                raise ValueError(f"sends.{aspect}.stream: {unread}")
            if aspect == "movement" and (not send.find or send.findable_within_seconds is None):
                raise ValueError("sends.movement: a delta must say how it is found again: `find` and `findable_within_seconds`")
        if self.deliveries is not None:
            for topic, meaning in self.deliveries.topics.items():
                if meaning.stream not in self.streams:
                    raise ValueError(f"deliveries.topics.{topic}.stream names no stream: {meaning.stream}")
            secret = self.deliveries.verify.secret
            if secret and secret not in self.secrets:
                raise ValueError(f"deliveries.verify.secret names no secret: {secret}")
        self._connect_fits()
        return self

    def _connect_fits(self) -> None:
        connect = self.connect
        if connect is None:
            return
        for name in connect.gives:
            if name not in self.secrets:
                raise ValueError(f"connect.gives names no secret: {name}")
            # The receiver has no door to what a grant gave.
            if self.secrets[name].needed_by == "receiver":
                raise ValueError(f"connect.gives: {name} is needed by the receiver and must be named in the configuration")
        if connect.kind == "oauth2":
            if not connect.token:
                raise ValueError("connect.token is missing: where a code is exchanged")
            if connect.client_id not in self.settings or connect.client_secret not in self.secrets:
                raise ValueError("connect: client_id must be a setting and client_secret a secret of this manifest")
