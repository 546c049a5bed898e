"""The GeoPackage in QGIS itself: valid layers, in UTM, styled without being asked to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from roadstead.core.schemas import CLASSES
from roadstead.publish import write_port_geopackage
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from tests.integration.qgis import in_qgis
from tests.unit.publish import builders as e

pytestmark = pytest.mark.qgis

LOOK = """
path, picture = given
names = ("matches", "detections", "counts", "zones")
layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in names]
def categories(layer):
    renderer = layer.renderer()
    if renderer.type() != "categorizedSymbol":
        return None
    return {str(c.value()): c.symbol().color().name() for c in renderer.categories()}
found = {
    layer.name(): {
        "valid": layer.isValid(),
        "rows": layer.featureCount(),
        "crs": layer.crs().authid(),
        "attribute": attribute_of(layer),
        "categories": categories(layer),
        "times": [f["acquired"].isValid() for f in layer.getFeatures() if layer.fields().indexOf("acquired") >= 0],
    }
    for layer in layers
}
draw(layers, layers[0].crs(), layers[3].extent(), picture)
"""
Looked = tuple[dict[str, Any], np.ndarray]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    folder = tmp_path_factory.mktemp("qgis")
    path = write_port_geopackage(folder / "nampo.gpkg", e.port(), e.hulls(), e.matches(), e.counts())
    found = in_qgis(folder, LOOK, str(path), str(folder / "map.png"), quiet=True)
    return found, np.asarray(Image.open(folder / "map.png").convert("RGB"))


def test_qgis_opens_every_layer_in_utm(looked: Looked) -> None:
    layers, _ = looked
    assert {name: (layer["valid"], layer["rows"], layer["crs"]) for name, layer in layers.items()} == {
        "matches": (True, 4, "EPSG:32651"),
        "detections": (True, 3, "EPSG:32651"),
        "counts": (True, 4, "EPSG:32651"),
        "zones": (True, 2, "EPSG:32651"),
    }
    assert all(layers["detections"]["times"]), "times arrive as times"


def test_qgis_picks_up_our_styles_by_itself(looked: Looked) -> None:
    layers, _ = looked
    assert layers["detections"]["attribute"] == "class"
    assert layers["detections"]["categories"] == {n: CLASS_LOOKS[n].colour.lower() for n in CLASSES}
    assert layers["matches"]["attribute"] == "status"
    assert set(layers["matches"]["categories"]) == set(STATUS_LOOKS)
    assert layers["zones"]["attribute"] == "kind"
    assert layers["counts"]["attribute"] == "observed_at_all"


def test_qgis_draws_hulls_and_statuses_in_their_colours(
    looked: Looked,
) -> None:
    _, image = looked
    for colour in ((213, 94, 0), (204, 121, 167)):
        assert (np.abs(image.astype(int) - colour).max(axis=2) < 40).sum() > 10
