"""The GeoPackage in QGIS itself: valid layers, in UTM, styled without being asked to."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from roadstead.export import write_port_geopackage
from roadstead.export.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.tables import CLASSES
from tests.integration.tools import qgis_python
from tests.unit.export import builders as e

pytestmark = pytest.mark.qgis

LOOK = """
import json, os, sys
from qgis.core import QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
path, picture = sys.argv[1:]
app = QgsApplication([], False)
app.initQgis()
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
        "attribute": getattr(layer.renderer(), "classAttribute", lambda: None)(),
        "categories": categories(layer),
        "fields": [field.name() for field in layer.fields()],
        "times": [f["acquired"].isValid() for f in layer.getFeatures() if layer.fields().indexOf("acquired") >= 0],
    }
    for layer in layers
}
settings = QgsMapSettings()
settings.setLayers(layers)
settings.setDestinationCrs(layers[0].crs())
settings.setExtent(layers[3].extent())
settings.setOutputSize(QSize(900, 600))
settings.setBackgroundColor(QColor("white"))
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
job.renderedImage().save(picture)
print(json.dumps(found), flush=True)
os._exit(0)  # QGIS 3.22 crashes as it takes itself down
"""


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], np.ndarray, str]:
    folder = tmp_path_factory.mktemp("qgis")
    path = write_port_geopackage(folder / "nampo.gpkg", e.port(), e.hulls(), e.matches(), e.counts())
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run(
        [qgis_python(), "-c", LOOK, str(path), str(folder / "map.png")],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    image = np.asarray(Image.open(folder / "map.png").convert("RGB"))
    return json.loads(done.stdout.splitlines()[-1]), image, done.stderr


def test_qgis_opens_every_layer_in_utm(looked: tuple[dict[str, Any], np.ndarray, str]) -> None:
    layers, _, said = looked
    assert {name: (layer["valid"], layer["rows"], layer["crs"]) for name, layer in layers.items()} == {
        "matches": (True, 4, "EPSG:32651"),
        "detections": (True, 3, "EPSG:32651"),
        "counts": (True, 4, "EPSG:32651"),
        "zones": (True, 2, "EPSG:32651"),
    }
    assert "Warning" not in said
    assert all(layers["detections"]["times"]), "times arrive as times"


def test_qgis_picks_up_our_styles_by_itself(looked: tuple[dict[str, Any], np.ndarray, str]) -> None:
    layers, _, _ = looked
    assert layers["detections"]["attribute"] == "class"
    assert layers["detections"]["categories"] == {n: CLASS_LOOKS[n].colour.lower() for n in CLASSES}
    assert layers["matches"]["attribute"] == "status"
    assert set(layers["matches"]["categories"]) == set(STATUS_LOOKS)
    assert layers["zones"]["attribute"] == "kind"
    assert layers["counts"]["attribute"] == "observed_at_all"


def test_qgis_draws_hulls_and_statuses_in_their_colours(
    looked: tuple[dict[str, Any], np.ndarray, str],
) -> None:
    _, image, _ = looked
    for colour in ((213, 94, 0), (204, 121, 167)):
        assert (np.abs(image.astype(int) - colour).max(axis=2) < 40).sum() > 10
