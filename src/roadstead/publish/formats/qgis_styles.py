"""QGIS styles (QML) of our layers, made from the one palette."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import pandas as pd

from roadstead.core.schemas import CLASSES
from roadstead.publish.palette import CLASS_LOOKS, KIND_LOOKS, STATUS_LOOKS, TRACK_LOOK, Look
from roadstead.publish.templating import templates

_TEMPLATES = templates()
_FILLS = {"true": "no", "false": "b_diagonal", "berth": "solid", "lock": "solid"}
"""QGIS fill by value; the others are outlines alone, so that an image below stays in view."""
_SEEN = {
    "true": Look("observed", "#009E73"),
    "false": Look("not observed (never zero)", "#6F7682", dash="dotted"),
}


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
