"""Drawn hulls as a 10 m sensor sees them, and where they lie in its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from roadstead.core.geo import PIXEL_M
from roadstead_lab.simulate.hulls.draw import HullPatch
from roadstead_lab.simulate.hulls.spec import HullSpec
from roadstead_lab.simulate.texture import FloatArray

BANDS: Final = ("red", "green", "blue", "nir")
# A Gaussian of this width and a square 10 m pixel give a modulation transfer of 0.19 at Nyquist; the
# Sentinel-2 mission requirement for its 10 m bands is 0.15-0.30 (ESA, Sentinel-2 User Handbook, 2015).
PSF_SIGMA_PX: Final = 0.5
BAND_DELAYS_S: Final = (0.556, 0.078, -0.449, -0.185)
"""When red, green, blue and nir look, seconds from their mean: B02 looks first, B08 0.264, B03 0.527 and B04 1.005 s
later (Sentinel-2 inter-band delays, Heiselberg 2016, doi:10.3390/rs8121033)."""


@dataclass(frozen=True)
class SampledHull:
    """A hull as the sensor sees it, on a square grid whose middle pixel holds the hull's centre.

    Compositing is ``water * through + light``.
    """

    light: FloatArray
    """[S, S, 4] reflectance red, green, blue, nir, already multiplied by its share of the pixel."""
    through: FloatArray
    """[S, S, 4] share of the water's own light that stays."""


def sample_hull(
    patch: HullPatch,
    *,
    offset_px: tuple[float, float] = (0.0, 0.0),
    drift_px_s: tuple[float, float] = (0.0, 0.0),
    pixel_m: float = PIXEL_M,
    psf_sigma_px: float = PSF_SIGMA_PX,
) -> SampledHull:
    """See a drawn patch as the sensor does: shift, blur by the point spread, average over pixels.

    The bands look one after the other (`BAND_DELAYS_S`), so a hull that makes way lies elsewhere in each.

    Args:
        patch: What `draw_hull` gave.
        offset_px: Where the hull centre lies from the centre of the middle pixel, (rows, columns), in sensor
            pixels, each within -0.5..0.5; rounded to a drawing pixel.
        drift_px_s: How fast it moves, (rows, columns), sensor pixels a second.
        pixel_m: Side of a sensor pixel, metres.
        psf_sigma_px: Standard deviation of the Gaussian point spread, sensor pixels.

    Returns:
        A patch of odd side at `pixel_m`; `paste_hull` puts its middle pixel on a given row and column.

    Raises:
        ValueError: `pixel_m` is not a whole number of drawing pixels.
    """
    factor = round(pixel_m / patch.resolution_m)
    if abs(factor * patch.resolution_m - pixel_m) > 1e-6:
        message = f"pixel_m={pixel_m} is not a multiple of the patch's resolution {patch.resolution_m} m"
        raise ValueError(message)
    through = (1 - patch.alpha) * (1 - patch.shade)
    layers = np.dstack([patch.reflectance, 1 - through])
    sigma = psf_sigma_px * factor
    seen = ndimage.gaussian_filter(layers, (sigma, sigma, 0), truncate=3.0)
    if drift_px_s == (0.0, 0.0):
        still = _average_blocks(_rolled(seen, offset_px, factor), factor)
        return SampledHull(still[..., :4], np.repeat(1 - still[..., 4:], 4, axis=-1))
    light, taken = [], []
    for band, delay in enumerate(BAND_DELAYS_S):
        place = (offset_px[0] + delay * drift_px_s[0], offset_px[1] + delay * drift_px_s[1])
        moved = _average_blocks(_rolled(seen[..., [band, 4]], place, factor), factor)
        light.append(moved[..., 0])
        taken.append(moved[..., 1])
    return SampledHull(np.stack(light, -1), np.asarray(1 - np.stack(taken, -1), np.float32))


def _rolled(layers: FloatArray, offset_px: tuple[float, float], factor: int) -> FloatArray:
    """Shift by whole drawing pixels; the patch has an empty margin, so what rolls round its edge is empty."""
    return np.roll(layers, [round(o * factor) for o in offset_px], axis=(0, 1))


def _average_blocks(layers: FloatArray, factor: int) -> FloatArray:
    """Average [H, W, C] over blocks of `factor`, cropped so that the middle block is the grid's centre."""
    side = layers.shape[0]
    count = side // factor - (side // factor + 1) % 2
    margin = (side - count * factor) // 2
    cut = layers[margin : margin + count * factor, margin : margin + count * factor]
    blocks = cut.reshape(count, factor, count, factor, layers.shape[2])
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def paste_hull(image: FloatArray, hull: SampledHull, row: int, col: int) -> None:
    """Lay a sampled hull into an image, in place, its middle pixel on (row, col); what falls outside is cut.

    Args:
        image: [H, W, C] reflectance in the band order of `BANDS`; C is 3 or 4.
        hull: What `sample_hull` gave, at the image's pixel size.
        row: Row of the hull centre's pixel.
        col: Column of the hull centre's pixel.
    """
    radius = hull.light.shape[0] // 2
    top, left = max(row - radius, 0), max(col - radius, 0)
    bottom, right = min(row + radius + 1, image.shape[0]), min(col + radius + 1, image.shape[1])
    if top >= bottom or left >= right:
        return
    rows = slice(top - row + radius, bottom - row + radius)
    cols = slice(left - col + radius, right - col + radius)
    window = image[top:bottom, left:right]
    window *= hull.through[rows, cols, : image.shape[2]]
    window += hull.light[rows, cols, : image.shape[2]]


def hull_corners(
    spec: HullSpec, heading_deg: float, row: float, col: float, *, pixel_m: float = PIXEL_M
) -> FloatArray:
    """Corners [4, 2] (x = column, y = row, pixel units) of the hull's true box.

    `row` and `col` are the hull centre counted from the image's outer edge: the middle of the first pixel
    is 0.5.
    """
    angle = np.radians(heading_deg)
    forward = np.array([np.sin(angle), -np.cos(angle)]) * spec.length_m / 2 / pixel_m
    starboard = np.array([np.cos(angle), np.sin(angle)]) * spec.beam_m / 2 / pixel_m
    centre = np.array([col, row])
    return np.asarray(
        [
            centre + forward - starboard,
            centre + forward + starboard,
            centre - forward + starboard,
            centre - forward - starboard,
        ],
        np.float32,
    )
