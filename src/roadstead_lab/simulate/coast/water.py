"""What water reflects: its colour with sediment, plumes and fronts, waves, glint, slicks and whitecaps.

Levels follow clear Sentinel-2 scenes of real ports and anchorages (``docs/simulation/realism.md``): a spread of
0.0005-0.002 from pixel to pixel, correlated between neighbours as the sensor's point spread makes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.scenario.model import Spectrum, Weather
from roadstead_lab.simulate.texture import (
    CoarseField,
    Field,
    FloatArray,
    SumField,
    coarse_noise,
    coarse_shape,
    enlarged,
    grain_field,
    smoothstep,
    swell_field,
)

_PLUME_REACH_M = 900.0


@dataclass(frozen=True)
class Water:
    """The water of a frame at one overpass."""

    clear: Spectrum
    turbid: Spectrum
    mud: CoarseField
    """Share of the way from the clearest to the most turbid water."""
    slicks: CoarseField
    """How rough the surface is, about 1."""
    waves: Field
    """Light of waves, the same in all bands, unit spread."""
    own: tuple[Field, ...]
    """Grain of each band."""
    level: float
    """Spread of the waves' light, reflectance."""
    own_level: float
    glint: float
    whitecaps: float
    """How many standard deviations a wave must reach to break; high for calm water."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return [4, stop - first, W] reflectance."""
        mud, rough = self.mud.rows(first, stop), self.slicks.rows(first, stop)
        waves = self.waves.rows(first, stop)
        foam = np.float32(0.05) * np.clip(waves - np.float32(self.whitecaps), 0, 1)
        shared = np.float32(self.glint) * rough + np.float32(self.level) * rough * waves + foam
        image = np.empty((4, *mud.shape), np.float32)
        for band, low, high, own in zip(image, self.clear, self.turbid, self.own, strict=True):
            np.multiply(mud, np.float32(high - low), out=band)
            band += shared + np.float32(low)
            band += np.float32(self.own_level) * own.rows(first, stop)
        return image


def water_surface(
    ground: Ground, clear: Spectrum, turbid: Spectrum, weather: Weather, rng: np.random.Generator
) -> Water:
    """Return the water of a frame at one overpass.

    Args:
        ground: The frame.
        clear: Reflectance of the clearest water.
        turbid: Reflectance of the water with most sediment.
        weather: Glint, swell and plumes.
        rng: Source of chance of this overpass.
    """
    size = ground.grid.height, ground.grid.width
    level = float(np.clip(0.0013 * np.exp(rng.normal(0.0, 0.55)), 0.0005, 0.006)) + 0.1 * weather.glint
    breaking = float(rng.uniform(2.6, 3.4)) if rng.random() < 0.2 else 9.0
    return Water(
        clear,
        turbid,
        CoarseField(_mud(ground, weather, rng), size),
        CoarseField(np.clip(1 + 0.3 * coarse_noise(rng, size, 250.0, 4), 0.2, 2.2).astype(np.float32), size),
        _waves(rng, size[1], level, weather),
        tuple(grain_field(rng, size[1]) for _ in range(4)),
        level,
        float(np.exp(rng.normal(0.0, 0.3))) * (0.0009 + 0.02 * clear[1]),
        weather.glint,
        breaking,
    )


def _waves(rng: np.random.Generator, width: int, level: float, weather: Weather) -> Field:
    """Wind waves, often in one direction, and the swell where there is one."""
    turn = float(rng.uniform(0, 180))
    stretch = float(rng.uniform(1.0, 3.0))
    wind = grain_field(rng, width, float(rng.uniform(0.15, 0.5)), stretch=stretch, turn_deg=turn)
    if not weather.swell:
        return wind
    swell = swell_field(rng, width, float(rng.uniform(3.0, 8.0)), turn + float(rng.uniform(60, 120)))
    return SumField(((1.0, wind), (weather.swell / level, swell)))


def _mud(ground: Ground, weather: Weather, rng: np.random.Generator) -> FloatArray:
    """Sediment: slow change over kilometres, more near shores, and plumes with a sharp front."""
    size = ground.grid.height, ground.grid.width
    small = coarse_shape(size)
    shore = enlarged(ground.shore_distance_m, small)
    mud = np.float32(0.3) + np.float32(0.12) * coarse_noise(rng, size, 700.0, 6, roughness=0.45)
    mud += np.float32(0.25) * np.exp(-np.clip(shore, 0, None) / np.float32(_PLUME_REACH_M))
    front = coarse_noise(rng, size, 420.0, 6, roughness=0.6)
    edge = float(np.quantile(front, 1 - min(weather.plumes, 0.99)))
    mud += np.float32(rng.uniform(0.1, 0.3)) * smoothstep(front, edge, edge + float(rng.uniform(0.15, 0.8)))
    return np.asarray(np.clip(mud, 0, 1), np.float32)
