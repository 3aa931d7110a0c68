"""The configuration as frozen models: one class per file, every field with its unit; unknown keys are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

Name = str
Mode = Literal["observe", "rehearse", "live"]


class Part(BaseModel):
    """A piece of configuration: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ServerSettings(Part):
    """The receiver's address: `public_url` is what platforms were given (signatures may cover it)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8480, ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-* headers are believed."""
    queue_max: int = Field(default=10_000, ge=1)
    """Deliveries that may wait for their commit; above it the answer is 503."""
    body_bytes_max: int = Field(default=1_048_576, ge=1)
    """Bytes of one delivery's body; above it the answer is 413."""
    commit_rows_max: int = Field(default=500, ge=1)
    """Deliveries in one commit."""


class PartyRule(Part):
    """How long the persons behind orders are kept, and on which ground; then they are erased as `samklang forget` does it."""

    basis: str = Field(min_length=1)
    """The legal ground in words: bookkeeping, contract, warranty."""
    anchor: Literal["last_order", "placed"] = "last_order"
    """From when the days count: from the person's last order, or from when each order was placed."""
    days: int = Field(ge=1, le=36_500)
    """Days from then on."""
    countries: tuple[str, ...] = ()
    """For orders to these countries (two letters of ISO 3166); empty: to all that no other rule names."""


class HubSettings(Part):
    """hub.yaml: this installation."""

    name: str = "samklang"
    """What this installation calls itself in logs and alerts."""
    folder: str = "data"
    """Where the databases and the key file live, relative to the configuration."""
    database: str = "sqlite"
    """`sqlite` (in `folder`), or `postgresql://…`."""
    key_secret: str = ""
    """Where the encryption key is, `env:NAME` or `file:PATH`; empty: a key file is made in `folder`."""
    server: ServerSettings = ServerSettings()
    connectors: tuple[str, ...] = ()
    """Folders with connectors of one's own, relative to the configuration."""
    mappings: tuple[str, ...] = ()
    """Folders with mappings of one's own, laid over the shipped ones; the last one wins."""
    trust_code: bool = False
    """Whether `code:` in one's own mappings may run."""
    overlap_seconds: int = Field(default=60, ge=0)
    """How far each reading goes back before the end of the one before."""
    inbox_days: int = Field(default=30, ge=1)
    """How long deliveries and pages are kept as they came."""
    ledger_days: int = Field(default=400, ge=1)
    """How long the reasons of every number are kept."""
    people: tuple[PartyRule, ...] = (PartyRule(basis="bookkeeping", days=1_825),)
    """How long persons are kept: as long as any rule for one of their orders holds."""
    commit_rows_max: int = Field(default=2_000, ge=1)
    """Rows in one commit of the worker."""
    walk_rows_max: int = Field(default=500, ge=1)
    """Keys that a station takes at once."""
    alerts: tuple[str, ...] = ()
    """Who is told when something needs a person: `mailto:…` or `https://…`."""


class Location(Part):
    """One place where goods are; `sellable: false` for quarantine, damaged, consignment and the like."""

    title: str = ""
    """How people call the place."""
    sellable: bool = True
    """Whether goods here may be sold at all."""
    channels: dict[Name, str] = {}
    """The location's id on each channel that knows it: channel → the platform's id."""
    country: str = ""
    """Where it is, two letters of ISO 3166: what `nearest` in routing.yaml goes by."""
    postal_code: str = ""
    """Its postal code, as written there: what `nearest` goes by within the country."""


class Locations(RootModel[dict[Name, Location]]):
    """locations.yaml: every place by its name."""

    model_config = ConfigDict(frozen=True)


class StreamRhythm(Part):
    """How often a stream is read; 0 means never. A sweep reads the whole listing and finds what no delivery told."""

    poll_seconds: Decimal = Field(default=Decimal(60), ge=0)
    """Seconds from one reading of what changed to the next; 0: never."""
    sweep_seconds: Decimal = Field(default=Decimal(3600), ge=0)
    """Seconds from one reading of the whole listing to the next; 0: never."""


class ListingRule(Part):
    """Which items are offered on a channel and how their listing is worded."""

    offer: Literal["bound", "all"] = "bound"
    """`bound`: only listings that exist there already; `all`: every item that matches is created there."""
    only_categories: tuple[str, ...] = ()
    """With `all`: only items of these categories; empty: of any."""
    never_skus: tuple[str, ...] = ()
    """SKUs that are never offered here."""
    link: str = ""
    """Link with `{sku}` or `{listing}` in it, where the item itself has none."""
    picture: str = ""
    """Picture's address with `{sku}` or `{listing}` in it, where the item itself has none."""
    fields: tuple[str, ...] = ()
    """What the hub words there; empty: nothing on bound listings, everything that is known where it creates them (`all`)."""
    """Which texts the hub writes to the listing; the others stay as they are there."""


class PersonEdits(Part):
    """What to do when a person changed a number where the channel has no authority."""

    verdict: Literal["repair", "hold"] = "repair"
    """`repair`: write the declared number again; `hold`: leave it until a person decides."""
    flips_max: int = Field(default=3, ge=1)
    """The same key flipped back by others this many times within `flips_hours`: stop that key and alarm."""
    flips_hours: int = Field(default=24, ge=1)


class OrderRule(Part):
    """What the hub does with orders on this channel."""

    take_in: bool = False
    """Orders born here are the hub's to carry: they reserve, and are exported where another channel takes documents."""
    export_from: tuple[Name, ...] = ()
    """Channels whose orders are booked here as documents."""
    prefix: str = ""
    """What the human number of this channel's orders begins with everywhere; empty: the channel's name."""
    payments: dict[str, str] = {}
    """Their payment method → this system's; an unmapped one stops that order only, unless `suspense_payment` is set."""
    suspense_payment: str = ""
    taxes: dict[str, str] = {}
    """Tax percent → this system's tax; an unmapped one stops that order only, unless `suspense_tax` is set."""
    suspense_tax: str = ""
    catch_all_item: str = ""
    """SKU of the item that lines and charges without an item of their own are booked on."""
    items: dict[str, str] = {}
    """Kind of line or charge (gift_card_sale, tip, custom, shipping, discount, rounding …) → SKU of the item it is booked on."""
    documents: Literal["", "all", "own_places"] = ""
    """Which part of an order this channel gets: `all` of it (books), or what leaves from its `own_places`; empty: an ERP all."""
    books: dict[Name, Literal["each", "daily", "elsewhere"]] = {}
    """How the sales of a till are booked here: each, one document a day, or not by the hub; those not named: each."""
    day_ends: str = "00:00"
    """When the day of a daily document ends, in `time_zone`."""
    time_zone: str = "UTC"
    """Whose days daily documents are about (Europe/Copenhagen)."""
    pay_refunds: bool = False
    """Goods of this channel's orders came back elsewhere and nobody paid them back: whether this channel shall pay."""


class ChannelSettings(Part):
    """channels/NAME.yaml: one account on one platform."""

    channel: Name = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    """The channel's name in every other file, and the name of this file."""
    connector: str
    """Which connector speaks to it: `samklang connectors` lists them."""
    role: str
    """pos, erp, webshop, social or marketplace."""
    mode: Mode = "observe"
    """`observe` only reads; `rehearse` also works out and shows what it would write; `live` writes."""
    base_url: str = ""
    """Where its API is; empty: the platform's usual address."""
    trusted_ca: str = ""
    """A file with the certificate authority of a platform in one's own network."""
    settings: dict[str, str] = {}
    """What this connector wants to know: its README names the keys."""
    secrets: dict[str, str] = {}
    """Manifest secret name → `env:NAME` or `file:PATH`."""
    streams: dict[str, StreamRhythm] = {}
    """How often each of the connector's streams is read; those not named here have the default rhythm."""
    sells_from: tuple[Name, ...] = ()
    """Locations whose stock this channel sells as one pool."""
    figures_at: tuple[Name, ...] = ()
    """Locations for which this channel is sent a figure of its own (one per location)."""
    price_list: str = ""
    """The list of pricing.yaml whose prices this channel shows; empty: the hub writes no prices here."""
    listing: ListingRule = ListingRule()
    person_edits: PersonEdits = PersonEdits()
    orders: OrderRule = OrderRule()
    orders_since: str = ""
    """Orders placed before this date (2026-11-21) are history; empty: none is read."""
    bind_by: Literal["sku", "none"] = "sku"
    """`sku`: an item with exactly this SKU is bound by itself; `none`: a person binds."""
    pace_share: Decimal = Field(default=Decimal(1), gt=0, le=20)
    """The part of the platform's pace that is ours: below 1 where another integration uses the same account; above 1 where the
    system is one's own and has more server processes than the one that the pace was measured on."""
    deadline_seconds: Decimal | None = Field(default=None, gt=0, le=300)
    """How long one answer of this system may take; empty: as its connector says. More for a slow server: what it never answers
    in time is never read."""


class StockAuthority(Part):
    """Who is right about the stock of some locations, and what its figure covers and contains."""

    channel: Name
    covers: tuple[Name, ...] = Field(min_length=1)
    """The locations that the figure is about: one figure for all of them together, or one each (`each: true`)."""
    each: bool = True
    contains: tuple[str, ...] = ()
    """Orders that the figure is already net of, as `origin:state` (`till:*`, `own:shipped`)."""
    counts: Literal["on_hand", "available"] = "on_hand"
    """`on_hand`: what lies there; `available`: less what the system has set aside itself."""
    demand: Literal["contained", "read"] = "contained"
    """Demand born in this system: contained in the figure, or read as orders."""
    sends: Literal["documents", "figures"] = "documents"
    """What the system is sent about these locations: documents (sales, receipts), or figures; never both."""


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
    """Empty: every SKU."""
    categories: tuple[str, ...] = ()
    """Empty: every category."""
    safety_stock: int = Field(default=0, ge=0)
    """Whole pieces kept back from the pool."""
    safety_per_location: dict[Name, int] = {}
    """Whole pieces kept back at each of these locations."""
    share_percent: int = Field(default=100, ge=0, le=100)
    """Part of the pool that the channel may show."""
    remainder: bool = False
    """This channel gets what the shares of all leave over by rounding down."""
    cap: int | None = Field(default=None, ge=0)
    """Never show more than this many pieces."""
    threshold: int = Field(default=0, ge=0)
    """Below this many pieces show 0."""
    quota_below: int = Field(default=0, ge=0)
    """From this many pieces in the pool on the last ones are divided among those who sell them, so that what all of them show
    together never exceeds the stock; 0: never. What lies at a counter is left to the counter."""
    quota_above: int | None = Field(default=None, ge=0)
    """Above this many pieces they are divided no longer; empty: half as many again and one."""
    quota_weights: dict[Name, int] = {}
    """How the last pieces are divided: channel → weight, 1 where it is not named. A channel that is right about the stock and is
    shown no figure (an ERP that sells by telephone) has its part kept back only if it is named here."""


class BundlePart(Part):
    """A component of a virtual bundle and how many pieces of it one bundle takes."""

    sku: str
    pieces: int = Field(ge=1)


class AllocationSettings(Part):
    """allocation.yaml."""

    rules: tuple[AllocationRule, ...] = ()
    bundles: dict[str, tuple[BundlePart, ...]] = {}
    """Virtual bundles: SKU of the bundle → its components: they are reserved, and booked, fetched and shipped in its place, its
    money dealt over their pieces."""


class RoutingRule(Part):
    """Which places deliver what. The first rule that matches a line holds; a line that none matches is left to no place."""

    channels: tuple[Name, ...] = ()
    """Where the order was placed; empty: on any channel."""
    countries: tuple[str, ...] = ()
    """Where it goes, two letters of ISO 3166; empty: anywhere, known or not."""
    skus: tuple[str, ...] = ()
    """Empty: every SKU."""
    categories: tuple[str, ...] = ()
    """Empty: every category."""
    places: tuple[Name, ...] = ()
    """Only these places deliver; empty: those that the channel sells from (all that may be sold, where it sells from none)."""
    never: tuple[Name, ...] = ()
    """These places never deliver."""
    by: tuple[Literal["fewest_parcels", "nearest", "most_stock", "priority"], ...] = Field(
        default=("fewest_parcels", "nearest", "most_stock", "priority"), min_length=1
    )
    """What decides between places that have it, the weightiest first."""
    keep_back: dict[Name, int] = {}
    """Whole pieces of each item that stay on the shop floor of these places."""
    split: bool = True
    """Whether several places may deliver together what no single one has; else the whole waits at one."""
    backorder_place: Name = ""
    """Where what no place has is waited for; empty: the first place by priority."""


class RoutingSettings(Part):
    """routing.yaml: which place delivers an order. Without rules no place is chosen but the one where the customer fetches."""

    rules: tuple[RoutingRule, ...] = ()
    priority: tuple[Name, ...] = ()
    """The places in the order in which they are preferred; those not named follow, in the order of locations.yaml."""


class PriceList(Part):
    """A canonical price list."""

    currency: str
    tax: Literal["included", "excluded"]
    country: str = ""
    """Whose tax the prices have, two letters of ISO 3166; needed where a channel wants the tax added or taken out."""


class ChannelPricing(Part):
    """How a channel's price is made from a list: markup, then tax, then one rounding, then the ending."""

    list: str
    tax: Literal["included", "excluded"]
    currency: str = ""
    """Must equal the list's: the hub converts no currencies."""
    markup_percent: Decimal = Field(default=Decimal(0), gt=-100)
    rounding: Literal["half_up", "half_even", "down", "up"] = "half_up"
    ending: Decimal | None = None
    """The minor part that prices end in (0.95): the nearest such price not above, or the nearest by `ending_rule`."""
    ending_rule: Literal["down", "up", "nearest"] = "nearest"
    floor: Decimal | None = Field(default=None, ge=0)
    """Never show less than this."""


class Guards(Part):
    """Changes that wait for a person, by their size."""

    to_zero_percent: int = Field(default=30, ge=1, le=100)
    """Share of a channel's listings that may fall to zero within one step."""
    to_zero_min: int = Field(default=10, ge=1)
    """Fewer than this many falls to zero are never held."""
    price_fall_percent: int = Field(default=50, ge=1, le=100)
    """A price that falls by more than this waits."""
    price_rise_percent: int = Field(default=300, ge=1)
    """A price that rises by more than this waits."""
    price_zero: bool = True
    """A price of zero waits."""
    empty_authority: bool = True
    """When an authority suddenly answers with nothing, everything waits."""
    new_orders_max: int = Field(default=500, ge=1)
    """More new orders than this at once wait."""
    gone_percent: int = Field(default=10, ge=1, le=100)
    """Share of a channel's listings that one sweep may find gone."""
    unexplained_pieces: int | None = Field(default=None, ge=0)
    """At the first contact with a channel, a figure that would move by more than this many pieces waits; empty: none waits."""


class PricingSettings(Part):
    """pricing.yaml."""

    lists: dict[str, PriceList] = {}
    channels: dict[Name, ChannelPricing] = {}
    taxes: dict[str, Decimal] = {}
    """Country → percent of the standard rate."""
    tax_by_category: dict[str, dict[str, Decimal]] = {}
    """Country → category → percent, for categories with a rate of their own."""
    guards: Guards = Guards()


class Config(Part):
    """The whole configuration. `folder` is where it was read from; `secrets` holds no values, only where they are."""

    folder: str
    """The folder that it was read from."""
    hub: HubSettings
    channels: dict[Name, ChannelSettings]
    locations: dict[Name, Location]
    authority: AuthoritySettings
    allocation: AllocationSettings
    pricing: PricingSettings
    routing: RoutingSettings = RoutingSettings()
    places: dict[tuple[str, ...], str] = Field(default={}, repr=False)
    """Where each value stands: path (`("channels", "webshop", "settings", "currency")`) → file:line."""

    def locations_by_place(self) -> dict[tuple[str, str], str]:
        """(channel, what it calls a place) → our location."""
        return {
            (channel, place): name for name, location in self.locations.items() for channel, place in location.channels.items()
        }

    def prefix_of(self, channel: str) -> str:
        """What the numbers of the channel's orders begin with."""
        return self.channels[channel].orders.prefix or channel

    def order_prefixes(self) -> set[str]:
        """What the numbers of all orders begin with that are taken in."""
        return {self.prefix_of(name) for name, settings in self.channels.items() if settings.orders.take_in}

    def place(self, *path: str) -> str:
        """`file:line` of the value at this path, or of what encloses it; "" when nothing is known."""
        return next((self.places[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.places), "")
