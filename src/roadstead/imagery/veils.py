"""What else hides hulls from a satellite: the shadow of cloud, and sun glint.

Both are looked for once over a whole overpass, in cells of 60 m that begin at the corner of its grid, and looked up from
there. So blocks agree at seams, and coarse reads with fine ones. Zones are 300 m wide or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, binary_opening, maximum_filter, uniform_filter

from roadstead.geo import Grid, convergence_deg
from roadstead.imagery.masks import Mask, Real
from roadstead.imagery.scene import Scene

CELL_M = 60.0
CLOUD_HEIGHTS_M = (200.0, 4000.0)
"""Heights that shadows are cast from. Fmask tries 200 m to 12 km (Zhu & Woodcock 2012, doi 10.1016/j.rse.2011.10.028);
what is higher is cirrus, whose shadow is faint. Low stratus and cumulus, whose shadows hide, lie under 4 km."""
LOWEST_SUN_DEG = 15.0
"""Under this a shadow falls up to 15 km away, and nothing is said of shadows."""
DARKER = 0.75
"""Water in shadow has at most this share of the red and green light of lit water within `AROUND_M`."""
AROUND_M = 3000.0
BESIDE_CELLS = 2
"""Cells around a cast shadow that count as cast: a view up to 6 degrees off nadir shows a cloud so far from its place
at 1,200 m height."""
LEAST_LIT = 0.02
"""Share of the surroundings that must be lit water to tell what is darker."""
GLINT_NIR = 0.12
"""Mean reflectance of water in near infrared from which glint hides hulls: the detector finds four fifths of the ships
there that it finds without (``docs/detector/visibility.md``). Water with the most silt has 0.05."""
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
    """Mean reflectance of red and green."""
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


def cast(cloud: Mask, azimuth_deg: float, elevation_deg: float) -> Mask:
    """Return where cloud [H, W] may cast shadow: away from the sun, from any of `CLOUD_HEIGHTS_M`.

    Args:
        cloud: in cells.
        azimuth_deg: of the sun, clockwise from grid north.
        elevation_deg: of the sun.
    """
    away = math.radians(azimuth_deg + 180.0)
    # One step is a cell of shadow, so that the shadow of a cloud two cells wide has no gaps.
    low, high = (height / math.tan(math.radians(elevation_deg)) / CELL_M for height in CLOUD_HEIGHTS_M)
    fallen = np.zeros_like(cloud)
    for step in np.arange(low, high + 1.0):
        fallen |= _moved(cloud, round(-math.cos(away) * step), round(math.sin(away) * step))
    return np.asarray(maximum_filter(fallen, 2 * BESIDE_CELLS + 1, mode="constant"))


def _moved(mask: Mask, down: int, right: int) -> Mask:
    out = np.zeros_like(mask)
    height, width = mask.shape
    if abs(down) < height and abs(right) < width:
        to = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
        of = slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0))
        out[to] = mask[of]
    return out


def shadow(seen: Coarse, azimuth_deg: float, elevation_deg: float) -> Mask:
    """Return water in the shadow of cloud, [H, W]: where shadow may fall, and darker than lit water around.

    SCL's own class of shadow (3) is not asked: it is given to much dark, clear water.
    """
    fallen = cast(seen.cloud, azimuth_deg, elevation_deg)
    fallen &= seen.water
    if not fallen.any():
        return fallen
    lit = seen.water & ~fallen
    side = 2 * round(AROUND_M / CELL_M) + 1
    share = uniform_filter(lit.astype(np.float32), side, mode="constant")
    level = uniform_filter(np.where(lit, seen.light, 0.0).astype(np.float32), side, mode="constant")
    # Where all around may be in shadow, lit water is the brighter part of it.
    rest = float(np.percentile(seen.light[fallen], 75.0))
    around = np.where(share >= LEAST_LIT, level / np.maximum(share, LEAST_LIT), rest)
    dark = fallen & (seen.light < np.float32(DARKER) * around)
    # A ship in shadow is a gap in it; a lone dark cell is no shadow.
    square = np.ones((2, 2), bool)
    whole = binary_closing(binary_opening(dark, square), np.ones((3, 3), bool))
    return np.asarray(whole & fallen)


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
