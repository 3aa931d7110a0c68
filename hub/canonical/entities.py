"""All canonical entities by name: the one list that mappings and manifests are checked against."""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import Entity
from hub.canonical.item import ITEM
from hub.canonical.movement import MOVEMENT
from hub.canonical.order import ORDER, PARTY
from hub.canonical.price import PRICE
from hub.canonical.stock import STOCK

ENTITIES: Final[dict[str, Entity]] = {entity.name: entity for entity in (ITEM, STOCK, PRICE, ORDER, PARTY, MOVEMENT)}
