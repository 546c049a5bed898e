"""Simulated images in memory, searched by the product's own detector just as it searches files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import PIXEL_M, Grid, Window
from roadstead.detection import Model, detect_mosaic
from roadstead.imagery import Block, Overpass, Scene
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead.imagery.visibility.clouds import cloud_mask
from roadstead_lab.simulate.coast.ground import frame
from roadstead_lab.simulate.practice.ground import CRS
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.texture import FloatArray
from roadstead_lab.training.places import Label
from roadstead_lab.training.practice import label_box

Mask = NDArray[np.bool_]
LEFT, BOTTOM = 700_000.0, 4_300_000.0
"""Corner of every simulated image, metres of `CRS`; no real place is meant."""
_ACQUIRED: Final = datetime(2024, 5, 1, 2, 30, tzinfo=UTC)


@dataclass(frozen=True)
class SimulatedImage:
    """One simulated image that detection reads as it reads a mosaic (`detection.BlockReader`)."""

    grid: Grid
    scenes: tuple[Scene, ...]
    rgb: FloatArray
    """[3, H, W] red, green, blue: reflectance / `VISUAL_FULL_SCALE` clipped to 0..1; 0 where not valid."""
    valid: Mask
    """[H, W]."""
    nir: FloatArray | None
    """[H, W] reflectance, NaN where not valid; None where there is none."""
    cloud: Mask | None
    """[H, W] cloud by the scene classification; None where there is none."""
    block_shape: tuple[int, int] = (1024, 1024)

    def read(self, window: Window) -> Block:
        """Cut out a window inside the grid."""
        here = window.slices
        valid = self.valid[here]
        return Block(
            rgb=self.rgb[:, here[0], here[1]],
            nir=None if self.nir is None else self.nir[here],
            valid=valid,
            cloud=None if self.cloud is None else self.cloud[here],
            water=None,
            scene_index=np.where(valid, 0, -1).astype(np.int16),
        )


def simulated_image(
    reflectance: FloatArray, valid: Mask | None = None, scl: NDArray[np.uint8] | None = None
) -> SimulatedImage:
    """Make an image of simulated reflectance.

    Args:
        reflectance: [4, H, W] red, green, blue, nir, or [3, H, W] without nir; H and W even.
        valid: [H, W] where there is data; None for everywhere.
        scl: [H / 2, W / 2] scene classification at 20 m; None where cloud is unknown.
    """
    high, wide = reflectance.shape[1:]
    grid = simulated_grid(wide, high)
    seen = np.ones((high, wide), bool) if valid is None else valid
    rgb = np.where(seen, np.clip(reflectance[:3] / np.float32(VISUAL_FULL_SCALE), 0, 1), 0)
    nir = np.where(seen, reflectance[3], np.nan).astype(np.float32) if len(reflectance) > 3 else None
    cloud = None if scl is None else cloud_mask(scl.repeat(2, axis=0).repeat(2, axis=1), PIXEL_M)
    return SimulatedImage(grid, (_scene(grid),), rgb.astype(np.float32), seen, nir, cloud)


def simulated_grid(width_px: int, height_px: int) -> Grid:
    """Return the grid of a simulated image, 10 m pixels; both sides even."""
    return frame(CRS, (LEFT, BOTTOM, LEFT + width_px * PIXEL_M, BOTTOM + height_px * PIXEL_M))


def _scene(grid: Grid) -> Scene:
    return Scene(
        scene_id="simulated",
        platform=None,
        sensor="s2",
        acquired=_ACQUIRED,
        acquired_source="assumed",
        acquired_sigma_s=0.0,
        provider="simulated",
        item_href=None,
        processing_baseline=None,
        datatake=None,
        footprint=grid.footprint_lonlat,
        assets={},
        simulated=True,
    )


def detect_simulated(image: SimulatedImage, model: Model) -> gpd.GeoDataFrame:
    """Search a whole simulated image at the model's own threshold: `schemas.DETECTIONS`."""
    overpass = Overpass("simulated", None, _ACQUIRED, 0.0, image.scenes)
    return detect_mosaic(image, model, overpass=overpass)


def practice_image(scene: PracticeScene) -> SimulatedImage:
    """Show a practice scene to the detector; seen through the air it is true colour alone, as such products are."""
    bands = scene.reflectance if scene.surface else scene.reflectance[:3]
    return simulated_image(bands, scene.valid, scene.scl)


def simulated_label(hull: PracticeHull) -> Label:
    """Label a simulated hull as by eye, with the margins such labels have, but of true class and length."""
    return Label(
        "simulated", "yes", hull.spec.class_, hull.spec.kind, "high", hull.spec.length_m, label_box(hull)
    )
