"""The project and the exported files in QGIS itself: layers, rows, places, attributes and styles as written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from PIL import Image

from roadstead.publish import port_layers, write_flat, write_geojson_products, write_port_geopackage
from roadstead.publish.formats.flat import typed
from roadstead.publish.formats.layers import LAYERS
from roadstead.publish.formats.qgis_project import DRAWN, write_qgis_project
from roadstead.publish.palette import CLASS_LOOKS, TRACK_LOOK
from tests.integration.qgis import in_qgis, table_of
from tests.unit.publish import builders as e
from tests.unit.publish.roundtrip import assert_same

pytestmark = pytest.mark.qgis

OPEN = """
path, picture = given
project = QgsProject.instance()
read = project.read(path)
root = project.layerTreeRoot()
layers = root.layerOrder()
found = {
    "read": read,
    "title": project.title(),
    "crs": project.crs().authid(),
    "order": [layer.name() for layer in layers],
    "layers": {
        layer.name(): {
            "valid": layer.isValid(),
            "rows": layer.featureCount(),
            "crs": layer.crs().authid(),
            "source": layer.source(),
            "renderer": layer.renderer().type(),
            "attribute": attribute_of(layer),
            "visible": root.findLayer(layer.id()).isVisible(),
        }
        for layer in layers
    },
}
shown = [layer for layer in layers if root.findLayer(layer.id()).isVisible()]
draw(shown, project.crs(), project.mapLayersByName("zones")[0].extent(), picture)
"""
READ = """
layers = {uri: QgsVectorLayer(uri, "layer", "ogr") for uri in given}
found = {
    uri: {"valid": layer.isValid(), "crs": layer.crs().authid(), "rows": rows_of(layer)}
    for uri, layer in layers.items()
}
"""


def layers() -> dict[str, gpd.GeoDataFrame]:
    return {name: typed(table) for name, table in port_layers(e.port_report()).items()}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], np.ndarray]:
    """Write a project, move its folder, and open it there."""
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("elsewhere") / "a folder"
    report, tables = e.port_report(), layers()
    write_port_geopackage(
        made / "nampo.gpkg", report.port, report.detections, report.matches, report.counts, tables["tracks"]
    )
    write_qgis_project(made / "nampo.qgz", "nampo.gpkg", tables, report.port.crs, "Roadstead: nampo")
    shutil.move(made, folder)
    found = in_qgis(folder, OPEN, str(folder / "nampo.qgz"), str(folder / "map.png"))
    return found, np.asarray(Image.open(folder / "map.png").convert("RGB"))


def test_qgis_opens_the_project_with_every_layer_wherever_the_folder_lies(
    opened: tuple[dict[str, Any], np.ndarray],
) -> None:
    found, _ = opened
    assert (found["read"], found["crs"], found["title"]) == (True, "EPSG:32651", "Roadstead: nampo")
    assert found["order"] == list(DRAWN)
    rows = {name: len(table) for name, table in layers().items()}
    for name, layer in found["layers"].items():
        assert (layer["valid"], layer["rows"], layer["crs"]) == (True, rows[name], "EPSG:32651"), name
        assert "a folder/nampo.gpkg" in layer["source"]


def test_every_layer_of_the_project_is_styled(opened: tuple[dict[str, Any], np.ndarray]) -> None:
    found, image = opened
    styled = {name: (layer["renderer"], layer["attribute"]) for name, layer in found["layers"].items()}
    assert styled == {
        "matches": ("categorizedSymbol", "status"),
        "detections": ("categorizedSymbol", "class"),
        "tracks": ("singleSymbol", None),
        "counts": ("categorizedSymbol", "observed_at_all"),
        "zones": ("categorizedSymbol", "kind"),
    }
    assert [name for name, layer in found["layers"].items() if not layer["visible"]] == ["counts"]
    for colour in ((213, 94, 0), tuple(bytes.fromhex(TRACK_LOOK.colour[1:]))):
        assert (np.abs(image.astype(int) - colour).max(axis=2) < 40).sum() > 10, colour
    assert CLASS_LOOKS["barge"].colour


def test_what_is_written_comes_back_in_qgis(tmp_path: Path) -> None:
    report, tables = e.port_report(), layers()
    given = (report.port, report.detections, tables["matches"], report.counts, tables["tracks"])
    write_geojson_products(tmp_path, *given)
    write_flat(tmp_path, "nampo", tables, "flatgeobuf")
    path = write_port_geopackage(tmp_path / "nampo.gpkg", *given)
    for name in LAYERS:
        uris = [
            f"{path}|layername={name}",
            *(str(tmp_path / f"nampo-{name}.{end}") for end in ("fgb", "geojson")),
        ]
        for uri, layer in in_qgis(tmp_path, READ, *uris).items():
            assert layer["valid"], uri
            read = table_of(layer["rows"], layer["crs"]).drop(columns="fid", errors="ignore")
            assert_same(read, tables[name])
