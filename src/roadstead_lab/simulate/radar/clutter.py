"""Backscatter of sea and land in C band, thermal noise, and the speckle of a multilook image."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead.core.geo import Array
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.texture import FloatArray, coarse_noise, enlarged, grain_field

_CMOD5N: Final = (
    *(0.0, -0.6878, -0.7957, 0.3380, -0.1728, 0.0, 0.0040, 0.1103, 0.0159, 6.7329, 2.7713, -2.2885, 0.4971),
    *(-0.7250, 0.0450, 0.0066, 0.3222, 0.0120, 22.7, 2.0813, 3.0, 8.3659, -3.3428, 1.3236, 6.2437, 2.3893),
    *(0.3249, 4.1590, 1.6930),
)
"""c0 (unused), c1 ... c28: Hersbach (2008), CMOD5.N, ECMWF Technical Memorandum 554, table 1."""
BANDWIDTH = 0.48
"""Cycles a pixel. With `HAMMING` it gives a half-power width of 2.1 pixels (20 x 22 m resolution) and intensity
correlations of 0.62 and 0.12 at 1 and 2 pixels; open sea in the real chips has 0.62 and 0.14-0.16."""
HAMMING = 0.75
"""Coefficient of the IW range window; its first sidelobe is 21 dB down (Sentinel-1 product annotations)."""
_LOOKS: Final = (1.0,) * 8 + (0.6,)
"""Weights of squared real fields: (sum w)^2 / (2 sum w^2) = 4.42 equivalent looks; IW GRDH has 4.4 (S1 PDS)."""
_KERNEL_PX = 4
LAND_DB = (-8.5, -15.0)
"""Mean VV and VH of mixed farmland and town."""


def cmod5n(wind_m_s: Array, from_look_deg: Array | float, incidence_deg: Array) -> Array:
    """Return the sea's VV sigma nought (linear) by the geophysical model function CMOD5.N.

    Args:
        wind_m_s: 10 m neutral wind, over 0.
        from_look_deg: Direction the wind comes from, less the look direction; 0 is upwind.
        incidence_deg: 16-66.
    """
    c, v = _CMOD5N, wind_m_s
    x = (incidence_deg - 40.0) / 25.0
    level = 10.0 ** (c[1] + c[2] * x + c[3] * x**2 + c[4] * x**3 + (c[5] + c[6] * x) * v)
    mean = _saturated((c[7] + c[8] * x) * v, c[12] + c[13] * x) ** (c[9] + c[10] * x + c[11] * x**2)
    b1 = c[15] * v * (0.5 + x - np.tanh(4.0 * (x + c[16] + c[17] * v)))
    b1 = (c[14] * (1.0 + x) - b1) / (np.exp(0.34 * (v - c[18])) + 1.0)
    cosine = np.cos(np.radians(from_look_deg))
    harmonics = 1.0 + b1 * cosine + _upwind_crosswind(v, x) * (2.0 * cosine**2 - 1.0)
    return np.asarray(level * mean * harmonics**1.6, np.float64)


def _saturated(s: Array, s0: Array) -> Array:
    """The function f(s, s0) of CMOD5."""
    at = 1.0 / (1.0 + np.exp(-s0))
    below = at * (np.maximum(s, 1e-9) / s0) ** (s0 * (1.0 - at))
    return np.where(s < s0, below, 1.0 / (1.0 + np.exp(-s)))


def _upwind_crosswind(v: Array, x: Array) -> Array:
    """The second harmonic B2 of CMOD5."""
    c = _CMOD5N
    y0, n = c[19], c[20]
    a, b = y0 - (y0 - 1.0) / n, 1.0 / (n * (y0 - 1.0) ** (n - 1.0))
    y = v / (c[21] + c[22] * x + c[23] * x**2) + 1.0
    v2 = np.where(y < y0, a + b * (y - 1.0) ** n, y)
    d1, d2 = c[24] + c[25] * x + c[26] * x**2, c[27] + c[28] * x
    return np.asarray((-d1 + d2 * v2) * np.exp(-v2), np.float64)


def cross_polarised_sea(wind_m_s: Array) -> Array:
    """Return the sea's VH sigma nought (linear), ``0.592 U - 35.652`` dB whatever the angle.

    Vachon and Wolfe (2011), C-band cross-polarization wind speed retrieval, IEEE GRSL 8.
    """
    return np.asarray(10.0 ** ((0.592 * wind_m_s - 35.652) / 10.0), np.float64)


def noise_sigma0(incidence_deg: Array) -> Array:
    """Return the noise-equivalent sigma nought (linear) along range.

    -24 dB at 31 degrees to -28 at 44: the lower edge of VH water in the real chips and the noise tables of a
    2021 product agree. The steps between sub-swaths are left out. The requirement is -22 dB.
    """
    return np.asarray(10.0 ** ((-24.0 - 0.3 * (incidence_deg - 31.0)) / 10.0), np.float64)


def land_level_db(ground: Ground) -> FloatArray:
    """Return [H, W] dB to add to `LAND_DB`: fields, woods and town; the same for every pass over a port."""
    grid = ground.grid
    rng = generator(0, "land backscatter", grid.crs, *(round(v) for v in grid.bounds_xy))
    shape = (grid.height, grid.width)
    broad = enlarged(coarse_noise(rng, shape, 96.0, 3), shape)
    fine = grain_field(rng, grid.width, 2.0).rows(0, grid.height)
    return broad * np.float32(1.8) + fine * np.float32(1.6)


def point_spread(offset_px: Array) -> Array:
    """Return the amplitude of a point target at offsets along range or azimuth; its square sums to 1.

    The transform of a Hamming window of `BANDWIDTH`; a target's image is the product of two, hence the cross of
    sidelobes.
    """
    t = BANDWIDTH * offset_px
    side = (1.0 - HAMMING) / 2.0
    shape = HAMMING * np.sinc(t) + side * (np.sinc(t - 1.0) + np.sinc(t + 1.0))
    energy = (HAMMING**2 + 2.0 * side**2) / BANDWIDTH
    return np.asarray(shape / np.sqrt(energy), np.float64)


def speckle(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Return [H, W] multilook speckle of mean 1: near gamma, 4.4 looks, correlated over the resolution cell."""
    kernel = point_spread(np.arange(-_KERNEL_PX, _KERNEL_PX + 1.0))
    kernel = (kernel / np.linalg.norm(kernel)).astype(np.float32)
    total = np.zeros(shape, np.float32)
    for weight in _LOOKS:
        field: NDArray[np.float32] = rng.standard_normal(shape, dtype=np.float32)
        for axis in (0, 1):
            field = ndimage.correlate1d(field, kernel, axis, mode="reflect")
        field *= field
        field *= np.float32(weight / sum(_LOOKS))
        total += field
    return total
