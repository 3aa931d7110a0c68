"""A first configuration from running systems: what they say of themselves, the rest as lines that a person fills in.

Everything begins in `observe`. Who is right about what is proposed by role (the ERP, else the till, else the first named) and
stands in files that a person reads before anything is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.app import TransportFor
from hub.canonical.values import iso
from hub.clock import Clock
from hub.errors import ConfigError, HubError
from hub.files import meant
from hub.log import SECRET_CHARS_MIN, remember_secret
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Surveys
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket
from hub.sdk.registry import Registry
from hub.settings.model import ChannelSettings

SYSTEMS_MAX: Final = 20
LOCATIONS_MAX: Final = 500
FIRST_PLACE: Final = "main"
RIGHT_FIRST: Final = ("erp", "pos")
SCHEMA: Final = "# yaml-language-server: $schema={}.schemas/{}.schema.json\n#\n"
UNEXPLAINED_PIECES: Final = 5


@dataclass(slots=True)
class System:
    """One running system: its channel's name, connector, address, and what it said of itself."""

    name: str
    connector: str
    address: str
    manifest: Manifest
    role: str
    told: dict[str, Any] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    """Settings that the environment names."""

    def says(self, entity: str) -> bool:
        """Whether its records speak of this."""
        return any(entity in stream.maps for stream in self.manifest.streams.values())


@dataclass(slots=True)
class Draft:
    """The files by name, and what a person must know of how they came about."""

    files: dict[str, str]
    notes: list[str]


def systems_of(named: Iterable[str], registry: Registry) -> list[System]:
    """The systems named as CONNECTOR or CONNECTOR=ADDRESS; ConfigError in words for what is neither."""
    found: list[System] = []
    for text in named:
        connector, _, address = text.partition("=")
        if connector not in registry.names():
            known = registry.names()
            words = f"--from {text}: write CONNECTOR=ADDRESS, such as {known[-1]}=https://shop.example; "
            raise ConfigError(words + meant(connector, known))
        manifest = registry.manifest(connector)
        if not address and not manifest.base_url:
            raise ConfigError(f"--from {text}: say where it is: {connector}=https://…")
        same = sum(each.connector == connector for each in found)
        name = f"{connector}-{same + 1}".replace("_", "-") if same else connector.replace("_", "-")
        found.append(System(name, connector, address.rstrip("/"), manifest, manifest.roles[0]))
    if not 0 < len(found) <= SYSTEMS_MAX:
        raise ConfigError(f"from 1 to {SYSTEMS_MAX} systems can be named with --from")
    return found


def draft(systems: list[System], registry: Registry, clock: Clock, transport_for: TransportFor, env: Mapping[str, str]) -> Draft:
    """The configuration; a system whose secrets are in the environment is asked what it says of itself."""
    notes: list[str] = []
    for each in systems:
        each.given = {key: value for key in each.manifest.settings if (value := env.get(secret_name(each.name, key), ""))}
        _survey(each, registry, clock, transport_for, env, notes)
    right = next((s for role in RIGHT_FIRST for s in systems if s.role == role), systems[0])
    places = _places(systems, right)
    files = {"hub.yaml": _hub(), "locations.yaml": _locations(places), "authority.yaml": _authority(systems, right, places)}
    files["pricing.yaml"] = _pricing(systems, right, notes)
    since = iso(clock.now())[:10]
    for each in systems:
        files[f"channels/{each.name}.yaml"] = _channel(each, right, places, since, env)
    return Draft(files, notes)


def secret_name(channel: str, secret: str) -> str:
    """The environment variable that a secret or a setting of this channel is looked for in."""
    return re.sub(r"[^A-Z0-9]", "_", f"{channel}_{secret}".upper())


def _survey(
    each: System, registry: Registry, clock: Clock, transport_for: TransportFor, env: Mapping[str, str], notes: list[str]
) -> None:
    names = {key: secret_name(each.name, key) for key, secret in each.manifest.secrets.items()}
    secrets = {key: env[name] for key, name in names.items() if len(env.get(name, "")) >= SECRET_CHARS_MIN}
    for value in secrets.values():
        remember_secret(value)
    needed = [key for key, one in each.manifest.secrets.items() if not one.optional and one.needed_by == "worker"]
    lacking = [names[key] for key in needed if key not in secrets]
    if lacking or not secrets:
        wanted = ", ".join(lacking or sorted(names.values()))
        notes.append(f"{each.name}: not asked, {wanted} is not in the environment: fill in its settings and locations")
        return
    pace, settings = each.manifest.pace, {k: each.given.get(k, s.default or "") for k, s in each.manifest.settings.items()}
    client = Client(
        channel=each.name,
        transport=transport_for(ChannelSettings(channel=each.name, connector=each.connector, role=each.role)),
        clock=clock,
        base_url=each.address or each.manifest.base_url,
        bucket=Bucket.full(pace.per_second, pace.burst, clock.now()),
        deadline_seconds=float(each.manifest.limits.deadline_seconds),
    )
    try:
        context = ChannelContext(each.name, settings, secrets, client, clock, lambda *_: {})
        connector = registry.connector_class(each.connector)(each.manifest, context)
        if not isinstance(connector, Surveys):
            notes.append(f"{each.name}: its connector cannot say what a configuration needs: fill in settings and locations")
            return
        told = connector.survey()
        each.told = {"tax": told.get("settings", {}).get("prices_tax", ""), **told}
    except HubError as bad:
        notes.append(f"{each.name}: could not be asked: {bad}")


def _places(systems: list[System], right: System) -> dict[str, dict[str, Any]]:
    """Our locations by name: those that who is right about stock told; one of its own where it told none."""
    found: dict[str, dict[str, Any]] = {}
    for each in systems:
        if each is not right and each.role not in RIGHT_FIRST:
            continue
        for told in each.told.get("locations", [])[:LOCATIONS_MAX]:
            name = _slug(str(told.get("title", "")), found)
            found[name] = {**told, "channel": each.name}
        if not any(place["channel"] == each.name for place in found.values()) and each.says("stock"):
            found[_slug(FIRST_PLACE if each is right else each.name, found)] = {"channel": each.name, "title": each.name}
    return found


def _slug(title: str, taken: Mapping[str, object]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "place"
    base = base if base[0].isalpha() else f"place-{base}"
    return next(
        name for number in range(1, LOCATIONS_MAX + 2) if (name := base if number == 1 else f"{base}-{number}") not in taken
    )


def _hub() -> str:
    return (
        SCHEMA.format("", "hub") + "# This installation. Every line may be left out.\n\nname: samklang\nfolder: data\n\nserver:\n"
        "  host: 127.0.0.1\n  port: 8480\n  # The address that platforms can reach, behind your TLS proxy: webhooks need it.\n"
        '  # public_url: https://hub.example.com\n  public_url: ""\n'
    )


def _locations(places: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [SCHEMA.format("", "locations") + "# Every place where goods are; `channels` says what each system calls it.\n"]
    for name, place in places.items():
        lines.append(f"{name}:\n  title: {_text(place.get('title') or name)}\n")
        lines += [f"  {key}: {_text(place[key])}\n" for key in ("country", "postal_code") if place.get(key)]
        if place.get("id"):
            lines.append(f"  channels: {{{place['channel']}: {_text(place['id'])}}}\n")
        else:
            lines.append(f'  # channels: {{{place["channel"]}: "…"}}     its id of this place, where it keeps more than one\n')
    return "\n".join(lines)


def _authority(systems: list[System], right: System, places: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        SCHEMA.format("", "authority") + "# Who is right about what: a proposal by role. Read it before anything goes live.\n"
    ]
    lines.append(f"items:\n  - channel: {right.name}\n")
    stock = []
    for each in systems:
        covers = [name for name, place in places.items() if place["channel"] == each.name]
        if covers and each.says("stock"):
            own = f", contains: [{json.dumps(f'{each.name}:*')}]" if _net_of_its_own(each) else ""
            stock.append(f"  - {{channel: {each.name}, covers: [{', '.join(covers)}]{own}}}\n")
    lines.append("stock:\n" + "".join(stock) if stock else "# stock: nobody named here says figures\n")
    priced = right.says("price") and right.told.get("currency")
    line = f"prices:\n  - {{channel: {right.name}, list: retail}}\n"
    lines.append(line if priced else "# " + line.replace("\n  ", "\n#   "))
    return "\n".join(lines)


def _net_of_its_own(each: System) -> bool:
    """Whether its figure has lost what its own orders take: with a till always, with a shop as its connector says of it."""
    sends = each.manifest.sends.get("stock")
    return each.role == "pos" or (each.role == "webshop" and sends is not None and sends.own_orders == "not_in_figure")


def _pricing(systems: list[System], right: System, notes: list[str]) -> str:
    head = SCHEMA.format("", "pricing") + "# Price lists, and changes so large that a person looks at them first.\n\n"
    guards = (
        "guards:\n  # At first contact a figure that would move by more pieces than this, unexplained, waits for a decision.\n"
        f"  unexplained_pieces: {UNEXPLAINED_PIECES}\n"
    )
    currency, tax = right.told.get("currency"), right.told.get("tax") or "included"
    if not currency or not right.says("price"):
        notes.append("pricing.yaml: no price list yet, the hub shows no prices until there is one")
        return head + guards
    lists = f"lists:\n  retail: {{currency: {currency}, tax: {tax}}}\n"
    shown = [s for s in systems if s is not right and "price" in s.manifest.sends and (s.told.get("tax") or tax) == tax]
    channels = "".join(f"  {each.name}: {{list: retail, tax: {tax}}}\n" for each in shown)
    return head + lists + (f"channels:\n{channels}" if channels else "") + guards


def _channel(each: System, right: System, places: Mapping[str, Mapping[str, Any]], since: str, env: Mapping[str, str]) -> str:
    lines = [
        SCHEMA.format("../", "channel") + f"# {each.manifest.title}. `observe` only reads; `rehearse` also shows what it would "
        "write; `live` writes.\n",
        f"channel: {each.name}\nconnector: {each.connector}\nrole: {each.role}\nmode: observe\n",
    ]
    if each.address:
        lines.append(f"base_url: {_text(each.address)}\n")
    lines += [_settings(each), _secrets(each, env)]
    own = [name for name, place in places.items() if place["channel"] == each.name]
    if each is not right and each.role not in RIGHT_FIRST and places and "stock" in each.manifest.sends:
        lines.append(f"# What it sells: these places as one stock.\nsells_from: [{', '.join(places)}]\n")
    elif own and each.role not in RIGHT_FIRST:
        lines.append(f"sells_from: [{', '.join(own)}]\n")
    if each.says("order") and each.role not in RIGHT_FIRST:
        lines.append(
            f"# Orders placed before this day are history: known, never reserved, never booked.\norders_since: {since}\n"
        )
        lines.append("# orders: {take_in: true}\n")
    return "\n".join(lines)


def _settings(each: System) -> str:
    said = {**each.given, **each.told.get("settings", {})}
    known = {key: str(value) for key, value in said.items() if key in each.manifest.settings}
    if "currency" in each.manifest.settings and each.told.get("currency"):
        known.setdefault("currency", str(each.told["currency"]))
    lines = [f"  {key}: {_text(value)}\n" for key, value in known.items()]
    for key, setting in each.manifest.settings.items():
        if key not in known and setting.default is None:
            lines.append(f"  # {key}: …     {setting.text}\n")
    return "settings:\n" + "".join(lines) if known else "settings: {}\n" + "".join(lines) if lines else ""


def _secrets(each: System, env: Mapping[str, str]) -> str:
    granted = each.manifest.connect.gives if each.manifest.connect is not None else {}
    lines, there = [], False
    for key, secret in each.manifest.secrets.items():
        name = secret_name(each.name, key)
        wanted = bool(env.get(name)) or (not secret.optional and key not in granted)
        there = there or wanted
        after = f"     or `samklang connect {each.name}`" if key in granted and not wanted else ""
        lines.append(f"  {'' if wanted else '# '}{key}: env:{name}{after}\n")
    return ("secrets:\n" if there else "secrets: {}\n") + "".join(lines) if lines else ""


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
