"""Stamps: hulls ready to be laid on water, simulated ones and real ones cut from training places.

A stamp is an affine map of pixels, ``water * through + light``, with the boxes of its hulls. Making one costs
milliseconds and laying one microseconds, so a bank is made once and every crop draws from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import KNOT, PIXEL_M
from roadstead.core.schemas import CLASSES
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.simulate.hulls.draw import draw_hull
from roadstead_lab.simulate.hulls.sample import SampledHull, hull_corners, sample_hull
from roadstead_lab.simulate.hulls.spec import HullSpec, Kind, random_hull
from roadstead_lab.simulate.light import Light
from roadstead_lab.training.scenes import TrainingScene

Floats = NDArray[np.float32]
# Labels are drawn round everything bright at 10 m, so they run wider and longer than hulls. Measured on labels of
# ships of known standard sizes (32.2 m beam Panamax hulls are boxed 45-50 m wide).
LABEL_LONGER_M: Final = 9.0
LABEL_WIDER_M: Final = 13.0
SMALLEST_LABELLED_M: Final = 25.0
_SINGLE: Final[dict[Kind, float]] = {
    "barge": 0.28,
    "bulk_carrier": 0.24,
    "container": 0.08,
    "tanker": 0.12,
    "general_cargo": 0.08,
    "ro_ro": 0.08,
    "fishing": 0.05,
    "small_craft": 0.05,
    "tug": 0.02,
}


@dataclass(frozen=True)
class Stamp:
    """One hull or a raft of hulls at 10 m, its middle pixel the anchor."""

    light: Floats
    """[S, S, 3] in units of the 8-bit visual asset's 255."""
    through: Floats
    """[S, S, 3] share of the water's own light that stays."""
    corners: Floats
    """[N, 4, 2] labelled boxes, (column, row) from the centre of the middle pixel."""
    hulls: Floats
    """[N, 4, 2] true hull outlines, which must lie on water."""
    classes: NDArray[np.int64]
    """[N] index into `CLASSES`."""
    water: tuple[float, float, float] | None
    """Colour of the water it was cut from; None for simulated hulls."""

    @cached_property
    def heading_deg(self) -> float:
        """Axis of the first hull, degrees clockwise from up, 0-180."""
        east, south = self.hulls[0, 0] - self.hulls[0, 3]
        return float(np.degrees(np.arctan2(east, -south)) % 180)

    @cached_property
    def half_beam_px(self) -> float:
        """Half the beam of the first hull."""
        return float(np.hypot(*(self.hulls[0, 0] - self.hulls[0, 1])) / 2)


def turned(stamp: Stamp, quarter_turns: int, *, mirrored: bool) -> Stamp:
    """Turn a stamp by quarter turns (counter-clockwise as seen) after mirroring it left to right."""
    light, through, corners, hulls = stamp.light, stamp.through, stamp.corners, stamp.hulls
    if mirrored:
        light, through = light[:, ::-1], through[:, ::-1]
        corners, hulls = corners * (-1, 1), hulls * (-1, 1)
    for _ in range(quarter_turns % 4):
        light, through = np.rot90(light), np.rot90(through)
        corners = np.stack([corners[..., 1], -corners[..., 0]], -1)
        hulls = np.stack([hulls[..., 1], -hulls[..., 0]], -1)
    return replace(
        stamp,
        light=light,
        through=through,
        corners=corners.astype(np.float32),
        hulls=hulls.astype(np.float32),
    )


def simulated_stamp(rng: np.random.Generator) -> Stamp:
    """Draw one simulated stamp: a single hull, or a raft of two to five lying side by side."""
    light = Light(float(rng.uniform(90, 210)), float(rng.uniform(20, 70)))
    heading = float(rng.uniform(0, 360))
    if rng.random() < 0.22:
        return _compose(_raft(rng), heading, light, rng)
    kinds = list(_SINGLE)
    kind = kinds[rng.choice(len(kinds), p=list(_SINGLE.values()))]
    spec = random_hull(rng, kind, moving=bool(rng.random() < 0.3))
    return _compose([(spec, 0.0, 0.0, False)], heading, light, rng)


_Berth = tuple[HullSpec, float, float, bool]
"""A hull, metres ahead of and to starboard of the stamp's anchor, and whether it points the other way."""


def _raft(rng: np.random.Generator) -> list[_Berth]:
    kind: Kind = "barge" if rng.random() < 0.75 else "general_cargo"
    lead = random_hull(rng, kind)
    berths: list[_Berth] = [(lead, 0.0, 0.0, False)]
    abeam = lead.beam_m / 2
    for _ in range(int(rng.integers(1, 5))):
        spec = random_hull(rng, kind, length_m=float(np.clip(lead.length_m * rng.normal(1, 0.08), 40, 140)))
        abeam += rng.uniform(0.5, 6.0) + spec.beam_m / 2
        berths.append((spec, float(rng.normal(0, 8)), float(abeam), bool(rng.random() < 0.25)))
        abeam += spec.beam_m / 2
    return berths


def _compose(berths: Sequence[_Berth], heading: float, light: Light, rng: np.random.Generator) -> Stamp:
    """Draw the hulls at their exact sub-pixel places and fold them into one affine map."""
    anchor = rng.uniform(-0.5, 0.5, 2)
    placed = [_place(berth, heading, anchor) for berth in berths]
    patches = [_sampled(spec, bearing, centre, light, rng) for spec, bearing, centre in placed]
    side = max(
        2 * int(np.abs(np.round(centre)).max()) + patch.light.shape[0]
        for patch, (_, _, centre) in zip(patches, placed, strict=True)
    )
    side += 1 - side % 2
    colour, through = np.zeros((side, side, 3), np.float32), np.ones((side, side, 3), np.float32)
    for patch, (_, _, centre) in zip(patches, placed, strict=True):
        _fold(colour, through, patch, np.round(centre).astype(int) + side // 2)
    labelled = [place for place in placed if place[0].length_m >= SMALLEST_LABELLED_M]
    return _trimmed(
        Stamp(
            (colour / VISUAL_FULL_SCALE).astype(np.float32),
            through,
            np.array([_box(*place, margins=True) for place in labelled], np.float32).reshape(-1, 4, 2),
            np.array([_box(*place, margins=False) for place in placed], np.float32),
            np.array([CLASSES.index(spec.class_) for spec, *_ in labelled], np.int64),
            None,
        )
    )


_Placed = tuple[HullSpec, float, NDArray[np.float64]]
"""A hull, its heading, and its centre (row, column) from the middle pixel's centre."""


def _place(berth: _Berth, heading: float, anchor: NDArray[np.float64]) -> _Placed:
    spec, ahead, abeam, reversed_ = berth
    angle = np.radians(heading)
    south = -ahead * np.cos(angle) + abeam * np.sin(angle)
    east = ahead * np.sin(angle) + abeam * np.cos(angle)
    centre = anchor + np.array([south, east]) / PIXEL_M
    return spec, heading + (180.0 if reversed_ else 0.0), centre


def _sampled(
    spec: HullSpec, heading: float, centre: NDArray[np.float64], light: Light, rng: np.random.Generator
) -> SampledHull:
    rest = centre - np.round(centre)
    patch = draw_hull(spec, heading, rng, light=light)
    pace, angle = spec.speed_kn * KNOT / PIXEL_M, np.radians(heading)
    return sample_hull(
        patch,
        offset_px=(float(rest[0]), float(rest[1])),
        drift_px_s=(float(-pace * np.cos(angle)), float(pace * np.sin(angle))),
        psf_sigma_px=float(rng.uniform(0.4, 0.65)),
    )


def _fold(colour: Floats, through: Floats, hull: SampledHull, centre: NDArray[np.int_]) -> None:
    radius = hull.light.shape[0] // 2
    window = tuple(slice(int(c) - radius, int(c) + radius + 1) for c in centre)
    passed = hull.through[..., :3]
    colour[window] = colour[window] * passed + hull.light[..., :3]
    through[window] *= passed


def _box(spec: HullSpec, heading: float, centre: NDArray[np.float64], *, margins: bool) -> Floats:
    if margins:
        spec = replace(spec, length_m=spec.length_m + LABEL_LONGER_M, beam_m=spec.beam_m + LABEL_WIDER_M)
    return hull_corners(spec, heading, float(centre[0]), float(centre[1]))


def _trimmed(stamp: Stamp) -> Stamp:
    """Cut the empty margin, keeping the anchor in the middle."""
    used = np.argwhere((stamp.through.min(-1) < 0.995) | (np.abs(stamp.light).max(-1) > 0.004))
    middle = stamp.through.shape[0] // 2
    radius = int(np.abs(used - middle).max(initial=1))
    keep = slice(middle - radius, middle + radius + 1)
    return replace(stamp, light=stamp.light[keep, keep], through=stamp.through[keep, keep])


def real_stamps(scene: TrainingScene, rng: np.random.Generator, *, variants: int = 8) -> Iterator[Stamp]:
    """Cut the ships that lie free on water from a scene, each at several rotations and scales."""
    for corners, class_ in zip(scene.corners, scene.classes, strict=True):
        if _lies_free(scene, corners):
            for _ in range(variants):
                yield _cut(scene, corners, int(class_), rng)


def _ring(scene: TrainingScene, corners: Floats) -> NDArray[np.bool_]:
    """The pixels 2-5 px around a box."""
    mask = np.zeros(scene.water.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(corners - 0.5).astype(np.int32)], 1)
    outer, inner = (cv2.dilate(mask, np.ones((k, k), np.uint8)) for k in (11, 5))
    return np.asarray((outer - inner).astype(bool))


def _lies_free(scene: TrainingScene, corners: Floats) -> bool:
    ring = _ring(scene, corners)
    return bool(ring.any() and scene.water[ring].mean() > 0.85)


def _cut(scene: TrainingScene, corners: Floats, class_: int, rng: np.random.Generator) -> Stamp:
    scale, angle = float(np.exp(rng.uniform(-0.3, 0.2))), float(rng.uniform(0, 360))
    centre, shift = corners.mean(0) - 0.5, rng.uniform(-0.5, 0.5, 2)
    radius = int(np.ceil(np.ptp(corners, axis=0).max() * 0.75 * scale)) + 4
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
    matrix[:, 2] += radius + shift - centre
    size = (2 * radius + 1, 2 * radius + 1)
    pixels = cv2.warpAffine(scene.rgb, matrix, size, flags=cv2.INTER_CUBIC).astype(np.float32) / 255
    box = (corners - 0.5) @ matrix[:, :2].T + matrix[:, 2] - radius
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round(box + radius).astype(np.int32)], 1)
    alpha = cv2.GaussianBlur(cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 0.8)
    water = np.median(scene.rgb[_ring(scene, corners) & scene.water], axis=0) / 255
    narrowed = box.mean(0) + (box - box.mean(0)) * 0.8
    return Stamp(
        (pixels * alpha[..., None]).astype(np.float32),
        np.repeat((1 - alpha)[..., None], 3, axis=-1).astype(np.float32),
        box[None].astype(np.float32),
        narrowed[None].astype(np.float32),
        np.array([class_]),
        (float(water[0]), float(water[1]), float(water[2])),
    )
