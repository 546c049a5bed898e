"""Cloud with its shadow, haze, and how the scene classification (SCL) of Sentinel-2 L2A names them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead.core.geo import PIXEL_M
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.simulate.texture import (
    COARSE_PX,
    CoarseField,
    FloatArray,
    Shape,
    TiledField,
    coarse_noise,
    grain_field,
    smoothstep,
)

NO_DATA, SHADOW, VEGETATION, BARE, WATER, MEDIUM, HIGH, CIRRUS = 0, 3, 4, 5, 6, 8, 9, 10
"""Classes of the scene classification (Sentinel-2 L2A algorithm document)."""
_CLOUD_TOP_M = 1500.0
_CLOUD = np.array([0.62, 0.63, 0.65, 0.66], np.float32)
_HAZE = np.array([0.22, 0.26, 0.31, 0.18], np.float32)
"""Reflectance of haze so thick that nothing shows through."""
_CIRRUS_FROM, _CLOUD_FROM, _HIGH_FROM = 0.12, 0.35, 0.7
"""Opacities from which a pixel is called thin cirrus, cloud of medium and of high probability."""
_FRINGE = 0.1
"""How much fine detail roughens the edge of a cloud."""


@dataclass(frozen=True)
class Sky:
    """Cloud over one frame."""

    weather: Weather
    thick: CoarseField
    thin: CoarseField
    detail: TiledField
    cast: CoarseField
    """Share of sunlight that cloud takes from the ground."""

    def opacity(self, first: int, stop: int) -> FloatArray:
        """Return [stop - first, W] 0 clear, 1 opaque."""
        rows = self.thin.rows(first, stop)
        if self.weather.cloud == "none":
            return rows
        field = self.thick.rows(first, stop) + np.float32(_FRINGE) * self.detail.rows(first, stop)
        return np.maximum(rows, _opaque(field, self.weather))

    def shadow(self, first: int, stop: int) -> FloatArray:
        """Return [stop - first, W] share of sunlight that cloud takes from the ground."""
        return self.cast.rows(first, stop)


def draw_sky(weather: Weather, light: Light, size: Shape, rng: np.random.Generator) -> Sky:
    """Return the cloud of one overpass over a frame of ``size`` 10 m pixels."""
    field = coarse_noise(rng, size, 320.0, 5, roughness=0.55)
    veiling = {"none": 0.0, "patches": 0.3, "thin": 0.6, "overcast": 0.0}[weather.cloud]
    start = -0.5 if weather.cloud == "thin" else 0.5
    thin = np.float32(veiling) * smoothstep(coarse_noise(rng, size, 500.0, 5), start, 2.0)
    cast = _shadow(np.maximum(_opaque(field, weather), thin), light)
    return Sky(
        weather,
        CoarseField(field, size),
        CoarseField(thin, size),
        grain_field(rng, size[1], 2.5),
        CoarseField(cast, size),
    )


def _opaque(field: FloatArray, weather: Weather) -> FloatArray:
    if weather.cloud == "overcast":
        return np.asarray(0.86 + 0.14 * smoothstep(field, -1.5, 1.0), np.float32)
    if weather.cloud == "patches":
        return smoothstep(field, 0.75, 1.25)
    return np.zeros_like(field)


def _shadow(opacity: FloatArray, light: Light) -> FloatArray:
    reach = _CLOUD_TOP_M / np.tan(np.radians(light.sun_elevation_deg)) / PIXEL_M / COARSE_PX
    away = np.radians(light.sun_azimuth_deg + 180.0)
    shift = (-np.cos(away) * reach, np.sin(away) * reach)
    cast = ndimage.shift(opacity, shift, order=1, mode="mirror")
    return np.asarray(0.6 * np.clip(cast - 0.25, 0, None) / 0.75, np.float32)


def veil(image: FloatArray, opacity: FloatArray, shadow: FloatArray, weather: Weather) -> None:
    """Lay shadow, cloud and haze over a reflectance image [4, H, W] in place."""
    through = np.float32(np.exp(-weather.haze))
    for band, cloud, haze in zip(image, _CLOUD, _HAZE, strict=True):
        if weather.cloud != "none":
            band *= 1 - shadow
            band += (cloud - band) * opacity
        if weather.haze:
            band *= through
            band += haze * (1 - through)


def classify(
    image: FloatArray, land_share: FloatArray, opacity: FloatArray, shadow: FloatArray
) -> NDArray[np.uint8]:
    """Return the scene classification [h, w] as the product's processor would name it.

    Args:
        image: [4, h, w] reflectance on the classification's own pixels.
        land_share: [h, w].
        opacity: [h, w] of cloud.
        shadow: [h, w] of cloud.
    """
    scl = np.where(land_share > 0.5, np.where(image[3] > 1.9 * image[0], VEGETATION, BARE), WATER)
    scl = np.where((shadow > 0.15) & (opacity < _CIRRUS_FROM), SHADOW, scl)
    scl = np.where(opacity >= _CIRRUS_FROM, CIRRUS, scl)
    scl = np.where(opacity >= _CLOUD_FROM, MEDIUM, scl)
    scl = np.where(opacity >= _HIGH_FROM, HIGH, scl)
    return scl.astype(np.uint8)
