"""Is ESA's offset in the pixels already? Some items say so wrongly, so the pixels are asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import RGB, Scene
from roadstead.imagery.stac.assets import BOA_OFFSET, DN_SCALE, FIRST_OFFSET_BASELINE

OFFSET_DN = -BOA_OFFSET / DN_SCALE
"""1000: what ESA adds to every number from processing baseline 04.00 on."""
LOOK_PX = 1024
"""Longest side of the coarse view that is looked at."""
BELOW_SHARE = 0.01
"""Reflectance below zero by Sen2Cor's error alone is rare; more pixels than this below 1000 hold no offset."""


def offset_is_applied(dn: NDArray[np.uint16]) -> bool | None:
    """Tell from numbers of the red band whether the offset was taken off already; None where they cannot tell.

    Water and shadow are darker than 0.05 in red. With the offset still in, nearly no number is below 1000; without
    it, dark ground is. A scene without anything dark cannot tell.
    """
    seen = dn[dn > 0]
    if seen.size < 100:
        return None
    if float(np.mean(seen < OFFSET_DN * 0.9)) > BELOW_SHARE:
        return True
    return False if float(np.percentile(seen, 5)) < 1.5 * OFFSET_DN else None


def with_checked_offset(scene: Scene) -> Scene:
    """Return a scene whose offset is that of its pixels, where its item is of a kind that was wrong at times.

    Raises:
        ReadError: the red band cannot be read.
    """
    baseline = scene.processing_baseline
    if not scene.offset_doubtful or baseline is None or float(baseline) < FIRST_OFFSET_BASELINE:
        return scene
    with Raster(scene.assets["red"].href) as raster:
        applied = offset_is_applied(raster.attempts(_coarse))
    if applied is None:
        return scene
    offset = 0.0 if applied else BOA_OFFSET
    held = {
        name: replace(asset, offset=offset) if name in (*RGB, "nir") else asset
        for name, asset in scene.assets.items()
    }
    return replace(scene, assets=held)


def _coarse(dataset: DatasetReader) -> NDArray[np.uint16]:
    step = max(max(dataset.width, dataset.height) // LOOK_PX, 1)
    shape = (max(dataset.height // step, 1), max(dataset.width // step, 1))
    return np.asarray(dataset.read(1, out_shape=shape, resampling=Resampling.nearest))
