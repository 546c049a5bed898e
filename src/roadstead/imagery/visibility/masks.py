"""What a pixel's numbers say about whether the sea was seen there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening

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
