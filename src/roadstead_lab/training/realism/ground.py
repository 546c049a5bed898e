"""Measures of water and land, one number a window: level, noise, structure, texture.

Each takes a view and gives [n, 4] values, one row a window and one column a band (NaN where a band is absent).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from roadstead_lab.training.realism.views import Image, Mask, View

Rows = NDArray[np.float64]
NOISE_PX: Final = 8
STRUCTURE_PX: Final = 16
BLOCK_PX: Final = 32
TEXTURE_PX: Final = 3


def windows(mask: Mask, side: int) -> list[tuple[slice, slice]]:
    """List the squares of a fixed raster that lie wholly inside a mask, top to bottom, left to right."""
    rows, cols = mask.shape[0] // side, mask.shape[1] // side
    whole = mask[: rows * side, : cols * side].reshape(rows, side, cols, side).all(axis=(1, 3))
    return [(slice(r * side, (r + 1) * side), slice(c * side, (c + 1) * side)) for r, c in np.argwhere(whole)]


def patches(image: Image, mask: Mask, side: int) -> Rows:
    """Return [n, 4, side, side] the windows of an image inside a mask."""
    found = [image[:, rows, cols] for rows, cols in windows(mask, side)]
    return np.asarray(np.stack(found) if found else np.empty((0, len(image), side, side)), np.float64)


def residuals(cut: Rows) -> Rows:
    """Take the best plane from each band of [n, 4, side, side] windows: what is left is local."""
    side = cut.shape[-1]
    axis = np.linspace(-1, 1, side)
    across, down = np.broadcast_to(axis, (side, side)), np.broadcast_to(axis[:, None], (side, side))
    tilt = float((across**2).sum())
    out = cut - cut.mean(axis=(2, 3), keepdims=True)
    for slope in (across, down):
        out = out - (out * slope).sum(axis=(2, 3), keepdims=True) / tilt * slope
    return np.asarray(out)


def deviations(cut: Rows) -> Rows:
    """Return [n, 4] standard deviation about the best plane, unbiased for white noise."""
    left = residuals(cut)
    freedom = cut.shape[-1] ** 2 - 3
    return np.asarray(np.sqrt((left**2).sum(axis=(2, 3)) / freedom))


def water_level(view: View) -> Rows:
    """Mean reflectance of open water in squares of 320 m."""
    return np.asarray(patches(view.reflectance, view.open_water, BLOCK_PX).mean(axis=(2, 3)))


def water_noise(view: View) -> Rows:
    """Deviation from pixel to pixel of open water in squares of 80 m, about their best plane."""
    return deviations(patches(view.reflectance, view.open_water, NOISE_PX))


def water_relative_noise(view: View) -> Rows:
    """`water_noise` over the level of the same square."""
    cut = patches(view.reflectance, view.open_water, NOISE_PX)
    return np.asarray(deviations(cut) / cut.mean(axis=(2, 3)))


def water_change(view: View) -> Rows:
    """Difference of the means of neighbouring squares of 320 m of open water, absolute.

    It does not depend on the extent of the view, as a deviation over the whole of it would.
    """
    means = {
        (rows.start, cols.start): view.reflectance[:, rows, cols].mean(axis=(1, 2))
        for rows, cols in windows(view.open_water, BLOCK_PX)
    }
    steps = ((0, BLOCK_PX), (BLOCK_PX, 0))
    found = [
        np.abs(means[row + down, col + right] - means[row, col])
        for row, col in means
        for down, right in steps
        if (row + down, col + right) in means
    ]
    return np.asarray(found, np.float64).reshape(-1, 4)


def water_autocorrelation(view: View) -> Rows:
    """Correlation of neighbouring pixels of open water in squares of 160 m, mean of along rows and along columns."""
    left = residuals(patches(view.reflectance, view.open_water, STRUCTURE_PX))
    power = (left**2).mean(axis=(2, 3)) + 1e-18
    beside = (left[..., 1:] * left[..., :-1]).mean(axis=(2, 3))
    below = (left[..., 1:, :] * left[..., :-1, :]).mean(axis=(2, 3))
    return np.asarray((beside + below) / 2 / power)


def water_band_correlation(view: View) -> Rows:
    """Correlation of each band's local variation with green's in squares of 160 m: waves give 1, sensor noise 0."""
    left = residuals(patches(view.reflectance, view.open_water, STRUCTURE_PX))
    power = np.sqrt((left**2).mean(axis=(2, 3))) + 1e-12
    together = (left * left[:, 1:2]).mean(axis=(2, 3))
    out = together / power / power[:, 1:2]
    out[:, 1] = np.nan
    return np.asarray(out)


def water_tail(view: View) -> Rows:
    """Brightest pixel of a square of 160 m of open water, in deviations: whitecaps and floats against plain noise."""
    cut = patches(view.reflectance, view.open_water, STRUCTURE_PX)
    left, spread = residuals(cut), deviations(cut) + 1e-12
    return np.asarray(left.max(axis=(2, 3)) / spread)


def land_level(view: View) -> Rows:
    """Mean reflectance of land in squares of 160 m."""
    return np.asarray(patches(view.reflectance, view.land, STRUCTURE_PX).mean(axis=(2, 3)))


def land_fine_texture(view: View) -> Rows:
    """Deviation within 30 m of land: mean over the 3 x 3 squares that tile a square of 150 m, root mean square."""
    side = TEXTURE_PX * 5
    cut = patches(view.reflectance, view.land, side).reshape(-1, 4, 5, TEXTURE_PX, 5, TEXTURE_PX)
    return np.asarray(np.sqrt(cut.var(axis=(3, 5), ddof=1).mean(axis=(2, 3))))


def land_texture(view: View) -> Rows:
    """Standard deviation of land within squares of 160 m."""
    return np.asarray(patches(view.reflectance, view.land, STRUCTURE_PX).std(axis=(2, 3), ddof=1))


def land_grain(view: View) -> Rows:
    """Fine texture over the texture of 160 m, in the same square: 1 is white noise, small is smooth patches."""
    side = TEXTURE_PX * 5
    cut = patches(view.reflectance, view.land, side)
    fine = cut.reshape(-1, 4, 5, TEXTURE_PX, 5, TEXTURE_PX).var(axis=(3, 5), ddof=1).mean(axis=(2, 3))
    return np.asarray(np.sqrt(fine / (cut.var(axis=(2, 3), ddof=1) + 1e-12)))


def land_nir_over_red(view: View) -> Rows:
    """Near infrared over red of land squares of 160 m, in the near-infrared column."""
    level = land_level(view)
    out = np.full(level.shape, np.nan)
    out[:, 3] = level[:, 3] / np.maximum(level[:, 0], 1e-3)
    return out
