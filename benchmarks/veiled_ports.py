"""Simulated ports under cloud of known place and height, with a scene classification that errs as Sen2Cor's does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, shift
from shapely.geometry import box

from roadstead.imagery import Mosaic, group_overpasses, open_item
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.atmosphere import HIGH, MEDIUM, SHADOW, WATER, classify, veil
from roadstead_lab.simulate.optical.items import Look, write_scenes
from roadstead_lab.simulate.optical.render import Frame, digital_numbers
from roadstead_lab.simulate.practice.scene import practice_scene
from roadstead_lab.simulate.scenario.model import OverpassPlan, Weather
from roadstead_lab.simulate.texture import FloatArray, smoothstep
from roadstead_lab.training.simulated_image import simulated_grid

Mask = NDArray[np.bool_]
SkyKind = Literal["no cloud", "small cumulus", "large patches"]
SKIES: tuple[SkyKind, ...] = ("no cloud", "small cumulus", "large patches")
NEAR_M = 200.0
UNCLASSIFIED = 7
_HIDDEN_FROM, _CLEAR_TO = 0.12, 0.05
"""Opacity, and share of sunlight taken, from which water counts as hidden and up to which it counts as clear."""


@dataclass(frozen=True)
class VeiledPort:
    """One simulated port and what truly hid its water; masks [H, W] of 10 m pixels."""

    mosaic: Mosaic
    scl: NDArray[np.uint8]
    """[H, W] with its errors."""
    sky: SkyKind
    water: Mask
    near: Mask
    """Water within `NEAR_M` of land."""
    cloud: Mask
    shadow: Mask
    """In shadow and not under cloud."""
    clear: Mask


def veiled_port(folder: Path, seed: int, number: int, side_px: int = 600) -> VeiledPort | None:
    """Draw one port with its files; None where the drawn scene has no land, or is seen through the air.

    Cloud lies at 400 to 3,000 m, seen up to 10 degrees off nadir, so that its shadow is not just where the sun puts it.
    """
    base = practice_scene(seed, number, side_px, weather=Weather())
    if not base.surface or base.land_share.max() < 1.0 or not base.valid.all():
        return None
    rng = generator(seed, "veiled", number)
    kind = SKIES[int(rng.integers(3))]
    light = Light(float(rng.uniform(100, 200)), float(rng.uniform(25, 70)))
    opacity, dimmed = _sky(kind, light, side_px, rng)
    image = base.reflectance.copy()
    veil(image, opacity, dimmed, Weather(cloud="patches"))
    parts = (layer[..., ::2, ::2] for layer in (image, base.land_share, opacity, dimmed))
    scl = erring(*parts, rng)
    mosaic = _written(folder / str(number), image, scl, light)
    water = base.land_share < 0.01
    near = water & (distance_transform_edt(base.land_share < 0.5) * 10.0 <= NEAR_M)
    return VeiledPort(
        mosaic,
        scl.repeat(2, axis=0).repeat(2, axis=1),
        kind,
        water,
        near,
        water & (opacity >= _HIDDEN_FROM),
        water & (opacity < _CLEAR_TO) & (dimmed >= _HIDDEN_FROM),
        water & (opacity < _CLEAR_TO) & (dimmed < _CLEAR_TO),
    )


def _sky(kind: SkyKind, light: Light, side: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return opacity of cloud, and the share of sunlight that its shadow takes, each [side, side]."""
    if kind == "no cloud":
        return np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    sigma = float(rng.uniform(6, 15) if kind == "small cumulus" else rng.uniform(30, 60))
    field = gaussian_filter(rng.standard_normal((side, side)).astype(np.float32), sigma, mode="wrap")
    field += (
        np.float32(0.5) * gaussian_filter(rng.standard_normal(field.shape), sigma / 3.0, mode="wrap") / 3.0
    )
    field /= field.std()
    start = float(rng.uniform(0.9, 1.6))
    opacity = np.float32(rng.uniform(0.75, 1.0)) * smoothstep(field, start, start + 0.5)
    height = float(rng.uniform(400, 3000))
    away = np.radians(light.sun_azimuth_deg + 180.0)
    fall = height / np.tan(np.radians(light.sun_elevation_deg)) / 10.0
    lean, turn = height * np.tan(np.radians(rng.uniform(0, 10))) / 10.0, rng.uniform(0, 2 * np.pi)
    by = (-np.cos(away) * fall + np.cos(turn) * lean, np.sin(away) * fall + np.sin(turn) * lean)
    cast = shift(opacity, by, order=1, mode="constant")
    return opacity, np.asarray(np.float32(rng.uniform(0.35, 0.65)) * cast, np.float32)


def erring(
    image: FloatArray, land: FloatArray, opacity: FloatArray, dimmed: FloatArray, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a scene classification [h, w] with the errors of Sen2Cor's that ports suffer from.

    Bright ground and ships are cloud, in some quarters yards of concrete too, with the pixel around them; dark clear
    water is shadow, in places; and some cloud over water is unclassified or water. How often real ones err so is not
    known; here every port has all of it.
    """
    scl = classify(image, land, opacity, dimmed)
    quarter = gaussian_filter(rng.standard_normal(land.shape), 20.0, mode="wrap") > 0.0
    red, white = image[0], image[3] < 1.35 * image[2]
    bright = ((red > 0.20) & white) | ((red > 0.13) & quarter & (image[3] < 1.7 * image[2]))
    bright &= (opacity < 0.12) & ((land > 0.1) | (red > 0.2))
    scl[binary_dilation(bright) & (opacity < 0.12)] = MEDIUM
    scl[bright & (red > 0.30)] = HIGH
    scl[(scl == WATER) & (image[1] < 0.035) & quarter] = SHADOW
    lost = gaussian_filter(rng.standard_normal(land.shape), 12.0, mode="wrap")
    lost_here = (lost > 1.2 * lost.std()) & (land < 0.01) & (opacity >= 0.5)
    scl[lost_here] = np.where(quarter[lost_here], UNCLASSIFIED, WATER)
    return scl


def _written(folder: Path, image: FloatArray, scl: NDArray[np.uint8], light: Light) -> Mosaic:
    side = image.shape[1]
    grid = simulated_grid(side, side)
    dn = digital_numbers(image, np.ones((side, side), bool))
    plan = OverpassPlan(0, clock(2, 30), "sentinel-2a", 46)
    look = Look(plan, datetime(2024, 5, 1, 2, 30, tzinfo=UTC), light, seed=0)
    items = write_scenes(folder, Frame(grid, dn, scl, box(*grid.bounds_xy)), look)
    for item in items:
        item.set_self_href(str(folder / item.id / f"{item.id}.json"))
    (overpass,) = group_overpasses([open_item(item) for item in items], None)
    return Mosaic(overpass, grid)
