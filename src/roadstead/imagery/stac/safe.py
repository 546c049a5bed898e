"""A Sentinel-2 product as ESA gives it: a SAFE folder, or the zip of one.

It is read as the STAC item that a provider would make of it, so that times, offsets and bands go one way.
Source: ESA, Sentinel-2 Products Specification Document (MTD_MSIL2A.xml, MTD_TL.xml, names of images).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shapely.geometry import mapping

from roadstead.core.errors import SceneError
from roadstead.core.geo import WGS84
from roadstead.imagery.raster.layer import outline
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.stac.assets import BOA_OFFSET, FIRST_OFFSET_BASELINE
from roadstead.imagery.unpacking import unpacked

BANDS = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08", "scl": "SCL", "visual": "TCI"}
_IMAGE = re.compile(r"_(B04|B03|B02|B08|SCL|TCI)(?:_(\d+)m)?\.jp2$")
_PRODUCT = re.compile(r"(S2[A-D]_MSIL[12][AC]_\d{8}T\d{6}_N\d{4}_R\d{3}_T\d{2}[A-Z]{3}_\d{8}T\d{6})")
_BAND_ID = {"blue": "1", "green": "2", "red": "3", "nir": "7"}
"""Of MTD_MSIL*.xml, where B01 is 0."""
LARGEST_BYTES = 2_000_000_000
"""Of one image in a zip: those of 10 m have 150 MB at most."""
LARGEST_TEXT_BYTES = 50_000_000
"""Of one file of metadata in a zip: MTD_TL.xml has 1 MB."""


def is_safe(path: Path) -> bool:
    """Return whether a path is a SAFE folder, or a zip by its name."""
    return path.suffix.lower() == ".zip" or (path.is_dir() and _metadata(path) is not None)


def safe_item(path: Path) -> tuple[dict[str, Any], str]:
    """Return a SAFE folder or zip as a STAC item, and where the item would lie.

    Of a zip the bands that are read and the metadata are unpacked for as long as the process runs.

    Raises:
        SceneError: it is no product of Sentinel-2, lacks bands or metadata, or the zip is damaged.
        ReadError: an image cannot be opened.
    """
    folder = _unzipped(path) if path.suffix.lower() == ".zip" else path
    product = _metadata(folder)
    if product is None:
        raise SceneError(f"{path}: holds no MTD_MSIL2A.xml or MTD_MSIL1C.xml, so it is no Sentinel-2 product")
    root = product.parent
    images = _images(root)
    if not {"red", "green", "blue"} <= images.keys() and "visual" not in images:
        raise SceneError(f"{path}: holds no image of B02, B03 and B04 under GRANULE/*/IMG_DATA")
    return _item(path, root, product.read_text(encoding="utf-8", errors="replace"), images), str(product)


def _metadata(folder: Path) -> Path | None:
    found = (
        *folder.glob("MTD_MSIL2A.xml"),
        *folder.glob("MTD_MSIL1C.xml"),
        *folder.glob("*.SAFE/MTD_MSIL*.xml"),
    )
    return next(iter(found), None)


def _images(root: Path) -> dict[str, Path]:
    """Return band -> its finest image."""
    finest: dict[str, tuple[int, Path]] = {}
    names = {code: band for band, code in BANDS.items()}
    for image in sorted(root.glob("GRANULE/*/IMG_DATA/**/*.jp2")):
        if told := _IMAGE.search(image.name):
            band, size = names[told.group(1)], int(told.group(2) or 10)
            if band not in finest or size < finest[band][0]:
                finest[band] = size, image
    return {band: image for band, (_, image) in finest.items()}


def _item(path: Path, root: Path, xml: str, images: Mapping[str, Path]) -> dict[str, Any]:
    granule = next(iter(sorted(root.glob("GRANULE/*/MTD_TL.xml"))), None)
    tile = granule.read_text(encoding="utf-8", errors="replace") if granule else ""
    name = _PRODUCT.search(root.name) or _PRODUCT.search(xml) or _PRODUCT.search(path.name)
    start = _told(xml, "DATATAKE_SENSING_START") or _told(xml, "PRODUCT_START_TIME")
    when = _told(tile, "SENSING_TIME") or start
    if when is None:
        raise SceneError(f"{path}: MTD_MSIL*.xml and MTD_TL.xml tell no time")
    baseline = _told(xml, "PROCESSING_BASELINE")
    with Raster(str(next(iter(images.values())))) as raster:
        footprint = raster.attempts(lambda dataset: outline(dataset, WGS84))
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name.group(1) if name else path.name.partition(".")[0],
        "geometry": mapping(footprint),
        "properties": {
            "datetime": when,
            "platform": f"sentinel-2{name.group(1)[2].lower()}" if name else None,
            "s2:processing_baseline": baseline,
            "grid:code": f"MGRS-{name.group(1)[39:44]}" if name else None,
            **_sun(tile),
        },
        "links": [],
        "assets": {band: _asset(band, image, xml, baseline) for band, image in images.items()},
    }


def _asset(band: str, image: Path, xml: str, baseline: str | None) -> dict[str, Any]:
    asset: dict[str, Any] = {"href": str(image.resolve()), "type": "image/jp2"}
    if band in ("scl", "visual"):
        return asset
    quantity = _told(xml, "BOA_QUANTIFICATION_VALUE") or _told(xml, "QUANTIFICATION_VALUE") or "10000"
    scale = 1.0 / float(quantity)
    added = re.search(rf'_ADD_OFFSET band_id="{_BAND_ID[band]}">\s*(-?\d+)', xml)
    late = baseline is not None and float(baseline) >= FIRST_OFFSET_BASELINE
    offset = float(added.group(1)) * scale if added else (BOA_OFFSET if late else 0.0)
    return {**asset, "raster:bands": [{"nodata": 0, "scale": scale, "offset": offset}]}


def _sun(tile: str) -> dict[str, float]:
    """Return the sun's place by MTD_TL.xml, nothing where it does not tell."""
    mean = re.search(r"<Mean_Sun_Angle>(.*?)</Mean_Sun_Angle>", tile, re.DOTALL)
    zenith, azimuth = (
        _told(mean.group(1) if mean else "", f"{kind}_ANGLE") for kind in ("ZENITH", "AZIMUTH")
    )
    if zenith is None or azimuth is None:
        return {}
    return {"view:sun_elevation": 90.0 - float(zenith), "view:sun_azimuth": float(azimuth)}


def _told(xml: str, tag: str) -> str | None:
    """Return the text of the first element of a name; a parser would follow what the file bids it to."""
    found = re.search(rf"<{tag}[^>]*>\s*([^<]+?)\s*</{tag}>", xml)
    return found.group(1) if found else None


def _unzipped(path: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            return unpacked(archive, _wanted(path, archive.infolist()))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise SceneError(f"{path}: cannot be unpacked: {error}") from error


def _wanted(path: Path, members: Iterable[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return what is read of a product: its metadata, and of each band the finest image.

    Raises:
        SceneError: there is no product, or an image is larger than any is.
    """
    kept: dict[str, tuple[int, zipfile.ZipInfo]] = {}
    for member in members:
        if re.search(r"(?:^|/)MTD_(?:MSIL[12][AC]|TL)\.xml$", member.filename):
            kept[member.filename] = 0, member
        elif (told := _IMAGE.search(member.filename)) and "/IMG_DATA/" in member.filename:
            size = int(told.group(2) or 10)
            if told.group(1) not in kept or size < kept[told.group(1)][0]:
                kept[told.group(1)] = size, member
    found = [member for _, member in kept.values()]
    if not found:
        raise SceneError(f"{path}: holds no Sentinel-2 product (MTD_MSIL*.xml and images under IMG_DATA)")
    large = next((member.filename for member in found if member.file_size > _most(member.filename)), None)
    if large:
        raise SceneError(f"{path}: {large} is larger than any of its kind in a Sentinel-2 product")
    return found


def _most(name: str) -> int:
    return LARGEST_TEXT_BYTES if name.endswith(".xml") else LARGEST_BYTES
