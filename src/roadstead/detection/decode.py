"""The network's boxes in the pixel frame of the grid, with what the image says at their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import special

from roadstead.core.geo import Array, Grid
from roadstead.detection.model import Context
from roadstead.detection.motion import signs
from roadstead.detection.tiling import Tile

Bools = NDArray[np.bool_]
EDGE_PX = 1.0
"""A box that comes this close to its tile's edge is cut by it."""
_ALONG, _ACROSS = (
    each.ravel() for each in np.meshgrid(np.linspace(-0.5, 0.5, 21), np.linspace(-0.5, 0.5, 5))
)
_CORNERS = np.array([[0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
RING_PX = (2.0, 3.0, 4.0)
"""How far beyond a box the ground around it is looked at: past the blur of a hull, and still inside the
tile that reports it (`tiling.OVERLAP_PX`)."""
_RING = np.concatenate(
    [
        [point for s in np.linspace(-0.5, 0.5, 24, endpoint=False) for point in ((s, -0.5), (-s, 0.5))],
        [point for s in np.linspace(-0.5, 0.5, 8, endpoint=False) for point in ((0.5, s), (-0.5, -s))],
    ]
)


@dataclass(frozen=True)
class Ground:
    """What is known of a tile's pixels, [S, S] each; nothing is valid beyond the grid."""

    valid: Bools
    cloud: Bools
    """False everywhere where cloud is unknown."""
    scene_index: NDArray[np.int16]
    land: Bools
    """Looks like land by its reflectance; False where that is unknown."""
    land_known: Bools
    """There is near infrared to tell land by."""
    light: NDArray[np.float32]
    """Mean of red, green and blue, 0..1."""


@dataclass(frozen=True)
class Boxes:
    """Boxes as arrays of one length."""

    shape: Array
    """[n, 5]: centre col, row; long side, short side in pixels; angle of the long side, radians from +column
    toward +row."""
    scores: Array
    """[n, 3] in the order of `schemas.CLASSES`, 0..1, after land has lowered them."""
    tile: NDArray[np.int64]
    """Number of the tile a box comes from."""
    cut: Bools
    """Reaches the edge of its tile inside the grid."""
    valid: Bools
    """The centre was imaged."""
    cloud: Bools
    """The centre is known to be cloud."""
    at_edge: Bools
    """Part of the box was not imaged."""
    cloud_in_box: Bools
    """Part of the box is known to be cloud."""
    scene_index: NDArray[np.int16]
    """Scene of the centre, or of any part of the box; 0 where there is none."""
    land_around: Array
    """Share of the ring around the box that looks like land, 0..1; NaN where that is unknown for most of it."""
    signs: Array
    """[n, 4] what tells of bow and motion, see `motion.signs`."""

    def __len__(self) -> int:
        """Return how many."""
        return len(self.shape)

    @property
    def score(self) -> Array:
        """[n] the largest of the three."""
        return np.asarray(self.scores.max(axis=1))

    def take(self, which: Bools | NDArray[np.intp]) -> Boxes:
        """Return some of them, by mask or index."""
        return Boxes(*(getattr(self, field.name)[which] for field in fields(self)))

    def polygons(self, grid: Grid) -> NDArray[np.object_]:
        """Return the oriented boxes in map metres of the grid's CRS, counter-clockwise."""
        corners = points_in(self.shape, _CORNERS[::-1])
        xy = grid.colrow_to_xy(corners.reshape(-1, 2)).reshape(-1, 4, 2)
        return np.asarray(shapely.polygons(xy))


def joined(parts: Sequence[Boxes]) -> Boxes:
    """Return the boxes of several tiles as one; at least one part."""
    return Boxes(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Boxes)))


def points_in(shape: Array, along_across: Array) -> Array:
    """Return (n, k, 2) pixel coordinates of k places in each box.

    Args:
        shape: [n, 5], see `Boxes.shape`.
        along_across: [k, 2] places as shares of long and short side, from -0.5 to 0.5.
    """
    centre, size, angle = shape[:, :2], shape[:, 2:4], shape[:, 4]
    axes = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], axis=-1).reshape(-1, 2, 2)
    return np.asarray(centre[:, None] + (along_across[None] * size[:, None]) @ axes)


def decode(
    raw: NDArray[np.float32],
    tile: Tile,
    number: int,
    ground: Ground,
    grid: Grid,
    floor: float,
    context: Context,
) -> Boxes:
    """Return the boxes of one tile that the network gives ``floor`` or more and that the tile answers for.

    Args:
        raw: [8, A] as the network gives them, in pixels of the tile.
        tile: where it lies.
        number: of the tile.
        ground: what is known of its pixels.
        grid: the frame it lies in.
        floor: least raw score.
        context: how far land around a box lowers its score.
    """
    kept = raw[:, raw[4:7].max(axis=0) >= floor].T.astype(np.float64)
    shape = long_side_first(kept[:, [0, 1, 2, 3, 7]] + (tile.col, tile.row, 0.0, 0.0, 0.0))
    # Scores are trimmed only against rounding of the sigmoid.
    scores = np.clip(kept[:, 4:7], 0.0, 1.0)
    sound = tile.near_core(shape[:, :2]) & (shape[:, 3] > 0.0)
    shape, scores = shape[sound], scores[sound]
    around = _land_around(shape, tile, ground)
    return Boxes(
        shape,
        lowered(scores, around, context),
        np.full(len(shape), number),
        _cut(shape, tile, grid),
        *_looked_up(shape, tile, ground, grid),
        around,
        signs(shape - (tile.col, tile.row, 0.0, 0.0, 0.0), ground.light, ground.valid & ~ground.cloud),
    )


def lowered(scores: Array, land_around: Array, context: Context) -> Array:
    """Return scores [n, 3] lowered where land lies around a box [n], all three of a box by one factor.

    A hull at a quay has water along one side, so nothing is taken off up to a share of ``context.land_share``; from
    there the logit of the best score falls in proportion, by ``context.logit`` where all around is land. Nothing
    is taken off where land is unknown.
    """
    if not len(scores) or not context.logit:
        return scores
    excess = np.nan_to_num(land_around - context.land_share).clip(0.0) / (1.0 - context.land_share)
    best = scores.max(axis=1)
    with np.errstate(divide="ignore"):
        now = special.expit(special.logit(best) - context.logit * excess)
    factor: Array = np.ones_like(best)
    np.divide(now, best, out=factor, where=(excess > 0.0) & (best > 0.0))
    return np.asarray(scores * factor[:, None])


def _land_around(shape: Array, tile: Tile, ground: Ground) -> Array:
    """Return `Boxes.land_around` from rings of which at least half lies in the tile and is known."""
    wider = [np.array([0.0, 0.0, 2.0 * beyond, 2.0 * beyond, 0.0]) for beyond in RING_PX]
    rings = [points_in(shape + more, _RING) for more in wider]
    local = np.floor(np.concatenate(rings, axis=1)).astype(int) - (tile.col, tile.row)
    in_tile = ((local >= 0) & (local < tile.size)).all(axis=2)
    col, row = np.moveaxis(np.clip(local, 0, tile.size - 1), 2, 0)
    known = in_tile & ground.land_known[row, col]
    land = known & ground.land[row, col]
    share: Array = np.full(len(shape), np.nan)
    np.divide(land.sum(axis=1), known.sum(axis=1), out=share, where=known.mean(axis=1) >= 0.5)
    return share


def long_side_first(shape: Array) -> Array:
    """Turn boxes [n, 5] whose second side is the longer by a right angle."""
    swap = shape[:, 3] > shape[:, 2]
    turned = shape[:, [0, 1, 3, 2, 4]] + (0.0, 0.0, 0.0, 0.0, np.pi / 2)
    return np.where(swap[:, None], turned, shape)


def _cut(shape: Array, tile: Tile, grid: Grid) -> Bools:
    corners = points_in(shape, _CORNERS)
    low = np.array([tile.col, tile.row])
    high = low + tile.size
    inner_low, inner_high = low > 0, high < (grid.width, grid.height)
    over = ((corners < low + EDGE_PX) & inner_low) | ((corners > high - EDGE_PX) & inner_high)
    return np.asarray(over.any(axis=(1, 2)))


def _looked_up(
    shape: Array, tile: Tile, ground: Ground, grid: Grid
) -> tuple[Bools, Bools, Bools, Bools, NDArray[np.int16]]:
    """Return valid, cloud, at_edge, cloud_in_box and scene_index of `Boxes`."""
    places = np.column_stack([np.append(_ALONG, 0.0), np.append(_ACROSS, 0.0)])
    at = np.floor(points_in(shape, places)).astype(int)
    in_grid = ((at >= 0) & (at < (grid.width, grid.height))).all(axis=2)
    local = at - (tile.col, tile.row)
    in_tile = ((local >= 0) & (local < tile.size)).all(axis=2)
    col, row = np.moveaxis(np.clip(local, 0, tile.size - 1), 2, 0)
    valid, cloud = ground.valid[row, col] & in_tile & in_grid, ground.cloud[row, col] & in_tile & in_grid
    # What lies in the grid but beyond the tile is not known to lack data.
    lacking = ~valid & (in_tile | ~in_grid)
    scene = np.where(valid, ground.scene_index[row, col], -1)
    found = np.where(scene[:, -1] >= 0, scene[:, -1], scene.max(axis=1))
    return (
        valid[:, -1],
        cloud[:, -1],
        lacking.any(axis=1),
        cloud.any(axis=1),
        np.maximum(found, 0).astype(np.int16),
    )
