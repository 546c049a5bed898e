from typing import Any

import pytest

from roadstead.core.errors import SceneError
from roadstead.imagery.stac.assets import resolve_assets

BASELINE_5 = {"s2:processing_baseline": "05.09"}


def _assets(keys: str, **fields: Any) -> dict[str, dict[str, Any]]:
    return {key: {"href": f"/x/{key}.tif", "type": "image/tiff", **fields} for key in keys.split()}


@pytest.mark.parametrize(
    "keys",
    [
        "red green blue nir scl visual",
        "B04 B03 B02 B08 SCL visual",
        "B04_10m B03_10m B02_10m B08_10m SCL_20m TCI_10m",
    ],
)
def test_bands_are_found_under_each_providers_keys(keys: str) -> None:
    found = resolve_assets("i", _assets(keys), {})
    expected = [f"/x/{key}.tif" for key in keys.split()[:5]]
    assert [found[band].href for band in ("red", "green", "blue", "nir", "scl")] == expected


def test_a_band_under_an_unknown_key_is_found_by_its_common_name() -> None:
    assets = {
        f"band{n}": {"href": f"/{name}.tif", "eo:bands": [{"common_name": name}]}
        for n, name in enumerate(("red", "green", "blue"))
    }
    assert resolve_assets("i", assets, {})["green"].href == "/green.tif"


def test_the_visual_asset_stands_in_where_a_band_is_missing() -> None:
    found = resolve_assets("i", _assets("red green visual"), BASELINE_5)
    assert [(found[band].href, found[band].band) for band in ("red", "green", "blue")] == [
        ("/x/visual.tif", 1),
        ("/x/visual.tif", 2),
        ("/x/visual.tif", 3),
    ]
    assert 255 * found["red"].scale + found["red"].offset == pytest.approx(0.3558)


def test_a_missing_band_without_visual_is_named_with_the_item() -> None:
    with pytest.raises(SceneError, match=r"item S2X: no asset for blue.*it has: red, green"):
        resolve_assets("S2X", _assets("red green"), {})


def test_the_offset_of_raster_bands_is_taken_once() -> None:
    assets = _assets("red green blue", **{"raster:bands": [{"scale": 0.0001, "offset": -0.1, "nodata": 0}]})
    found = resolve_assets("i", assets, BASELINE_5)["red"]
    assert 2000 * found.scale + found.offset == pytest.approx(0.1)


def test_stac_1_1_bands_give_scale_and_offset() -> None:
    fields = {"bands": [{"name": "B04", "raster:scale": 0.0002, "raster:offset": -0.1, "nodata": 7}]}
    found = resolve_assets("i", _assets("red green blue", **fields), {})["red"]
    assert (found.scale, found.offset, found.nodata) == (0.0002, -0.1, 7.0)


def test_scale_and_offset_may_stand_on_the_asset_itself() -> None:
    fields = {"raster:scale": 0.0001, "raster:offset": -0.1}
    assert resolve_assets("i", _assets("red green blue", **fields), {})["red"].offset == -0.1


def test_pixels_that_already_hold_the_offset_do_not_get_it_again() -> None:
    assets = _assets("red green blue", **{"raster:bands": [{"scale": 0.0001, "offset": -0.1}]})
    applied = {**BASELINE_5, "earthsearch:boa_offset_applied": True}
    assert resolve_assets("i", assets, applied)["red"].offset == 0.0
    not_applied = {**BASELINE_5, "earthsearch:boa_offset_applied": False}
    assert resolve_assets("i", assets, not_applied)["red"].offset == -0.1


@pytest.mark.parametrize(
    ("baseline", "offset"), [("02.14", 0.0), ("03.01", 0.0), ("04.00", -0.1), ("05.11", -0.1), (None, 0.0)]
)
def test_without_band_metadata_the_processing_baseline_decides(baseline: str | None, offset: float) -> None:
    found = resolve_assets("i", _assets("B04 B03 B02"), {"s2:processing_baseline": baseline})
    assert (found["red"].scale, found["red"].offset) == (0.0001, offset)


def test_the_date_never_decides_the_offset() -> None:
    early = {"datetime": "2018-05-01T00:00:00Z", "s2:processing_baseline": "05.00"}
    late = {"datetime": "2024-05-01T00:00:00Z", "s2:processing_baseline": "02.14"}
    assets = _assets("B04 B03 B02")
    assert resolve_assets("i", assets, early)["red"].offset == -0.1
    assert resolve_assets("i", assets, late)["red"].offset == 0.0


def test_scl_classes_are_never_scaled() -> None:
    scl = resolve_assets("i", _assets("B04 B03 B02 SCL"), BASELINE_5)["scl"]
    assert (scl.scale, scl.offset) == (1.0, 0.0)
