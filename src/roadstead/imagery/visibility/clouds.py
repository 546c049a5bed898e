"""What the scene classification (SCL) says of a pixel, whether its cloud looks like cloud, and cloud it missed.

Sen2Cor takes bright quays, roofs and white ships for cloud, with the water at their feet, and at times lets thick
cloud pass as water. Near infrared tells both: water is dark in it and cloud is not; what stands on land is brighter in
it than in blue, and cloud is white. Every test looks no further than `check_margin_px`, so that blocks agree at seams.
Without near infrared the SCL stands as it is; without SCL nothing is called cloud (white roofs would be). Measured in
``docs/detector/visibility.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, maximum_filter, minimum_filter, uniform_filter

SCL_DENSE = (8, 9)
"""Cloud of medium and high probability; thin cirrus (10) may be too thin to show in these bands, and stays."""
SCL_CIRRUS = 10
SCL_MISSED = (2, 3, 6, 7)
"""Dark, shadow, water and unclassified: where cloud that escaped SCL is looked for. Not in snow and ice (11), which
looks the same without short-wave infrared, and not on land."""
DARK_NIR = 0.08
"""Reflectance in near infrared under which a pixel is no dense cloud. Sen2Cor calls cloud of medium probability from
0.13 in red (its brightness test rises from 0.06 to 0.25; medium is 0.35 of that), and cloud is as bright in near
infrared. Water with the most silt of the simulator's ports has 0.05."""
LAND_RED = 1.25
"""Near infrared over blue from which a pixel has the colour of land: soil, concrete and containers have 1.3 or more,
cloud 0.9 to 1.1."""
LAND_SQUARE_M, LAND_SHARE = 90.0, 0.59
"""So much of such a square must have the colour of land to be land: decks of ships, up to 65 m wide, have it too."""
NEAR_LAND_M = 200.0
"""SCL is doubted no further from land than this: a ship beside a quay, and the water that 20 m pixels mix with it. On
open water dark pixels that SCL calls cloud may be thin cloud, so nothing is taken off."""
CORE_SHARE = 0.79
"""Share of the square of `SMALLEST_CLOUD_M` that must look like cloud: one fifth may be ships and gaps.
Neither share is a whole number of pixels of such a square, so that rounding decides nothing."""
MISSED_BLUE = 0.25
"""Reflectance in blue from which cloud that SCL let pass is called so."""
MISSED_WHITE = 0.12
"""Largest mean deviation of red, green and blue from their mean, as a share of it ("whiteness", Zhu & Woodcock 2012,
doi 10.1016/j.rse.2011.10.028, who take 0.7 for any cloud on land; thick cloud is far whiter)."""
MISSED_M = 300.0
"""Side of the square that such cloud must hold: five hulls of 60 m, side by side."""


SMALL_M, SMALL_NIR = 90.0, 0.15
"""Away from land, SCL's cloud is cloud from such a size where all of it is so bright and white: no hull is wider than
65 m, and of rafts some deck is dark or coloured."""
FRINGE_M = 120.0
"""Narrow parts of SCL's cloud are cloud after all so near to a wide part: rags and thin edges of one cloud."""
Mask = NDArray[np.bool_]
Real = NDArray[np.float32]
Numbers = NDArray[Any]

# Scene classification of Sen2Cor, https://sentiwiki.copernicus.eu/web/s2-processing (SCL classes)
SCL_NO_DATA = 0
SCL_WATER = 6
SCL_CLOUD = (8, 9, 10)
"""Cloud of medium and high probability, and thin cirrus. Cirrus counts as cloud because a ship not found
under it must not be called unseen. Cloud shadow (3) does not: Sen2Cor gives that class to much dark, clear
water. Neither does saturated (1): bright superstructure saturates."""
SMALLEST_CLOUD_M = 120.0
"""Patches of SCL cloud narrower than this are bright quays and white ships, which Sen2Cor takes for cloud;
no hull is wider than 65 m."""


LAND_NDWI = -0.1
"""Normalised difference water index, (green - nir) / (green + nir) (McFeeters 1996, doi 10.1080/01431169608948714),
under which a pixel looks like land. Below its usual 0, so that silt, glint, ice and thin cloud over water are not
taken for land."""


@dataclass(frozen=True)
class Reflectance:
    """Reflectance of a window, each [H, W]."""

    red: Real
    green: Real
    blue: Real
    nir: Real


def check_margin_px(pixel_m: float) -> int:
    """Return how far `checked_cloud` looks beyond a pixel."""
    land = _radius_px(LAND_SQUARE_M / 2.0, pixel_m) + _radius_px(NEAR_LAND_M, pixel_m)
    core = max(cloud_margin_px(pixel_m), land, 2 * _radius_px(MISSED_M / 2.0, pixel_m))
    return core + _radius_px(FRINGE_M, pixel_m)


def _radius_px(metres: float, pixel_m: float) -> int:
    return max(round(metres / pixel_m), 1)


def checked_cloud(scl: NDArray[np.uint8], seen: Reflectance | None, pixel_m: float) -> Mask:
    """Return where there is cloud, [H, W].

    Args:
        scl: scene classification, [H, W].
        seen: reflectance of the same pixels; None where there is no near infrared.
        pixel_m: their size.
    """
    cloud = cloud_mask(scl, pixel_m)
    if seen is None:
        return cloud
    dense = np.isin(scl, SCL_DENSE)
    by_land = near_land(seen, pixel_m) if dense.any() else np.zeros_like(cloud)
    sure = (
        confirmed(scl, cloud, seen, by_land, pixel_m)
        | missed_cloud(scl, seen, pixel_m)
        | small_cloud(scl, seen, by_land, pixel_m)
    )
    if not sure.any():
        return sure
    side = 2 * _radius_px(FRINGE_M, pixel_m) + 1
    beside = maximum_filter(sure, side, mode="nearest") & np.isin(scl, SCL_CLOUD) & ~cloud
    thin = (scl == SCL_CIRRUS) | (seen.nir >= DARK_NIR)
    return np.asarray(sure | (beside & thin & (seen.nir <= LAND_RED * seen.blue)))


def confirmed(scl: NDArray[np.uint8], cloud: Mask, seen: Reflectance, by_land: Mask, pixel_m: float) -> Mask:
    """Return what of a cloud mask by SCL looks like cloud, or is cirrus, or lies off land.

    Near land a pixel of dense cloud stays where a square of cloud's size around it, or next to it, looks like cloud by
    `CORE_SHARE`, and it is not dark itself.
    """
    dense = np.isin(scl, SCL_DENSE)
    if not (cloud & dense).any():
        return cloud
    dark = seen.nir < DARK_NIR
    land = (seen.nir > LAND_RED * seen.blue) & ~dark
    doubted = cloud & dense & by_land
    if not doubted.any():
        return cloud
    # What lacks data is not held against a cloud that the edge of the image cuts.
    like_cloud = (dense & ~dark & ~land) | (scl == SCL_NO_DATA)
    side = 2 * cloud_radius_px(pixel_m) + 1
    core = uniform_filter(like_cloud.astype(np.float32), side, mode="nearest") >= CORE_SHARE
    stays = maximum_filter(core, side, mode="nearest") & ~dark
    return np.asarray(cloud & (stays | ~doubted))


def small_cloud(scl: NDArray[np.uint8], seen: Reflectance, by_land: Mask, pixel_m: float) -> Mask:
    """Return cloud by SCL that is at least `SMALL_M` across and white in every pixel, away from land."""
    white = np.isin(scl, SCL_DENSE) & (seen.nir >= SMALL_NIR) & (seen.nir <= LAND_RED * seen.blue)
    if not white.any():
        return white
    side = 2 * _radius_px(SMALL_M / 2.0, pixel_m) + 1
    held = minimum_filter(white.view(np.uint8), side, mode="nearest")
    if not held.any():
        return np.zeros_like(white)
    wide = maximum_filter(held, side, mode="nearest") > 0
    return np.asarray(white & wide & ~by_land)


def near_land(seen: Reflectance, pixel_m: float) -> Mask:
    """Return what lies within `NEAR_LAND_M` (a square's half side) of ground that is wider than a ship."""
    land = (seen.nir > LAND_RED * seen.blue) & (seen.nir >= DARK_NIR)
    side = 2 * _radius_px(LAND_SQUARE_M / 2.0, pixel_m) + 1
    wide = uniform_filter(land.astype(np.float32), side, mode="nearest") >= LAND_SHARE
    reach = 2 * _radius_px(NEAR_LAND_M, pixel_m) + 1
    return np.asarray(maximum_filter(wide, reach, mode="nearest"))


def missed_cloud(scl: NDArray[np.uint8], seen: Reflectance, pixel_m: float) -> Mask:
    """Return thick cloud over water that SCL let pass: bright, white, and larger than ships and quays are."""
    mean = (seen.red + seen.green + seen.blue) / np.float32(3.0)
    off = np.abs(seen.red - mean) + np.abs(seen.green - mean) + np.abs(seen.blue - mean)
    white = (off <= np.float32(3.0 * MISSED_WHITE) * mean) & (seen.blue >= MISSED_BLUE)
    white &= (seen.nir >= MISSED_BLUE) & (seen.nir <= LAND_RED * seen.blue)
    asked = white & np.isin(scl, SCL_MISSED)
    if not asked.any():
        return asked
    side = 2 * _radius_px(MISSED_M / 2.0, pixel_m) + 1
    held = (asked | (white & np.isin(scl, SCL_CLOUD))).view(np.uint8)
    wide = maximum_filter(minimum_filter(held, side, mode="nearest"), side, mode="nearest")
    return np.asarray(asked & (wide > 0))


def land_like(green: Real, nir: Real) -> Mask:
    """Return where reflectances [H, W] look like land by `LAND_NDWI`; false where either is NaN."""
    return np.asarray(green - nir < LAND_NDWI * (green + nir))


def cloud_radius_px(pixel_m: float) -> int:
    """Return the radius in pixels of the square that a cloud must hold."""
    return max(round(SMALLEST_CLOUD_M / 2.0 / pixel_m), 1)


def cloud_margin_px(pixel_m: float) -> int:
    """Return how far `cloud_mask` looks beyond a pixel: blocks read with this margin agree at seams."""
    return 2 * cloud_radius_px(pixel_m)


def cloud_mask(scl: NDArray[np.uint8], pixel_m: float) -> Mask:
    """Return where SCL shows cloud at least `SMALLEST_CLOUD_M` across, [H, W] like ``scl``."""
    cloudy = np.isin(scl, SCL_CLOUD)
    if not cloudy.any():
        return cloudy
    side = 2 * cloud_radius_px(pixel_m) + 1
    # No-data counts as cloud while opening, so that a cloud cut off by the image edge keeps its part.
    wide = binary_opening(cloudy | (scl == SCL_NO_DATA), structure=np.ones((side, side), bool))
    return np.asarray(cloudy & wide)


def resolve_valid(dn: Numbers, nodata: float | None, *, each_band: bool) -> Mask:
    """Return where red, green and blue hold data.

    Args:
        dn: red, green, blue and, where there is one, nir; [B, H, W].
        nodata: DN of no data; NaN and infinite never are data.
        each_band: whether no-data in one band is enough. True for products whose DN carry ESA's offset:
            dark water is near 1000 there, so 0 is never dark water. Elsewhere (8-bit true colour, offset
            already taken off) dark water may be 0 in one band, and no data is 0 in every band.

    Returns:
        [H, W] bool.
    """
    broken = ~np.isfinite(dn) if np.issubdtype(dn.dtype, np.floating) else np.zeros(dn.shape, bool)
    lacking = broken if nodata is None or np.isnan(nodata) else broken | (dn == nodata)
    empty = lacking[:3].any(axis=0) if each_band else lacking.all(axis=0)
    return np.asarray(~(empty | broken[:3].any(axis=0)))
