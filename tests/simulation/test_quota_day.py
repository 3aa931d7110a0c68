"""A day with the usual faults and the last pieces divided between two webshops: the hub sells nothing twice, and all agree."""

from __future__ import annotations

import re

from hub.paths import shipped_config
from hub.settings.load import load_text
from hub.settings.model import Config
from hub.simulate.all_knowing import OURS
from hub.simulate.faults import PRESETS
from hub.simulate.retailer import texts_of
from hub.simulate.simulation import Simulation, Wanted

QUOTA = "rules:\n  - {quota_below: 20, quota_weights: {webshop: 1, webshop2: 1, erp: 1, social: 0}}\n"


def two_webshops(allocation: str) -> Config:
    """The small retailer with a second webshop that sells the same stock."""
    folder = shipped_config() / "small"
    texts, name = texts_of(folder), "webshop2"
    about = texts["channels/webshop.yaml"].replace("\nchannel: webshop\n", f"\nchannel: {name}\n")
    texts[f"channels/{name}.yaml"] = about.replace("https://webshop.", f"https://{name}.")
    for file, indent in (("pricing.yaml", 2), ("locations.yaml", 4)):
        texts[file] = re.sub(rf"(?m)^({' ' * indent}webshop)(: .*)$", rf"\1\2\n{' ' * indent}{name}\2", texts[file])
    for file in ("channels/till.yaml", "channels/erp.yaml"):
        texts[file] = re.sub(r"(export_from: \[)", rf"\g<1>{name}, ", texts[file])
    return load_text({**texts, "allocation.yaml": allocation}, str(folder))


def test_a_day_with_the_last_pieces_divided_sells_nothing_twice_by_the_hubs_fault() -> None:
    result = Simulation(two_webshops(QUOTA), Wanted(2, 1, 4, 100), PRESETS["usual"]).run()
    assert not result.violations, "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])
    assert result.account.blamed(OURS) == 0
    assert {"webshop", "webshop2"} <= {name for name, each in result.exposure.items() if each.writes > 10}
