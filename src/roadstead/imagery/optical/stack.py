"""The scenes of one overpass as one image on one grid, one scene a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import ReadError
from roadstead.core.geo import Grid, Window
from roadstead.imagery.optical.band_roles import LEAST_REFLECTANCE
from roadstead.imagery.raster.layer import Layer, Numbers
from roadstead.imagery.raster.reading import Raster, overview_for
from roadstead.imagery.scene import RGB, BandAsset, Scene
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead.imagery.visibility.clouds import (
    MISSED_BLUE,
    SCL_CLOUD,
    SCL_NO_DATA,
    SCL_WATER,
    Reflectance,
    check_margin_px,
    checked_cloud,
    land_like,
    resolve_valid,
)
from roadstead.imagery.visibility.shadow_glint import Veils

Real = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """Pixels of one window of an overpass."""

    rgb: Real
    """[3, H, W]: red, green, blue in 0..1, reflectance / `VISUAL_FULL_SCALE` clipped; 0 where not valid."""
    nir: Real | None
    """[H, W] reflectance, NaN where not valid or not there; None where no scene has the band."""
    valid: Mask
    """[H, W]: imaged by some scene."""
    cloud: Mask | None
    """[H, W]: cloud by SCL and `cloud_check`; None where no scene has SCL, so cloud is unknown."""
    water: Mask | None
    """[H, W]: water by SCL; None where no scene has SCL."""
    scene_index: NDArray[np.int16]
    """[H, W]: the scene of `Mosaic.scenes` that each pixel comes from, -1 for none."""
    shadow: Mask | None = None
    """[H, W]: in the shadow of cloud; None where it was not looked for (`veils`)."""
    glint: Mask | None = None
    """[H, W]: under sun glint that hides hulls; None where it was not looked for."""

    @property
    def clear(self) -> Mask:
        """[H, W]: valid and, where cloud is known, not cloud: where hulls are looked for."""
        return self.valid if self.cloud is None else self.valid & ~self.cloud

    @property
    def seen(self) -> Mask:
        """[H, W]: clear, and neither in shadow nor under glint: where a hull that is not found is not there."""
        hidden = [veil for veil in (self.shadow, self.glint) if veil is not None]
        return self.clear & ~np.logical_or.reduce(hidden) if hidden else self.clear

    @cached_property
    def land(self) -> Mask | None:
        """[H, W]: looks like land (`clouds.land_like`); None where no scene has near infrared."""
        if self.nir is None:
            return None
        # Green ends where true colour saturates, so near infrared must too, or all that is white were land.
        scale = np.float32(VISUAL_FULL_SCALE)
        return land_like(self.rgb[1] * scale, np.minimum(self.nir, scale))

    @cached_property
    def land_known(self) -> Mask:
        """[H, W]: there is near infrared to tell land by."""
        return np.zeros_like(self.valid) if self.nir is None else np.isfinite(self.nir)


def padded(grid: Grid, margin: int) -> Grid:
    """Return a grid with ``margin`` more pixels on each side."""
    wide = Window(-margin, -margin, grid.width + 2 * margin, grid.height + 2 * margin)
    return grid.crop(wide)


class _SceneLayers:
    """The opened rasters of one scene on one frame."""

    def __init__(self, scene: Scene, frame: Grid, coarse: bool) -> None:
        self.scene = scene
        self._layers: dict[tuple[str, bool], tuple[Raster, Layer]] = {}
        try:
            for name, asset in scene.assets.items():
                key = (asset.href, name == "scl")
                if key not in self._layers:
                    self._layers[key] = _open(asset, frame, coarse, nearest=coarse or name == "scl")
        except ReadError as error:
            self.close()
            raise ReadError(f"scene {scene.scene_id}: {error}") from error
        except BaseException:
            self.close()
            raise

    def reaches(self, window: Window) -> bool:
        return self._layer("red").reaches(window)

    def _layer(self, name: str) -> Layer:
        return self._layers[self.scene.assets[name].href, name == "scl"][1]

    def dn(self, names: Sequence[str], window: Window) -> Numbers:
        """Return DN of bands, [len(names), H, W]."""
        assets = [self.scene.assets[name] for name in names]
        try:
            if len({asset.href for asset in assets}) == 1:
                return self._layer(names[0]).read([asset.band for asset in assets], window)
            parts = [self._layer(n).read([a.band], window) for n, a in zip(names, assets, strict=True)]
            return np.concatenate(parts)
        except ReadError as error:
            raise ReadError(f"scene {self.scene.scene_id}: {error}") from error

    def imaged(self, window: Window) -> Mask | None:
        """Return where the rasters' own masks say that red, green and blue were imaged; None where they have none."""
        assets = {asset.href: (name, asset) for name in RGB for asset in (self.scene.assets[name],)}
        asked = [(self._layer(name), asset.mask) for name, asset in assets.values()]
        try:
            seen = [layer.imaged(mask, window) for layer, mask in asked if layer.own_mask or mask is not None]
        except ReadError as error:
            raise ReadError(f"scene {self.scene.scene_id}: {error}") from error
        return np.logical_and.reduce(seen) if seen else None

    def close(self) -> None:
        for raster, layer in self._layers.values():
            layer.close()
            raster.close()


def _open(asset: BandAsset, frame: Grid, coarse: bool, *, nearest: bool) -> tuple[Raster, Layer]:
    raster = Raster.of(asset, overview_for(asset, frame.pixel_m) if coarse else None)
    try:
        return raster, Layer(raster, frame, nodata=asset.nodata, nearest=nearest)
    except BaseException:
        raster.close()
        raise


class Stack:
    """Opened scenes on one grid; earlier scenes lie on top."""

    def __init__(
        self, scenes: Sequence[Scene], grid: Grid, *, coarse: bool = False, veils: Veils | None = None
    ) -> None:
        """Open every raster of every scene.

        Args:
            scenes: first on top.
            grid: frame of all windows.
            coarse: read COG overviews, by nearest neighbour: for masks and pictures, not for detection.
            veils: shadow and glint for the blocks; None where they are not asked for.

        Raises:
            ReadError: a raster cannot be opened; names scene and raster.
            SceneError: a raster has no CRS.
        """
        self.grid = grid
        self._veils = veils
        self._margin = check_margin_px(grid.pixel_m)
        self._scenes: list[_SceneLayers] = []
        frame = padded(grid, self._margin)
        try:
            for scene in scenes:
                self._scenes.append(_SceneLayers(scene, frame, coarse))
        except BaseException:
            self.close()
            raise

    def read(self, window: Window) -> Block:
        """Read one window.

        Raises:
            ValueError: the window is empty or not wholly inside the grid.
            ReadError: pixels cannot be read.
        """
        _check_inside(window, self.grid)
        block = _empty(window, [layers.scene for layers in self._scenes])
        for index, layers in enumerate(self._scenes):
            inner = Window(window.col + self._margin, window.row + self._margin, window.width, window.height)
            if layers.reaches(inner) and not block.valid.all():
                self._paste(block, index, layers, inner)
        if self._veils is None:
            return block
        shadow, glint = self._veils.over(self.grid.crop(window))
        return replace(block, shadow=shadow & block.clear, glint=glint & block.clear)

    def _paste(self, block: Block, index: int, layers: _SceneLayers, window: Window) -> None:
        scene = layers.scene
        names = [*RGB, "nir"] if "nir" in scene.assets else [*RGB]
        # The check of cloud looks at what lies around, so a scene with SCL is read with a margin.
        wide = layers.dn(names, self._wide(window)) if "scl" in scene.assets else None
        dn = layers.dn(names, window) if wide is None else self._inner(wide)
        valid = _valid(dn, scene)
        if (imaged := layers.imaged(window)) is not None:
            valid &= imaged
        scl = self._scl(layers, window) if "scl" in scene.assets and valid.any() else None
        if scl is not None:
            valid &= self._inner(scl) != SCL_NO_DATA
        take = valid & ~block.valid
        if not take.any():
            return
        # np.copyto: indexing by a mask takes several times as long.
        for band, name in enumerate(RGB):
            shown = _reflectance(dn[band], scene.assets[name])
            shown /= np.float32(VISUAL_FULL_SCALE)
            np.copyto(block.rgb[band], np.clip(shown, 0.0, 1.0, out=shown), where=take)
        if "nir" in scene.assets and block.nir is not None:
            np.copyto(block.nir, _reflectance(dn[3], scene.assets["nir"]), where=take)
        if scl is not None and block.cloud is not None and block.water is not None:
            cloud = checked_cloud(scl, _to_check(scl, wide, scene), self.grid.pixel_m)
            np.copyto(block.cloud, self._inner(cloud), where=take)
            np.copyto(block.water, self._inner(scl) == SCL_WATER, where=take)
        np.copyto(block.valid, True, where=take)
        np.copyto(block.scene_index, index, where=take)

    def _scl(self, layers: _SceneLayers, window: Window) -> NDArray[np.uint8]:
        """Return SCL of a window and the margin around it that the cloud mask looks at."""
        return np.asarray(layers.dn(["scl"], self._wide(window))[0], np.uint8)

    def _wide(self, window: Window) -> Window:
        m = self._margin
        return Window(window.col - m, window.row - m, window.width + 2 * m, window.height + 2 * m)

    def _inner(self, wide: Numbers) -> Numbers:
        return wide[..., self._margin : -self._margin, self._margin : -self._margin]

    def close(self) -> None:
        """Close every raster."""
        for layers in self._scenes:
            layers.close()
        self._scenes = []


def _check_inside(window: Window, grid: Grid) -> None:
    whole = (
        window.width > 0
        and window.height > 0
        and window.col >= 0
        and window.row >= 0
        and window.col + window.width <= grid.width
        and window.row + window.height <= grid.height
    )
    if not whole:
        raise ValueError(f"{window} is not wholly inside the grid of {grid.width} x {grid.height} pixels")


def _empty(window: Window, scenes: Sequence[Scene]) -> Block:
    shape = (window.height, window.width)
    with_scl = any("scl" in scene.assets for scene in scenes)
    with_nir = any("nir" in scene.assets for scene in scenes)
    return Block(
        rgb=np.zeros((3, *shape), np.float32),
        nir=np.full(shape, np.nan, np.float32) if with_nir else None,
        valid=np.zeros(shape, bool),
        cloud=np.zeros(shape, bool) if with_scl else None,
        water=np.zeros(shape, bool) if with_scl else None,
        scene_index=np.full(shape, -1, np.int16),
    )


def _valid(dn: Numbers, scene: Scene) -> Mask:
    """Return where DN of red, green, blue and, where there is one, nir hold data, and what some surface reflects."""
    first = scene.assets["red"]
    valid = resolve_valid(dn, first.nodata, each_band=first.offset < 0.0)
    if np.issubdtype(dn.dtype, np.unsignedinteger):
        return valid
    for numbers, name in zip(dn, RGB, strict=False):
        asset = scene.assets[name]
        valid &= numbers >= (LEAST_REFLECTANCE - asset.offset) / asset.scale
    return valid


def _to_check(scl: NDArray[np.uint8], dn: Numbers | None, scene: Scene) -> Reflectance | None:
    """Return the reflectance of [4, H, W] DN; None where there is no nir, or nothing bright to check."""
    if dn is None or len(dn) < 4:
        return None
    blue = scene.assets["blue"]
    bright = dn[2] >= (MISSED_BLUE - blue.offset) / blue.scale
    if not (bright.any() or np.isin(scl, SCL_CLOUD).any()):
        return None
    return Reflectance(*(_reflectance(dn[k], scene.assets[name]) for k, name in enumerate((*RGB, "nir"))))


def _reflectance(dn: Numbers, asset: BandAsset) -> Real:
    shown = dn.astype(np.float32)
    shown *= np.float32(asset.scale)
    shown += np.float32(asset.offset)
    return shown
