"""A target's derivation in words: which figures and prices it rests on, what was taken off, by which rule and where it stands.

Pure readings of a target's `because` and the configuration; the plan and the `why` speak through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hub.canonical.item import LISTING_FIELDS
from hub.canonical.values import Plain, iso, pieces
from hub.flow import Aspect, Target
from hub.settings.model import Config

NOTHING: Final = "nothing"
TEXT_CHARS_MAX: Final = 40
UNPLACED: Final = {
    "reserved_without_place": "reserved at no place yet (the orders stand below)",
    "reserved_beyond": "promised beyond what lies at their places, so they come from elsewhere",
}
"""Steps of a pool that are about no place, in words."""


def value_words(aspect: str, value: Plain) -> str:
    """A value as a person says it: "13 (raw 15)", "199.95 DKK incl. tax", or the fields of a listing."""
    if value is None:
        return NOTHING
    if aspect == Aspect.STOCK:
        raw = value.get("raw")
        return pieces(value["sellable"]) + (f" (raw {pieces(raw)})" if raw not in (None, value["sellable"]) else "")
    if aspect == Aspect.MOVEMENT:
        return f"{pieces(value['moved'])} moved ({str(value['kind']).replace('_', ' ')})"
    if aspect == Aspect.PRICE:
        tax = value.get("tax")
        return f"{value['amount']} {value['currency']}" + (f" {tax_words(tax)}" if tax else "")
    first = [str(value["sku"])] if "sku" in value else []
    first += [f"{value['amount']} {value['currency']}"] if "amount" in value else []
    first += [f"{pieces(value['sellable'])} pieces"] if "sellable" in value else []
    return ", ".join(first + [f"{name} “{_short(each)}”" for name, each in value.items() if name in LISTING_FIELDS])


def change_words(aspect: str, before: Plain, after: Plain) -> tuple[str, str]:
    """From and to in words; of a listing that exists only the fields that differ."""
    if aspect == Aspect.LISTING and before is not None:
        names = [name for name, value in after.items() if before.get(name) != value]
        return value_words(aspect, {n: before.get(n, "") for n in names}), value_words(aspect, {n: after[n] for n in names})
    return value_words(aspect, before), value_words(aspect, after)


def sources(because: Plain) -> list[dict[str, Plain]]:
    """Every claim that the derivation rests on, each once: channel, listing, as_of, seq, and its figure where it has one."""
    found: dict[tuple[str, str, int], dict[str, Plain]] = {}
    for each in _sources(because):
        found.setdefault((each["channel"], each.get("listing", ""), each.get("seq", 0)), each)
    return list(found.values())


def _sources(because: Plain) -> Iterator[dict[str, Plain]]:
    if not isinstance(because, dict):
        return
    yield from because.get("from", ())
    for step in because.get("steps", ()):
        yield from _sources(step)
    for part in ("price", "stock"):
        yield from _sources(because.get(part))


def brief(target: Target) -> str:
    """The derivation in one line, the newest statement last."""
    because = target.because
    if target.key.aspect == Aspect.STOCK:
        told = _stock_brief(because)
    elif target.key.aspect == Aspect.PRICE:
        told = _price_brief(because)
    elif target.key.aspect == Aspect.MOVEMENT:
        told = _movement_brief(because)
    elif "price" in because:
        told = f"offered here and not there yet; {_price_brief(because['price'])}; {_stock_brief(because['stock'])}"
    else:
        told = "offered here" if because.get("offered") else "not offered here"
    newest = max((each for each in sources(because) if each.get("seq")), key=lambda each: int(each["seq"]), default=None)
    return told + (f"; last said by {newest['channel']} as of {iso(newest['as_of'])}" if newest else "")


def _movement_brief(because: Mapping[str, Plain]) -> str:
    what = f"movement {because['movement']}" if "movement" in because else f"order {because.get('order', '')}"
    at = f" at {because['location']}" if because.get("location") else ""
    return f"{what} of {because.get('told_by', 'another system')}{at}"


def _stock_brief(because: Mapping[str, Plain]) -> str:
    if "figure_of" in because:
        return f"the figure of {because['figure_of']}"
    told = {"location", "component", *UNPLACED}
    places = " + ".join(_place_brief(step) for step in because.get("steps", ()) if told & set(step)).replace("+ -", "- ")
    taken = [word for word in ("safety_stock", "quota", "share_percent", "cap", "threshold", "factor") if word in because]
    return places + (f", less by {because.get('rule', 'rule')} ({', '.join(taken)})" if taken else "")


def _place_brief(step: Mapping[str, Plain]) -> str:
    if "component" in step:
        return f"{step['component']} for {pieces(step['bundles'])}"
    for kind in UNPLACED:
        if kind in step:
            return f"-{pieces(step[kind])} reserved"
    return f"{step['location']} {pieces(step['left'])}"


def _price_brief(because: Mapping[str, Plain]) -> str:
    told = f"list {because['list']} {because['listed']} {tax_words(because['listed_tax'])}"
    if "markup_percent" in because:
        told += f" + {because['markup_percent']} %"
    if "tax_percent" in because:
        told += f", tax {because['tax_percent']} %"
    return told


def steps(target: Target, config: Config) -> list[str]:
    """The whole derivation, one step a line, each rule with the `file:line` where it stands."""
    because, channel = target.because, target.key.channel
    if target.key.aspect == Aspect.STOCK:
        if "figure_of" in because:
            return [f"{channel} is sent the figure of {because['figure_of']}", *_told(because["from"])]
        return list(_stock_steps(because, channel, config))
    if target.key.aspect == Aspect.PRICE:
        return list(_price_steps(because, channel, config))
    if target.key.aspect == Aspect.MOVEMENT:
        return [_movement_brief(because), *_told(because.get("from", ()))]
    rule = _at(config, "channels", channel, "listing")
    lines = [f"{'offered' if because.get('offered') else 'not offered'} on {channel}{rule}", *_told(because.get("from", ()))]
    if "price" in because:
        lines += ["made there with this price:", *(f"  {each}" for each in _price_steps(because["price"], channel, config))]
        lines += ["and this stock:", *(f"  {each}" for each in _stock_steps(because["stock"], channel, config))]
    return lines


def _stock_steps(because: Mapping[str, Plain], channel: str, config: Config) -> Iterator[str]:
    for step in because.get("steps", ()):
        yield from _place_steps(step, config)
    yield f"together {pieces(because['pool'])}"
    where = ""
    if "rule" in because:
        number = int(str(because["rule"]).rpartition(" ")[2])
        where = f", {because['rule']}{_at(config, 'allocation', 'rules', str(number - 1))}"
    if "safety_stock" in because:
        yield f"minus {pieces(because['safety_stock'])} safety stock{where}"
    if "quota" in because:
        yield from _quota_steps(because["quota"], where)
    if "share_percent" in because:
        yield f"of that {because['share_percent']} %, rounded down{where}"
    if "cap" in because:
        yield f"never more than {pieces(because['cap'])}{where}"
    if "threshold" in because:
        yield f"none below {pieces(because['threshold'])}{where}"
    if "factor" in because:
        yield f"in units of {because['factor']}, {pieces(because['remainder'])} left over"
    yield f"{channel} may sell {pieces(because['sellable'])}"


def _quota_steps(quota: Mapping[str, Plain], where: str) -> Iterator[str]:
    """How the last pieces are divided, and for whom this channel waits before it may show its part."""
    if quota.get("first"):
        yield f"scarce: nothing is shown until the listing is there and takes its part{where}"
        return
    yield f"scarce: {quota['until']} pieces or fewer in the pool, the last {quota['pieces']} are divided{where}"
    for place, counter in quota["left_to"].items():
        yield f"what lies at {place} is left to the counter of {counter}"
    kept = f", {quota['kept']} of {quota['weights']} kept back for who is shown no figure" if quota["kept"] else ""
    yield f"its part by weight {quota['weight']} of {quota['weights']}: {quota['part']} pieces{kept}"
    if "unheard" in quota:
        yield f"{', '.join(quota['unheard'])} was not heard lately: {quota['kept_pieces']} pieces stay kept back, as before"
    if quota.get("zero_first"):
        yield "shows 0 first: a figure written there undoes a sale made meanwhile"
    if "waits_for" in quota:
        yield f"shows no more than now until it is certain that fewer are shown by {', '.join(quota['waits_for'])}"


def _place_steps(step: Mapping[str, Plain], config: Config) -> Iterator[str]:
    for kind, words in UNPLACED.items():
        if kind in step:
            yield f"minus {pieces(step[kind])} {words}"
            return
    if "component" in step:
        yield f"of {step['component']} {pieces(step['pool'])}, {step['pieces']} each: enough for {pieces(step['bundles'])}"
        for inner in step["steps"]:
            yield from (f"  {each}" for each in _place_steps(inner, config))
        return
    yield f"{step['location']}: {pieces(step['on_hand'])} on hand{_declared(step, config)}"
    yield from _told(step["from"])
    if step.get("negative"):
        yield "  a figure below zero counts as zero"
    if step.get("not_found"):
        yield "  staff did not find it there: nothing of it is sold until it is counted, received or sold there"
    if "reserved" in step:
        short = f", {pieces(step['short'])} more than lie there" if "short" in step else ""
        yield f"  minus {pieces(step['reserved'])} reserved (the orders stand below){short}"
    if "safety_stock" in step:
        yield f"  minus {pieces(step['safety_stock'])} kept back at this place"
    if step["left"] != step["on_hand"]:
        yield f"  leaves {pieces(step['left'])}"


def _declared(step: Mapping[str, Plain], config: Config) -> str:
    """What the figure covers and contains, and where that is declared."""
    first = str(step["location"]).split("+")[0]
    for index, entry in enumerate(config.authority.stock):
        if first in entry.covers:
            covers = ", ".join(entry.covers) if not entry.each else str(step["location"])
            contains = f", net of {', '.join(entry.contains)}" if entry.contains else ""
            return f" ({entry.channel} is right about {covers}{contains}{_at(config, 'authority', 'stock', str(index))})"
    return ""


def _price_steps(because: Mapping[str, Plain], channel: str, config: Config) -> Iterator[str]:
    name = str(because["list"])
    base, rule = config.pricing.lists.get(name), _at(config, "pricing", "channels", channel)
    currency = f" {base.currency}" if base else ""
    yield f"list {name}: {because['listed']}{currency} {tax_words(because['listed_tax'])}{_at(config, 'pricing', 'lists', name)}"
    yield from _told(because["from"])
    if "refused" in because:
        yield f"refused: {because['refused']}"
        return
    if "markup_percent" in because:
        yield f"plus {because['markup_percent']} %{rule}"
    if "tax_percent" in because:
        asked = config.pricing.channels[channel].tax if channel in config.pricing.channels else ""
        doing = "plus" if asked == "included" else "without"
        country = base.country if base else ""
        yield f"{doing} {because['tax_percent']} % tax{_at(config, 'pricing', 'taxes', country)}"
    if "before_ending" in because:
        yield f"{because['before_ending']}, moved to its ending{rule}"
    if "floor" in because:
        yield f"never below {because['floor']}{rule}"
    yield f"{channel} asks {because['shown']}{currency}"


def _told(told: Plain) -> Iterator[str]:
    """Who said so: the channel, the figure and its time; the envelopes stand with the sources."""
    for each in told:
        if each.get("listed") is False:
            yield f"  {each['channel']} was read to its end and lists nothing of it: that is zero"
            continue
        figure = f" {pieces(each['figure'])}" if "figure" in each else ""
        times = f" × {each['factor']}" if "factor" in each else ""
        said = f"said{figure}{times}" if figure else "said so"
        yield f"  {each['channel']} {each['listing']} {said} as of {iso(each['as_of'])} (inbox {each['seq']})"


def tax_words(tax: Plain) -> str:
    """Whether tax is in it, in two words."""
    return "incl. tax" if tax == "included" else "excl. tax"


def _at(config: Config, *path: str) -> str:
    where = config.place(*path)
    return f" [{where}]" if where else ""


def _short(value: Plain) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - 1] + "…"
