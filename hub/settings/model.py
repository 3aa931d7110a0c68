"""The configuration as frozen models: one class per file, every field with its unit; unknown keys are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Name = str
Mode = Literal["observe", "rehearse", "live"]


class Part(BaseModel):
    """A piece of configuration: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Part):
    """The receiver's address: `public_url` is what platforms were given (signatures may cover it)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8480, ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    queue_max: int = Field(default=10_000, ge=1)
    body_bytes_max: int = Field(default=1_048_576, ge=1)
    commit_rows_max: int = Field(default=500, ge=1)


class HubSettings(Part):
    """hub.yaml: this installation."""

    name: str = "samklang"
    folder: str = "data"
    """Where the databases and the key file live, relative to the configuration."""
    database: str = "sqlite"
    """`sqlite` (in `folder`), or `postgresql://…`."""
    key_secret: str = ""
    """Name of the secret that holds the encryption key; empty: a key file is made in `folder`."""
    server: ServerSettings = ServerSettings()
    connectors: tuple[str, ...] = ()
    mappings: tuple[str, ...] = ()
    trust_code: bool = False
    overlap_seconds: int = Field(default=60, ge=0)
    inbox_days: int = Field(default=30, ge=1)
    ledger_days: int = Field(default=400, ge=1)
    duplicate_window_hours: int = Field(default=72, ge=1)
    commit_rows_max: int = Field(default=2_000, ge=1)
    walk_rows_max: int = Field(default=500, ge=1)
    tx_attempts_max: int = Field(default=8, ge=1)
    alerts: tuple[str, ...] = ()


class Location(Part):
    """One place where goods are; `sellable: false` for quarantine, damaged, consignment and the like."""

    title: str = ""
    sellable: bool = True
    channels: dict[Name, str] = {}
    """The location's id on each channel that knows it: channel → the platform's id."""


class StreamRhythm(Part):
    """How often a stream is read; 0 means never. A sweep reads the whole listing and finds what no delivery told."""

    poll_seconds: Decimal = Field(default=Decimal(60), ge=0)
    sweep_seconds: Decimal = Field(default=Decimal(3600), ge=0)


class ListingRule(Part):
    """Which items are offered on a channel and how their listing is worded."""

    offer: Literal["bound", "all"] = "bound"
    """`bound`: only listings that exist there already; `all`: every item that matches is created there."""
    only_categories: tuple[str, ...] = ()
    never_skus: tuple[str, ...] = ()
    link: str = ""
    """Link with `{sku}` or `{listing}` in it, where the item itself has none."""
    picture: str = ""
    fields: tuple[str, ...] = ("title", "text", "picture", "link", "category", "state")


class PersonEdits(Part):
    """What to do when a person changed a number where the channel has no authority."""

    verdict: Literal["repair", "hold"] = "repair"
    flips_max: int = Field(default=3, ge=1)
    """The same key flipped back by others this many times within `flips_hours`: stop that key and alarm."""
    flips_hours: int = Field(default=24, ge=1)


class ChannelSettings(Part):
    """channels/NAME.yaml: one account on one platform."""

    channel: Name = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    connector: str
    role: str
    mode: Mode = "observe"
    base_url: str = ""
    trusted_ca: str = ""
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    """Manifest secret name → `env:NAME` or `file:PATH`."""
    streams: dict[str, StreamRhythm] = {}
    sells_from: tuple[Name, ...] = ()
    """Locations whose stock this channel sells as one pool."""
    figures_at: tuple[Name, ...] = ()
    """Locations for which this channel is sent a figure of its own (one per location)."""
    price_list: str = ""
    listing: ListingRule = ListingRule()
    person_edits: PersonEdits = PersonEdits()
    orders_since: str = ""
    bind_by: Literal["sku", "none"] = "sku"
    """`sku`: an item with exactly this SKU is bound by itself; `none`: a person binds."""
    pace_share: Decimal = Field(default=Decimal(1), gt=0, le=1)


class StockAuthority(Part):
    """Who is right about the stock of some locations, and what its figure covers and contains."""

    channel: Name
    covers: tuple[Name, ...] = Field(min_length=1)
    """The locations that the figure is about: one figure for all of them together, or one each (`each: true`)."""
    each: bool = True
    contains: tuple[str, ...] = ()
    """Orders that the figure is already net of, as `origin:state` (`till:*`, `own:shipped`)."""
    counts: Literal["on_hand", "available"] = "on_hand"
    demand: Literal["contained", "read"] = "contained"
    """Demand born in this system: contained in the figure, or read as orders."""
    sends: Literal["documents", "figures"] = "documents"


class ItemAuthority(Part):
    """Who is right about the item fields; `fields` empty means all that no other entry names."""

    channel: Name
    fields: tuple[str, ...] = ()


class PriceAuthority(Part):
    """Who is right about a price list."""

    channel: Name
    list: str
    platform_list: str = ""
    """The list's id on that channel; empty: its only one."""


class AuthoritySettings(Part):
    """authority.yaml: declare who is right about what."""

    items: tuple[ItemAuthority, ...] = ()
    stock: tuple[StockAuthority, ...] = ()
    prices: tuple[PriceAuthority, ...] = ()


class AllocationRule(Part):
    """How much of the stock a channel may show. The first rule that matches a listing holds; shares round down."""

    channels: tuple[Name, ...] = ()
    """Empty: every channel."""
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    safety_stock: int = Field(default=0, ge=0)
    """Whole pieces kept back from the pool."""
    safety_per_location: dict[Name, int] = {}
    share_percent: int = Field(default=100, ge=0, le=100)
    remainder: bool = False
    """This channel gets what the shares of all leave over by rounding down."""
    cap: int | None = Field(default=None, ge=0)
    """Never show more than this many pieces."""
    threshold: int = Field(default=0, ge=0)
    """Below this many pieces show 0."""


class BundlePart(Part):
    """A component of a virtual bundle and how many pieces of it one bundle takes."""

    sku: str
    pieces: int = Field(ge=1)


class AllocationSettings(Part):
    """allocation.yaml."""

    rules: tuple[AllocationRule, ...] = ()
    bundles: dict[str, tuple[BundlePart, ...]] = {}
    """Virtual bundles: SKU of the bundle → its components."""


class PriceList(Part):
    """A canonical price list."""

    currency: str
    tax: Literal["included", "excluded"]
    country: str = ""


class ChannelPricing(Part):
    """How a channel's price is made from a list: markup, then tax, then one rounding, then the ending."""

    list: str
    tax: Literal["included", "excluded"]
    currency: str = ""
    """Must equal the list's: the hub converts no currencies."""
    markup_percent: Decimal = Decimal(0)
    rounding: Literal["half_up", "half_even", "down", "up"] = "half_up"
    ending: Decimal | None = None
    """The minor part that prices end in (0.95): the nearest such price not above, or the nearest by `ending_rule`."""
    ending_rule: Literal["down", "up", "nearest"] = "nearest"
    floor: Decimal | None = None


class Guards(Part):
    """Changes that wait for a person, by their size."""

    to_zero_percent: int = Field(default=30, ge=1, le=100)
    """Share of a channel's listings that may fall to zero within one step."""
    to_zero_min: int = Field(default=10, ge=1)
    """Fewer than this many falls to zero are never held."""
    price_fall_percent: int = Field(default=50, ge=1, le=100)
    price_rise_percent: int = Field(default=300, ge=1)
    price_zero: bool = True
    empty_authority: bool = True
    new_orders_max: int = Field(default=500, ge=1)
    gone_percent: int = Field(default=10, ge=1, le=100)
    """Share of a channel's listings that one sweep may find gone."""


class PricingSettings(Part):
    """pricing.yaml."""

    lists: dict[str, PriceList] = {}
    channels: dict[Name, ChannelPricing] = {}
    taxes: dict[str, Decimal] = {}
    """Country → percent of the standard rate."""
    tax_by_category: dict[str, dict[str, Decimal]] = {}
    guards: Guards = Guards()


class Config(Part):
    """The whole configuration. `folder` is where it was read from; `secrets` holds no values, only where they are."""

    folder: str
    hub: HubSettings
    channels: dict[Name, ChannelSettings]
    locations: dict[Name, Location]
    authority: AuthoritySettings
    allocation: AllocationSettings
    pricing: PricingSettings
