"""What else hides hulls from a satellite: the shadow of cloud, and sun glint.

Both are looked for once over a whole overpass, in cells of 60 m that begin at the corner of its grid, and looked up
from there. So blocks agree at seams, and coarse reads with fine ones. Zones are 300 m wide or more. Measured in
``docs/detector/visibility.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import binary_closing, binary_opening, maximum_filter, uniform_filter

from roadstead.core.geo import Grid, convergence_deg
from roadstead.imagery.scene import Scene
from roadstead.imagery.visibility.clouds import Mask, Real

CELL_M = 60.0
CLOUD_HEIGHTS_M = (200.0, 4000.0)
"""Heights that shadows are cast from. Fmask tries 200 m to 12 km (Zhu & Woodcock 2012, doi 10.1016/j.rse.2011.10.028);
what is higher is cirrus, whose shadow is faint. Low stratus and cumulus, whose shadows hide, lie under 4 km."""
LOWEST_SUN_DEG = 15.0
"""Under this a shadow falls up to 15 km away, and nothing is said of shadows."""
OFF_NADIR_DEG = 11.0
"""Angle from nadir at the edge of the swath: so far aside of the ground under it a cloud is shown."""
MATCHED = 0.85
"""Water under moved cloud has, on the mean, at most this share of the light in blue of the ring around: less dark,
there is no shadow. Clouds of the simulator that were matched rightly gave 0.61 to 0.81."""
AROUND_M = 1500.0
LEAST_LIT = 0.02
"""Share of the surroundings that must be lit water to tell what is darker."""
BESIDE_CELLS = 1
"""Cells around a moved cloud that may lie in its shadow too: its thin edge, and what rounding to cells leaves out."""
RING_CELLS = (2, 5)
"""From where to where the ring around a moved cloud lies, cells from the cloud."""
LEAST_CELLS = 12
"""Of water, under moved cloud, to tell of a shadow: some 200 m square."""
LEAST_PART = 0.4
"""Of the most water that lies under moved cloud anywhere: with less, dark water wins by chance."""
SPREAD = 1.0
"""Spread of a cell's darkness, logarithm, times the number of cells that vary as one."""
GLINT_NIR = 0.10
"""Mean reflectance of water in near infrared from which glint hides hulls: the detector finds there about four
fifths of the ships that it finds without. Water with the most silt has 0.05."""
GLINT_SUN_DEG = 55.0
"""Least elevation of the sun at which glint can be so strong. Waves of any roughness (Cox & Munk 1954,
doi 10.1364/JOSA.44.000838) seen up to 12 degrees off nadir, the edge of the swath, reach 0.1 from 61 degrees on. So sea
ice of winter, as bright, isn't taken for glint."""
GLINT_AROUND_M = 540.0
LEAST_WATER = 0.3
"""Share of the surroundings that must be water by SCL to tell of glint."""


@dataclass(frozen=True)
class Veils:
    """Where hulls are hidden, though no cloud is in the way, in cells of a grid."""

    grid: Grid
    """Cells of `CELL_M`, from the corner of the overpass's grid."""
    shadow: Mask
    """[H, W]."""
    glint: Mask
    """[H, W]."""

    def over(self, window: Grid) -> tuple[Mask, Mask]:
        """Return shadow and glint of a window's pixels, each [h, w]: those of the cell that holds their centre."""
        cells, pixel = self.grid.pixel_m, window.pixel_m
        left = (window.transform.c - self.grid.transform.c) / cells
        top = (self.grid.transform.f - window.transform.f) / cells
        col = np.floor(left + (np.arange(window.width) + 0.5) * pixel / cells).astype(int)
        row = np.floor(top + (np.arange(window.height) + 0.5) * pixel / cells).astype(int)
        at = np.ix_(row.clip(0, self.grid.height - 1), col.clip(0, self.grid.width - 1))
        return self.shadow[at], self.glint[at]


@dataclass(frozen=True)
class Coarse:
    """An overpass in cells, with ground around the grid that cloud may cast shadows from; all [H, W]."""

    light: Real
    """Reflectance in blue: of all bands, silt changes it least."""
    nir: Real
    """Reflectance in near infrared; NaN where unknown."""
    cloud: Mask
    water: Mask
    """Valid, not cloud, and not land by its colour."""
    water_scl: Mask
    """Water by SCL, and not cloud."""


def reach_cells(elevation_deg: float) -> int:
    """Return how many cells around a grid cloud can cast shadow into it from."""
    return math.ceil(CLOUD_HEIGHTS_M[1] / math.tan(math.radians(elevation_deg)) / CELL_M) + BESIDE_CELLS


def sun_on(grid: Grid, scenes: Sequence[Scene]) -> tuple[float, float] | None:
    """Return the sun's azimuth from grid north and its elevation, degrees; None where unknown or too low."""
    middle = grid.footprint_lonlat.centroid
    turn = convergence_deg(middle.x, middle.y, grid.crs)
    for scene in scenes:
        azimuth, elevation = scene.sun_azimuth_deg, scene.sun_elevation_deg
        if azimuth is not None and elevation is not None and elevation >= LOWEST_SUN_DEG:
            return azimuth - turn, elevation
    return None


def shadow(seen: Coarse, azimuth_deg: float, elevation_deg: float) -> Mask:
    """Return water in the shadow of cloud, [H, W].

    Fmask's match of cloud and shadow (Zhu & Woodcock 2012), for all cloud at once: cloud is moved to wherever the sun
    may cast its shadow, and the place is taken where the water under it is darkest against the water around. SCL's
    own class of shadow (3) is not asked: it is given to much dark, clear water.
    """
    none = np.zeros_like(seen.cloud)
    if not (seen.cloud.any() and seen.water.any()):
        return none
    match = _darkest(seen, falls(azimuth_deg, elevation_deg))
    if match is None:
        return none
    place, contrast = match
    cast = maximum_filter(_moved(seen.cloud, *place), 2 * BESIDE_CELLS + 1, mode="constant") & seen.water
    # Halfway from the light around to that of the shadow.
    dark = cast & (_darkness(seen, seen.water & ~cast) <= math.log((1.0 + math.exp(contrast)) / 2.0))
    # A ship in shadow is a gap in it; a lone dark cell is no shadow.
    whole = binary_closing(binary_opening(dark, np.ones((2, 2), bool)), np.ones((3, 3), bool))
    return np.asarray(whole & seen.water)


def _darkness(seen: Coarse, lit: Mask) -> Real:
    """Return the logarithm of the light of water over that of ``lit`` water around it, [H, W]; 0 where unknown."""
    side = 2 * round(AROUND_M / CELL_M) + 1
    share = uniform_filter(lit.astype(np.float32), side, mode="constant")
    level = uniform_filter(np.where(lit, seen.light, 0.0).astype(np.float32), side, mode="constant")
    known = seen.water & (share >= LEAST_LIT)
    around = np.where(known, level, 1.0) / np.where(known, share, 1.0)
    dark = np.log(np.maximum(seen.light, 1e-3) / np.maximum(around, 1e-3))
    return np.asarray(np.where(known, dark.clip(-1.0, 0.5), 0.0), np.float32)


def falls(azimuth_deg: float, elevation_deg: float) -> NDArray[np.int_]:
    """Return every (down, right) in cells by which a shadow may lie from its cloud in the image, [n, 2].

    Args:
        azimuth_deg: of the sun, clockwise from grid north.
        elevation_deg: of the sun.
    """
    away = math.radians(azimuth_deg + 180.0)
    run = 1.0 / math.tan(math.radians(elevation_deg))
    heights = np.arange(CLOUD_HEIGHTS_M[0], CLOUD_HEIGHTS_M[1] + 1.0, CELL_M / 2.0)
    lean = math.tan(math.radians(OFF_NADIR_DEG))
    steps = np.linspace(-lean, lean, 9)
    height, east, south = np.meshgrid(heights / CELL_M, steps, steps, indexing="ij")
    kept = np.hypot(east, south) <= lean + 1e-9
    down = height * (-math.cos(away) * run + south)
    right = height * (math.sin(away) * run + east)
    return np.unique(np.rint(np.stack([down[kept], right[kept]], axis=1)).astype(int), axis=0)


def _darkest(seen: Coarse, places: NDArray[np.int_]) -> tuple[tuple[int, int], float] | None:
    """Return the (down, right) of ``places`` where water under moved cloud is darkest, and the logarithm of how dark.

    Dark against the ring around the moved cloud, for what silt darkens has no such edges. None where none is dark.
    """
    dark = _darkness(seen, seen.water)
    near, far = (maximum_filter(seen.cloud, 2 * cells + 1, mode="constant") for cells in RING_CELLS)
    count, total = _sums(seen.cloud, dark, seen.water, places)
    ring_count, ring_total = _sums(far & ~near, dark, seen.water, places)
    enough = (count >= max(LEAST_CELLS, LEAST_PART * count.max())) & (ring_count >= LEAST_CELLS)
    mean = np.where(enough, total / np.maximum(count, 1.0) - ring_total / np.maximum(ring_count, 1.0), 0.0)
    # The spread of a mean of so few cells is taken off, so that a handful of dark ones does not win.
    best = int(np.argmin(mean + SPREAD / np.sqrt(np.maximum(count, 1.0))))
    if mean[best] > math.log(MATCHED):
        return None
    return (int(places[best, 0]), int(places[best, 1])), float(mean[best])


def _sums(mask: Mask, dark: Real, water: Mask, places: NDArray[np.int_]) -> tuple[Real, Real]:
    """Return, for each of ``places``, how many cells of water lie under a moved mask, and the sum of their darkness."""
    size = [next_fast_len(a + int(b)) for a, b in zip(mask.shape, np.abs(places).max(axis=0), strict=True)]
    of_mask = np.conj(rfft2(mask.astype(np.float32), size))
    at = places[:, 0] % size[0], places[:, 1] % size[1]
    count = irfft2(rfft2(water.astype(np.float32), size) * of_mask, size)[at]
    total = irfft2(rfft2(np.where(water, dark, 0.0).astype(np.float32), size) * of_mask, size)[at]
    return np.rint(count), total


def _moved(mask: Mask, down: int, right: int) -> Mask:
    out = np.zeros_like(mask)
    height, width = mask.shape
    if abs(down) < height and abs(right) < width:
        to = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
        of = slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0))
        out[to] = mask[of]
    return out


def glint(seen: Coarse, elevation_deg: float) -> Mask:
    """Return water under glint that hides hulls, [H, W]; none where the sun is too low for it."""
    if elevation_deg < GLINT_SUN_DEG:
        return np.zeros_like(seen.water)
    asked = seen.water_scl & np.isfinite(seen.nir)
    side = 2 * round(GLINT_AROUND_M / 2.0 / CELL_M) + 1
    share = uniform_filter(asked.astype(np.float32), side, mode="constant")
    level = uniform_filter(np.where(asked, seen.nir, 0.0).astype(np.float32), side, mode="constant")
    return np.asarray((share >= LEAST_WATER) & (level >= np.float32(GLINT_NIR) * share))


def veils(seen: Coarse, grid: Grid, margin: int, sun: tuple[float, float]) -> Veils:
    """Return the veils of an overpass.

    Args:
        seen: on a grid with ``margin`` more cells on each side.
        grid: in cells, without the margin.
        margin: in cells.
        sun: azimuth from grid north and elevation, degrees.
    """
    inner = np.s_[margin : margin + grid.height, margin : margin + grid.width]
    return Veils(grid, shadow(seen, *sun)[inner], glint(seen, sun[1])[inner])
