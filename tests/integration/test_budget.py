"""What one overpass costs over the network: bytes and requests against the blocks that its windows touch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from roadstead.core.geo import Grid
from roadstead.core.geo import Window as PixelWindow
from roadstead.core.ports import named_port
from roadstead.core.settings import settings
from roadstead.detection import load_model
from roadstead.imagery import group_overpasses, write_cog
from roadstead.imagery.raster.layer import Layer
from roadstead.imagery.stac.item import open_item
from roadstead.workflows.fingerprint import gather_inputs
from roadstead.workflows.watch import process
from roadstead.workflows.watch_search import WatchRequest
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
    """Write what of the two tiles lies around Nampo's zones as COGs of noise, which compresses as real water does."""
    folder = tmp_path_factory.mktemp("tiles")
    around = _around(named_port("nampo", None).grid())
    rng = np.random.default_rng(3)
    for tile, (left, top) in TILES.items():
        whole = Grid("EPSG:32651", rasterio.Affine(10.0, 0.0, left, 0.0, -10.0, top), SIDE, SIDE)
        frame = _crop(whole, around)
        grain = rng.integers(0, 100, (1, frame.height, frame.width), dtype=np.uint16)
        sea = (
            1100 + grain + np.roll(grain, 1, axis=1) + np.roll(grain, 1, axis=2)
        )  # neighbours are alike, as in water
        for shade, band in enumerate(BANDS):
            write_cog(folder / tile / f"{band}.tif", sea + np.uint16(60 * shade), frame, band_names=[band])
        half = Grid(
            frame.crs, frame.transform @ rasterio.Affine.scale(2.0), frame.width // 2, frame.height // 2
        )
        scl = np.full((1, half.height, half.width), 6, np.uint8)
        write_cog(folder / tile / "scl.tif", scl, half, resampling="nearest")
        _item(folder, tile, frame)
    return folder


def _around(grid: Grid) -> tuple[float, float, float, float]:
    left, bottom, right, top = grid.bounds_xy
    return left - 5000, bottom - 5000, right + 5000, top + 5000


def _crop(whole: Grid, around: tuple[float, float, float, float]) -> Grid:
    left, bottom, right, top = around
    corners = np.clip(whole.xy_to_colrow(np.array([[left, top], [right, bottom]])), 0, SIDE).astype(int)
    (col, row), (last_col, last_row) = corners // 2 * 2
    return whole.crop(PixelWindow(int(col), int(row), int(last_col - col), int(last_row - row)))


def _item(folder: Path, tile: str, frame: Grid) -> None:
    """Write the item of a tile whose rasters are there already."""
    small = builders.grid(4, 4)
    properties = {**builders.SENSING, "grid:code": f"MGRS-{tile}"}
    path = builders.write_item(
        folder / "items", tile, small, {}, properties=properties, visual=np.zeros((3, 4, 4), np.uint8),
        footprint=frame.footprint_lonlat,
    )  # fmt: skip
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
    monkeypatch.setenv("ROADSTEAD_ALLOWED_HOSTS", "127.0.0.1")
    _forget()
    with file_server(tiles) as files, proxy(files.url) as front:
        yield front
    monkeypatch.undo()
    _forget()


class Touched:
    """Notes which blocks of which rasters the windows that are read touch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks: set[tuple[str, int | None, int, int]] = set()
        read = Layer._read

        def noted(layer: Layer, dataset: Any, bands: list[int], window: PixelWindow) -> Any:
            bounds = layer._grid.crop(window).bounds_xy
            self.note(layer._raster.href, layer._raster._overview, dataset, bounds)
            return read(layer, dataset, bands, window)

        monkeypatch.setattr(Layer, "_read", noted)

    def note(
        self, href: str, overview: int | None, dataset: Any, bounds: tuple[float, float, float, float]
    ) -> None:
        left, bottom, right, top = bounds
        size_x, size_y = dataset.transform.a, -dataset.transform.e
        cols = (left - dataset.transform.c) / size_x, (right - dataset.transform.c) / size_x
        rows = (dataset.transform.f - top) / size_y, (dataset.transform.f - bottom) / size_y
        high, wide = dataset.block_shapes[0]
        for y in _blocks(rows, dataset.height, high):
            for x in _blocks(cols, dataset.width, wide):
                self.blocks.add((href, overview, x, y))

    def sizes(self, folder: Path, url: str) -> list[int]:
        """Return the compressed size of each."""
        found = []
        for href, overview, x, y in sorted(self.blocks, key=str):
            with rasterio.open(folder / href.removeprefix(f"{url}/")) as raster:
                given = {} if overview is None else {"ovr": overview}
                found.append(int(raster.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=1, **given)))
        return found


def _blocks(span: tuple[float, float], size: int, block: int) -> range:
    first, last = max(math.floor(span[0]), 0), min(math.ceil(span[1]), size)
    return range(first // block, math.ceil(last / block)) if first < last else range(0)


def test_an_overpass_of_nampo_costs_little_more_than_the_blocks_it_touches(
    tiles: Path, served: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    noted = Touched(monkeypatch)
    process(request, gather_inputs(request, overpass, None))
    blocks = noted.sizes(tiles, served.url)
    asked = len(served.seen)
    print(f"\n{asked} requests for {len(blocks)} blocks, {served.sent} bytes for {sum(blocks)}")
    assert len(blocks) > 50 and min(blocks) > 0
    assert served.sent <= BYTES * sum(blocks)
    assert asked <= REQUESTS * len(blocks)
    before = served.sent
    process(request, gather_inputs(request, overpass, None))
    assert served.sent == before, "a second look reads what is kept on disk"
