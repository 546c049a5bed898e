"""Annotation of a simulated GRD product in the XML shape of Sentinel-1's SAFE format.

Only what a reader needs for sigma nought, noise and geometry is there (Sentinel-1 Product Specification,
S1-RS-MDA-52-7441, sections 6.1-6.3): calibration and noise tables, and the product's geolocation grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from roadstead.core.geo import Array
from roadstead_lab.simulate.radar.clutter import noise_sigma0
from roadstead_lab.simulate.radar.geometry import EARTH_M, GRD_PIXEL_M, ORBIT_M, RadarPass
from roadstead_lab.simulate.radar.render import BETA_NOUGHT, RadarFrame, calibration

LIGHT_M_S = 299_792_458.0
_TABLE_EVERY_PX = 40
_VECTOR_EVERY_PX = 667
"""Rows of one second, as in real tables."""


@dataclass(frozen=True)
class Product:
    """What the header of every annotation file says."""

    frame: RadarFrame
    radar_pass: RadarPass
    absolute_orbit: int
    datatake: int
    note: str
    """Goes into the file as a comment."""

    def time(self, row: float) -> str:
        """Return when a row was seen, ISO 8601 with microseconds, UTC without a zone as in SAFE."""
        return when(self.frame.geometry.row_time(self.radar_pass.acquired, row))


def when(time: datetime) -> str:
    """Format a time as SAFE does."""
    return time.replace(tzinfo=None).isoformat(timespec="microseconds")


def calibration_xml(product: Product, polarisation: str) -> str:
    """Return the calibration table of one polarisation, ``sigma0 = DN^2 / sigmaNought^2`` and so on."""
    root = _root("calibration", product, polarisation)
    information = SubElement(root, "calibrationInformation")
    _text(information, "absoluteCalibrationConstant", f"{1.0:.6e}")
    pixels = _pixels(product)
    angle = np.radians(product.frame.geometry.incidence_deg(pixels + 0.5))
    sigma = calibration(product.frame.geometry, pixels + 0.5)
    tables = {
        "sigmaNought": sigma,
        "betaNought": np.full_like(sigma, BETA_NOUGHT),
        "gamma": sigma * np.sqrt(np.cos(angle)),
        "dn": np.full_like(sigma, BETA_NOUGHT),
    }
    _vectors(root, "calibrationVector", product, pixels, tables)
    return _written(root, product)


def noise_xml(product: Product, polarisation: str) -> str:
    """Return the noise table of one polarisation: power in DN squared, without scalloping along azimuth."""
    root = _root("noise", product, polarisation)
    pixels = _pixels(product)
    geometry = product.frame.geometry
    level = noise_sigma0(geometry.incidence_deg(pixels + 0.5)) * calibration(geometry, pixels + 0.5) ** 2
    _vectors(root, "noiseRangeVector", product, pixels, {"noiseRangeLut": level})
    return _written(root, product)


def product_xml(product: Product, polarisation: str) -> str:
    """Return the product annotation of one polarisation: orbit, image size and geolocation grid."""
    frame, geometry = product.frame, product.frame.geometry
    root = _root("product", product, polarisation)
    general = SubElement(SubElement(root, "generalAnnotation"), "productInformation")
    _text(general, "pass", product.radar_pass.orbit_state.capitalize())
    _text(general, "platformHeading", f"{_wrapped(geometry.heading_deg):.15e}")
    _text(general, "projection", "Ground Range")
    _text(general, "radarFrequency", f"{5.405000454334350e09:.15e}")
    image = SubElement(SubElement(root, "imageAnnotation"), "imageInformation")
    _text(image, "productFirstLineUtcTime", product.time(0))
    _text(image, "productLastLineUtcTime", product.time(geometry.height - 1))
    _text(image, "rangePixelSpacing", f"{GRD_PIXEL_M:.6e}")
    _text(image, "azimuthPixelSpacing", f"{GRD_PIXEL_M:.6e}")
    _text(image, "numberOfSamples", str(geometry.width))
    _text(image, "numberOfLines", str(geometry.height))
    _text(image, "incidenceAngleMidSwath", f"{product.radar_pass.incidence_deg:.15e}")
    grid = SubElement(root, "geolocationGrid")
    points = SubElement(grid, "geolocationGridPointList", count=str(len(frame.gcp_height_m)))
    for values in _grid_points(product):
        point = SubElement(points, "geolocationGridPoint")
        for name, value in values:
            _text(point, name, value)
    return _written(root, product)


def _grid_points(product: Product) -> Iterable[list[tuple[str, str]]]:
    frame, geometry = product.frame, product.frame.geometry
    slant = geometry.slant_range_m(frame.gcp_colrow[:, 0])
    incidence = geometry.incidence_deg(frame.gcp_colrow[:, 0])
    elevation = np.degrees(np.arcsin(EARTH_M / ORBIT_M * np.sin(np.radians(incidence))))
    rows = np.column_stack(
        [frame.gcp_colrow, frame.gcp_lonlat, frame.gcp_height_m, slant, incidence, elevation]
    )
    for col, row, lon, lat, height, distance, angle, look in rows.tolist():
        yield [
            ("azimuthTime", product.time(row)),
            ("slantRangeTime", f"{2.0 * distance / LIGHT_M_S:.15e}"),
            ("line", str(round(row))),
            ("pixel", str(round(col))),
            ("latitude", f"{lat:.15e}"),
            ("longitude", f"{lon:.15e}"),
            ("height", f"{height:.15e}"),
            ("incidenceAngle", f"{angle:.15e}"),
            ("elevationAngle", f"{look:.15e}"),
        ]


def _root(name: str, product: Product, polarisation: str) -> Element:
    root = Element(name)
    header = SubElement(root, "adsHeader")
    frame = product.frame
    fields = {
        "missionId": f"S1{product.radar_pass.platform[-1].upper()}",
        "productType": "GRD",
        "polarisation": polarisation.upper(),
        "mode": "IW",
        "swath": "IW",
        "startTime": product.time(0),
        "stopTime": product.time(frame.geometry.height),
        "absoluteOrbitNumber": str(product.absolute_orbit),
        "missionDataTakeId": str(product.datatake),
        "imageNumber": "001" if polarisation == "vv" else "002",
    }
    for field, text in fields.items():
        _text(header, field, text)
    return root


def _vectors(root: Element, name: str, product: Product, pixels: Array, tables: dict[str, Array]) -> None:
    last = product.frame.geometry.height - 1
    lines = [*range(0, last, _VECTOR_EVERY_PX), last]
    vectors = SubElement(root, f"{name}List", count=str(len(lines)))
    for line in lines:
        vector = SubElement(vectors, name)
        _text(vector, "azimuthTime", product.time(line))
        _text(vector, "line", str(line))
        _list(vector, "pixel", [str(int(pixel)) for pixel in pixels])
        for table, values in tables.items():
            _list(vector, table, [f"{value:.6e}" for value in values])


def _pixels(product: Product) -> Array:
    last = product.frame.geometry.width - 1
    return np.array([*range(0, last, _TABLE_EVERY_PX), last], np.float64)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _list(parent: Element, name: str, texts: Sequence[str]) -> None:
    SubElement(parent, name, count=str(len(texts))).text = " ".join(texts)


def _wrapped(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0


def _written(root: Element, product: Product) -> str:
    indent(root)
    body = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {product.note} -->\n{body}\n'
