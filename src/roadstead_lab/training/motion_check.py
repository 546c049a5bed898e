"""Bow side and motion: fitted on simulated hulls, and how often what is then said of others is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import optimize, special

from roadstead.detection import Model
from roadstead.detection.decode import long_side_first
from roadstead.detection.model import MotionFit
from roadstead.detection.motion import bow_inputs, moving_inputs, signs
from roadstead_lab.simulate.practice.scene import SIDE_PX, PracticeHull, practice_scene
from roadstead_lab.training.figures import ratio, wilson
from roadstead_lab.training.practice import labelled_hulls
from roadstead_lab.training.product import found_in
from roadstead_lab.training.scoring import Floats, score
from roadstead_lab.training.simulated_image import detect_simulated, practice_image, simulated_label

SEED: Final = 91_001
"""Neither a seed that teaches nor one that measures."""
SCENES: Final = 48
_RIDGE: Final = 0.5
"""Prior of each weight: normal, of standard deviation 1 / sqrt of this."""
_BINS_M: Final = ((45.0, 90.0), (90.0, 150.0), (150.0, None))


@dataclass(frozen=True)
class Told:
    """What the product says of a hull's bow and motion, and the truth."""

    length_m: float
    moves: bool
    moving: bool | None
    """Said; None where nothing is."""
    bow_error_deg: float | None
    """Between the bow that is told and the true one, 0 to 180; None where none is told."""


def fit_motion(model: Model, *, scenes: int = SCENES, seed: int = SEED, side_px: int = SIDE_PX) -> MotionFit:
    """Fit on the hulls that the product's detector finds in simulated practice scenes."""
    numbers = track(range(scenes), "simulated hulls for bow and motion", console=Console(stderr=True))
    parts = [_of_scene(model, seed, number, side_px) for number in numbers]
    measured, length, moves, ahead = (np.concatenate(part) for part in zip(*parts, strict=True))
    known = np.isfinite(measured).all(axis=1)
    measured, length, moves, ahead = (each[known] for each in (measured, length, moves, ahead))
    return MotionFit(
        moving=_logistic(moving_inputs(measured, length), moves),
        bow=_logistic(bow_inputs(measured), ahead),
    )


def _of_scene(
    model: Model, seed: int, number: int, side_px: int
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Signs [n, 4], lengths, whether each moves, and whether its bow is at the box's first end."""
    scene = practice_scene(seed, number, side_px)
    image = practice_image(scene)
    found = found_in(detect_simulated(image, model), image.grid)
    hulls = list(labelled_hulls(scene))
    hits = score([simulated_label(hull) for hull in hulls], found, "strict").hits
    shape = np.array([box_shape(found[one].corners) for _, one in hits]).reshape(-1, 5)
    clear = image.valid if image.cloud is None else image.valid & ~image.cloud
    own = [hulls[ship] for ship, _ in hits]
    ends = np.column_stack([np.cos(shape[:, 4]), np.sin(shape[:, 4])])
    ahead = np.array([bow_direction(hull) for hull in own]).reshape(-1, 2)
    return (
        signs(shape, image.rgb.mean(axis=0), clear),
        np.array([found[one].length_m for _, one in hits], float),
        np.array([hull.state == "under_way" for hull in own], bool),
        (ends * ahead).sum(axis=1) > 0,
    )


def box_shape(corners: Floats) -> Floats:
    """Return centre, sides and angle [5] of a box [4, 2], as `detection.decode.Boxes.shape` has them."""
    side, next_side = corners[1] - corners[0], corners[2] - corners[1]
    sizes = np.hypot(*side), np.hypot(*next_side)
    shape = np.array([[*corners.mean(axis=0), *sizes, np.arctan2(side[1], side[0])]])
    return np.asarray(long_side_first(shape)[0])


def bow_direction(hull: PracticeHull) -> Floats:
    """Return where a simulated hull's bow points, (column, row)."""
    return np.asarray(hull.corners[:2].mean(axis=0) - hull.corners[2:].mean(axis=0))


def _logistic(inputs: Floats, truth: NDArray[np.bool_]) -> tuple[float, ...]:
    """Weights of a logistic regression with a normal prior."""
    sign = np.where(truth, 1.0, -1.0)

    def loss(weights: Floats) -> float:
        likelihood = special.log_expit(sign * (inputs @ weights)).sum()
        return float(0.5 * _RIDGE * (weights**2).sum() - likelihood)

    best = optimize.minimize(loss, np.zeros(inputs.shape[1])).x
    return tuple(round(float(weight), 4) for weight in best)


def told_rates(told: Sequence[Told]) -> dict[str, Any]:
    """How often bow and motion are said, and how often that is right: of all hulls, and by length."""
    by_length = [
        {"low_m": low, "high_m": high, **_rates([t for t in told if low <= t.length_m < (high or np.inf)])}
        for low, high in _BINS_M
    ]
    return {**_rates(told), "by_length": by_length}


def _rates(told: Sequence[Told]) -> dict[str, Any]:
    said = [one for one in told if one.moving is not None]
    bows = [one.bow_error_deg < 90.0 for one in told if one.bow_error_deg is not None]
    return {
        "n": len(told),
        "moving_said": ratio(len(said), len(told)),
        "said_moving_right": _share([one.moves for one in said if one.moving]),
        "said_still_right": _share([not one.moves for one in said if not one.moving]),
        "bow_said": ratio(len(bows), len(told)),
        "bow_right": _share(bows),
    }


def _share(right: Sequence[bool]) -> dict[str, Any]:
    return {
        "n": len(right),
        "share": ratio(sum(right), len(right)),
        "share_95": wilson(sum(right), len(right)),
    }


def bow_error_deg(told_deg: float, true_deg: float) -> float | None:
    """Return the angle between two bearings, 0 to 180; None where none is told."""
    if np.isnan(told_deg):
        return None
    return float(abs((told_deg - true_deg + 180.0) % 360.0 - 180.0))
