"""The live catalogues, as they are today: `make online`. Not in CI, which must not hang on other people's servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from roadstead.core.geo import Window
from roadstead.core.ports import named_port
from roadstead.core.settings import settings
from roadstead.imagery import Mosaic, Overpass, group_overpasses, search, sources, with_sensing_time

PORT = named_port("nampo", None)
START = datetime(2024, 5, 1, tzinfo=UTC)
NAMES = ("earth-search", "planetary-computer", "cdse")


def overpasses(name: str) -> list[Overpass]:
    (source,) = sources(settings(), name)
    if source.lacks:
        pytest.skip(source.lacks)
    found = search(source.href, PORT, START, START + timedelta(days=15), source.collection)
    assert not found.rejected
    return group_overpasses([with_sensing_time(scene) for scene in found.scenes], PORT)


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_lists_nampo_and_gives_pixels(name: str) -> None:
    found = overpasses(name)
    assert len(found) >= 3, "15 days, two satellites"
    assert {scene.provider for o in found for scene in o.scenes} == {name}
    assert {scene.acquired_source for o in found for scene in o.scenes} == {"granule_sensing"}
    with Mosaic(found[0], PORT.grid()) as mosaic:
        grid = mosaic.grid
        block = mosaic.read(Window(grid.width // 2, grid.height // 2, 256, 256))
    assert block.valid.any() and np.isfinite(block.rgb).all()


@pytest.mark.parametrize("other", NAMES[1:])
def test_one_overpass_has_one_time_through_every_provider(other: str) -> None:
    first = {o.overpass_id: o for o in overpasses(NAMES[0])}
    second = {o.overpass_id: o for o in overpasses(other)}
    shared = first.keys() & second.keys()
    assert shared
    for name in shared:
        assert abs(first[name].acquired - second[name].acquired) < timedelta(seconds=1), name
