"""Which asset of a STAC item holds which band, and how its numbers become reflectance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from roadstead.core.errors import SceneError
from roadstead.imagery.scene import RGB, BandAsset

ALIASES: Mapping[str, tuple[str, ...]] = {
    "red": ("red", "B04", "B04_10m"),
    "green": ("green", "B03", "B03_10m"),
    "blue": ("blue", "B02", "B02_10m"),
    "nir": ("nir", "B08", "B08_10m"),
    "scl": ("scl", "SCL", "SCL_20m"),
    "visual": ("visual", "TCI_10m", "TCI"),
}
"""Band -> asset keys, in order of preference: Earth Search v1 and Collection 1, then Earth Search v0 and
Planetary Computer, then CDSE."""

_RESOLUTION = re.compile(r"^(\w+?)[-_](\d+)m$")
"""Keys of stactools and CDSE: ``B04-60m``, ``B04_10m``."""

VISUAL_FULL_SCALE = 0.3558
"""Reflectance of DN 255 in the 8-bit true-colour image, and that which is shown as 1 in `Block.rgb`.
Source: ESA, definition of TCI: DN 255 is 0.3558 in L1C and 0.2 in L2A products, and an item does not say
which its ``visual`` was made from. So true colour of an L2A product comes out up to 1.8 times too bright,
which is one more reason to prefer the reflectance bands."""
VISUAL_SCALE = VISUAL_FULL_SCALE / 255.0
"""Reflectance of one DN of 8-bit true colour."""
DN_SCALE = 1e-4
"""Reflectance of one DN where metadata name no scale (ESA QUANTIFICATION_VALUE 10000)."""
BOA_OFFSET = -0.1
"""ESA BOA_ADD_OFFSET -1000, in reflectance, of products of processing baseline 04.00 and later."""
FIRST_OFFSET_BASELINE = 4.0
OFFSET_FLAGS = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")


def resolve_assets(
    item_id: str, assets: Mapping[str, Mapping[str, Any]], properties: Mapping[str, Any]
) -> dict[str, BandAsset]:
    """Return the bands of an item: red, green and blue, and `nir` and `scl` where there are.

    The three reflectance bands are taken where all are there, else the 8-bit ``visual`` asset.

    Args:
        item_id: named in errors.
        assets: STAC assets as JSON objects, each ``href`` already absolute.
        properties: STAC item properties.

    Raises:
        SceneError: neither red, green and blue nor a ``visual`` asset.
    """
    keys = {band: _key_of(band, assets) for band in ALIASES}
    optional = [band for band in ("nir", "scl") if keys[band]]
    if all(keys[band] for band in RGB):
        wanted = [*RGB, *optional]
        return {band: _band(band, assets[str(keys[band])], properties) for band in wanted}
    if keys["visual"]:
        href = str(assets[str(keys["visual"])]["href"])
        scl = {"scl": _band("scl", assets[str(keys["scl"])], properties)} if keys["scl"] else {}
        # No near infrared beside green of an unsure scale (`VISUAL_FULL_SCALE`): their ratio would tell land wrongly.
        return {**visual_bands(href), **scl}
    missing = ", ".join(band for band in RGB if not keys[band])
    raise SceneError(
        f"item {item_id}: no asset for {missing} and no 'visual' asset; "
        f"it has: {', '.join(assets) or 'no assets'}"
    )


def visual_bands(href: str) -> dict[str, BandAsset]:
    """Return red, green and blue of an 8-bit true-colour raster with bands in that order."""
    return {band: BandAsset(href, index, VISUAL_SCALE, 0.0, 0.0) for index, band in enumerate(RGB, start=1)}


def _key_of(band: str, assets: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the key of the asset that holds a band: the finest, then the one named as providers name it."""
    found = [key for key, asset in assets.items() if _holds(band, key, asset)]
    ranks = {alias: rank for rank, alias in enumerate(ALIASES[band])}
    return min(found, key=lambda key: (_pixel_m(key, assets[key]), ranks.get(key, len(ranks))), default=None)


def _holds(band: str, key: str, asset: Mapping[str, Any]) -> bool:
    if key in ALIASES[band]:
        return True
    told = _RESOLUTION.match(key)
    named = told is not None and told.group(1) in ALIASES[band]
    return (named or _common_names(asset) == [band]) and _is_raster(asset)


def _pixel_m(key: str, asset: Mapping[str, Any]) -> float:
    """Return the pixel size that an asset tells, that of the band at its best where it tells none."""
    bands: Sequence[Mapping[str, Any]] = (
        asset.get("raster:bands") or asset.get("bands") or asset.get("eo:bands") or ({},)
    )
    told = (
        asset.get("raster:spatial_resolution"),
        bands[0].get("raster:spatial_resolution", bands[0].get("spatial_resolution")),
        asset.get("gsd", bands[0].get("gsd")),
        found.group(2) if (found := _RESOLUTION.match(key)) else None,
    )
    return next((float(size) for size in told if size is not None), 10.0)


def _common_names(asset: Mapping[str, Any]) -> list[str]:
    bands: Sequence[Mapping[str, Any]] = asset.get("bands") or asset.get("eo:bands") or ()
    return [str(band.get("eo:common_name") or band.get("common_name")) for band in bands]


def _is_raster(asset: Mapping[str, Any]) -> bool:
    return str(asset.get("type", "image/tiff")).startswith(("image/tiff", "image/jp2"))


def _band(band: str, asset: Mapping[str, Any], properties: Mapping[str, Any]) -> BandAsset:
    href, meta = str(asset["href"]), _raster_metadata(asset)
    nodata = meta.get("nodata")
    nodata = 0.0 if nodata is None or isinstance(nodata, str) else float(nodata)
    if band == "scl":
        return BandAsset(href, 1, 1.0, 0.0, nodata)
    return BandAsset(href, 1, float(meta.get("scale", DN_SCALE)), resolve_offset(meta, properties), nodata)


def _raster_metadata(asset: Mapping[str, Any]) -> dict[str, Any]:
    """Return nodata, scale and offset by STAC 1.1 ``bands`` or the raster extension, v1 and v2."""
    first: dict[str, Any] = {}
    for source in (asset.get("raster:bands"), asset.get("bands")):
        first = first or dict((source or [{}])[0])
    found: dict[str, Any] = {}
    for name in ("nodata", "scale", "offset"):
        places = (
            first.get(name),
            first.get(f"raster:{name}"),
            asset.get(f"raster:{name}"),
            asset.get(name) if name == "nodata" else None,
        )
        value = next((place for place in places if place is not None), None)
        if value is not None:
            found[name] = value
    return found


def resolve_offset(meta: Mapping[str, Any], properties: Mapping[str, Any]) -> float:
    """Return the offset that turns DN x scale into reflectance; never decided by date.

    1. ``earthsearch:boa_offset_applied`` true: the pixels already hold the offset, so it is 0, also
       where ``raster:bands`` says -0.1 (Earth Search writes -0.1 there whether applied or not).
    2. An offset in the band metadata.
    3. Nothing said: -0.1 from processing baseline 04.00 on (Planetary Computer serves such pixels
       without saying so), else 0.
    """
    if any(properties.get(flag) is True for flag in OFFSET_FLAGS):
        return 0.0
    if "offset" in meta:
        return float(meta["offset"])
    if "scale" in meta:
        return 0.0
    baseline = processing_baseline(properties)
    return BOA_OFFSET if baseline and float(baseline) >= FIRST_OFFSET_BASELINE else 0.0


def tells_no_offset(document: Mapping[str, Any]) -> bool:
    """Return whether nothing in an item says if ESA's offset is in its pixels: no scale or offset, no baseline."""
    properties: Mapping[str, Any] = document.get("properties") or {}
    assets: Mapping[str, Mapping[str, Any]] = document.get("assets") or {}
    key = _key_of("red", assets)
    meta = _raster_metadata(assets[key]) if key else {"scale": DN_SCALE}
    flagged = any(flag in properties for flag in OFFSET_FLAGS)
    return not (flagged or {"scale", "offset"} & meta.keys() or processing_baseline(properties))


def processing_baseline(properties: Mapping[str, Any]) -> str | None:
    """Return the processing baseline such as ``05.09``, or None where the item does not tell."""
    keys = ("s2:processing_baseline", "processing:version", "sentinel:processing_baseline")
    text = next((str(properties[key]) for key in keys if properties.get(key)), None)
    return text if text and text.replace(".", "", 1).isdigit() else None
