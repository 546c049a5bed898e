"""Is ESA's offset in the pixels already? Some items say so wrongly, so the pixels are asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from roadstead.imagery.optical.band_roles import holds_offset
from roadstead.imagery.raster.reading import Raster, check_thinned
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
    """Return a scene whose offset is that of its pixels, where its item was wrong at times or says nothing of it.

    Raises:
        ReadError: a band cannot be read.
    """
    if scene.offset_untold and scene.processing_baseline is None:
        return _with_offset(scene, BOA_OFFSET) if _all_hold_offset(scene) else scene
    baseline = scene.processing_baseline
    if not scene.offset_doubtful or baseline is None or float(baseline) < FIRST_OFFSET_BASELINE:
        return scene
    with Raster.of(scene.assets["red"]) as raster:
        applied = offset_is_applied(raster.attempts(_coarse))
    if applied is None:
        return scene
    return _with_offset(scene, 0.0 if applied else BOA_OFFSET)


def _all_hold_offset(scene: Scene) -> bool:
    """Return whether ESA's offset is in every band of a scene whose item says nothing of it."""
    bands = [scene.assets[name] for name in (*RGB, "nir") if name in scene.assets]
    if any(asset.scale != DN_SCALE for asset in bands):
        return False
    looks = []
    for asset in bands:
        with Raster.of(asset) as raster:
            looks.append(raster.attempts(_coarse).ravel())
    return len({look.size for look in looks}) == 1 and holds_offset(np.stack(looks))


def _with_offset(scene: Scene, offset: float) -> Scene:
    held = {
        name: replace(asset, offset=offset) if name in (*RGB, "nir") else asset
        for name, asset in scene.assets.items()
    }
    return replace(scene, assets=held)


def _coarse(dataset: DatasetReader) -> NDArray[np.uint16]:
    step = max(max(dataset.width, dataset.height) // LOOK_PX, 1)
    check_thinned(dataset, LOOK_PX, dataset.name)
    shape = (max(dataset.height // step, 1), max(dataset.width // step, 1))
    return np.asarray(dataset.read(1, out_shape=shape, resampling=Resampling.nearest))
