"""Measures of edges and of hulls: how sharp, how wide, how bright, how even, and whether a wake trails.

A hull is looked at in its own frame: `along` its longer side and `across` it, pixels from its centre.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, special

from roadstead.core.geo import PIXEL_M
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.realism.views import Floats, Hull, Image, State, View

TEN_TO_NINETY: Final = 2.5631
"""Width from 10 to 90 % of a Gaussian edge, in its standard deviations."""
WAKE: Final = 4.0
"""Contrast from which a wake counts as there; ships at anchor off Vancouver stay under 2.6 in nine of ten cases."""
_RING_PX: Final = (3.0, 9.0)
_STEP_PX: Final = 0.5
_FIT_REACH_PX: Final = 6.0
_LEAST_FIT: Final = 0.9
"""Share of the variance that a fitted edge must explain; others are no clean edges and are left out."""
_SHORE_TRIES: Final = 150
_SHORE_HALF_PX: Final = 5
_LEAST_STEP: Final = 0.05
"""Near-infrared step of a shore edge worth measuring, reflectance."""


@dataclass(frozen=True)
class HullMeasure:
    """What one ship's pixels say; NaN where it cannot be told."""

    level: Floats
    """[4] reflectance on the hull's axis, median over its middle 80 %."""
    water: Floats
    """[4] median reflectance of the water around."""
    unevenness: Floats
    """[4] standard deviation along the axis over the level."""
    edge_m: float
    """10 to 90 % width of its long sides."""
    width_ratio: float
    """Width at half maximum over the beam (truth, AIS or label)."""
    length_ratio: float
    """Length at half maximum over the length."""
    wake_contrast: float
    """Mean brightness of the 100 m beyond its brighter end over the deviation of such strips of water nearby."""

    @property
    def contrast(self) -> Floats:
        """[4] hull less water, reflectance."""
        return self.level - self.water


def state_of(view: View, hull: Hull) -> State:
    """Tell what a ship does: as truth or AIS says, else from the pixels.

    At a quay where land lies beside it (`View.beside_land`); under way where a wake trails (contrast of `WAKE` or
    more); otherwise at anchor, which so holds ships that make way without a visible wake.
    """
    if hull.state is not None:
        return hull.state
    if view.beside_land(hull):
        return "at_quay"
    frame = _Frame.of(view, hull)
    trails = frame is not None and frame.wake(frame.brightest_line()) >= WAKE
    return "under_way" if trails else "at_anchor"


def measure_hull(view: View, hull: Hull) -> HullMeasure | None:
    """Measure one ship; None where it touches the frame or no water lies around."""
    frame = _Frame.of(view, hull)
    if frame is None:
        return None
    lateral = frame.brightest_line()
    strip = frame.sample(np.arange(-0.4, 0.401, _STEP_PX / hull.box_px[0]) * hull.box_px[0], lateral)
    level = np.asarray(np.median(strip, axis=1))
    free = not view.beside_land(hull)
    edge, width = frame.lateral_fit() if free else (math.nan, math.nan)
    return HullMeasure(
        level,
        frame.water,
        np.asarray(strip.std(axis=1) / np.maximum(np.abs(level), 1e-3)),
        edge,
        width * PIXEL_M / hull.beam_m,
        frame.length_px(lateral) * PIXEL_M / hull.length_m if free else math.nan,
        frame.wake(lateral) if free else math.nan,
    )


@dataclass(frozen=True)
class _Frame:
    """A hull and the pixels around it in the hull's axes."""

    image: Image
    """[4, h, w] cut-out, no data as the local water."""
    hull: Hull
    centre: Floats
    """[2] (column, row) in the cut-out."""
    water: Floats
    noise: float
    along: Floats
    """[h, w] of each pixel's centre."""
    across: Floats

    @classmethod
    def of(cls, view: View, hull: Hull) -> _Frame | None:
        length, width = hull.box_px
        reach = math.ceil(length / 2 + 16)
        col, row = (int(v) for v in np.floor(hull.centre))
        left, top = max(col - reach, 0), max(row - reach, 0)
        cut = slice(top, row + reach + 1), slice(left, col + reach + 1)
        image = _as_visual(view.reflectance[(slice(None), *cut)])
        rows, cols = np.mgrid[0 : image.shape[1], 0 : image.shape[2]] + 0.5
        centre = hull.centre - [left, top]
        ahead, beside = hull.axes
        along = (cols - centre[0]) * ahead[0] + (rows - centre[1]) * ahead[1]
        across = (cols - centre[0]) * beside[0] + (rows - centre[1]) * beside[1]
        outside = np.maximum(np.abs(along) - length / 2, np.abs(across) - width / 2)
        ring = (outside > _RING_PX[0]) & (outside < _RING_PX[1]) & view.wet[cut] & ~view.ships[cut]
        if ring.sum() < 30 or not view.valid[cut][outside < 1].all() or (outside < 0).sum() < 3:
            return None
        water = np.median(image[:, ring], axis=1).astype(np.float64)
        brightness = image[:3].mean(0)[ring]
        spread = 1.4826 * float(np.median(np.abs(brightness - np.median(brightness))))
        filled = np.where(np.isnan(image), water[:, None, None], image) if view.has_nir else image
        return cls(filled.astype(np.float32), hull, centre, water, max(spread, 1e-5), along, across)

    def sample(self, along: Floats, across: Floats | float) -> Floats:
        """Return [4, ...] reflectance at places in the hull's axes, bilinear."""
        ahead, beside = self.hull.axes
        col = self.centre[0] + along * ahead[0] + across * beside[0] - 0.5
        row = self.centre[1] + along * ahead[1] + across * beside[1] - 0.5
        bands = [ndimage.map_coordinates(band, [row, col], order=1, mode="nearest") for band in self.image]
        return np.asarray(bands, np.float64)

    def difference(self, along: Floats, across: Floats | float) -> Floats:
        """Return the visible brightness less water's at places."""
        return np.asarray(self.sample(along, across)[:3].mean(0) - self.water[:3].mean())

    def brightest_line(self) -> float:
        """Where across the hull its middle stands out most: labels lie up to a pixel beside the hull."""
        length, width = self.hull.box_px
        along = np.linspace(-0.35, 0.35, 15) * length
        places = np.arange(-1.0, 1.01, 0.25) * max(width / 4, 0.75)
        out = [abs(float(np.mean(self.difference(along, place)))) for place in places]
        return float(places[int(np.argmax(out))])

    def lateral_fit(self) -> tuple[float, float]:
        """Fit two Gaussian edges across the hull's middle: (10-90 % width, metres; width at half maximum, pixels)."""
        near = (np.abs(self.along) < 0.3 * self.hull.box_px[0]) & (
            np.abs(self.across) < self.hull.box_px[1] / 2 + _FIT_REACH_PX
        )
        return fit_bar(
            self.across[near], self.image[:3].mean(0)[near].astype(np.float64), self.hull.box_px[1]
        )

    def length_px(self, lateral: float) -> float:
        """Length at half maximum along the hull's axis, pixels; NaN where the hull hardly differs from water."""
        reach = self.hull.box_px[0] / 2 + 8.0
        along = np.arange(-reach, reach, 0.1)
        height = np.abs(self.difference(along, lateral))
        inside = height[np.abs(along) < 0.4 * self.hull.box_px[0]]
        half = float(np.median(inside)) / 2
        if half < 3 * self.noise:
            return math.nan
        above = along[height > half]
        near = above[np.abs(above) < self.hull.box_px[0] / 2 + 4.0]
        return float(near.max() - near.min()) if len(near) else math.nan

    def wake(self, lateral: float) -> float:
        """Brightness beyond the brighter end, 30 to 130 m off, over the deviation of strips of water beside."""
        length, width = self.hull.box_px
        beyond = length / 2 + np.arange(3.0, 13.0, 1.0)
        ends = [float(self.difference(side * beyond, lateral).mean()) for side in (-1, 1)]
        offs = [side * (width / 2 + off) for side in (-1, 1) for off in (4.0, 6.0, 8.0)]
        beside = [float(self.difference(np.arange(-5.0, 5.0), off).mean()) for off in offs]
        return max(ends) / max(float(np.std(beside)), 2e-4)


def _as_visual(image: Image) -> Image:
    """Cut red, green and blue where true colour saturates, so that products with and without it compare."""
    ceiling = np.array([VISUAL_FULL_SCALE] * 3 + [np.inf], np.float32)[:, None, None]
    return np.minimum(image, ceiling)


def _bar(x: Floats, left: float, top: float, right: float, a: float, b: float, sigma: float) -> Floats:
    """Water, hull, water: two edges at a < b, blurred by sigma."""
    scale = math.sqrt(2) * abs(sigma)
    rise = 0.5 * (1 + special.erf((x - a) / scale))
    fall = 0.5 * (1 + special.erf((x - b) / scale))
    return np.asarray(left + (top - left) * rise + (right - top) * fall)


def _fitted(shape: Callable[..., Floats], x: Floats, y: Floats, start: list[float]) -> Floats:
    """Fit a curve by least squares; RuntimeError where it does not settle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optimize.OptimizeWarning)  # the covariance is not used
        found, _ = optimize.curve_fit(shape, x, y, start, maxfev=600)
    return np.asarray(found)


def fit_bar(x: Floats, y: Floats, width: float) -> tuple[float, float]:
    """Fit a blurred bar of about this width to a profile: (10-90 % edge width in metres, width in pixels).

    Args:
        x: [n] pixels across, around 0.
        y: [n] reflectance.
        width: First guess, pixels.

    Returns:
        NaN twice where the fit fails, explains under 90 % of the variance, or the bar is narrower than its blur,
        whose width and height then cannot be told apart.
    """
    outer = float(np.median(y[np.abs(x) > np.abs(x).max() - 2]))
    inner = float(np.median(y[np.abs(x) < max(width / 4, 0.6)]))
    start = [outer, inner, outer, -width / 2, width / 2, 0.7]
    try:
        found = _fitted(_bar, x, y, start)
    except RuntimeError:
        return math.nan, math.nan
    explained = 1 - ((y - _bar(x, *found)) ** 2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-12)
    size, sigma = float(found[4] - found[3]), abs(float(found[5]))
    if explained < _LEAST_FIT or not 1.3 * sigma < size < 3 * width + 2 or sigma < 0.05:
        return math.nan, math.nan
    return TEN_TO_NINETY * sigma * PIXEL_M, size


def fit_edge(col: Floats, row: Floats, y: Floats, angle: float) -> tuple[float, float]:
    """Fit one blurred straight edge to pixels around (0, 0): (10-90 % width in metres, share of variance explained).

    Args:
        col: [n] pixels from the middle.
        row: [n] pixels from the middle.
        y: [n] reflectance.
        angle: First guess of the direction in which it brightens, radians from the column axis.
    """

    def edge(_: Floats, low: float, high: float, place: float, turn: float, sigma: float) -> Floats:
        distance = col * math.cos(turn) + row * math.sin(turn) - place
        return np.asarray(
            low + (high - low) * 0.5 * (1 + special.erf(distance / (math.sqrt(2) * abs(sigma))))
        )

    start = [float(np.quantile(y, 0.1)), float(np.quantile(y, 0.9)), 0.0, angle, 0.7]
    try:
        found = _fitted(edge, col, y, start)
    except RuntimeError:
        return math.nan, 0.0
    explained = 1 - ((y - edge(col, *found)) ** 2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-12)
    return TEN_TO_NINETY * abs(float(found[4])) * PIXEL_M, float(explained)


def shore_edges(view: View, rng: np.random.Generator, band: int = 3) -> NDArray[np.float64]:
    """Return [n] the 10-90 % widths, metres, of straight shore edges in one band.

    Places are drawn by chance where land meets water away from ships; one counts where a straight edge explains
    97 % of the variance within 50 m.
    """
    if not view.has_nir:
        return np.empty(0)
    half = _SHORE_HALF_PX
    smooth = ndimage.gaussian_filter(np.nan_to_num(view.reflectance[band]), 1.0)
    down, right = np.gradient(smooth)
    shore = ndimage.binary_dilation(view.land) & view.wet & ~view.ships & view.valid
    shore[:half], shore[-half:], shore[:, :half], shore[:, -half:] = False, False, False, False
    places = np.argwhere(shore)
    chosen = rng.permutation(len(places))[:_SHORE_TRIES]
    rows, cols = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    near = np.hypot(rows, cols) <= half
    out = []
    for r, c in places[chosen]:
        patch = view.reflectance[band, r - half : r + half + 1, c - half : c + half + 1][near]
        if np.isnan(patch).any() or np.ptp(patch) < _LEAST_STEP:
            continue
        turn = math.atan2(down[r, c], right[r, c])
        width, explained = fit_edge(cols[near], rows[near], patch.astype(np.float64), turn)
        if explained > 0.97 and width < 100:
            out.append(width)
    return np.asarray(out)
