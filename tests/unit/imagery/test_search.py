import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roadstead.core.errors import CatalogueError, EmptySearchError
from roadstead.core.ports import Port
from roadstead.imagery import SearchResult, search
from tests import builders as b

FRAME = b.grid(30, 20)
PORT = b.port(FRAME, "nampo", roads=(0, 0, 30, 20))
NOVEMBER = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 12, 1, tzinfo=UTC)


def _search(catalog: Path, span: tuple[datetime, datetime] = NOVEMBER, port: Port = PORT) -> SearchResult:
    return search(str(catalog), port, *span, "sentinel-2-c1-l2a")


def _ids(found: SearchResult) -> list[str]:
    return [scene.scene_id for scene in found.scenes]


def test_items_of_the_port_in_the_range_are_found_in_order_of_time(tmp_path: Path) -> None:
    items = [
        b.write_item(tmp_path, "late", FRAME, datetime="2020-11-08T02:30:00Z", properties={}),
        b.write_item(tmp_path, "early", FRAME),
        b.write_item(tmp_path, "elsewhere", b.grid(30, 20, col=500)),
        b.write_item(tmp_path, "december", FRAME, datetime="2020-12-01T00:00:00Z"),
        b.write_item(tmp_path, "october", FRAME, datetime="2020-10-31T23:59:59.999Z"),
        b.write_item(tmp_path, "first moment", FRAME, datetime="2020-11-01T00:00:00Z"),
    ]
    found = _search(b.write_catalog(tmp_path, items))
    assert _ids(found) == ["first moment", "early", "late"]
    assert found.rejected == {}


def test_an_item_whose_box_meets_the_zones_but_whose_footprint_does_not_is_left_out(tmp_path: Path) -> None:
    port = b.port(b.grid(300, 200), corner=(0, 150, 50, 200), other=(250, 0, 300, 50))
    between = b.grid(50, 50, col=125, row=75)
    catalog = b.write_catalog(tmp_path, [b.write_item(tmp_path, "between", between)])
    with pytest.raises(EmptySearchError):
        _search(catalog, port=port)


def test_bad_items_are_named_and_the_others_kept(tmp_path: Path) -> None:
    good = b.write_item(tmp_path, "good", FRAME)
    timeless = b.write_item(tmp_path, "timeless", FRAME, datetime=None)
    bandless = b.write_item(tmp_path, "bandless", FRAME, {"red": b.water(FRAME)["red"]})
    gone = tmp_path / "gone.json"
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    found = _search(b.write_catalog(tmp_path, [timeless, good, bandless, gone, broken]))
    assert _ids(found) == ["good"]
    assert "has no datetime" in found.rejected["timeless"]
    assert "no asset for green, blue" in found.rejected["bandless"]
    assert "cannot be read" in found.rejected[str(gone)]
    assert "cannot be read" in found.rejected[str(broken)]
    assert len(found.rejected) == 4


def test_radar_products_in_the_same_static_catalogue_are_passed_over(tmp_path: Path) -> None:
    radar = b.write_item(
        tmp_path, "radar", FRAME, {"red": b.water(FRAME)["red"]}, properties={"sar:product_type": "GRD"}
    )
    optical = b.write_item(tmp_path, "optical", FRAME)
    found = _search(b.write_catalog(tmp_path, [radar, optical]))
    assert (_ids(found), dict(found.rejected)) == (["optical"], {})
    with pytest.raises(EmptySearchError, match="holds nothing over this place"):
        _search(b.write_catalog(tmp_path, [radar]))


def test_a_bad_item_elsewhere_or_at_another_time_is_no_failure_of_this_port(tmp_path: Path) -> None:
    far = b.write_item(tmp_path, "far", b.grid(30, 20, col=500), datetime=None)
    old = b.write_item(
        tmp_path, "old", FRAME, {"red": b.water(FRAME)["red"]}, datetime="2019-01-01T00:00:00Z"
    )
    good = b.write_item(tmp_path, "good", FRAME)
    assert _search(b.write_catalog(tmp_path, [far, old, good])).rejected == {}


def test_bad_items_alone_are_failures_and_not_an_empty_search(tmp_path: Path) -> None:
    timeless = b.write_item(tmp_path, "timeless", FRAME, datetime=None)
    found = _search(b.write_catalog(tmp_path, [timeless]))
    assert found.scenes == ()
    assert set(found.rejected) == {"timeless"}


def test_an_empty_search_names_port_range_catalogue_and_what_there_is(tmp_path: Path) -> None:
    items = [
        b.write_item(tmp_path, str(year), FRAME, datetime=f"{year}-06-01T02:30:00Z") for year in (2018, 2022)
    ]
    catalog = b.write_catalog(tmp_path, items)
    with pytest.raises(EmptySearchError) as error:
        _search(catalog)
    text = str(error.value)
    assert "no scene of nampo from 2020-11-01 00:00 to 2020-12-01 00:00 UTC" in text
    assert str(catalog) in text
    assert "not observed, which is not zero ships" in text
    assert "over this place runs from 2018-06-01 to 2022-06-01" in text


def test_an_empty_search_says_when_the_catalogue_knows_nothing_of_the_place(tmp_path: Path) -> None:
    catalog = b.write_catalog(tmp_path, [b.write_item(tmp_path, "a", b.grid(30, 20, col=900))])
    with pytest.raises(EmptySearchError, match="holds nothing over this place"):
        _search(catalog)


@pytest.mark.parametrize(
    ("bbox", "interval"),
    [
        ([0, 0, 10, 10], ["2015-06-23T00:00:00Z", None]),
        ([-180, -90, 180, 90], ["2021-01-01T00:00:00Z", "2021-12-31T00:00:00Z"]),
    ],
    ids=["elsewhere", "another year"],
)
def test_collections_elsewhere_or_of_other_years_are_not_walked(
    tmp_path: Path, bbox: list[float], interval: list[str | None]
) -> None:
    extent = {"spatial": {"bbox": [bbox]}, "temporal": {"interval": [interval]}}
    unread = tmp_path / "none.json"  # reading it would be a rejection
    catalog = b.write_catalog(tmp_path, [unread], extent=extent)
    with pytest.raises(EmptySearchError):
        _search(catalog)


def test_a_collection_or_nested_catalogues_can_be_searched_and_loops_end(tmp_path: Path) -> None:
    b.write_catalog(tmp_path, [b.write_item(tmp_path, "a", FRAME)])
    assert _ids(_search(tmp_path / "collection.json")) == ["a"]
    outer = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "outer",
        "description": "",
        "links": [{"rel": "child", "href": "./catalog.json"}, {"rel": "child", "href": "./outer.json"}],
    }
    (tmp_path / "outer.json").write_text(json.dumps(outer), encoding="utf-8")
    assert _ids(_search(tmp_path / "outer.json")) == ["a"]


def test_a_catalogue_that_is_not_there_or_is_none_is_a_catalogue_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.json: cannot be read"):
        _search(tmp_path / "none.json")
    item = b.write_item(tmp_path, "a", FRAME)
    with pytest.raises(CatalogueError, match="is no STAC catalogue but Feature"):
        _search(item)
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CatalogueError, match="is no STAC catalogue"):
        _search(tmp_path / "list.json")


def test_a_child_that_cannot_be_read_fails_the_search(tmp_path: Path) -> None:
    catalog = b.write_catalog(tmp_path, [])
    (tmp_path / "collection.json").unlink()
    with pytest.raises(CatalogueError, match=r"collection\.json: cannot be read"):
        _search(catalog)


@pytest.mark.parametrize(
    "damage",
    [
        {"extent": None},
        {"links": [{"rel": "item"}]},
        {"extent": {"temporal": {"interval": [["no date", None]]}}},
    ],
)
def test_a_damaged_catalogue_is_named_and_no_traceback(tmp_path: Path, damage: dict[str, object]) -> None:
    catalog = b.write_catalog(tmp_path, [b.write_item(tmp_path, "one", FRAME)])
    collection = tmp_path / "collection.json"
    collection.write_text(json.dumps({**json.loads(collection.read_text()), **damage}))
    with pytest.raises(CatalogueError, match=r"collection\.json"):
        _search(catalog)
