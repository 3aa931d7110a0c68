"""JSON Schemas of the configuration files, for editors that complete and check while one writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from hub.settings.load import FILES
from hub.settings.model import ChannelSettings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TEXTUAL: Final = ("string", "number", "boolean")


def write_schemas(folder: Path) -> list[Path]:
    """Write one `KIND.schema.json` per kind of file (hub, channel, locations, …) into the folder; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, schema in schemas().items():
        path = folder / f"{kind}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def schemas() -> dict[str, dict[str, Any]]:
    """Each kind of file and its JSON Schema (draft 2020-12)."""
    models = {name.removesuffix(".yaml"): model for name, model in FILES.items()} | {"channel": ChannelSettings}
    return {kind: schema_of(model) for kind, model in models.items()}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON Schema as an editor needs it: where the hub takes text, a number or a flag without quotes is text too."""
    return {"$schema": DIALECT, **_as_written(model.model_json_schema())}


def _as_written(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_as_written(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # Defaults are texts and numbers of the models, not schemas: they stay as they are.
    made = {key: part if key in ("default", "enum", "const") else _as_written(part) for key, part in schema.items()}
    if made.get("type") == "string" and not {"enum", "const", "pattern", "format"} & made.keys():
        made["type"] = list(TEXTUAL)
    return made
