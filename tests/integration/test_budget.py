"""What one overpass costs over the network: bytes and requests against the blocks that its windows touch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from roadstead.aoi import named_port
from roadstead.detection import load_model
from roadstead.geo import WGS84, Grid, project
from roadstead.imagery import group_overpasses, write_cog
from roadstead.imagery.items import open_item
from roadstead.jobs.plan import WatchRequest
from roadstead.jobs.watch import process
from roadstead.settings import settings
from tests import builders
from tests.faults.providers import _forget
from tests.faults.proxy import Proxy, proxy
from tests.integration.stac_servers import file_server

BYTES, REQUESTS = 1.2, 1.5
SIDE = 10_980
BANDS = ("red", "green", "blue", "nir")
TILES = {"51SXC": (600_000.0, 4_300_020.0), "51SYC": (699_960.0, 4_300_020.0)}
"""Upper-left corners, EPSG:32651; the two tiles that hold Nampo's zones."""


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the two whole tiles over Nampo as COGs: noise under the port's zones, calm elsewhere to be quick."""
    folder = tmp_path_factory.mktemp("tiles")
    port = named_port("nampo", None)
    rng = np.random.default_rng(3)
    for tile, (left, top) in TILES.items():
        frame = Grid("EPSG:32651", rasterio.Affine(10.0, 0.0, left, 0.0, -10.0, top), SIDE, SIDE)
        zones = project(port.footprint, WGS84, frame.crs)
        dn = np.full((SIDE, SIDE), 1200, np.uint16)
        rows, cols = _window(frame, zones.bounds)
        dn[rows, cols] = rng.integers(1100, 1400, dn[rows, cols].shape, dtype=np.uint16)
        for band in BANDS:
            write_cog(folder / tile / f"{band}.tif", dn[None], frame, band_names=[band])
        half = Grid(frame.crs, frame.transform @ rasterio.Affine.scale(2.0), SIDE // 2, SIDE // 2)
        scl = np.full((1, SIDE // 2, SIDE // 2), 6, np.uint8)
        write_cog(folder / tile / "scl.tif", scl, half, resampling="nearest")
        _item(folder, tile, frame)
    return folder


def _window(frame: Grid, bounds: tuple[float, float, float, float]) -> tuple[slice, slice]:
    west, south, east, north = bounds
    corners = frame.xy_to_colrow(np.array([[west - 600, north + 600], [east + 600, south - 600]]))
    (left, top), (right, bottom) = np.clip(corners, 0, SIDE).astype(int)
    return slice(top, bottom), slice(left, right)


def _item(folder: Path, tile: str, frame: Grid) -> None:
    """Write the item of a tile whose rasters are there already."""
    small = builders.grid(4, 4)
    properties = {**builders.SENSING, "grid:code": f"MGRS-{tile}"}
    path = builders.write_item(
        folder / "items", tile, small, {}, properties=properties, visual=np.zeros((3, 4, 4), np.uint8),
        footprint=frame.footprint_lonlat,
    )  # fmt: skip
    import json

    item = json.loads(path.read_text(encoding="utf-8"))
    meta = {"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}
    item["assets"] = {
        band: {"href": f"URL/{tile}/{band}.tif", "type": "image/tiff", "raster:bands": [meta]}
        for band in BANDS
    } | {"scl": {"href": f"URL/{tile}/scl.tif", "type": "image/tiff"}}
    path.write_text(json.dumps(item), encoding="utf-8")


@pytest.fixture
def served(tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    _forget()
    with file_server(tiles) as files, proxy(files.url) as front:
        yield front
    monkeypatch.undo()
    _forget()


def touched(path: Path, frame: Grid, *, halo: int = 0) -> list[int]:
    """Return the compressed sizes of the blocks of a full-resolution COG that a grid touches."""
    with rasterio.open(path) as raster:
        size = int(round(raster.transform.a))
        left, _, _, top = frame.bounds_xy
        col = (left - raster.transform.c) / size - halo
        row = (raster.transform.f - top) / size - halo
        wide, high = (
            frame.width * frame.pixel_m / size + 2 * halo,
            frame.height * frame.pixel_m / size + 2 * halo,
        )
        window = Window(col, row, wide, high).intersection(Window(0, 0, raster.width, raster.height))
        side_y, side_x = raster.block_shapes[0]
        found = []
        for y in range(
            int(window.row_off) // side_y, int(np.ceil((window.row_off + window.height) / side_y))
        ):
            for x in range(
                int(window.col_off) // side_x, int(np.ceil((window.col_off + window.width) / side_x))
            ):
                size_tag = raster.tags(1, ns="TIFF").get(f"BLOCK_SIZE_{x}_{y}")
                found.append(int(size_tag or 0))
        return found


def test_an_overpass_of_nampo_costs_little_more_than_the_blocks_it_touches(
    tiles: Path, served: Proxy, tmp_path: Path
) -> None:
    port, base = named_port("nampo", None), settings()
    scenes = []
    for tile in TILES:
        path = tmp_path / f"{tile}.json"
        path.write_text((tiles / "items" / tile / f"{tile}.json").read_text().replace("URL", served.url))
        scenes.append(open_item(str(path)))
    (overpass,) = group_overpasses(scenes, port)
    request = WatchRequest(
        port, datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 5, tzinfo=UTC), "none",
        load_model(base.model_id), base, f"sqlite:///{tmp_path / 's.sqlite'}",
    )  # fmt: skip
    process(request, overpass, None)
    blocks = [
        size
        for tile in TILES
        for band in (*BANDS, "scl")
        for size in touched(tiles / tile / f"{band}.tif", port.grid())
    ]
    asked = len(served.seen)
    print(f"\n{asked} requests for {len(blocks)} blocks, {served.sent} bytes for {sum(blocks)}")
    assert len(blocks) > 50 and min(blocks) > 0
    assert served.sent <= BYTES * sum(blocks)
    assert asked <= REQUESTS * len(blocks)
    before = served.sent
    process(request, overpass, None)
    assert served.sent == before, "a second look reads what is kept on disk"
