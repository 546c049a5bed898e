"""Simulated open water in clear weather of several conditions, with nothing on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from shapely import Polygon

from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.coast.water import water_surface
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.atmosphere import draw_sky, veil
from roadstead_lab.simulate.optical.render import GROUND_SIGMA_PX, add_sensor_noise
from roadstead_lab.simulate.practice.scene import see_through_air
from roadstead_lab.simulate.scenario.model import Spectrum, Weather
from roadstead_lab.simulate.texture import FloatArray, blurred
from roadstead_lab.training.simulated_image import simulated_grid

_NEVER: Final = 9.0
_AIR: Final = (0.65, 1.5)
"""Light that air adds, and gain, in the middle of what practice scenes draw."""
Waters = tuple[Spectrum, Spectrum]
_NAVY: Final[Waters] = ((0.012, 0.023, 0.030, 0.006), (0.024, 0.037, 0.042, 0.011))
_GREEN: Final[Waters] = ((0.014, 0.031, 0.028, 0.007), (0.036, 0.054, 0.045, 0.014))
_SILT: Final[Waters] = ((0.050, 0.068, 0.056, 0.015), (0.110, 0.112, 0.088, 0.036))


@dataclass(frozen=True)
class Condition:
    """How the open water looks; ranges follow those of practice scenes (`simulate.practice.scene`)."""

    waters: Waters
    """Reflectance of the clearest and of the most turbid water: red, green, blue, nir."""
    weather: Weather
    whitecaps: float = _NEVER
    """How many standard deviations a wave must reach to break."""
    through_air: bool = False
    """Whether it shows reflectance at the top of the atmosphere."""


CONDITIONS: Final[dict[str, Condition]] = {
    "calm": Condition(_NAVY, Weather(plumes=0.1)),
    "swell": Condition(_NAVY, Weather(swell=0.0014)),
    "glint": Condition(_NAVY, Weather(glint=0.018, swell=0.0007)),
    "whitecaps": Condition(_NAVY, Weather(swell=0.0007), whitecaps=2.7),
    "whitecaps_on_swell": Condition(_NAVY, Weather(swell=0.0014), whitecaps=2.7),
    "silt": Condition(_SILT, Weather(plumes=0.5)),
    "haze": Condition(_GREEN, Weather(haze=0.15)),
    "through_air": Condition(_GREEN, Weather(), through_air=True),
}


def empty_sea(condition: Condition, side_px: int, rng: np.random.Generator) -> FloatArray:
    """Draw empty open water.

    It is what `simulate.optical.render` draws far from land in a clear sky, save that whitecaps come by the condition
    and not by chance.

    Args:
        condition: How it looks.
        side_px: Side of the square, 10 m pixels, even.
        rng: Source of chance.

    Returns:
        [4, side_px, side_px] reflectance red, green, blue, nir.
    """
    ground = Ground(simulated_grid(side_px, side_px), Polygon(), (), ())
    water = water_surface(ground, *varied(condition.waters, rng), condition.weather, rng)
    image = blurred(replace(water, whitecaps=condition.whitecaps).rows(0, side_px), GROUND_SIGMA_PX)
    sky = draw_sky(condition.weather, Light(), (side_px, side_px), rng)
    veil(image, sky.opacity(0, side_px), sky.shadow(0, side_px), condition.weather)
    add_sensor_noise(image, rng)
    if condition.through_air:
        see_through_air(image, *_AIR)
    return image


def varied(waters: Waters, rng: np.random.Generator) -> Waters:
    """Return waters as bright and as tinted as chance has it, by the spread of practice scenes."""
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.08, 4))
    return _times(waters[0], gain), _times(waters[1], gain)


def _times(level: Spectrum, gain: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spectrum:
    red, green, blue, nir = (float(v) for v in np.array(level) * gain)
    return red, green, blue, nir
