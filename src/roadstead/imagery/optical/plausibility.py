"""Could a hull have been found in these pixels? The physics of water decide, on what the detector is shown.

A constant band, noise or a wrong scale gives no detection, which reads as "0 ships". So the pixels that were searched
are measured, and where no ship could have shown in them the scene fails with the reason. Every bound is set against the
26 scenes and 33 chips of real Sentinel-2 images named in ``docs/formats.md``: none of them comes near it, and a test
holds that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import SceneError
from roadstead.core.geo import Grid, Window
from roadstead.imagery.optical.mosaic import Mosaic
from roadstead.imagery.optical.stack import Block
from roadstead.imagery.scene import RGB, Scene
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE

Real = NDArray[np.float32]
Mask = NDArray[np.bool_]

PATCH_PX: Final = 32
"""Side of the squares in which texture is measured."""
THINNED_PX: Final = 512
"""Of blocks with a longer side than this one patch in four is measured."""
LEAST_PIXELS: Final = 256
"""Fewer pixels than this are not judged."""
BINS: Final = 4096
"""Of a histogram of 0..1: finer than one step of 16-bit reflectance."""
SAME_SHARE: Final = 0.9999
"""A band of which more has one value is constant. Real scenes: 0.43 at most (8 bits), 0.11 (16 bits)."""
DARK_MEDIAN: Final = 0.0075
"""Half of a scene darker than this in its brightest visible band. Real scenes: 0.0154 or more."""
DARK_LOW: Final = 0.004
"""A fifth of a scene darker than this. Real scenes: 0.0131 or more; shadow of cloud seldom covers a fifth."""
DIM_HIGH, DIM_GRAIN = 0.03, 0.0003
"""Nearly all darker than the first and smoother than the second. The sensor's own noise is 0.0009."""
BRIGHT_LOW: Final = 0.25
"""Red of the darkest twentieth, from which nothing is water: silt reaches 0.2. Real scenes: 0.092 at most."""
BUSY: Final = 0.01
"""Standard deviation of green in a patch from which it holds more than water."""
NOISE_SHARE, NOISE_LAG = 0.5, 0.25
"""Where so many patches are busy, neighbouring pixels are more alike than this. Real scenes: 0.58 or more at the
median, for the lens itself blurs over a pixel and more."""
GREY_SPREAD: Final = 0.001
"""Between the darkest and the brightest visible band. Real scenes: 0.013 or more in the most coloured hundredth."""
CONTRADICTION: Final = 0.5
"""Of the full scale between two visible bands. Bare soil may differ as much, but it rises from blue to red."""
CONTRADICTED_SHARE: Final = 0.1
"""So many pixels whose bands contradict each other. Real scenes: 0.0003 at most; a damaged band: 0.2 and more."""
NIR_SHARE: Final = 0.1
"""So many pixels that reflect more than falls on them. Real scenes: 0.00002 at most; a damaged band: 0.2 and more."""
STRIPED_SHARE: Final = 0.1
"""So many patches whose rows, or columns, are all the same, but not their pixels. Real scenes: none."""

HINT: Final = (
    "nothing could have been found in it; check its bands, scale and offset, or take another product"
)


@dataclass
class Tally:
    """What is measured of one scene's pixels."""

    seen: int = 0
    """Pixels."""
    bands: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, BINS + 1), np.int64))
    """Histograms of red, green and blue, 0..1 of `VISUAL_FULL_SCALE`."""
    brightest: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS + 1, np.int64))
    """Histogram of the brightest of the three."""
    spread: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS + 1, np.int64))
    """Histogram of the brightest less the darkest of the three."""
    contradicted: int = 0
    """Pixels of which one visible band is far brighter than another, as nothing is."""
    nir_seen: int = 0
    nir_over: int = 0
    """Pixels with near infrared, and those of them above a reflectance of 1."""
    nir: set[float] = field(default_factory=set)
    """The first few values of near infrared."""
    grain: list[Real] = field(default_factory=list)
    """Standard deviation of the three bands in each patch, 0..1."""
    striped: list[np.bool_] = field(default_factory=list)
    """Whether all rows, or all columns, of a band of each patch are the same, but not its pixels."""
    alike: list[np.float32] = field(default_factory=list)
    """Correlation of neighbouring pixels of green in each patch."""

    def add(self, block: Block, taken: Mask) -> None:
        """Measure the pixels of a block where ``taken`` [H, W] is true; of a large block a part of them."""
        step = 2 if max(taken.shape) > THINNED_PX else 1
        thin = np.s_[:: step**2, :: step**2]
        rgb = block.rgb[:, *thin][:, taken[thin]]
        if not rgb.size:
            return
        self.seen += rgb.shape[1]
        high = rgb.max(axis=0)
        self.bands += np.stack([_histogram(values) for values in rgb])
        self.brightest += _histogram(high)
        spread = high - rgb.min(axis=0)
        self.spread += _histogram(spread)
        red, green, blue = rgb
        soil = (blue <= green) & (green <= red)
        self.contradicted += int(((spread > CONTRADICTION) & ~soil).sum())
        if block.nir is not None:
            self._add_nir(block.nir[thin][taken[thin]])
        patches = _patches(block.rgb, taken, step)
        self.striped.extend(_striped(patches))
        self.grain.extend(patches.std(axis=(2, 3)))
        self.alike.extend(_neighbours(patches[:, 1]))

    def _add_nir(self, reflectance: Real) -> None:
        known = reflectance[np.isfinite(reflectance)]
        self.nir_seen += known.size
        self.nir_over += int((known > 1).sum())
        if len(self.nir) < 3:
            self.nir |= set(np.unique(known)[:3].tolist())


def implausible(tally: Tally) -> str | None:
    """Say why no hull could have shown in what was measured, None where it could; few pixels are not judged."""
    if tally.seen < LEAST_PIXELS:
        return None
    faults = (_dark, _bright, _constant, _grey, _noise, _mask_as_nir, _damaged)
    return next((why for fault in faults if (why := fault(tally))), None)


def _constant(tally: Tally) -> str | None:
    for name, counts in zip(RGB, tally.bands, strict=True):
        if counts.max() >= SAME_SHARE * tally.seen:
            level = min((np.argmax(counts) + 0.5) / BINS, 1.0) * VISUAL_FULL_SCALE
            return f"band {name} is {level:.4f} everywhere"
    return None


def _grey(tally: Tally) -> str | None:
    if _quantile(tally.spread, 0.99) >= GREY_SPREAD:
        return None
    return "red, green and blue are the same numbers: one band given three times, or a picture without colour"


def _dark(tally: Tally) -> str | None:
    low, half, high = (_quantile(tally.brightest, share) for share in (0.2, 0.5, 0.95))
    smooth = tally.grain and np.median(tally.grain, axis=0).max() * VISUAL_FULL_SCALE < DIM_GRAIN
    if half >= DARK_MEDIAN and low >= DARK_LOW and not (high < DIM_HIGH and smooth):
        return None
    return (
        f"it is darker than water is: reflectance of its brightest band is {half:.4f} at the median, of real water "
        "0.015 or more; its scale is too small, or an offset was taken off twice"
    )


def _bright(tally: Tally) -> str | None:
    low = _quantile(tally.bands[0], 0.05)
    if low < BRIGHT_LOW:
        return None
    return (
        f"nothing in it is as dark as water: red of its darkest twentieth reflects {low:.2f}; it is cloud or ice all "
        "over, or its scale is too large"
    )


def _noise(tally: Tally) -> str | None:
    if not tally.grain:
        return None
    alike: Real = np.asarray(tally.alike, np.float32)
    busy: Mask = np.asarray(tally.grain)[:, 1] * VISUAL_FULL_SCALE > BUSY
    if busy.mean() < NOISE_SHARE or np.median(alike[busy]) >= NOISE_LAG:
        return None
    return "neighbouring pixels have nothing in common: it is noise"


def _mask_as_nir(tally: Tally) -> str | None:
    if not tally.nir or len(tally.nir) > 2:
        return None
    told = " and ".join(f"{value:.4g}" for value in sorted(tally.nir))
    return f"near infrared is {told} alone: a mask was taken for it"


def _damaged(tally: Tally) -> str | None:
    if (share := tally.contradicted / tally.seen) > CONTRADICTED_SHARE:
        return f"its bands contradict each other in {share:.0%} of its pixels: one of them is damaged"
    if tally.nir_over > NIR_SHARE * tally.nir_seen:
        share = tally.nir_over / tally.nir_seen
        return (
            f"near infrared reflects more than falls on it in {share:.0%} of its pixels: the band is damaged"
        )
    if tally.striped and (share := float(np.mean(tally.striped))) > STRIPED_SHARE:
        return f"in {share:.0%} of it the rows of a band repeat: the band is damaged"
    return None


def _histogram(values: Real) -> NDArray[np.int64]:
    return np.bincount((values * BINS).astype(np.int64), minlength=BINS + 1)


def _quantile(counts: NDArray[np.int64], share: float) -> float:
    """Return the reflectance under which a share of what a histogram counts lies."""
    below = np.cumsum(counts)
    return float(np.searchsorted(below, share * below[-1])) / BINS * VISUAL_FULL_SCALE


def _patches(rgb: Real, taken: Mask, step: int) -> Real:
    """Return the squares that are taken whole, every ``step``-th each way: [n, 3, PATCH_PX, PATCH_PX]."""
    rows, cols = (side // PATCH_PX for side in taken.shape)
    whole = np.s_[: rows * PATCH_PX, : cols * PATCH_PX]
    squares = (rows, PATCH_PX, cols, PATCH_PX)
    full: Mask = np.asarray(taken[whole].reshape(squares).all(axis=(1, 3)))[::step, ::step]
    cut = rgb[:, *whole].reshape(3, *squares)[:, ::step, :, ::step]
    return np.asarray(np.moveaxis(cut, (1, 3), (0, 1))[full])


def _striped(patches: Real) -> Mask:
    """Return whether rows or columns of any band repeat all over each patch, but not its pixels, [n]."""
    along = (patches[:, :, 1:] == patches[:, :, :-1]).all(axis=(2, 3))
    across = (patches[..., 1:] == patches[..., :-1]).all(axis=(2, 3))
    return np.asarray((along != across).any(axis=1))


def _neighbours(patches: Real) -> Real:
    """Return the correlation of each pixel with the one to its right, [n]; 1 where all are the same."""
    away = patches - patches.mean(axis=(1, 2), keepdims=True)
    power = np.mean(away**2, axis=(1, 2))
    both = np.mean(away[:, :, 1:] * away[:, :, :-1], axis=(1, 2))
    return np.where(power < 1e-12, np.float32(1.0), both / np.maximum(power, np.float32(1e-12)))


class Searched:
    """An opened overpass that measures what is read of it: a `detection.BlockReader`."""

    def __init__(self, mosaic: Mosaic) -> None:
        """Measure nothing yet."""
        self._mosaic = mosaic
        self._tallies: dict[int, Tally] = {}

    @property
    def grid(self) -> Grid:
        """The overpass's frame."""
        return self._mosaic.grid

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The overpass's scenes."""
        return self._mosaic.scenes

    @property
    def block_shape(self) -> tuple[int, int]:
        """(rows, columns) that are cheap to read at once."""
        return self._mosaic.block_shape

    def read(self, window: Window) -> Block:
        """Read a window and measure its clear pixels."""
        block = self._mosaic.read(window)
        clear = block.clear
        for index in np.unique(block.scene_index[clear]):
            self._tallies.setdefault(int(index), Tally()).add(block, clear & (block.scene_index == index))
        return block

    def check(self) -> None:
        """Refuse an overpass in which no hull could have been found.

        Raises:
            SceneError: names the scene and what is wrong with its pixels.
        """
        for index, tally in sorted(self._tallies.items()):
            if why := implausible(tally):
                raise SceneError(f"scene {self.scenes[index].scene_id}: {why}; {HINT}")
