"""Scenes of the shared catalogue: opened by their id, and decoded once into a cache for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from roadstead.core.atomic_files import replacing
from roadstead.core.errors import BadInputError
from roadstead.imagery.optical.mosaic import Mosaic
from roadstead.imagery.overpasses import group_overpasses
from roadstead.imagery.scene import Overpass
from roadstead.imagery.stac.item import open_item


def scene_overpass(shared: Path, scene_id: str) -> Overpass:
    """Open one scene of the shared catalogue as an overpass of its own.

    Raises:
        BadInputError: The catalogue holds no item of this id.
    """
    item = next((shared / "stac").glob(f"*/{scene_id}/{scene_id}.json"), None)
    if item is None:
        message = f"{shared / 'stac'} holds no item {scene_id!r}, but there are labels of it"
        raise BadInputError(message)
    (overpass,) = group_overpasses([open_item(str(item))], None)
    return overpass


def decode(overpass: Overpass) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float32] | None]:
    """Read a small overpass whole: 8-bit RGB [H, W, 3], valid [H, W], near-infrared reflectance [H, W] or None."""
    with Mosaic(overpass) as mosaic:
        block = mosaic.read(mosaic.grid.window)
    rgb = np.round(np.moveaxis(block.rgb, 0, -1) * 255).astype(np.uint8)
    return rgb, np.asarray(block.valid, bool), block.nir


def cache_pixels(shared: Path, cache: Path, scene_id: str) -> Path:
    """Decode a scene into ``<scene_id>.npz`` (rgb, valid, nir or an empty array) unless that is there already."""
    path = cache / f"{scene_id}.npz"
    if not path.exists():
        rgb, valid, nir = decode(scene_overpass(shared, scene_id))
        with replacing(path) as temporary:
            np.savez(temporary, rgb=rgb, valid=valid, nir=np.zeros(0, np.float32) if nir is None else nir)
    return path
