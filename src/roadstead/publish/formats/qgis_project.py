"""A QGIS project that shows the GeoPackage beside it, and its styles (QML), made from the one palette."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from markupsafe import Markup

from roadstead.core.atomic_files import write_bytes
from roadstead.core.schemas import CLASSES
from roadstead.publish.formats.kmz import put
from roadstead.publish.palette import CLASS_LOOKS, KIND_LOOKS, STATUS_LOOKS, TRACK_LOOK, Look
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
_FILLS = {"true": "no", "false": "b_diagonal", "berth": "solid", "lock": "solid"}
"""QGIS fill by value; the others are outlines alone, so that an image below stays in view."""
_SEEN = {
    "true": Look("observed", "#009E73"),
    "false": Look("not observed (never zero)", "#6F7682", dash="dotted"),
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


def style_qml(layer: str) -> str | None:
    """Return the QML default style of a layer; None for layers that have none."""
    if layer == "detections":
        return _qml("class", "outline", {name: CLASS_LOOKS[name] for name in CLASSES})
    if layer == "matches":
        return _qml("status", "marker", STATUS_LOOKS)
    if layer == "zones":
        return _qml("kind", "zone", KIND_LOOKS)
    if layer == "counts":
        return _qml("observed_at_all", "zone", _SEEN)
    if layer == "tracks":
        return _TEMPLATES.get_template("line.qml.j2").render(look=TRACK_LOOK, rgb=_rgb(TRACK_LOOK))
    return None


def _qml(attribute: str, symbol: str, looks: Mapping[str, Look]) -> str:
    template = _TEMPLATES.get_template("categorized.qml.j2")
    rows = [(value, look, _rgb(look)) for value, look in looks.items()]
    return template.render(
        attribute=attribute, symbol=symbol, rows=rows, fills={name: _FILLS.get(name, "no") for name in looks}
    )


def _rgb(look: Look) -> str:
    return ",".join(map(str, look.rgb))


def layer_styles(layers: Iterable[str], moment: datetime) -> pd.DataFrame:
    """Return QGIS's table ``layer_styles`` for the layers that have a style."""
    styled = [(name, qml) for name in layers if (qml := style_qml(name))]
    return pd.DataFrame(
        [
            {
                "f_table_catalog": "",
                "f_table_schema": "",
                "f_table_name": name,
                "f_geometry_column": "geom",
                "styleName": name,
                "styleQML": qml,
                "styleSLD": "",
                "useAsDefault": True,
                "description": f"Roadstead: {name}",
                "owner": "",
                "ui": "",
                "update_time": f"{moment:%Y-%m-%dT%H:%M:%S.000Z}",
            }
            for name, qml in styled
        ]
    )
