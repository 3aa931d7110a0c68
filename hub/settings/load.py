"""Read a folder of configuration files: all of it well formed and agreeing, or one error that lists everything wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from pydantic import BaseModel

from hub.errors import ConfigError
from hub.files import Node, Problem, examine, meant, parse_yaml, read_text, refuse
from hub.paths import from_config
from hub.settings.check import check, file_name_problem
from hub.settings.model import (
    AllocationSettings,
    AuthoritySettings,
    ChannelSettings,
    Config,
    HubSettings,
    Locations,
    PricingSettings,
    RoutingSettings,
)

PartOf = TypeVar("PartOf", bound=BaseModel)

CHANNELS: Final = "channels"
CHANNELS_MAX: Final = 500
FILES: Final[Mapping[str, type[BaseModel]]] = {
    "hub.yaml": HubSettings,
    "locations.yaml": Locations,
    "authority.yaml": AuthoritySettings,
    "allocation.yaml": AllocationSettings,
    "pricing.yaml": PricingSettings,
    "routing.yaml": RoutingSettings,
}


def load(folder: Path) -> Config:
    """The configuration in this folder; ConfigError lists every problem as file:line with what to write instead."""
    if not folder.is_dir():
        raise ConfigError("there is no such folder: `samklang init` writes one", str(folder))
    refuse(list(_misplaced(folder)))
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    paths = [folder / name for name in FILES if (folder / name).exists()]
    for path in paths + sorted((folder / CHANNELS).glob("*.yaml")):
        try:
            texts[path.relative_to(folder).as_posix()] = read_text(path)
        except ConfigError as bad:
            problems.append(_told(bad))
    refuse(problems)
    return load_text(texts, str(folder))


def load_text(files: Mapping[str, str], folder: str = "config") -> Config:
    """The configuration of these texts, `hub.yaml`, `channels/webshop.yaml` and so on, as if they lay in `folder`."""
    problems: list[Problem] = []
    parts: dict[str, BaseModel] = {}
    nodes: dict[str, Node] = {}
    if "hub.yaml" not in files:
        problems.append(Problem(f"{folder}/hub.yaml", "this file is missing: an empty one will do"))
    names = [name for name in files if name.startswith(f"{CHANNELS}/")]
    if not names or len(names) > CHANNELS_MAX:
        problems.append(Problem(f"{folder}/{CHANNELS}", f"from 1 to {CHANNELS_MAX} files NAME.yaml are wanted, one per channel"))
    for name, text in files.items():
        if name in FILES and _says_nothing(text):
            continue
        try:
            nodes[name] = parse_yaml(text, str(Path(folder) / name))
        except ConfigError as bad:
            problems.append(_told(bad))
            continue
        part, found = examine(nodes[name], FILES.get(name, ChannelSettings))
        problems += found
        if part is not None:
            parts[name] = part
    problems += _names(parts, folder)
    refuse(problems)
    config = _assemble(parts, nodes, folder)
    refuse(check(config))
    return config


def _assemble(parts: Mapping[str, BaseModel], nodes: Mapping[str, Node], folder: str) -> Config:
    channels: dict[str, ChannelSettings] = {}
    places: dict[tuple[str, ...], str] = {}
    for name, part in parts.items():
        base: tuple[str, ...] = (PurePosixPath(name).stem,)
        if isinstance(part, ChannelSettings):
            channels[part.channel] = _seen_from(folder, part)
            base = (CHANNELS, part.channel)
        places.update(_places(nodes[name], base, nodes[name].where))
    locations = parts.get("locations.yaml")
    return Config(
        folder=folder,
        hub=_part(parts, "hub.yaml", HubSettings),
        channels=channels,
        locations=locations.root if isinstance(locations, Locations) else {},
        authority=_part(parts, "authority.yaml", AuthoritySettings),
        allocation=_part(parts, "allocation.yaml", AllocationSettings),
        pricing=_part(parts, "pricing.yaml", PricingSettings),
        routing=_part(parts, "routing.yaml", RoutingSettings),
        places=places,
    )


def _part(parts: Mapping[str, BaseModel], name: str, model: type[PartOf]) -> PartOf:
    found = parts.get(name)
    return found if isinstance(found, model) else model()


def _names(parts: Mapping[str, BaseModel], folder: str) -> Iterator[Problem]:
    for name, part in parts.items():
        if isinstance(part, ChannelSettings):
            problem = file_name_problem(part.channel, Path(folder) / name)
            if problem is not None:
                yield problem


def _seen_from(folder: str, channel: ChannelSettings) -> ChannelSettings:
    """The channel with the file that it names seen from the configuration's folder, wherever the hub is started."""
    if not channel.trusted_ca:
        return channel
    return channel.model_copy(update={"trusted_ca": str(from_config(folder, channel.trusted_ca))})


def _places(node: Node, base: tuple[str, ...], where: str) -> Iterator[tuple[tuple[str, ...], str]]:
    yield base, where
    if isinstance(node.value, dict):
        for key, inner in node.value.items():
            yield from _places(inner, (*base, key), node.keys[key])
    elif isinstance(node.value, list):
        for index, inner in enumerate(node.value):
            yield from _places(inner, (*base, str(index)), inner.where)


def _misplaced(folder: Path) -> Iterator[Problem]:
    # A file that is never read would be believed to hold: `location.yaml` must not pass in silence.
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in FILES and not path.name.startswith("."):
            yield Problem(str(path), f"not a file of the configuration: {meant(path.name, FILES)} Else move it elsewhere")
    if (folder / CHANNELS).is_dir():
        for path in sorted((folder / CHANNELS).iterdir()):
            if path.suffix == ".yml":
                yield Problem(str(path), f"call it {path.stem}.yaml")


def _says_nothing(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _told(bad: ConfigError) -> Problem:
    return Problem(bad.where, str(bad).removeprefix(f"{bad.where}: ") if bad.where else str(bad))
