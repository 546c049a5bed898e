"""Detect hulls in one overpass: the way from pixels to `schemas.DETECTIONS`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import WGS84, Array, Grid, Window, project
from roadstead.core.ports import Port
from roadstead.core.schemas import DETECTIONS, empty
from roadstead.detection.decode import Boxes, Ground, decode, joined
from roadstead.detection.measure import measured
from roadstead.detection.merge import rank, unique_hulls
from roadstead.detection.model import Model
from roadstead.detection.runtime import Real, open_network
from roadstead.detection.tiling import Chunk, Tile, chunks, is_plain, standing_out
from roadstead.imagery import Block, Overpass, Scene

FLOOR: Final = 0.05
"""Boxes that the network gives less than this are not even listed as dropped."""
DROPPED_BECAUSE: Final = ("duplicate", "no_data", "cloud", "outside_zones", "below_threshold")
"""In the order they are given: the first that holds."""
Progress = Callable[[int, int], None]
Places = dict[int, tuple[Tile, Ground]]


class BlockReader(Protocol):
    """What detection needs of an opened overpass; `imagery.Mosaic` is one."""

    @property
    def grid(self) -> Grid:
        """The frame, 10 m pixels."""
        ...

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """What `Block.scene_index` refers to."""
        ...

    @property
    def block_shape(self) -> tuple[int, int]:
        """(rows, columns) that are cheap to read at once."""
        ...

    def read(self, window: Window) -> Block:
        """Read a window inside the grid; from one thread at a time."""
        ...


def detect_mosaic(
    mosaic: BlockReader,
    model: Model,
    *,
    overpass: Overpass,
    zones: Mapping[str, BaseGeometry] | None = None,
    port: Port | None = None,
    unfiltered: bool = False,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return the hulls in an overpass, each once: `schemas.DETECTIONS`, best score first.

    A hull is kept where its centre was imaged, is not known to be cloud, and lies in a zone. The network is not shown
    tiles of plain water (`plain`). Memory holds one block of pixels that is searched, one that is read meanwhile, and
    the tiles in the network.

    Args:
        mosaic: the opened overpass.
        model: checked by `load_model`.
        overpass: gives its id.
        zones: name -> water polygon, EPSG:4326: only these are searched. None for every valid pixel, land too,
            which is left to the network.
        port: gives each detection its zone and port.
        unfiltered: also return, with ``dropped_because``, what was dropped and scores `FLOOR` or more.
        progress: called with (tiles done, tiles in all).

    Raises:
        ReadError: pixels could not be read; there is no result then, not an empty one.
        ModelError: the weights cannot be run.
    """
    water = None if zones is None else shapely.union_all(list(zones.values()))
    floor = min(FLOOR, model.threshold) if unfiltered else model.threshold
    found = _search(mosaic, model, water, floor, progress or (lambda done, total: None))
    if found is None or not len(found):
        return gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs=WGS84)
    found = found.take(rank(found.score, found.cut, found.shape[:, :2], model.threshold))
    table = measured(found, mosaic.grid, model.read)
    table["dropped_because"] = _reasons(found, mosaic.grid, model, _inside(table, water))
    table = _with_origin(table, [mosaic.scenes[k] for k in found.scene_index], overpass, model, port)
    return table if unfiltered else table[table["dropped_because"].isna()].reset_index(drop=True)


def _search(
    mosaic: BlockReader, model: Model, water: BaseGeometry | None, floor: float, progress: Progress
) -> Boxes | None:
    """Return every box that the network gives ``floor`` or more, from tiles in order."""
    grid, size = mosaic.grid, model.read.tile_px
    local = None if water is None else project(water, WGS84, grid.crs)
    if local is not None:
        shapely.prepare(local)
    plan = chunks(grid, size, min(mosaic.block_shape), local)
    places: Places = {}
    parts: dict[int, Boxes] = {}
    for number, raw in open_network(model).run(_images(mosaic, plan, places, progress)):
        tile, ground = places.pop(number)
        parts[number] = decode(raw, tile, number, ground, grid, floor, model.read.context)
    return joined([parts[number] for number in sorted(parts)]) if parts else None


def _images(
    mosaic: BlockReader, plan: Sequence[Chunk], places: Places, progress: Progress
) -> Iterator[tuple[int, Real]]:
    """Yield (number, image [3, S, S]) of the tiles whose core was imaged and is not plain water.

    Notes their ground in ``places``.
    """
    total = sum(len(chunk.tiles) for chunk in plan)
    done = 0
    for chunk, block in _read_ahead(mosaic.read, plan):
        clear, cells = block.clear, standing_out(block, chunk.window)
        for number, tile in enumerate(chunk.tiles, start=done):
            if _core(clear, chunk.window, tile).any() and not is_plain(cells, chunk.window, tile):
                image, ground = _cut_out(block, chunk.window, tile)
                places[number] = (tile, ground)
                yield number, image
        done += len(chunk.tiles)
        progress(done, total)


def _read_ahead(read: Callable[[Window], Block], plan: Sequence[Chunk]) -> Iterator[tuple[Chunk, Block]]:
    """Yield the pixels of each chunk while one thread reads the next."""
    if not plan:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(read, plan[0].window)
        for chunk, following in zip(plan, [*plan[1:], None], strict=True):
            block = coming.result()
            if following is not None:
                coming = reader.submit(read, following.window)
            yield chunk, block


def _cut_out(block: Block, window: Window, tile: Tile) -> tuple[Real, Ground]:
    """Return a tile's pixels from a block; beyond the grid they are zero and not valid."""
    cloud = np.zeros_like(block.valid) if block.cloud is None else block.cloud
    land = np.zeros_like(block.valid) if block.land is None else block.land
    rgb, valid, cloudy, index, looks_like_land, land_known = (
        _part(layer, tile.col - window.col, tile.row - window.row, tile.size)
        for layer in (block.rgb, block.valid, cloud, block.scene_index, land, block.land_known)
    )
    return rgb, Ground(valid, cloudy, index, looks_like_land, land_known, light=rgb.mean(axis=0))


def _part(layer: NDArray[Any], col: int, row: int, size: int) -> NDArray[Any]:
    shown = layer[..., row : row + size, col : col + size]
    lacking = [(0, 0)] * (layer.ndim - 2) + [(0, size - side) for side in shown.shape[-2:]]
    return np.pad(shown, lacking)


def _core(layer: NDArray[np.bool_], window: Window, tile: Tile) -> NDArray[np.bool_]:
    top, left = tile.core.row - window.row, tile.core.col - window.col
    return layer[top : top + tile.core.height, left : left + tile.core.width]


def _inside(table: gpd.GeoDataFrame, water: BaseGeometry | None) -> NDArray[np.bool_]:
    if water is None:
        return np.ones(len(table), bool)
    shapely.prepare(water)
    return np.asarray(shapely.intersects_xy(water, table["lon"].to_numpy(), table["lat"].to_numpy()))


def _reasons(found: Boxes, grid: Grid, model: Model, inside: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return why each box is dropped, None for the kept.

    Zones are asked after merging: of two boxes of one hull across a zone's border the better one says where it is.
    """
    searched = found.valid & ~found.cloud
    unique = np.ones(len(found), bool)
    # Apart, for what was not searched must not take away what was.
    for group in (searched, ~searched):
        some = found.take(group)
        unique[group] = unique_hulls(some.polygons(grid), some.cut, some.tile, model.read.merge)
    holds = [~unique, ~found.valid, found.cloud, ~inside, found.score < model.threshold]
    reasons: NDArray[np.object_] = np.full(len(found), None, object)
    for name, which in zip(reversed(DROPPED_BECAUSE), reversed(holds), strict=True):
        reasons[which] = name
    return reasons


def _with_origin(
    table: gpd.GeoDataFrame, scenes: Sequence[Scene], overpass: Overpass, model: Model, port: Port | None
) -> gpd.GeoDataFrame:
    """Add the columns that say where a detection comes from, in the order of `schemas.DETECTIONS`."""
    lonlat = table[["lon", "lat"]].to_numpy()
    scene_ids = [scene.scene_id for scene in scenes]
    acquired = pd.to_datetime([scene.acquired for scene in scenes], utc=True)
    table = table.assign(
        detection_id=detection_ids(scene_ids, lonlat, model.model_id),
        scene_id=scene_ids,
        overpass_id=overpass.overpass_id,
        port=None if port is None else port.slug,
        acquired=acquired.astype("datetime64[ns, UTC]"),
        acquired_sigma_s=[scene.acquired_sigma_s for scene in scenes],
        zone=_objects([None] * len(table) if port is None else port.zone_of(lonlat)),
        simulated=[scene.simulated for scene in scenes],
        model_id=model.model_id,
    )
    return table[list(DETECTIONS.columns)]


def _objects(values: Sequence[str | None]) -> NDArray[np.object_]:
    return np.array(values, object)


def detection_ids(scene_ids: Sequence[str], lonlat: Array, model_id: str) -> list[str]:
    """Return ids that a rerun gives again: from scene, model and place to 0.00001 degrees (1 m).

    Boxes at one place are numbered in their order.
    """
    nth: Counter[str] = Counter()
    ids = []
    for scene_id, (lon, lat) in zip(scene_ids, lonlat, strict=True):
        place = f"{scene_id}|{model_id}|{lon:.5f}|{lat:.5f}"
        ids.append(hashlib.sha256(f"{place}|{nth[place]}".encode()).hexdigest()[:20])
        nth[place] += 1
    return ids
