"""One overpass through three providers, each in its true shape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from roadstead.core.geo import Window
from roadstead.core.ports import named_port
from roadstead.core.settings import settings
from roadstead.detection import load_model
from roadstead.imagery import Mosaic, Overpass
from roadstead.workflows.watch_search import WatchRequest, find
from tests.faults.providers import SHAPES, Providers, in_process, three_providers
from tests.integration.stac_servers import has_rustac
from tests.worlds import SENSED

pytestmark = pytest.mark.skipif(not has_rustac(), reason="rustac (extra dev) is not installed")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("providers")
    with three_providers(folder) as made, in_process(made, folder / "home"):
        yield made


def request(served: Providers, catalog: str, store: Path) -> WatchRequest:
    base = settings()
    return WatchRequest(
        named_port("testport", served.world.aoi),
        datetime(2020, 11, 1, tzinfo=UTC),
        datetime(2020, 11, 14, tzinfo=UTC),
        catalog,
        load_model(base.model_id),
        base,
        f"sqlite:///{store}",
    )


@pytest.fixture(scope="module")
def by_provider(
    served: Providers, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Overpass, ...]]:
    store = tmp_path_factory.mktemp("store") / "s.sqlite"
    return {name: find(request(served, name, store)).overpasses for name in SHAPES}


def test_the_same_overpass_has_the_same_time_through_each(
    by_provider: dict[str, tuple[Overpass, ...]],
) -> None:
    for overpasses in by_provider.values():
        assert len(overpasses) == 2
        assert abs(overpasses[0].acquired - SENSED) < timedelta(seconds=1)
        assert {scene.acquired_source for o in overpasses for scene in o.scenes} == {"granule_sensing"}
        assert overpasses[0].acquired_sigma_s < 10.0


def test_it_has_the_same_id_and_says_whom_it_is_from(by_provider: dict[str, tuple[Overpass, ...]]) -> None:
    assert len({tuple(o.overpass_id for o in overpasses) for overpasses in by_provider.values()}) == 1
    for name, overpasses in by_provider.items():
        assert {scene.provider for o in overpasses for scene in o.scenes} == {name}


def test_its_reflectance_is_the_same_through_each(
    by_provider: dict[str, tuple[Overpass, ...]], served: Providers
) -> None:
    port = named_port("testport", served.world.aoi)
    blocks = []
    for overpasses in by_provider.values():
        with Mosaic(overpasses[0], port.grid()) as mosaic:
            blocks.append(mosaic.read(Window(100, 100, 100, 80)))
    for other in blocks[1:]:
        assert np.array_equal(other.rgb, blocks[0].rgb) and np.array_equal(other.nir, blocks[0].nir)
        assert other.cloud is not None and np.array_equal(other.cloud, blocks[0].cloud)
    assert blocks[0].rgb.max() > 0.0


def test_without_its_metadata_the_time_says_how_sure_it_is(served: Providers, tmp_path: Path) -> None:
    from tests.faults.proxy import Fault

    front = served.proxies["planetary-computer"]
    front.faults = [Fault(r"MTD_TL", status=404)]
    try:
        with in_process(served, tmp_path / "home"):
            found = find(request(served, "planetary-computer", tmp_path / "s.sqlite")).overpasses[0]
    finally:
        front.faults = []
    assert {scene.acquired_source for scene in found.scenes} == {"datatake_start"}
    assert found.acquired_sigma_s >= abs((SENSED - found.acquired).total_seconds())


def test_a_token_is_asked_for_once_for_many_reads(
    served: Providers, by_provider: dict[str, tuple[Overpass, ...]]
) -> None:
    assert served.proxies["planetary-computer"].tokens_given <= 2
