"""Finding hulls in an opened overpass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.aoi import Port
from roadstead.detection import measure
from roadstead.detection.merge import keep_one_per_hull
from roadstead.detection.model import Model
from roadstead.detection.runtime import Network, open_network
from roadstead.detection.tiling import tiles
from roadstead.geo import WGS84, Grid, Window, project, to_lonlat, xy_to_lonlat
from roadstead.imagery import Block, Overpass, Scene
from roadstead.tables import CLASSES, DETECTIONS, checked, empty

BATCH = 8
"""Tiles read ahead of the network."""
LEAST_SCORE = 0.05
"""Unfiltered output goes down to this score."""
Progress = Callable[[int, int], None]


class Image(Protocol):
    """What detection needs of `imagery.Mosaic`."""

    scenes: tuple[Scene, ...]

    @property
    def grid(self) -> Grid:
        """The frame that windows refer to."""

    def read(self, window: Window) -> Block:
        """Read one window."""


def detect_mosaic(
    mosaic: Image,
    model: Model,
    *,
    overpass: Overpass,
    zones: Mapping[str, BaseGeometry] | None = None,
    port: Port | None = None,
    unfiltered: bool = False,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return `tables.DETECTIONS` of one overpass.

    Args:
        mosaic: the opened overpass.
        model: see `load_model`.
        overpass: what it is called and when it was.
        zones: zone id -> water polygon (EPSG:4326); only hulls whose centre lies in one are kept. None searches
            every valid pixel and leaves land to the model.
        port: names the zone of each hull.
        unfiltered: also return what was dropped, down to a score of `LEAST_SCORE`, with ``dropped_because``.
        progress: called with (tiles done, tiles in all).

    Raises:
        ReadError: pixels could not be read; there is no result then, not an empty one.
    """
    grid = mosaic.grid
    searched = None if zones is None else _merged(zones, grid.crs)
    least = LEAST_SCORE if unfiltered else model.threshold
    windows = [
        w for w in tiles(grid, model.card.tile_px) if searched is None or searched.intersects(_box(grid, w))
    ]
    parts: list[measure.Boxes] = []
    under: list[Under] = []
    network = open_network(model.weights)
    for done, (window, block, output) in enumerate(_outputs(mosaic, windows, network, model.card.tile_px), 1):
        if output is not None:
            boxes = measure.decode(output, window, grid, least)
            parts.append(boxes)
            under.append(_under(boxes, block, window))
        if progress:
            progress(done, len(windows))
    boxes = measure.join(parts)
    if not len(boxes):
        return gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs=WGS84)
    ground = Under(*(np.concatenate(parts) for parts in zip(*under, strict=True)))
    dropped = _dropped(boxes, grid, model, searched, ground.state)
    table = _table(boxes, ground, dropped, grid, model, mosaic.scenes, overpass, port)
    kept = table if unfiltered else table[table["dropped_because"].isna()]
    return checked(_identified(kept), DETECTIONS, "detections")


def _merged(zones: Mapping[str, BaseGeometry], crs: str) -> BaseGeometry:
    area = project(shapely.union_all(list(zones.values())), WGS84, crs)
    shapely.prepare(area)
    return area


def _box(grid: Grid, window: Window) -> BaseGeometry:
    return shapely.box(*grid.crop(window).bounds_xy)


def _outputs(
    mosaic: Image, windows: Sequence[Window], network: Network, tile_px: int
) -> Iterator[tuple[Window, Block, NDArray[np.float32] | None]]:
    """Yield each window with its block and its network output [8, A]; None where nothing is clear.

    One thread reads the next batch while the network works on this one.
    """
    batches = [windows[i : i + BATCH] for i in range(0, len(windows), BATCH)]

    def read(batch: Sequence[Window]) -> list[Block]:
        return [mosaic.read(window) for window in batch]

    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, batches[0]) if batches else None
        for index, batch in enumerate(batches):
            assert ahead is not None  # noqa: S101 - there is a batch, so it was submitted
            blocks = ahead.result()
            ahead = reader.submit(read, batches[index + 1]) if index + 1 < len(batches) else None
            wanted = [i for i, block in enumerate(blocks) if block.clear.any()]
            results = network(np.stack([_tile(blocks[i], tile_px) for i in wanted])) if wanted else ()
            by_index = dict(zip(wanted, results, strict=True))
            yield from ((batch[i], blocks[i], by_index.get(i)) for i in range(len(batch)))


def _tile(block: Block, tile_px: int) -> NDArray[np.float32]:
    rgb = np.where(block.valid, block.rgb, 0.0).astype(np.float32)
    _, height, width = rgb.shape
    return np.pad(rgb, ((0, 0), (0, tile_px - height), (0, tile_px - width)))


class Under(NamedTuple):
    """What lies under some boxes."""

    state: NDArray[np.object_]
    """[n] at the centre: ``clear``, ``cloud`` or ``no_data``."""
    scene: NDArray[np.int16]
    """[n] index of the scene at the centre, -1 for none."""
    at_edge: NDArray[np.bool_]
    """[n] whether a corner lies outside the valid pixels, so that the hull may be longer than seen."""


def _under(boxes: measure.Boxes, block: Block, window: Window) -> Under:
    origin = np.array([window.col, window.row])
    col, row = (boxes.centre - origin).astype(int).T
    state = np.where(block.valid, np.where(block.clear, "clear", "cloud"), "no_data").astype(object)
    corners = np.floor(boxes.corners - origin).astype(int)
    inside = ((corners >= 0) & (corners < (window.width, window.height))).all(axis=2)
    safe = np.clip(corners, 0, (window.width - 1, window.height - 1))
    imaged = inside & block.valid[safe[..., 1], safe[..., 0]]
    return Under(state[row, col], block.scene_index[row, col], ~imaged.all(axis=1) & ~boxes.cut)


def _dropped(
    boxes: measure.Boxes, grid: Grid, model: Model, searched: BaseGeometry | None, under: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return [n] why a box is dropped, None for those kept."""
    why = np.full(len(boxes), None, dtype=object)
    why[boxes.score < model.threshold] = "below_threshold"
    if searched is not None:
        xy = grid.colrow_to_xy(boxes.centre)
        why[~shapely.contains_xy(searched, xy[:, 0], xy[:, 1])] = "outside_zones"
    why[under == "cloud"] = "cloud"
    why[under == "no_data"] = "no_data"
    left = np.flatnonzero(pd.isna(why))
    kept = boxes.take(left)
    best = keep_one_per_hull(measure.polygons_xy(kept, grid), kept.score, kept.cut, model.card.merge.iou)
    why[np.setdiff1d(left, left[best])] = "duplicate"
    return why


def _table(
    boxes: measure.Boxes,
    ground: Under,
    dropped: NDArray[np.object_],
    grid: Grid,
    model: Model,
    scenes: Sequence[Scene],
    overpass: Overpass,
    port: Port | None,
) -> gpd.GeoDataFrame:
    card = model.card
    lonlat = xy_to_lonlat(grid.colrow_to_xy(boxes.centre), grid.crs)
    length, low, high = measure.calibrated(
        boxes.size[:, 0] * grid.pixel_m, card.length_calibration, measure.MIN_LENGTH_M
    )
    beam, _, _ = measure.calibrated(
        boxes.size[:, 1] * grid.pixel_m, card.beam_calibration, measure.MIN_BEAM_M
    )
    classes = measure.class_probabilities(boxes.scores)
    seen_in = [scenes[max(int(i), 0)] for i in ground.scene]
    shapes = [to_lonlat(polygon, grid.crs) for polygon in measure.polygons_xy(boxes, grid)]
    columns = {
        "detection_id": "",
        "scene_id": [scene.scene_id for scene in seen_in],
        "overpass_id": overpass.overpass_id,
        "port": port.slug if port else overpass.port,
        "acquired": pd.to_datetime([scene.acquired for scene in seen_in], utc=True),
        "acquired_sigma_s": [scene.acquired_sigma_s for scene in seen_in],
        "zone": port.zone_of(lonlat) if port else [None] * len(boxes),
        "lon": lonlat[:, 0],
        "lat": lonlat[:, 1],
        "p_vessel": measure.p_vessel(boxes.score, card.vessel_calibration),
        **{f"p_{name}": classes[:, i] for i, name in enumerate(CLASSES)},
        "class": [CLASSES[i] for i in classes.argmax(axis=1)],
        "length_m": length,
        "length_low_m": low,
        "length_high_m": high,
        "beam_m": np.minimum(beam, length),
        "axis_deg": measure.axes_deg(boxes, lonlat, grid.crs),
        "flags": ["at_edge" if edge else "" for edge in ground.at_edge],
        "dropped_because": dropped,
        "simulated": [scene.simulated for scene in seen_in],
        "model_id": model.model_id,
    }
    table = gpd.GeoDataFrame(columns, geometry=shapes, crs=WGS84)
    for name in ("port", "zone", "dropped_because"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    table["acquired"] = table["acquired"].astype("datetime64[ns, UTC]")
    return table


def _identified(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give each row an id that a rerun gives again: from scene, place and model."""
    ordered = table.sort_values(["lat", "lon", "p_vessel"], ascending=[False, True, False]).reset_index(
        drop=True
    )
    place = ordered["lon"].map("{:.5f}".format) + "," + ordered["lat"].map("{:.5f}".format)
    place += "," + ordered.groupby(["scene_id", place]).cumcount().astype(str)
    keys = ordered["scene_id"] + "|" + place + "|" + ordered["model_id"]
    ordered["detection_id"] = [hashlib.sha256(key.encode()).hexdigest()[:16] for key in keys]
    return ordered
