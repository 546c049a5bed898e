"""A STAC API: rustac's memory backend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from roadstead.core.errors import CatalogueError, EmptySearchError
from roadstead.core.settings import settings
from roadstead.imagery import Mosaic, SearchResult, group_overpasses, search
from tests import builders as b
from tests.integration.stac_servers import file_server, has_rustac, stac_api

pytestmark = pytest.mark.skipif(not has_rustac(), reason="rustac (extra dev) is not installed")

FRAME = b.grid(60, 50)
PORT = b.port(FRAME, "nampo")
COLLECTION = "sentinel-2-c1-l2a"
NOVEMBER = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def pixels_beside_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow the server of pixels, which has another port of this machine than the API."""
    monkeypatch.setenv("ROADSTEAD_ALLOWED_HOSTS", "127.0.0.1")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("api")
    items = [
        b.write_item(folder, "west", FRAME),
        b.write_item(folder, "east", b.grid(60, 50, col=40), properties=_tile("51SYC")),
        b.write_item(folder, "elsewhere", b.grid(60, 50, col=4000)),
        b.write_item(folder, "next month", FRAME, datetime="2020-12-01T00:00:00Z", properties={}),
        b.write_item(folder, "bandless", FRAME, {"red": b.water(FRAME)["red"]}, properties={}),
        *(
            b.write_item(folder, f"old-{day:03}", FRAME, datetime=_old(day), properties={})
            for day in range(120)
        ),
    ]
    extent = {
        "spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2019-01-01T00:00:00Z", "2020-12-31T00:00:00Z"]]},
    }
    b.write_catalog(folder, items, extent=extent)
    with file_server(folder) as files, stac_api(folder, items, files.url) as url:
        yield url


def _old(day: int) -> str:
    return f"{datetime(2019, 1, 1, 2, 30) + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"


def _tile(name: str) -> dict[str, str]:
    return {**b.SENSING, "grid:code": f"MGRS-{name}"}


def _search(api: str, start: datetime = NOVEMBER[0], end: datetime = NOVEMBER[1]) -> SearchResult:
    return search(api, PORT, start, end, COLLECTION)


def test_an_api_gives_the_scenes_of_the_port_and_range(api: str) -> None:
    found = _search(api)
    assert [scene.scene_id for scene in found.scenes] == ["east", "west"]
    assert set(found.rejected) == {"bandless"}


def test_what_an_api_gives_can_be_read(api: str) -> None:
    (overpass,) = group_overpasses(_search(api).scenes, PORT)
    assert overpass.overpass_id == "nampo_s2_20201103T022541"
    with Mosaic(overpass, FRAME) as mosaic:
        assert mosaic.read(FRAME.window).valid.all()


def test_more_items_than_a_page_are_all_found(api: str) -> None:
    found = _search(api, datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    assert len(found.scenes) == 120


def test_an_empty_search_says_what_the_collection_holds(api: str) -> None:
    with pytest.raises(EmptySearchError, match="runs from 2019-01-01 to 2020-12-31"):
        _search(api, datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC))


def test_a_collection_that_the_api_lacks_is_a_catalogue_error(api: str) -> None:
    with pytest.raises(CatalogueError, match="collection sentinel-9"):
        search(api, PORT, *NOVEMBER, "sentinel-9")
