"""A QGIS project that shows the GeoPackage beside it, styled, by relative path."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
from markupsafe import Markup

from roadstead.core.atomic_files import write_bytes
from roadstead.publish.formats.kmz import put
from roadstead.publish.formats.qgis_styles import style_qml
from roadstead.publish.templating import templates

DRAWN = ("matches", "detections", "tracks", "counts", "zones")
"""Layers from the top down."""
HIDDEN = ("counts",)
"""Layers that lie over others and are shown on a click."""
MARGIN = 0.05
_TEMPLATES = templates()
_SHAPES = {
    "detections": "Polygon",
    "matches": "Point",
    "tracks": "Line",
    "counts": "Polygon",
    "zones": "Polygon",
}


def write_qgis_project(
    path: Path, geopackage: str, layers: Mapping[str, gpd.GeoDataFrame], crs: str, title: str
) -> Path:
    """Write a ``.qgz`` project and return its path; the same layers give the same bytes.

    Args:
        path: the project file; it is opened together with the GeoPackage, in one folder.
        geopackage: name of the GeoPackage in the same folder.
        layers: the GeoPackage's layers.
        crs: its CRS, e.g. ``EPSG:32651``.
        title: shown in QGIS's title bar.

    Raises:
        StoreError: the file cannot be written.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        put(archive, f"{path.stem}.qgs", project_xml(geopackage, layers, crs, title).encode())
    write_bytes(path, buffer.getvalue())
    return path


def project_xml(geopackage: str, layers: Mapping[str, gpd.GeoDataFrame], crs: str, title: str) -> str:
    """Return the project as QGIS's XML."""
    named = pyproj.CRS.from_user_input(crs)
    drawn = [name for name in DRAWN if name in layers]
    return _TEMPLATES.get_template("project.qgs.j2").render(
        geopackage=geopackage,
        title=title,
        authid=crs,
        srid=named.to_epsg(),
        wkt=named.to_wkt(),
        description=named.name,
        layers=[
            {
                "name": name,
                "id": f"{name}_roadstead",
                "shape": _SHAPES[name],
                "renderer": _renderer(name),
                "checked": "Qt::Unchecked" if name in HIDDEN else "Qt::Checked",
            }
            for name in drawn
        ],
        extent=_extent([layers[name].to_crs(crs) for name in drawn]),
    )


def _renderer(layer: str) -> Markup:
    """Return the renderer of a layer's style, without the QML around it."""
    qml = style_qml(layer)
    if qml is None:
        raise ValueError(f"layer {layer} has no style")
    begin, end = qml.index("<renderer-v2"), qml.index("</renderer-v2>") + len("</renderer-v2>")
    return Markup(qml[begin:end])  # noqa: S704 - from our own template


def _extent(layers: list[gpd.GeoDataFrame]) -> tuple[float, float, float, float]:
    """Return (xmin, ymin, xmax, ymax) of all layers with a margin."""
    bounds = np.array([table.total_bounds for table in layers if len(table)])
    if not len(bounds):
        return 0.0, 0.0, 1.0, 1.0
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    reach = (high - low) * MARGIN
    (xmin, ymin), (xmax, ymax) = low - reach, high + reach
    return float(xmin), float(ymin), float(xmax), float(ymax)
