"""False alarms on clear open water: simulated seas with nothing on them, and real water far from land and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import PIXEL_M
from roadstead.detection import Model
from roadstead_lab.simulate.chance import generator
from roadstead_lab.training.figures import ScoredScene, poisson_95
from roadstead_lab.training.pixels import decode, scene_overpass
from roadstead_lab.training.places import Label, place_of
from roadstead_lab.training.product import found_in
from roadstead_lab.training.scenes import LEAST_LAND_PX, Bytes, Mask, large_parts, prepare_scene, region_mask
from roadstead_lab.training.scoring import LEAST_LENGTH_M, Found
from roadstead_lab.training.simulated_image import detect_simulated, simulated_image
from roadstead_lab.training.simulated_sea import CONDITIONS, empty_sea

SEED: Final = 40_001
SIDE_PX: Final = 576
"""Two tiles of 320 px a side: 33 km2."""
FRAMES: Final = 3
"""Simulated images of each condition; 796 km2 in all."""
CLEAR_OF_M: Final = 300.0
"""How far real open water lies from land and from anything labelled."""
_PER_KM2: Final = 100.0


def open_water(
    model: Model,
    *,
    shared: Path | None = None,
    scenes: Sequence[ScoredScene] = (),
    frames: int = FRAMES,
    side_px: int = SIDE_PX,
) -> dict[str, Any]:
    """Count false alarms per 100 km2 on simulated and, apart, on real open water.

    Args:
        model: Searches the simulated seas.
        shared: Folder of the shared real data; without it there is no real water.
        scenes: Its labelled scenes with what was found on them, by weights not taught on them: they are not searched
            again.
        frames: Simulated images of each condition.
        side_px: Side of a simulated image, 10 m pixels, even.

    Returns:
        ``simulated`` and, with real data, ``real``: each as `rates` has it, and by condition or place. The real rates
        are upper bounds: boats with wakes that nobody labelled count as alarms, and so do islets under a hectare.
    """
    result = {"simulated": simulated_open_water(model, frames=frames, side_px=side_px)}
    return result if shared is None else result | {"real": real_open_water(shared, scenes)}


def simulated_open_water(model: Model, *, frames: int = FRAMES, side_px: int = SIDE_PX) -> dict[str, Any]:
    """Search simulated seas without any ship; every detection is a false alarm."""
    km2 = frames * (side_px * PIXEL_M / 1000) ** 2
    lengths = {
        name: [length for number in range(frames) for length in _alarms_at_sea(model, name, number, side_px)]
        for name in CONDITIONS
    }
    return {
        **rates([length for some in lengths.values() for length in some], km2 * len(lengths)),
        "by_condition": {name: rates(some, km2) for name, some in lengths.items()},
    }


def _alarms_at_sea(model: Model, name: str, number: int, side_px: int) -> list[float]:
    image = simulated_image(empty_sea(CONDITIONS[name], side_px, generator(SEED, "open water", name, number)))
    return [one.length_m for one in found_in(detect_simulated(image, model), image.grid)]


def rates(lengths_m: Sequence[float], km2: float) -> dict[str, Any]:
    """False alarms of these lengths per 100 km2: all, and those of 45 m or more, with exact Poisson intervals."""
    long = sum(length >= LEAST_LENGTH_M for length in lengths_m)
    return {
        "km2": round(km2, 1),
        "n_alarms": len(lengths_m),
        "per_100_km2": _rate(len(lengths_m), km2),
        "per_100_km2_95": poisson_95(len(lengths_m), km2 / _PER_KM2),
        "n_alarms_45m": long,
        "per_100_km2_45m": _rate(long, km2),
        "per_100_km2_45m_95": poisson_95(long, km2 / _PER_KM2),
    }


def _rate(alarms: int, km2: float) -> float | None:
    return round(alarms / km2 * _PER_KM2, 3) if km2 else None


def real_open_water(shared: Path, scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Count detections on the open water of labelled real scenes (`open_sea`).

    Raises:
        BadInputError: The catalogue lacks a scene.
    """
    seas = [_alarms_on_real_sea(shared, scene) for scene in scenes]
    places = [place_of(scene.scene_id) for scene in scenes]
    return {
        "n_scenes": len(scenes),
        "clear_of_m": CLEAR_OF_M,
        **_summed(seas),
        "by_place": {
            place: _summed([sea for sea, own in zip(seas, places, strict=True) if own == place])
            for place in sorted(set(places))
        },
    }


def _summed(seas: Sequence[tuple[list[float], float]]) -> dict[str, Any]:
    return rates([length for lengths, _ in seas for length in lengths], sum(km2 for _, km2 in seas))


def _alarms_on_real_sea(shared: Path, scene: ScoredScene) -> tuple[list[float], float]:
    """Lengths of the detections on a scene's open water, metres, and how much of it there is, km2."""
    rgb, valid, nir = decode(scene_overpass(shared, scene.scene_id))
    sea = open_sea(scene.scene_id, rgb, valid, nir, scene.labels)
    return [one.length_m for one in on_sea(scene.found, sea)], float(sea.sum()) * (PIXEL_M / 1000) ** 2


def open_sea(
    scene_id: str, rgb: Bytes, valid: Mask, nir: NDArray[np.float32] | None, labels: tuple[Label, ...]
) -> Mask:
    """Tell where a real scene is open water, 300 m or more from land and from every label, ignored ones too.

    Args:
        scene_id: Id of the scene.
        rgb: [H, W, 3] 8-bit true colour.
        valid: [H, W] where there is data.
        nir: [H, W] near-infrared reflectance, or None where the product has none.
        labels: Labels of the scene.

    Returns:
        [H, W]. Bright specks under a hectare belong to the sea: most false alarms are such.
    """
    scene = prepare_scene(scene_id, rgb, valid, nir, labels)
    near = large_parts(valid & ~scene.water, LEAST_LAND_PX) | region_mask(labels, valid.shape)
    distance = cv2.distanceTransform((~near).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(valid & (distance * PIXEL_M >= CLEAR_OF_M))


def on_sea(found: Sequence[Found], sea: Mask) -> list[Found]:
    """Return the detections whose centre lies on a mask [H, W]."""
    return [one for one in found if _covers(sea, one)]


def _covers(sea: Mask, one: Found) -> bool:
    col, row = np.floor(one.corners.mean(0)).astype(int)
    return bool(0 <= row < sea.shape[0] and 0 <= col < sea.shape[1] and sea[row, col])
