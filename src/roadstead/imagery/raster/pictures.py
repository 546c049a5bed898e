"""PNG and JPEG with a world file, read once into a GeoTIFF."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pyproj import CRS
from pyproj.exceptions import CRSError

from roadstead.core.errors import ReadError, SceneError
from roadstead.imagery.unpacking import fresh

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")
LARGEST_PX = 100_000_000
_WORLD = {".png": (".pgw", ".pngw"), ".jpg": (".jgw", ".jpgw"), ".jpeg": (".jgw", ".jpegw", ".jpgw")}
"""Endings of the world file beside each kind; ``.wld`` beside any.
Source: https://gdal.org/en/stable/drivers/raster/wld.html"""
_DEGREES_PX = 0.01
"""Pixels of a world file in metres are larger than this; those in degrees are smaller where ships show."""


def is_picture(name: str) -> bool:
    """Return whether a path names a PNG or JPEG by its ending."""
    return name.lower().endswith(PICTURE_ENDINGS)


def picture_geotiff(path: Path, crs: str | None) -> Path:
    """Return a GeoTIFF of a picture, placed by its world file.

    Args:
        path: PNG or JPEG of 8 bits.
        crs: the CRS of the world file; None for that of a ``.prj`` beside it, else degrees where its numbers are.

    Raises:
        SceneError: no world file, no CRS, or no picture in colour.
        ReadError: it cannot be decoded.
    """
    at = _world(path)
    placed = _crs(path, at, crs)
    pixels = _pixels(path)
    target = fresh() / f"{path.stem}.tif"
    count, height, width = pixels.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": "uint8"}
    extra = {
        "photometric": "RGB",
        "compress": "deflate",
        "tiled": True,
        **({"alpha": "YES"} if count == 4 else {}),
    }
    with rasterio.open(target, "w", crs=placed.to_wkt(), transform=at, **profile, **extra) as out:
        out.write(pixels)
    return target


def _world(path: Path) -> Affine:
    """Return the transform of the world file beside a picture: six lines, of the middle of the first pixel."""
    endings = (*_WORLD[path.suffix.lower()], ".wld")
    found = next((place for end in endings for place in _beside(path, end)), None)
    if found is None:
        raise SceneError(
            f"{path}: a {path.suffix} has no place of its own, and no world file lies beside it "
            f"({path.stem}{endings[0]}); give a GeoTIFF, or write one"
        )
    try:
        a, d, b, e, c, f = (float(text.replace(",", ".")) for text in found.read_text("utf-8-sig").split())
    except (OSError, ValueError) as error:
        raise SceneError(f"{found}: is no world file of six numbers: {error}") from error
    return Affine(a, b, c, d, e, f) @ Affine.translation(-0.5, -0.5)


def _beside(path: Path, ending: str) -> list[Path]:
    names = (path.with_suffix(ending), path.with_suffix(ending.upper()), Path(f"{path}{ending}"))
    return [name for name in names if name.is_file()]


def _crs(path: Path, at: Affine, given: str | None) -> CRS:
    prj = next(iter(_beside(path, ".prj")), None)
    try:
        if given or prj:
            return CRS.from_user_input(given or prj.read_text("utf-8-sig"))  # type: ignore[union-attr]
    except (CRSError, OSError, UnicodeDecodeError) as error:
        raise SceneError(f"{path}: {given or prj} names no CRS: {error}") from error
    if abs(at.a) < _DEGREES_PX and abs(at.c) <= 180.0 and abs(at.f) <= 90.0:
        return CRS.from_epsg(4326)
    raise SceneError(f"{path}: its world file names no CRS; give it with --crs, for example --crs EPSG:32651")


def _pixels(path: Path) -> NDArray[np.uint8]:
    """Return the picture as [3 or 4, H, W]: red, green, blue and, where it is transparent in places, alpha."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=("PNG", "JPEG")) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image.width * image.height > LARGEST_PX:
                raise SceneError(f"{path}: has {image.width} x {image.height} pixels; give a GeoTIFF instead")
            if image.mode in ("1", "L", "LA", "I", "I;16", "F"):
                raise SceneError(f"{path}: is grey; give red, green and blue")
            clear = image.mode in ("RGBA", "PA") or "transparency" in image.info
            shown = np.asarray(image.convert("RGBA" if clear else "RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise ReadError(f"{path}: cannot be read: {error}; is it a whole PNG or JPEG?") from error
    return np.moveaxis(shown, -1, 0)
