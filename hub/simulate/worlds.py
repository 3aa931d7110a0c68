"""The worlds of `samklang demo --world NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.simulate.webshops import Webshops
from hub.simulate.world import World

WORLDS: Final[Mapping[str, type[World]]] = {"demo": World, "webshops": Webshops}
"""By the name of their folder of configuration."""
