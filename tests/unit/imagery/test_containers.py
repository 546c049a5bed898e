"""What people keep images in: SAFE products, saved searches, pictures with a world file, items of many resolutions."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rustac
from numpy.typing import NDArray
from PIL import Image

from roadstead.core.errors import CatalogueError, ReadError, SceneError
from roadstead.imagery import (
    Block,
    Mosaic,
    RasterHints,
    Scene,
    group_overpasses,
    open_scene,
    read_item,
    scenes_in,
    search,
)
from roadstead.imagery.stac.assets import resolve_assets
from tests import builders as b
from tests.worlds import FRAME, water_with_ships

NAME = "S2B_MSIL2A_20240503T021529_N0510_R003_T51SXC_20240503T041530"
SENSED = datetime(2024, 5, 3, 2, 20, 31, 24000, tzinfo=UTC)
DAYS = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 30, tzinfo=UTC)
CODES = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08"}


def read(scene: Scene) -> Block:
    (overpass,) = group_overpasses([scene], None)
    with Mosaic(overpass) as mosaic:
        return mosaic.read(mosaic.grid.window)


def expected(band: str = "red") -> NDArray[np.float32]:
    """Return what a block shows of a band of the two ships."""
    return np.clip((water_with_ships()[band] * 1e-4 - 0.1) / 0.3558, 0, 1).astype(np.float32)


def write_jp2(path: Path, dn: NDArray[np.uint16], pixel_m: float = 10.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    at = rasterio.Affine(pixel_m, 0, b.LEFT, 0, -pixel_m, b.TOP)
    profile = {"driver": "JP2OpenJPEG", "count": 1, "height": dn.shape[0], "width": dn.shape[1]}
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES"}
    with rasterio.open(path, "w", dtype=dn.dtype, crs=b.CRS, transform=at, **profile, **lossless) as out:
        out.write(dn, 1)


def product_xml(offset: str) -> str:
    return (
        "<n1:User_Product><PRODUCT_START_TIME>2024-05-03T02:15:29.024Z</PRODUCT_START_TIME>"
        f"<PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>{offset}</n1:User_Product>"
    )


TILE_XML = (
    '<n1:Tile><SENSING_TIME metadataLevel="Standard">2024-05-03T02:20:31.024Z</SENSING_TIME><Mean_Sun_Angle>'
    '<ZENITH_ANGLE unit="deg">30.5</ZENITH_ANGLE><AZIMUTH_ANGLE unit="deg">150.0</AZIMUTH_ANGLE></Mean_Sun_Angle>'
    "</n1:Tile>"
)


def write_safe(
    folder: Path,
    *,
    tile: str | None = TILE_XML,
    offset: str = "",
    level: str = "2A",
    sizes: tuple[int, ...] = (10, 60),
) -> Path:
    """Write a SAFE folder of the two ships; return it."""
    safe = folder / f"{NAME.replace('MSIL2A', f'MSIL{level}')}.SAFE"
    granule = safe / "GRANULE" / f"L{level}_T51SXC_A037383_20240503T021534"
    for band, code in CODES.items():
        dn = water_with_ships()[band]
        for size in sizes:
            step = size // 10
            image = f"IMG_DATA/R{size}m/T51SXC_20240503T021529_{code}_{size}m.jp2"
            if level == "1C":
                image = f"IMG_DATA/T51SXC_20240503T021529_{code}.jp2"
            write_jp2(granule / image, dn[::step, ::step], float(size))
    (safe / f"MTD_MSIL{level}.xml").write_text(product_xml(offset), encoding="utf-8")
    if tile:
        (granule / "MTD_TL.xml").write_text(tile, encoding="utf-8")
    return safe


def zipped(safe: Path) -> Path:
    path = safe.with_name(f"{safe.name}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(safe.rglob("*")):
            archive.write(file, f"{safe.name}/{file.relative_to(safe)}")
        archive.writestr("__MACOSX/._MTD_MSIL2A.xml.txt", "rubbish")
    return path


@pytest.mark.parametrize("form", [lambda safe: safe, zipped], ids=["folder", "zip"])
def test_a_safe_product_is_read_at_its_granules_time_and_finest_bands(
    form: Callable[[Path], Path], tmp_path: Path
) -> None:
    scene = open_scene(str(form(write_safe(tmp_path))))
    assert (scene.scene_id, scene.platform, scene.mgrs_tile) == (NAME, "sentinel-2b", "51SXC")
    assert (scene.acquired, scene.acquired_source) == (SENSED, "granule_sensing")
    assert (scene.sun_elevation_deg, scene.sun_azimuth_deg) == (59.5, 150.0)
    block = read(scene)
    assert np.allclose(block.rgb[0], expected(), atol=1e-6)
    assert block.nir is not None


def test_a_safe_product_without_granule_metadata_has_the_datatakes_start(tmp_path: Path) -> None:
    scene = open_scene(str(write_safe(tmp_path, tile=None)))
    assert (scene.acquired_source, scene.acquired_sigma_s) == ("datatake_start", 600.0)


def test_the_offset_is_the_one_that_the_product_states(tmp_path: Path) -> None:
    stated = "".join(f'<BOA_ADD_OFFSET band_id="{k}">-500</BOA_ADD_OFFSET>' for k in range(13))
    scene = open_scene(str(write_safe(tmp_path, offset=stated)))
    assert scene.assets["red"].offset == pytest.approx(-0.05)


def test_a_level_1c_product_is_read(tmp_path: Path) -> None:
    block = read(open_scene(str(write_safe(tmp_path, level="1C", sizes=(10,)))))
    assert np.allclose(block.rgb[0], expected(), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no zip", "cannot be unpacked"), (None, "holds no Sentinel-2 product")],
)
def test_a_zip_that_is_no_product_is_named(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "nothing")
    else:
        path.write_bytes(content)
    with pytest.raises(SceneError, match=rf"a\.zip: {words}"):
        open_scene(str(path))


def test_a_safe_folder_without_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "MTD_MSIL2A.xml").write_text(product_xml(""), encoding="utf-8")
    with pytest.raises(SceneError, match="holds no image of B02, B03 and B04"):
        open_scene(str(tmp_path))


def test_the_time_of_a_true_colour_image_of_a_product_is_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "T51SXC_20240503T021529_TCI_10m.jp2"
    profile = {"driver": "JP2OpenJPEG", "count": 3, "height": 240, "width": 260, "dtype": "uint8"}
    with rasterio.open(path, "w", crs=b.CRS, transform=FRAME.transform, **profile) as out:
        out.write(
            np.stack([np.round(expected(band) * 255) for band in ("red", "green", "blue")]).astype(np.uint8)
        )
    scene = open_scene(str(path))
    assert scene.acquired == datetime(2024, 5, 3, 2, 15, 29, tzinfo=UTC)
    assert scene.acquired_source == "datatake_start"


def _items(folder: Path) -> list[dict[str, Any]]:
    """Return two items of the ships, days apart, whose assets lie beside the search."""
    found = []
    for day in ("03", "08"):
        item = b.write_item(
            folder, f"S2_{day}", FRAME, water_with_ships(), properties={}, datetime=f"2020-11-{day}T02:29:51Z"
        )
        document = json.loads(item.read_text())
        for asset in document["assets"].values():
            asset["href"] = f"./S2_{day}/{asset['href'].removeprefix('./')}"
        found.append(document)
    return found


def _collection(folder: Path, items: list[dict[str, Any]]) -> Path:
    path = folder / "search.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}), encoding="utf-8")
    return path


def _lines(folder: Path, items: list[dict[str, Any]]) -> Path:
    path = folder / "search.ndjson"
    path.write_text("\n".join(json.dumps(item) for item in items) + "\n\n", encoding="utf-8")
    return path


def _table(folder: Path, items: list[dict[str, Any]]) -> Path:
    async def write() -> None:
        await rustac.write(str(path), items)

    path = folder / "search.parquet"
    asyncio.run(write())
    return path


SAVED = {"ItemCollection": _collection, "a line an item": _lines, "stac-geoparquet": _table}


@pytest.mark.parametrize("form", SAVED)
def test_a_saved_search_is_all_its_items(form: str, tmp_path: Path) -> None:
    path = SAVED[form](tmp_path, _items(tmp_path))
    named = scenes_in(str(path))
    assert [one.name for one in named] == [f"{path}#S2_03", f"{path}#S2_08"]
    scenes = [one.open() for one in named]
    assert [scene.acquired.day for scene in scenes] == [3, 8]
    assert np.allclose(read(scenes[0]).rgb[0], expected(), atol=1e-6)


@pytest.mark.parametrize("form", SAVED)
def test_a_saved_search_is_a_catalogue_whose_items_are_found_again(form: str, tmp_path: Path) -> None:
    path = SAVED[form](tmp_path, _items(tmp_path))
    found = search(str(path), b.port(FRAME), *DAYS, "sentinel-2-c1-l2a")
    assert [scene.scene_id for scene in found.scenes] == ["S2_03", "S2_08"]
    again = read_item(str(found.scenes[1].item_href))
    assert again["properties"]["datetime"][:10] == "2020-11-08"
    assert read(found.scenes[0]).valid.all()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ndjson", '{"type": "Feature"', "line 1 is not JSON"),
        ("a.ndjson", "\n", "holds no item"),
        ("a.ndjson", '{"type": "Feature", "id": "x"}', "item 1 is no STAC item"),
        ("a.json", '{"type": "FeatureCollection", "features": []}', "holds no item"),
        ("a.json", '{"type": "FeatureCollection", "features": [3]}', "item 1 is no STAC item"),
        ("a.parquet", "PAR1", "cannot be read"),
    ],
)
def test_a_saved_search_that_is_none_is_named(name: str, content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SceneError, match=words):
        scenes_in(str(path))


def test_a_saved_search_that_cannot_be_read_is_no_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("no", encoding="utf-8")
    with pytest.raises(CatalogueError, match="line 1 is not JSON"):
        search(str(path), b.port(FRAME), *DAYS, "sentinel-2-c1-l2a")


def test_an_item_and_a_catalogue_are_found_from_their_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = b.write_item(tmp_path, "S2", FRAME, water_with_ships())
    b.write_catalog(tmp_path, [item])
    monkeypatch.chdir(item.parent)
    assert read(open_scene("S2.json")).valid.all()
    assert read(scenes_in("S2.json")[0].open()).valid.all()
    monkeypatch.chdir(tmp_path)
    found = search("catalog.json", b.port(FRAME), *DAYS, "sentinel-2-c1-l2a")
    assert found.scenes[0].item_href == str(item)
    assert read(found.scenes[0]).valid.all()


def _common(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "image/tiff", "eo:bands": [{"common_name": name}], **more}


MANY: dict[str, Callable[[str, str, int], tuple[str, dict[str, Any]]]] = {
    "keys as stactools writes them": lambda band, code, m: (f"{code}-{m}m", _common(band)),
    "keys as CDSE writes them": lambda band, code, m: (f"{code}_{m}m", {}),
    "gsd of the asset": lambda band, code, m: (f"{band}-{m}", _common(band, gsd=m)),
    "resolution of raster:bands": lambda band, code, m: (
        f"{m}/{code}",
        _common(band, **{"raster:bands": [{"spatial_resolution": m}]}),
    ),
    "gsd in STAC 1.1": lambda band, code, m: (
        f"{code}{m}",
        {"type": "image/jp2", "bands": [{"eo:common_name": band, "gsd": m}]},
    ),
}


@pytest.mark.parametrize("sizes", [(60, 20, 10), (10, 20, 60), (20, 10, 60)])
@pytest.mark.parametrize("form", MANY)
def test_of_several_resolutions_of_a_band_the_finest_is_read(form: str, sizes: tuple[int, ...]) -> None:
    assets = {}
    for band, code in CODES.items():
        for size in sizes:
            key, asset = MANY[form](band, code, size)
            assets[key] = {"href": f"{code}-{size}.tif", **asset}
    bands = resolve_assets("x", assets, {})
    assert {band: asset.href for band, asset in bands.items()} == {
        band: f"{code}-10.tif" for band, code in CODES.items()
    }


def _picture(path: Path, *, world: str | None, alpha: bool = False) -> Path:
    rgb = np.stack([np.round(expected(band) * 255) for band in ("red", "green", "blue")], axis=-1).astype(
        np.uint8
    )
    if alpha:
        seen = np.full((*rgb.shape[:2], 1), 255, np.uint8)
        seen[:40] = 0
        rgb = np.concatenate([rgb, seen], axis=-1)
    Image.fromarray(rgb).save(path, quality=95)
    if world:
        at = FRAME.transform
        lines = (at.a, 0.0, 0.0, at.e, at.c + at.a / 2, at.f + at.e / 2)
        path.with_suffix(world).write_text("\n".join(map(str, lines)), encoding="utf-8")
    return path


HINTS = RasterHints(SENSED, None, b.CRS)


@pytest.mark.parametrize(
    ("name", "world"),
    [("a.png", ".pgw"), ("a.png", ".wld"), ("a.jpg", ".jgw"), ("a.jpeg", ".JGW"), ("a.jpg", ".wld")],
)
def test_a_picture_with_a_world_file_is_read_where_it_lies(name: str, world: str, tmp_path: Path) -> None:
    scene = open_scene(str(_picture(tmp_path / name, world=world)), hints=HINTS)
    assert (scene.scene_id, scene.acquired) == ("a", SENSED)
    (overpass,) = group_overpasses([scene], None)
    with Mosaic(overpass) as mosaic:
        assert mosaic.grid == FRAME
        block = mosaic.read(mosaic.grid.window)
    assert np.abs(block.rgb[0] - expected()).mean() < 0.01


def test_where_a_picture_is_transparent_nothing_is_searched(tmp_path: Path) -> None:
    block = read(open_scene(str(_picture(tmp_path / "a.png", world=".pgw", alpha=True)), hints=HINTS))
    assert not block.valid[:40].any()
    assert block.valid[40:].all()


def test_a_picture_in_degrees_needs_no_crs(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png", world=None)
    path.with_suffix(".pgw").write_text("0.0001\n0\n0\n-0.0001\n124.84\n38.74\n", encoding="utf-8")
    scene = open_scene(str(path), acquired=SENSED)
    assert scene.footprint.bounds == pytest.approx((124.84, 38.716, 124.866, 38.74), abs=1e-3)


def test_a_projection_file_beside_a_picture_is_its_crs(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png", world=".pgw")
    path.with_suffix(".prj").write_text(rasterio.CRS.from_string(b.CRS).to_wkt(), encoding="utf-8")
    assert read(open_scene(str(path), acquired=SENSED)).valid.all()


@pytest.mark.parametrize(
    ("world", "hints", "words"),
    [
        (None, HINTS, r"no world file lies beside it \(a\.pgw\)"),
        (".pgw", RasterHints(SENSED), "names no CRS; give it with --crs"),
        (".pgw", RasterHints(SENSED, None, "EPSG:nonsense"), "names no CRS"),
        (".pgw", RasterHints(None, None, b.CRS), "give it with --acquired"),
    ],
)
def test_what_a_picture_lacks_is_said(
    world: str | None, hints: RasterHints, words: str, tmp_path: Path
) -> None:
    path = _picture(tmp_path / "a.png", world=world)
    with pytest.raises(SceneError, match=rf"{path.name}: .*{words}"):
        open_scene(str(path), hints=hints)


def test_a_picture_that_is_none_cannot_be_read(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png", world=".pgw")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ReadError, match=r"a\.png: cannot be read"):
        open_scene(str(path), hints=HINTS)


def test_a_world_file_of_words_is_named(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png", world=None)
    path.with_suffix(".pgw").write_text("ten\n", encoding="utf-8")
    with pytest.raises(SceneError, match=r"a\.pgw: is no world file of six numbers"):
        open_scene(str(path), hints=HINTS)
