"""Pictures of an overpass to look at: map tiles and squares around a place, in one of three looks.

Read with the same readers as detection (`Stack`), so that scenes of one overpass lie on each other as they did then.
What was not imaged is transparent; what cannot be read raises, and is never an empty sea.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import get_args

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from PIL import Image

from roadstead.core.errors import SceneError
from roadstead.core.geo import PIXEL_M, WGS84, Bounds, Grid, lonlat_to_xy, utm_crs, xy_to_lonlat
from roadstead.imagery.open import StoredScene, open_stored
from roadstead.imagery.optical.reflectance_offset import with_checked_offset
from roadstead.imagery.optical.stack import Block, Stack
from roadstead.imagery.picture_styles import MASK_LOOKS, LookName
from roadstead.imagery.raster.grids import top_first
from roadstead.imagery.raster.layer import outline
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import RGB, Scene
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead.imagery.visibility.fractions import chip

TILE_PX = 256
MERCATOR = "EPSG:3857"
HALF_WORLD_M = 20037508.342789244
"""Half the width of the square that web maps tile: pi times the radius of WGS84's equator.
Source: https://docs.ogc.org/is/17-083r4/17-083r4.html, annex D.1 (WebMercatorQuad)."""
DEEPEST = 22
FULL_REFLECTANCE = 0.25
"""Shown as white in tiles. Fixed, not stretched by what a tile holds: neighbours would not fit together."""
GAMMA = 0.65
NEEDED = {"true-colour": RGB, "nir": (*RGB, "nir"), "mask": (*RGB, "nir", "scl")}
"""Look -> bands that are read for it; the others stay unopened."""
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Again:
    """Scenes opened once more, and whether their items are those that were used."""

    scenes: tuple[Scene, ...]
    changed: bool
    """Some item differs from the one that was used."""
    reach: tuple[Bounds, ...] = ()
    """(west, south, east, north) of each scene's raster in degrees."""

    def over(self, grid: Grid) -> tuple[Scene, ...]:
        """Return the scenes whose rasters reach into a grid: the others need not be opened for it."""
        west, south, east, north = grid.footprint_lonlat.bounds
        return tuple(
            scene
            for scene, (left, bottom, right, top) in zip(self.scenes, self.reach, strict=True)
            if left <= east and right >= west and bottom <= north and top >= south
        )

    @property
    def looks(self) -> tuple[LookName, ...]:
        """The looks that these scenes have bands for."""
        has_nir = any("nir" in scene.assets for scene in self.scenes)
        has_mask = has_nir or any("scl" in scene.assets for scene in self.scenes)
        given = {"true-colour": True, "nir": has_nir, "mask": has_mask}
        return tuple(look for look in get_args(LookName) if given[look])


def read_again(kept: Sequence[StoredScene]) -> Again:
    """Open the scenes of an overpass, and one raster of each, as a store names them.

    Pixels are not read, but for offsets in doubt.

    Raises:
        SceneError: a scene has no address, or is none any more.
        CatalogueError: an item cannot be fetched.
        ReadError: a raster cannot be opened.
    """
    opened = [open_stored(one)[0] for one in kept]
    changed = any(
        one.item_sha256 is not None and scene.item_sha256 is not None and one.item_sha256 != scene.item_sha256
        for one, scene in zip(kept, opened, strict=True)
    )
    return Again(
        tuple(with_checked_offset(scene) for scene in opened),
        changed,
        tuple(_reach(scene) for scene in opened),
    )


def _reach(scene: Scene) -> Bounds:
    with Raster.of(scene.assets["red"]) as raster:
        west, south, east, north = raster.attempts(lambda dataset: outline(dataset, WGS84)).bounds
        return float(west), float(south), float(east), float(north)


def tile_grid(z: int, x: int, y: int, side_px: int = TILE_PX) -> Grid:
    """Return the frame of a map tile (WebMercatorQuad, y downwards).

    Raises:
        ValueError: there is no such tile.
    """
    if not (0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ValueError(f"there is no tile {z}/{x}/{y}")
    side_m = 2.0 * HALF_WORLD_M / 2**z
    pixel_m = side_m / side_px
    at = Affine(pixel_m, 0.0, x * side_m - HALF_WORLD_M, 0.0, -pixel_m, HALF_WORLD_M - y * side_m)
    return Grid(MERCATOR, at, side_px, side_px)


def square_grid(lon: float, lat: float, side_px: int, frame: Grid | None = None) -> Grid:
    """Return the square of pixels around a place, where `Mosaic.chip` cuts it.

    Args:
        lon: degrees.
        lat: degrees.
        side_px: Side; less at the frame's edge.
        frame: The port's own grid; None for 10 m pixels of the place's UTM zone.

    Raises:
        SceneError: the place lies outside of the frame.
    """
    place = np.array([[lon, lat]])
    if frame is None:
        crs = utm_crs(lon, lat)
        col, row = np.floor(lonlat_to_xy(place, crs)[0] / [PIXEL_M, -PIXEL_M])
        half = side_px // 2
        at = Affine(PIXEL_M, 0.0, (col - half) * PIXEL_M, 0.0, -PIXEL_M, -(row - half) * PIXEL_M)
        return Grid(crs, at, side_px, side_px)
    col, row = np.floor(frame.xy_to_colrow(lonlat_to_xy(place, frame.crs))[0]).astype(int)
    window = frame.square(int(col), int(row), side_px)
    if not (window.width and window.height):
        raise SceneError(f"{lat:.5f}, {lon:.5f} lies outside of the port's frame")
    return frame.crop(window)


def tile(scenes: Sequence[Scene], look: LookName, grid: Grid) -> Picture:
    """Return one look of an overpass on a grid: uint8 RGBA [H, W, 4], transparent where nothing was imaged.

    Read from overviews, by nearest neighbour; brightness is the same in every tile (`FULL_REFLECTANCE`).

    Raises:
        ReadError: pixels cannot be read.
        SceneError: no scene has the band that the look needs.
    """
    if not scenes:
        return nothing(grid)
    block = _read(scenes, look, grid, coarse=True)
    if look == "mask":
        return _mask(block)
    shown = block.rgb if look == "true-colour" else np.broadcast_to(_nir(block), block.rgb.shape)
    bright = np.clip(shown * np.float32(VISUAL_FULL_SCALE / FULL_REFLECTANCE), 0.0, 1.0) ** GAMMA
    return _with_alpha(np.moveaxis(bright * 255.0, 0, -1).astype(np.uint8), block.valid)


def square(scenes: Sequence[Scene], look: LookName, grid: Grid) -> Picture:
    """Return one look on the pixels of a small grid, stretched to what it holds as stored cut-outs are; see `tile`.

    Raises:
        ReadError: pixels cannot be read.
        SceneError: no scene has the band that the look needs.
    """
    if not scenes:
        return nothing(grid)
    block = _read(scenes, look, grid, coarse=False)
    if look == "mask":
        return _mask(block)
    shown = block.rgb if look == "true-colour" else np.repeat(_nir(block)[None], 3, axis=0)
    return _with_alpha(chip(shown, block.valid), block.valid)


def nothing(grid: Grid) -> Picture:
    """Return a picture of ground that no scene reaches: all transparent."""
    return np.zeros((grid.height, grid.width, 4), np.uint8)


def _read(scenes: Sequence[Scene], look: LookName, grid: Grid, *, coarse: bool) -> Block:
    if look == "nir" and not any("nir" in scene.assets for scene in scenes):
        raise SceneError("no scene of the overpass has near infrared")
    bands = NEEDED[look]
    slim = [
        replace(scene, assets={name: asset for name, asset in scene.assets.items() if name in bands})
        for scene in scenes
    ]
    stack = Stack(top_first(slim, grid), grid, coarse=coarse)
    try:
        return stack.read(grid.window)
    finally:
        stack.close()


def _nir(block: Block) -> NDArray[np.float32]:
    """Return near infrared scaled as `Block.rgb` is, 0 where there is none."""
    assert block.nir is not None  # noqa: S101 - `_read` refuses scenes without
    scaled = np.nan_to_num(block.nir, nan=0.0) / np.float32(VISUAL_FULL_SCALE)
    return np.asarray(np.clip(scaled, 0.0, 1.0), np.float32)


def mask_classes(block: Block) -> NDArray[np.uint8]:
    """Return [H, W] 1 + the place in `MASK_LOOKS` of what each pixel was taken for; 0 where not imaged."""
    numbers = {name: number for number, name in enumerate(MASK_LOOKS, start=1)}
    told = np.full(block.valid.shape, numbers["untold"], np.uint8)
    if block.land is not None:
        told[block.land_known & ~block.land] = numbers["water"]
        told[block.land_known & block.land] = numbers["land"]
    elif block.water is not None:
        told[block.water] = numbers["water"]
        told[~block.water] = numbers["land"]
    if block.cloud is not None:
        told[block.cloud] = numbers["cloud"]
    told[~block.valid] = 0
    return told


def _mask(block: Block) -> Picture:
    colours = np.array([(0, 0, 0), *(look.rgb for look in MASK_LOOKS.values())], np.uint8)
    told = mask_classes(block)
    return _with_alpha(colours[told], told > 0)


def _with_alpha(rgb: Picture, shown: NDArray[np.bool_]) -> Picture:
    alpha = np.where(shown, 255, 0).astype(np.uint8)
    return np.dstack([np.where(shown[..., None], rgb, 0).astype(np.uint8), alpha])


def of_quicklook(image: Picture, bounds: Bounds, grid: Grid) -> Picture:
    """Return a stored picture [h, w, 3] in longitude/latitude on a grid: uint8 RGBA, transparent outside of it."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    xy = grid.colrow_to_xy(np.column_stack([cols.ravel(), rows.ravel()]))
    lonlat = xy_to_lonlat(xy, grid.crs)
    west, south, east, north = bounds
    height, width = image.shape[:2]
    col = np.floor((lonlat[:, 0] - west) / (east - west) * width).astype(int)
    row = np.floor((north - lonlat[:, 1]) / (north - south) * height).astype(int)
    inside = (col >= 0) & (col < width) & (row >= 0) & (row < height)
    shown = image[np.clip(row, 0, height - 1), np.clip(col, 0, width - 1)]
    shape = (grid.height, grid.width)
    return _with_alpha(shown.reshape(*shape, 3), inside.reshape(shape))


def quicklook_pixel_m(image: Picture, bounds: Bounds) -> float:
    """Return the side of a stored picture's pixels in metres."""
    _, south, _, north = bounds
    return math.radians(north - south) * 6_371_000.0 / len(image)


def webp(picture: Picture, *, lossless: bool = False) -> bytes:
    """Return a picture, RGBA [H, W, 4], as WebP; transparency stays exact."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=85, lossless=lossless, method=2)
    return buffer.getvalue()
