"""Cloud with its shadow, haze, and how the scene classification (SCL) of Sentinel-2 L2A names them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead.simulate.ground import PIXEL_M, FloatArray
from roadstead.simulate.hulls import Light
from roadstead.simulate.scenario import Weather
from roadstead.simulate.texture import Shape, fractal_noise, smoothstep

NO_DATA, SHADOW, VEGETATION, BARE, WATER, MEDIUM, HIGH, CIRRUS = 0, 3, 4, 5, 6, 8, 9, 10
"""Classes of the scene classification (Sentinel-2 L2A algorithm document)."""
_CLOUD_TOP_M = 1500.0
_CLOUD = np.array([0.62, 0.63, 0.65, 0.66], np.float32)
_HAZE = np.array([0.22, 0.26, 0.31, 0.18], np.float32)
"""Reflectance of haze so thick that nothing shows through."""
_CIRRUS_FROM, _CLOUD_FROM, _HIGH_FROM = 0.12, 0.35, 0.7
"""Opacities from which a pixel is called thin cirrus, cloud of medium and of high probability."""


@dataclass(frozen=True)
class Sky:
    """Cloud over one frame."""

    opacity: FloatArray
    """[H, W] 0 clear, 1 opaque."""
    shadow: FloatArray
    """[H, W] share of sunlight that cloud takes from the ground."""


def draw_sky(weather: Weather, light: Light, size: Shape, rng: np.random.Generator) -> Sky:
    """Return the cloud of one overpass over a frame of ``size`` 10 m pixels."""
    if weather.cloud == "none":
        return Sky(np.zeros(size, np.float32), np.zeros(size, np.float32))
    field = fractal_noise(rng, size, 320.0, 7, roughness=0.55)
    if weather.cloud == "overcast":
        opacity = 0.86 + 0.14 * smoothstep(field, -1.5, 1.0)
    else:
        thin = 0.3 * smoothstep(fractal_noise(rng, size, 500.0, 5), 0.5, 2.0)
        opacity = np.maximum(smoothstep(field, 0.75, 1.25), thin)
    opacity = np.asarray(opacity, np.float32)
    return Sky(opacity, _shadow(opacity, light))


def _shadow(opacity: FloatArray, light: Light) -> FloatArray:
    reach = _CLOUD_TOP_M / np.tan(np.radians(light.sun_elevation_deg)) / PIXEL_M
    away = np.radians(light.sun_azimuth_deg + 180.0)
    shift = (-np.cos(away) * reach, np.sin(away) * reach)
    cast = ndimage.shift(opacity, shift, order=0, mode="mirror")
    return np.asarray(0.6 * np.clip(cast - 0.25, 0, None) / 0.75, np.float32)


def veil(image: FloatArray, sky: Sky, weather: Weather) -> None:
    """Lay shadow, cloud and haze over a reflectance image [4, H, W] in place."""
    through = np.float32(np.exp(-weather.haze))
    for band, cloud, haze in zip(image, _CLOUD, _HAZE, strict=True):
        if weather.cloud != "none":
            band *= 1 - sky.shadow
            band += (cloud - band) * sky.opacity
        if weather.haze:
            band *= through
            band += haze * (1 - through)


def classify(
    image: FloatArray, land_share: FloatArray, sky: Sky, valid: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the scene classification at 20 m, [H / 2, W / 2], as the product's processor would name it."""
    half = (slice(None, None, 2), slice(None, None, 2))
    green_land = image[3][half] > 1.9 * image[0][half]
    scl = np.where(land_share[half] > 0.5, np.where(green_land, VEGETATION, BARE), WATER)
    opacity = sky.opacity[half]
    scl = np.where((sky.shadow[half] > 0.15) & (opacity < _CIRRUS_FROM), SHADOW, scl)
    scl = np.where(opacity >= _CIRRUS_FROM, CIRRUS, scl)
    scl = np.where(opacity >= _CLOUD_FROM, MEDIUM, scl)
    scl = np.where(opacity >= _HIGH_FROM, HIGH, scl)
    return np.where(valid[half], scl, NO_DATA).astype(np.uint8)
