# ruff: noqa: E501 (each sentence is asserted whole, as a person reads it)
"""Files that are each well formed but disagree: each finding names the line and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from settings_texts import SOUND, problems, with_line, with_text

from hub.settings.load import load_text

AUTHORITY = SOUND["authority.yaml"]
PRICING = SOUND["pricing.yaml"]
WEBSHOP = SOUND["channels/webshop.yaml"]
TWO_LISTS = "lists:\n  retail: {currency: DKK, tax: excluded}\n  other: {currency: DKK, tax: included}\n"


def webshop(old: str, new: str) -> dict[str, str]:
    assert old in WEBSHOP
    return with_text("channels/webshop.yaml", WEBSHOP.replace(old, new))


def pricing(old: str, new: str) -> dict[str, str]:
    assert old in PRICING
    return with_text("pricing.yaml", PRICING.replace(old, new))


def authority(old: str, new: str) -> dict[str, str]:
    assert old in AUTHORITY
    return with_text("authority.yaml", AUTHORITY.replace(old, new))


def allocation(rule: str) -> dict[str, str]:
    return with_text("allocation.yaml", f"rules:\n  - {rule}\n")


def test_the_sound_configuration_has_no_problem() -> None:
    assert problems(SOUND) == []
    assert load_text(SOUND).channels["till"].sells_from == ("aarhus",)


CASES: list[tuple[Mapping[str, str], str]] = [
    # unknown names
    (
        webshop("[warehouse, aarhus]", "[warehose]"),
        "webshop.yaml:6: sells_from: there is no location `warehose`: did you mean `warehouse`?",
    ),
    (authority("channel: till", "channel: tll"), "authority.yaml:4: stock: there is no channel `tll`: did you mean `till`?"),
    (
        authority("[{channel: erp}]", "[{channel: pim}]"),
        "authority.yaml:1: items: there is no channel `pim`: write one of `erp`, `till`, `webshop`",
    ),
    (
        authority("{channel: erp, list", "{channel: epr, list"),
        "authority.yaml:5: prices: there is no channel `epr`: did you mean `erp`?",
    ),
    (
        authority("list: retail", "list: retial"),
        "authority.yaml:5: prices: there is no list `retial` in pricing.yaml: did you mean `retail`?",
    ),
    (
        allocation("{channels: [wbshop]}"),
        "allocation.yaml:2: rules.0.channels: there is no channel `wbshop`: did you mean `webshop`?",
    ),
    (
        allocation("{channels: [webshop], safety_per_location: {arhus: 1}}"),
        "allocation.yaml:2: rules.0.safety_per_location: there is no location `arhus`: did you mean `aarhus`?",
    ),
    (
        pricing("  webshop:", "  webshp:"),
        "pricing.yaml:5: channels.webshp: there is no channel `webshp`: did you mean `webshop`?",
    ),
    (
        webshop("price_list: retail", "price_list: wholesale"),
        "webshop.yaml:7: price_list: there is no list `wholesale` in pricing.yaml: write one of `retail`",
    ),
    (
        with_text("locations.yaml", SOUND["locations.yaml"].replace("{till: L1}", "{tlil: L1}")),
        "locations.yaml:2: aarhus.channels: there is no channel `tlil`: did you mean `till`?",
    ),
    # who is right about stock
    (
        authority("covers: [aarhus]", "covers: [warehouse]"),
        "authority.yaml:4: covers: `erp` and `till` cannot both be right about the stock of `warehouse`: keep one",
    ),
    (
        authority("  - {channel: till, covers: [aarhus], contains: ['till:*']}\n", ""),
        "till.yaml:4: sells_from: nobody is right about the stock of `aarhus`: name it under `stock: covers:` in authority.yaml",
    ),
    (
        webshop("[warehouse, aarhus]", "[warehouse, quarantine]"),
        "webshop.yaml:6: sells_from: goods at `quarantine` may not be sold (locations.yaml): leave it out",
    ),
    (webshop("[warehouse, aarhus]", "[warehouse, warehouse]"), "webshop.yaml:6: sells_from: `warehouse` is said twice"),
    (
        with_line("channels/till.yaml", "figures_at: [aarhus]"),
        "till.yaml:5: figures_at: till is itself right about the stock of `aarhus` and is never sent a figure for it: leave it out",
    ),
    (
        with_line("channels/erp.yaml", "figures_at: [aarhus]"),
        "erp.yaml:4: figures_at: locations.yaml must say the id of `aarhus` on erp: write `channels: {erp: …}` there",
    ),
    (
        with_text("channels/till.yaml", SOUND["channels/till.yaml"].replace("[aarhus]", "[aarhus, warehouse]")),
        "till.yaml:4: sells_from: till is itself right about the stock of `aarhus`, so no pool with it in can be sent there: keep its own locations only, and name the others under `figures_at`",
    ),
    (
        authority("covers: [warehouse]}", "covers: [warehouse, quarantine]}"),
        "authority.yaml:3: covers: `erp` gives a figure for each, so locations.yaml must say its id of `quarantine`: write `channels: {erp: …}` there",
    ),
    (
        authority("'till:*'", "'all tills'"),
        "authority.yaml:4: contains: `all tills`: write `origin:state`, such as `till:*` or `own:shipped`",
    ),
    (
        with_text("locations.yaml", SOUND["locations.yaml"].replace("sellable: false", "channels: {till: L1}")),
        "locations.yaml:3: quarantine.channels: `aarhus` has the same id on till: each location has its own there",
    ),
    # who is right about items
    (
        authority("[{channel: erp}]", "[{channel: erp, fields: [title]}, {channel: webshop, fields: [title]}]"),
        "authority.yaml:1: items: `erp` and `webshop` cannot both be right about `title`: keep one",
    ),
    (
        authority("[{channel: erp}]", "[{channel: erp, fields: [titel]}]"),
        "authority.yaml:1: items.fields: there is no `titel`: did you mean `title`?",
    ),
    (
        {
            **with_line("channels/webshop.yaml", "listing: {offer: all}"),
            "authority.yaml": AUTHORITY.replace("items: [{channel: erp}]\n", ""),
        },
        "webshop.yaml:8: listing.offer: nobody is right about the items: name a channel under `items` in authority.yaml, or write `bound`",
    ),
    # prices
    (pricing("currency: DKK", "currency: dkk"), "pricing.yaml:2: lists.retail.currency: `dkk` is no currency: write DKK"),
    (
        pricing("currency: DKK", "currency: KR"),
        "pricing.yaml:2: lists.retail.currency: `KR` is no currency: write its three letters (DKK, EUR)",
    ),
    (pricing("country: DK", "country: dk"), "pricing.yaml:2: lists.retail.country: `dk` is no country: write DK"),
    (pricing("taxes: {DK: 25}", "taxes: {DK: 25, UK: 20}"), "pricing.yaml:3: taxes.UK: `UK` is no country: write GB"),
    (pricing("taxes: {DK: 25}", "taxes: {DK: 125}"), "pricing.yaml:3: taxes.DK: a percentage from 0 to 100 is wanted"),
    (
        pricing("taxes: {DK: 25}\n", ""),
        "pricing.yaml:4: channels.webshop.tax: no rate is declared for DK: write `taxes: {DK: …}` in pricing.yaml",
    ),
    (
        pricing(", country: DK", ""),
        "pricing.yaml:5: channels.webshop.tax: tax must be added: say the `country` of list `retail`",
    ),
    (
        pricing("ending: 0.95", "currency: EUR"),
        "pricing.yaml:5: channels.webshop.currency: the list is in DKK and the hub converts no currency: write DKK or another list",
    ),
    (
        pricing("ending: 0.95", "ending: 0.955"),
        "pricing.yaml:5: channels.webshop.ending: the part after the point is wanted, at least 0 and below 1, with at most 2 decimals",
    ),
    (
        {**webshop("price_list: retail", "price_list: other"), "pricing.yaml": TWO_LISTS},
        "webshop.yaml:7: price_list: nobody is right about list `other`: name a channel under `prices` in authority.yaml",
    ),
    (
        with_line("channels/erp.yaml", "price_list: retail"),
        "erp.yaml:4: price_list: erp is itself right about list `retail` and is never sent its prices: leave this out",
    ),
    # allocation and bundles
    (
        with_text("allocation.yaml", "rules:\n  - {cap: 5}\n  - {channels: [webshop], cap: 1}\n"),
        "allocation.yaml:3: rules.1: never reached: rule 0 before it holds for every item; put this one above it",
    ),
    (
        allocation("{channels: [webshop, till], remainder: true}"),
        "allocation.yaml:2: rules.0.remainder: what rounding leaves over goes to one channel: name exactly one under `channels`, the same everywhere",
    ),
    (
        with_text("allocation.yaml", "bundles:\n  K: [{sku: K, pieces: 1}]\n"),
        "allocation.yaml:2: bundles.K: a bundle cannot be a component of itself",
    ),
    (
        with_text("allocation.yaml", "bundles:\n  K: [{sku: A, pieces: 1}]\n  L: [{sku: K, pieces: 1}]\n"),
        "allocation.yaml:3: bundles.L: `K` is a bundle too: name that one's components here instead",
    ),
    (
        with_text("allocation.yaml", "bundles:\n  K: [{sku: A, pieces: 1}, {sku: A, pieces: 2}]\n"),
        "allocation.yaml:2: bundles.K: `A` is said twice: say it once with all its `pieces`",
    ),
    # the last pieces divided
    (
        allocation("{quota_below: 5, quota_above: 5}"),
        "allocation.yaml:2: rules.0.quota_above: must be more than quota_below (5), else every sale and every return would change it",
    ),
    (
        allocation("{quota_weights: {webshop: 1}}"),
        "allocation.yaml:2: rules.0.quota_below: say from how many pieces on the last ones are divided",
    ),
    (
        allocation("{quota_below: 5, share_percent: 50}"),
        "allocation.yaml:2: rules.0.share_percent: the last pieces are divided by `quota_weights`: leave the share out here",
    ),
    (
        allocation("{quota_below: 5, quota_weights: {wbshop: 1}}"),
        "allocation.yaml:2: rules.0.quota_weights.wbshop: there is no channel `wbshop`: did you mean `webshop`?",
    ),
    (
        with_text("allocation.yaml", "rules:\n  - {quota_below: 5}\nbundles:\n  K: [{sku: A, pieces: 1}]\n"),
        "allocation.yaml:2: rules.0.quota_below: `K` is a bundle and cannot be divided: put a rule above with `skus: [K]` and without a quota",
    ),
    (
        {
            **allocation("{quota_below: 5}"),
            "channels/second.yaml": WEBSHOP.replace("channel: webshop", "channel: second")
            .replace("[warehouse, aarhus]", "[aarhus]")
            .replace("price_list: retail\n", ""),
        },
        "allocation.yaml:2: rules.0.quota_below: all that second sells lies at a counter, and is left to it: name the weight of second (0) if it shall show none",
    ),
    (
        {
            **allocation("{channels: [webshop], quota_below: 5}"),
            "channels/second.yaml": WEBSHOP.replace("channel: webshop", "channel: second").replace("price_list: retail\n", ""),
        },
        "allocation.yaml:2: rules.0.channels: second sells from warehouse as well: name it under `channels`, or name none",
    ),
    # addresses, folders, secrets
    (
        with_line("channels/erp.yaml", "base_url: erp.example.com"),
        "erp.yaml:4: base_url: write a whole address, such as https://shop.example",
    ),
    (
        with_line("channels/erp.yaml", "base_url: http://erp.example.com"),
        "erp.yaml:4: base_url: http:// would carry the secrets readable over the network: write https:// (http only inside one's own)",
    ),
    (
        with_line("channels/erp.yaml", "orders_since: yesterday"),
        "erp.yaml:4: orders_since: write a date such as 2026-11-21, or a time with its zone",
    ),
    (
        with_text("hub.yaml", "connectors: [mine]\n"),
        "hub.yaml:1: connectors: there is no folder `mine` (seen from shop)",
    ),
    (
        with_text("hub.yaml", "database: mysql://x\n"),
        "hub.yaml:1: database: write `sqlite`, `postgresql://…`, or where such an address is: `env:NAME`, `file:PATH`",
    ),
    (
        with_text("hub.yaml", "server: {trusted_proxies: [proxy]}\n"),
        "hub.yaml:1: server.trusted_proxies: write an address or a network, such as 10.0.0.0/8",
    ),
    (
        with_line("channels/webshop.yaml", "listing: {link: 'https://x/{slug}'}"),
        "webshop.yaml:8: listing.link: {slug} means nothing: write {sku} or {listing}",
    ),
    (
        with_line("channels/webshop.yaml", "listing: {fields: [title, titel]}"),
        "webshop.yaml:8: listing.fields: there is no `titel`: did you mean `title`?",
    ),
]


@pytest.mark.parametrize(("files", "said"), CASES, ids=[said for _, said in CASES])
def test_a_disagreement_is_named_with_its_line_and_its_mending(files: Mapping[str, str], said: str) -> None:
    found = problems(files)
    assert [line for line in found if line.endswith(said)], "\n".join(found)


def test_a_secret_written_into_the_file_is_refused_and_not_repeated() -> None:
    found = problems(webshop("'env:WEBSHOP_TOKEN'", "tok-5ecret"))
    assert found == [
        "shop/channels/webshop.yaml:5: secrets.token: write where the secret is, `env:NAME` or `file:PATH`, never the secret itself"
    ]
    for name in ("database: 'postgresql://hub:5ecret@db/x'\n", "key_secret: 5ecret\n"):
        assert "5ecret" not in "".join(problems(with_text("hub.yaml", name)))
        assert len(problems(with_text("hub.yaml", name))) == 1


def test_the_location_that_an_erp_also_counts_may_be_given_a_figure() -> None:
    files = {
        **with_line("channels/erp.yaml", "figures_at: [aarhus]"),
        "locations.yaml": SOUND["locations.yaml"].replace("{till: L1}", "{till: L1, erp: '12'}"),
    }
    assert problems(files) == []


def test_one_list_shown_and_another_made_is_refused() -> None:
    files = {
        **webshop("price_list: retail", "price_list: other"),
        "pricing.yaml": TWO_LISTS + "channels:\n  webshop: {list: retail, tax: excluded}\n",
        "authority.yaml": AUTHORITY.replace("retail}]", "retail}, {channel: erp, list: other, platform_list: '2'}]"),
    }
    assert problems(files) == [
        "shop/channels/webshop.yaml:7: price_list: pricing.yaml makes this channel's prices from `retail`: write the same list in both"
    ]
