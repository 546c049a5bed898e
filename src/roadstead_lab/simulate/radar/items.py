"""STAC item and files of a simulated radar pass, in the shape of Earth Search's ``sentinel-1-grd``.

Files lie as in the AWS bucket ``sentinel-s1-l1c``: measurements, ``annotation/iw-vv.xml`` and
``annotation/calibration/calibration-iw-vv.xml``. The measurements have ground control points and no CRS; the item
has no ``proj:*`` properties, which on real GRD items describe no grid of the pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pystac
import shapely

from roadstead.core.atomic_files import write_text
from roadstead.core.geo import to_lonlat
from roadstead.imagery import SIMULATED, SIMULATED_TAG, write_gcp_tiff
from roadstead_lab.simulate.optical.items import LABEL
from roadstead_lab.simulate.radar.annotation import Product, calibration_xml, noise_xml, product_xml, when
from roadstead_lab.simulate.radar.geometry import RadarPass
from roadstead_lab.simulate.radar.render import POLARISATIONS, RadarFrame

RADAR_COLLECTION: Final = "sentinel-1-grd"
_EXTENSIONS: Final = [
    "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
    "https://stac-extensions.github.io/sar/v1.0.0/schema.json",
    "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
]
_TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
_DESIGNATORS: Final = {"sentinel-1a": "2014-016A", "sentinel-1b": "2016-025A"}
_FIRST_ORBITS: Final = {"sentinel-1a": 73, "sentinel-1b": 27}
"""Absolute less relative orbit number, modulo 175 (Sentinel-1 Product Specification, relative orbit number)."""
_METADATA: Final[dict[str, tuple[str, str, Callable[[Product, str], str]]]] = {
    "schema-product": ("annotation/iw-{}.xml", "Product Schema", product_xml),
    "schema-calibration": (
        "annotation/calibration/calibration-iw-{}.xml",
        "Calibration Schema",
        calibration_xml,
    ),
    "schema-noise": ("annotation/calibration/noise-iw-{}.xml", "Noise Schema", noise_xml),
}


def write_radar_scene(folder: Path, frame: RadarFrame, radar_pass: RadarPass, seed: int) -> pystac.Item:
    """Write the measurements and annotation of a pass and return its item.

    Args:
        folder: The collection's folder; the scene gets one of its own in it, named by the item's id.
        frame: What was rendered.
        radar_pass: What the metadata say.
        seed: Goes into the metadata.

    Raises:
        StoreError: a file cannot be written.
    """
    product = _product(frame, radar_pass, seed)
    item = _item(product, seed)
    scene = folder / item.id
    for name, pixels in zip(POLARISATIONS, (frame.vv, frame.vh), strict=True):
        write_gcp_tiff(
            scene / f"{name}.tif",
            pixels,
            frame.gcp_colrow,
            frame.gcp_lonlat,
            frame.gcp_height_m,
            tags=_tags(product, seed),
        )
        item.add_asset(name, _measurement(name))
        for key, (place, title, text_of) in _METADATA.items():
            write_text(scene / place.format(name), text_of(product, name))
            item.add_asset(f"{key}-{name}", _metadata(f"./{place.format(name)}", title))
    return item


def absolute_orbit(radar_pass: RadarPass) -> int:
    """Return an absolute orbit number of about the right day that has the pass's relative orbit number."""
    launch = datetime(2014, 4, 3) if radar_pass.platform == "sentinel-1a" else datetime(2016, 4, 25)
    near = int((radar_pass.acquired.toordinal() - launch.toordinal()) * 175 / 12)
    return near + (radar_pass.relative_orbit - 1 + _FIRST_ORBITS[radar_pass.platform] - near) % 175


def item_id(radar_pass: RadarPass, start: datetime, stop: datetime) -> str:
    """Return the id as Earth Search forms it, with SIM before it."""
    unit, orbit = radar_pass.platform[-1].upper(), absolute_orbit(radar_pass)
    span = f"{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
    return f"SIM_S1{unit}_IW_GRDH_1SDV_{span}_{orbit:06d}_{_datatake(orbit):06X}"


def _datatake(orbit: int) -> int:
    """Made up: real ids count datatakes, about 8 an orbit."""
    return 8 * orbit % 0xFFFFFF


def _product(frame: RadarFrame, radar_pass: RadarPass, seed: int) -> Product:
    orbit = absolute_orbit(radar_pass)
    return Product(frame, radar_pass, orbit, _datatake(orbit), f"{LABEL}. Seed {seed}.")


def _tags(product: Product, seed: int) -> dict[str, str]:
    return {
        SIMULATED_TAG: "true",
        "ROADSTEAD_SEED": str(seed),
        "TIFFTAG_IMAGEDESCRIPTION": LABEL,
        "TIFFTAG_DATETIME": f"{product.radar_pass.acquired:%Y:%m:%d %H:%M:%S}",
    }


def _item(product: Product, seed: int) -> pystac.Item:
    frame, radar_pass = product.frame, product.radar_pass
    start, stop = (frame.geometry.row_time(radar_pass.acquired, row) for row in (0, frame.geometry.height))
    footprint = shapely.set_precision(to_lonlat(frame.valid_xy, frame.geometry.crs), 1e-6)
    west, south, east, north = (round(v, 6) for v in shapely.bounds(footprint).tolist())
    return pystac.Item(
        id=item_id(radar_pass, start, stop),
        geometry=json.loads(shapely.to_geojson(footprint)),
        bbox=[west, south, east, north],
        datetime=radar_pass.acquired,
        properties={
            "title": LABEL,
            SIMULATED: True,
            "roadstead:seed": seed,
            "start_datetime": f"{when(start)}Z",
            "end_datetime": f"{when(stop)}Z",
            **_properties(product),
        },
        stac_extensions=list(_EXTENSIONS),
    )


def _properties(product: Product) -> dict[str, Any]:
    radar_pass, geometry = product.radar_pass, product.frame.geometry
    return {
        "platform": radar_pass.platform,
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:observation_direction": "right",
        "sar:instrument_mode": "IW",
        "sar:polarizations": [name.upper() for name in POLARISATIONS],
        "sar:product_type": "GRD",
        "sar:resolution_range": 20,
        "sar:resolution_azimuth": 22,
        "sar:pixel_spacing_range": 10,
        "sar:pixel_spacing_azimuth": 10,
        "sar:looks_range": 5,
        "sar:looks_azimuth": 1,
        "sar:looks_equivalent_number": 4.4,
        "sat:platform_international_designator": _DESIGNATORS[radar_pass.platform],
        "sat:orbit_state": radar_pass.orbit_state,
        "sat:absolute_orbit": product.absolute_orbit,
        "sat:relative_orbit": radar_pass.relative_orbit,
        "s1:datatake_id": str(product.datatake),
        "s1:instrument_configuration_ID": "6",
        "s1:orbit_source": "DOWNLINK",
        "s1:processing_level": "1",
        "s1:product_timeliness": "Fast-24h",
        "s1:resolution": "high",
        "s1:slice_number": "1",
        "s1:total_slices": "1",
        "s1:shape": [geometry.width, geometry.height],
    }


def _measurement(name: str) -> pystac.Asset:
    polarisation = name.upper()
    receive = "vertical" if name == "vv" else "horizontal"
    return pystac.Asset(
        f"./{name}.tif",
        title=f"{polarisation} Data",
        media_type=_TIFF,
        roles=["data"],
        extra_fields={
            "sar:polarizations": [polarisation],
            "eo:bands": [
                {
                    "name": polarisation,
                    "description": f"{polarisation} band: vertical transmit and {receive} receive",
                }
            ],
        },
    )


def _metadata(href: str, title: str) -> pystac.Asset:
    return pystac.Asset(href, title=title, media_type="application/xml", roles=["metadata"])
