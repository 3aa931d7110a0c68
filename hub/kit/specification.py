"""A rule about the platform's published specification: what the connector asks for is in it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hub.canonical.json import read_json
from hub.canonical.values import Plain
from hub.flow import Outcome
from hub.kit.stage import Stage
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand, not_applicable
from hub.sdk.wire import Request

REFERENCES_MAX: Final = 20


def requests_are_in_the_specification(subject: Subject) -> str:
    """Method and path of every request are published ones, and so is every field at the top of a JSON body."""
    path = subject.specification
    if path is None:
        not_applicable("no specification was given")
    described = _openapi(path)
    stage = subject.stage(2)
    _work(stage)
    asked = [exchange.request for exchange in stage.spy.exchanges]
    demand(bool(asked), "nothing was asked")
    for request in asked:
        operation = _operation(described, request)
        demand(operation is not None, f"{request.method} {request.path} is not in {path.name}")
        strange = _strange(described, operation, request)
        demand(not strange, f"{request.method} {request.path}: {path.name} knows no field {', '.join(strange)}")
    return f"{len(asked)} requests, {len({(one.method, one.path) for one in asked})} operations of {path.name}"


def _work(stage: Stage) -> None:
    for stream, declared in stage.channel.manifest.streams.items():
        stage.read(stream, 1)
        if declared.look_up and stage.lists(stream):
            stage.channel.connector.look_up(stream, [stage.listings[stage.skus[0]]])
    for aspect, _ in stage.sends:
        sent = stage.changes(aspect, stage.skus)
        ended = stage.send(aspect, sent)
        demand(all(one.outcome is Outcome.APPLIED for one in ended.values()), f"{aspect} was not applied")


def _openapi(path: Path) -> dict[str, Plain]:
    """The OpenAPI document in this file (JSON, gzipped or not); not applicable for anything else."""
    raw = path.read_bytes()
    try:
        described = read_json(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except ValueError:
        not_applicable(f"{path.name} is no OpenAPI document in JSON")
    if not isinstance(described, dict) or "paths" not in described:
        not_applicable(f"{path.name} is no OpenAPI document in JSON")
    return described


def _operation(described: dict[str, Plain], request: Request) -> Plain:
    """What the specification says of this method and path; None when it does not know them."""
    bases = {"", *(urlsplit(server["url"]).path.rstrip("/") for server in described.get("servers") or [])}
    for template, methods in described["paths"].items():
        pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template))
        if request.method.lower() in methods and any(re.fullmatch(re.escape(base) + pattern, request.path) for base in bases):
            return methods[request.method.lower()]
    return None


def _strange(described: dict[str, Plain], operation: Plain, request: Request) -> list[str]:
    """Fields at the top of the request's body that its schema does not have."""
    schema = operation.get("requestBody") or {}
    schema = _resolved(described, schema).get("content", {}).get("application/json", {}).get("schema", {})
    properties = _resolved(described, schema).get("properties")
    if not properties or not request.body:
        return []
    body = request.json()
    return sorted(set(body) - set(properties)) if isinstance(body, dict) else ["(the body is no object)"]


def _resolved(described: dict[str, Plain], schema: Plain) -> Plain:
    for _ in range(REFERENCES_MAX):
        reference = schema.get("$ref")
        if reference is None:
            return schema
        schema = described
        for name in reference.removeprefix("#/").split("/"):
            schema = schema[name]
    return schema


RULES: Final[tuple[Rule, ...]] = (requests_are_in_the_specification,)
