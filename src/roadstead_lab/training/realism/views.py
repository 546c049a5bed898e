"""What realism is measured on: reflectance with hulls in it, real and simulated reduced to the same thing.

Masks come from the pixels by one rule for both, never from the simulator's truth, so that a difference in the
figures is a difference in the images.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
State = Literal["at_quay", "at_anchor", "under_way"]
Origin = Literal["ports", "anchorages", "ais_chips", "simulated"]

BANDS: Final = ("red", "green", "blue", "nir")
QUAY_REACH_PX: Final = 4.0
"""A hull with land this near (40 m: an apron's fender, the loose width of a label and the 10 m pixel) is at a quay."""
_QUAY_SHARE: Final = 0.2
"""Share of the hull's length that must have land so near: a bow that points at a quay is not berthed."""
_LEAST_LAND_PX: Final = 400
"""Smaller patches that are no water are unlabelled ships, buoys and clouds' crumbs, not land."""
_HULL_MARGIN_PX: Final = 3
_DARKEST: Final = 0.0002
"""Reflectance at and under which the real products' dark water is clipped."""


@dataclass(frozen=True)
class Hull:
    """A ship in a view."""

    name: str
    corners: Floats
    """[4, 2] pixel (column, row), 0 at the view's outer edge; any corner first."""
    class_: str
    kind: str
    state: State | None
    """By truth or AIS; None where the pixels must tell (`edges.state_of`)."""
    length_m: float
    """By truth or AIS; by the label where there is neither."""
    beam_m: float
    certain: bool
    """Whether length and beam are truth or AIS, not a label drawn by eye."""

    @cached_property
    def centre(self) -> Floats:
        """[2] (column, row)."""
        return np.asarray(self.corners.mean(0))

    @cached_property
    def axes(self) -> tuple[Floats, Floats]:
        """Unit vectors (column, row) along the longer side and across it."""
        first, second = self.corners[1] - self.corners[0], self.corners[2] - self.corners[1]
        along = first if np.hypot(*first) >= np.hypot(*second) else second
        along = along / np.hypot(*along)
        return along, np.array([-along[1], along[0]])

    @cached_property
    def box_px(self) -> tuple[float, float]:
        """Longer and shorter side of the box, pixels."""
        sides = np.hypot(*(self.corners[1] - self.corners[0])), np.hypot(*(self.corners[2] - self.corners[1]))
        return float(max(sides)), float(min(sides))


@dataclass(frozen=True)
class View:
    """One image with its ships."""

    name: str
    place: str
    """What may not stand on both sides of a cross-validation."""
    origin: Origin
    reflectance: Image
    """[4, H, W] red, green, blue, nir; NaN where there is no data, and all of nir in true-colour products."""
    hulls: tuple[Hull, ...] = field(default=())
    held_out: bool = False
    """A place that the simulator must not be tuned on."""

    def __post_init__(self) -> None:
        """Refuse other shapes."""
        if self.reflectance.ndim != 3 or len(self.reflectance) != len(BANDS):
            raise ValueError(f"{self.name}: reflectance must be [4, H, W], not {self.reflectance.shape}")

    @cached_property
    def has_nir(self) -> bool:
        """Whether near infrared is there; without it the product is 8-bit true colour."""
        return bool(np.isfinite(self.reflectance[3]).any())

    @cached_property
    def valid(self) -> Mask:
        """[H, W] where there is data."""
        return np.asarray(np.isfinite(self.reflectance[:3]).all(0))

    @cached_property
    def ships(self) -> Mask:
        """[H, W] hull boxes, grown by 30 m."""
        return self._boxes(_HULL_MARGIN_PX)

    def _boxes(self, grow_px: int) -> Mask:
        mask = np.zeros(self.valid.shape, np.uint8)
        for hull in self.hulls:
            cv2.fillPoly(mask, [np.round(hull.corners - 0.5).astype(np.int32)], 1)
        side = 2 * grow_px + 1
        return cv2.dilate(mask, np.ones((side, side), np.uint8)).astype(bool)

    @cached_property
    def wet(self) -> Mask:
        """[H, W] pixels that look like water.

        By NDWI above 0 (McFeeters 1996) and a dark near infrared; in true colour by smoothness and a green or blue
        no less than red.
        """
        red, green, blue, nir = np.nan_to_num(self.reflectance)
        if self.has_nir:
            return np.asarray(self.valid & (green > nir) & (nir < 0.12) & (green < 0.28))
        mean = cv2.blur(green, (5, 5))
        deviation = np.sqrt(np.clip(cv2.blur(green * green, (5, 5)) - mean * mean, 0, None))
        calm = (deviation < 0.012) & (np.maximum(blue, green) >= red * 0.95) & (green < 0.28)
        return np.asarray(self.valid & calm)

    @cached_property
    def land(self) -> Mask:
        """[H, W] valid, dry, no ship, in patches of 4 hectares or more."""
        return _large_patches(self.valid & ~self.wet & ~self.ships)

    @cached_property
    def open_water(self) -> Mask:
        """[H, W] water 60 m or more from anything dry, any labelled ship and the frame's edge; nowhere clipped dark."""
        dark = (np.nan_to_num(self.reflectance[:3], nan=1.0) <= _DARKEST).any(0)
        other = ~self.wet | self.ships | dark
        return np.asarray(~ndimage.binary_dilation(other, iterations=6) & ~_edge(other.shape, 2))

    @cached_property
    def from_land_px(self) -> Floats:
        """[H, W] pixels to the nearest land, which may here touch a ship's box; infinite where the view has none."""
        shore = _large_patches(self.valid & ~self.wet & ~self._boxes(0))
        if not shore.any():
            return np.full(shore.shape, np.inf)
        return np.asarray(ndimage.distance_transform_edt(~shore))

    def beside_land(self, hull: Hull) -> bool:
        """Whether land lies within 40 m along a fifth or more of one long side: how a berthed ship is told."""
        (along, across), (length, width) = hull.axes, hull.box_px
        steps = np.arange(-0.5, 0.51, 0.05)[:, None] * length * along
        sides = (hull.centre + steps + side * width / 2 * across for side in (-1, 1))
        return any(bool((self._land_distance(side) <= QUAY_REACH_PX).mean() >= _QUAY_SHARE) for side in sides)

    def _land_distance(self, colrow: Floats) -> Floats:
        height, width = self.land.shape
        col = np.clip(np.floor(colrow[:, 0]).astype(int), 0, width - 1)
        row = np.clip(np.floor(colrow[:, 1]).astype(int), 0, height - 1)
        return np.asarray(self.from_land_px[row, col])


def _large_patches(mask: Mask) -> Mask:
    number, _ = ndimage.label(mask)
    sizes = np.bincount(number.ravel())
    sizes[0] = 0
    return np.asarray(sizes[number] >= _LEAST_LAND_PX)


def _edge(shape: tuple[int, ...], margin: int) -> Mask:
    mask = np.ones(shape, bool)
    mask[margin:-margin, margin:-margin] = False
    return mask
