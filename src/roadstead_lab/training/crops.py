"""Training crops: real ground with its real ships, simulated and real stamps laid on its water, then weathered.

Crop number i of a run depends on the seed and i alone, so that a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from roadstead_lab.training.places import place_of
from roadstead_lab.training.scenes import PRACTICE, TrainingScene
from roadstead_lab.training.stamps import Stamp, turned

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
CROP_PX: Final = 160
_BESIDE_QUAY: Final = 0.35
_OPEN_SEA: Final = 0.15
WITH_SURF: Final = 0.12
WITH_CLOUD: Final = 0.08
"""Shares of crops."""


@dataclass(frozen=True)
class Crop:
    """One training example."""

    image: NDArray[np.uint8]
    """[CROP_PX, CROP_PX, 3] red, green, blue, scaled as the 8-bit visual asset."""
    corners: Floats
    """[N, 4, 2] boxes as (column, row), 0 at the outer edge."""
    classes: NDArray[np.int64]
    """[N] index into `CLASSES`."""


@dataclass
class _Canvas:
    """A crop being made: pixels 0..1, water that is still free, boxes so far."""

    image: Floats
    water: Mask
    corners: list[Floats]
    classes: list[int]


@dataclass(frozen=True)
class Composer:
    """Makes crops from scenes and stamps."""

    scenes: Sequence[TrainingScene]
    simulated: Sequence[Stamp]
    real: Sequence[Stamp]

    def compose(self, rng: np.random.Generator, simulated_share: float) -> Crop:
        """Make one crop.

        Args:
            rng: Source of chance.
            simulated_share: Chance that simulated stamps are laid on this crop, 0..1.
        """
        canvas = _open_sea(rng) if rng.random() < _OPEN_SEA else self._ground(rng)
        if rng.random() < 0.2:
            _tint_water(canvas, rng)
        if rng.random() < WITH_SURF:
            _lay_surf(canvas, rng)
        if rng.random() < simulated_share:
            self._lay(canvas, self.simulated, int(rng.integers(1, 7)), rng)
        if rng.random() < 0.4 and self.real:
            self._lay(canvas, self.real, int(rng.integers(1, 5)), rng)
        image = _weathered(canvas.image, rng)
        corners = np.array(canvas.corners, np.float32).reshape(-1, 4, 2)
        inside = _centres_inside(corners)
        return Crop(image, corners[inside], np.array(canvas.classes, np.int64)[inside])

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """How often each scene is cut from."""
        return _weights(self.scenes)

    def _ground(self, rng: np.random.Generator) -> _Canvas:
        """Cut a rotated, scaled and mirrored window from a scene, around a ship three times in five."""
        scene = self.scenes[int(rng.choice(len(self.scenes), p=self._shares))]
        centre = _window_centre(scene, rng)
        matrix = _window_matrix(centre, rng)
        size = (CROP_PX, CROP_PX)
        image = cv2.warpAffine(scene.rgb, matrix, size, flags=cv2.INTER_CUBIC)
        water = cv2.warpAffine(scene.water.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
        corners = (scene.corners - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
        pixels = np.asarray(image / np.float32(255), np.float32)
        boxes = list(corners.astype(np.float32))
        return _Canvas(pixels, water.astype(bool), boxes, list(scene.classes))

    def _lay(self, canvas: _Canvas, stamps: Sequence[Stamp], count: int, rng: np.random.Generator) -> None:
        if not canvas.water.any():
            return
        haze = _water_colour(canvas) * float(rng.uniform(0.0, 0.8))
        for _ in range(count):
            if not canvas.water.any():  # the stamps laid so far may have taken the last of it
                return
            stamp = stamps[int(rng.integers(len(stamps)))]
            stamp = turned(stamp, int(rng.integers(4)), mirrored=bool(rng.random() < 0.5))
            if rng.random() < _BESIDE_QUAY:
                self._lay_beside_quay(canvas, stamps, haze, rng)
            else:
                row, col = _random_pixel(canvas.water, rng)
                _lay_stamp(canvas, stamp, row, col, haze, 0.97)

    def _lay_beside_quay(
        self, canvas: _Canvas, stamps: Sequence[Stamp], haze: Floats, rng: np.random.Generator
    ) -> None:
        """Find a water's edge and, among a few dozen stamps, the one whose axis and beam fit alongside."""
        distance = cv2.distanceTransform(canvas.water.astype(np.uint8), cv2.DIST_L2, 5)
        edge = (distance > 0.8) & (distance < 3.0)
        if not edge.any():
            return
        row, col = _random_pixel(edge, rng)
        smooth = cv2.GaussianBlur(distance, (0, 0), 3)
        window = smooth[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
        if window.shape != (3, 3):
            return
        south, east = (window[2] - window[0]).mean(), (window[:, 2] - window[:, 0]).mean()
        # The distance grows away from the quay, so the quay runs at right angles to its gradient.
        quay_deg = float(np.degrees(np.arctan2(south, east)) % 180)
        picks = [
            (stamps[int(i)], int(rng.integers(4)), bool(rng.random() < 0.5))
            for i in rng.integers(len(stamps), size=40)
        ]
        misfit = [
            _angle_between(_axis_after(stamp, turns, mirrored), quay_deg) / 4
            + abs(stamp.half_beam_px + 0.4 - distance[row, col])
            for stamp, turns, mirrored in picks
        ]
        best, turns, mirrored = picks[int(np.argmin(misfit))]
        _lay_stamp(canvas, turned(best, turns, mirrored=mirrored), row, col, haze, 0.88)


def _axis_after(stamp: Stamp, quarter_turns: int, mirrored: bool) -> float:
    return (-stamp.heading_deg if mirrored else stamp.heading_deg) - 90.0 * quarter_turns


def _random_pixel(mask: Mask, rng: np.random.Generator) -> tuple[int, int]:
    """Pick a true pixel: a few blind throws first, which on open water saves listing them all."""
    for row, col in zip(*(rng.integers(side, size=8) for side in mask.shape), strict=True):
        if mask[row, col]:
            return int(row), int(col)
    flat = np.flatnonzero(mask)
    row, col = divmod(int(flat[int(rng.integers(len(flat)))]), mask.shape[1])
    return row, col


def _angle_between(first: float, second: float) -> float:
    return abs((first - second + 90) % 180 - 90)


def _weights(scenes: Sequence[TrainingScene]) -> NDArray[np.float64]:
    """Weigh every place alike, however many dates it has, so that two anchorages don't drown the harbours.

    All practice scenes together weigh as one place.
    """
    places = [
        PRACTICE if scene.scene_id.startswith(PRACTICE) else place_of(scene.scene_id) for scene in scenes
    ]
    scenes_of = Counter(places)
    weights = np.array([1 / scenes_of[place] for place in places])
    return np.asarray(weights / weights.sum())


def _window_centre(scene: TrainingScene, rng: np.random.Generator) -> NDArray[np.float64]:
    chance = rng.random()
    if chance < 0.6 and len(scene.corners):
        ship = scene.corners[int(rng.integers(len(scene.corners)))]
        return np.asarray(ship.mean(0) + rng.uniform(-60, 60, 2), np.float64)
    on_water = chance < 0.8 and scene.water.any()
    row, col = _random_pixel(scene.water if on_water else scene.rgb[..., 0] > 0, rng)
    return np.array([col, row], np.float64)


def _window_matrix(centre: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Affine map from scene to crop pixel centres; a third are exact turns, which blur nothing."""
    exact = rng.random() < 0.35
    scale = 1.0 if exact else float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    angle = np.radians(90 * rng.integers(4) if exact else rng.uniform(0, 360))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * (np.round(turn) if exact else turn) @ np.diag([flip, 1.0])
    middle = np.floor(centre) if exact else centre
    return np.column_stack([linear, (CROP_PX // 2) - linear @ middle])


def _open_sea(rng: np.random.Generator) -> _Canvas:
    """Water alone: a random colour from clear to silt-laden, with swell and patches at several scales."""
    clear, silt = np.array([0.05, 0.12, 0.16]), np.array([0.45, 0.42, 0.30])
    colour = clear + (silt - clear) * rng.uniform(0, 1) ** 1.5 + rng.normal(0, 0.02, 3)
    image = np.broadcast_to(np.clip(colour, 0.005, 0.8), (CROP_PX, CROP_PX, 3)).copy()
    for sigma, strength in ((0.7, 0.012), (3.0, 0.01), (20.0, 0.05)):
        field = _field(rng, sigma)
        image += (field * strength * rng.uniform(0, 1))[..., None] * (0.5 + colour)
    water = np.ones((CROP_PX, CROP_PX), bool)
    return _Canvas(np.clip(image, 0, 1).astype(np.float32), water, [], [])


def _field(rng: np.random.Generator, sigma: float) -> Floats:
    """A smooth random field of unit variance, [CROP_PX, CROP_PX]."""
    noise = rng.standard_normal((CROP_PX, CROP_PX)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.asarray(smooth / (smooth.std() + 1e-6), np.float32)


def _tint_water(canvas: _Canvas, rng: np.random.Generator) -> None:
    """Add silt to the water and what floats on it: both estuaries we watch are brown."""
    afloat = canvas.water.astype(np.uint8)
    cv2.fillPoly(afloat, [np.round(box - 0.5).astype(np.int32) for box in canvas.corners], 1)
    afloat = cv2.morphologyEx(afloat, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)).astype(np.uint8)
    soft = cv2.GaussianBlur(afloat.astype(np.float32), (0, 0), 1.5)
    silt = np.array([0.35, 0.30, 0.18], np.float32) * float(rng.uniform(0.1, 0.7))
    patches = np.clip(1 + 0.25 * _field(rng, 25.0), 0.3, 1.7)
    canvas.image += (soft * patches)[..., None] * silt


def _lay_surf(canvas: _Canvas, rng: np.random.Generator) -> None:
    """Lay breakers along the shore: broken white lines a few pixels wide, which are no hulls."""
    ashore = (~canvas.water & (canvas.image.max(-1) > 0)).astype(np.uint8)
    land = cv2.morphologyEx(ashore, cv2.MORPH_OPEN, np.ones((15, 15), np.uint8))
    if not land.any() or land.all():
        return
    distance = cv2.distanceTransform(1 - land, cv2.DIST_L2, 5)
    reach, apart, onset, sharp, white = rng.uniform((4, 4, 0.6, 0.8, 0.6), (22, 10, 1.5, 2.0, 1.3))
    lines = np.cos(2 * np.pi * (distance + 1.5 * _field(rng, 6.0)) / apart)
    foam = np.clip((lines + _field(rng, 4.0) + 0.6 * _field(rng, 0.8) - onset) * sharp, 0, 1)
    foam = foam * np.clip((reach - distance) / 4, 0, 1) * canvas.water
    foam = cv2.GaussianBlur(foam.astype(np.float32), (0, 0), 0.7)
    milk = cv2.GaussianBlur(foam, (0, 0), 2.5)[..., None] * np.array([0.15, 0.3, 0.3], np.float32)
    canvas.image += milk * canvas.water[..., None]
    canvas.image += foam[..., None] * (np.float32(white) - canvas.image)
    canvas.water &= foam < 0.05


def _water_colour(canvas: _Canvas) -> Floats:
    """Median colour of the water, from a twentieth of its pixels."""
    return np.asarray(np.median(canvas.image[canvas.water][::20], axis=0), np.float32)


def _lay_stamp(canvas: _Canvas, stamp: Stamp, row: int, col: int, haze: Floats, least_water: float) -> None:
    """Lay a stamp where enough of its hulls lies on free water; otherwise leave the crop as it is."""
    middle = np.array([col, row], np.float32)
    hulls = np.zeros(canvas.water.shape, np.uint8)
    for hull in stamp.hulls:
        cv2.fillPoly(hulls, [np.round(hull + middle).astype(np.int32)], 1)
    covered = hulls.astype(bool)
    if not covered.any() or canvas.water[covered].mean() < least_water:
        return
    _blend(canvas, stamp, row, col, haze)
    canvas.water &= ~cv2.dilate(hulls, np.ones((3, 3), np.uint8)).astype(bool)
    canvas.corners.extend(stamp.corners + middle + 0.5)
    canvas.classes.extend(int(class_) for class_ in stamp.classes)


def _blend(canvas: _Canvas, stamp: Stamp, row: int, col: int, haze: Floats) -> None:
    """Composite a stamp; its light is shifted by the path radiance of this image, as far as the water tells."""
    radius = stamp.through.shape[0] // 2
    top, left = max(row - radius, 0), max(col - radius, 0)
    window = canvas.image[top : row + radius + 1, left : col + radius + 1]
    rows = slice(top - row + radius, top - row + radius + window.shape[0])
    cols = slice(left - col + radius, left - col + radius + window.shape[1])
    through = stamp.through[rows, cols]
    shift = haze if stamp.water is None else _water_colour(canvas) - np.array(stamp.water, np.float32)
    window *= through
    window += stamp.light[rows, cols] + (1 - through) * shift


def _weathered(image: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary light, haze, contrast, noise and cloud, keep no data black, and quantise to 8 bits."""
    seen = image.max(-1, keepdims=True) > 0
    gain = (np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.05, 3))).astype(np.float32)
    haze = max(float(rng.normal(0, 0.05)), -0.03) * rng.uniform(0.8, 1.2, 3) * (0.8, 0.95, 1.1)
    out = np.clip(image * gain + haze.astype(np.float32), 0, None)
    if rng.random() < 0.3:
        out **= np.float32(np.exp(rng.normal(0, 0.12)))
    if rng.random() < WITH_CLOUD:
        out = _clouded(out, rng)
    noise = rng.standard_normal(out.shape, dtype=np.float32)
    out += noise * np.float32(abs(rng.normal(0, 0.006)))
    if rng.random() < 0.15:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 0.6)))
    return np.asarray(np.clip(np.where(seen, out, 0) * 255 + 0.5, 0, 255).astype(np.uint8))


def _clouded(image: Floats, rng: np.random.Generator) -> Floats:
    """Lay soft-edged clouds, from veils to opaque, over part of the crop."""
    field = _field(rng, float(rng.uniform(4, 15))) + 0.5 * _field(rng, 2.0)
    cover = np.clip((field - rng.uniform(1.0, 2.0)) * rng.uniform(0.3, 1.5), 0, 1)[..., None]
    return np.asarray(image * (1 - cover) + cover * rng.uniform(0.6, 1.2), np.float32)


def _centres_inside(corners: Floats) -> Mask:
    """A hull belongs to the crop that holds its centre; tiles at run time overlap, so another holds the rest."""
    centre = corners.mean(1)
    return np.asarray(((centre > 0) & (centre < CROP_PX)).all(-1))
