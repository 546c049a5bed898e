"""QGIS itself, in a process of its own: what it reads of files and services, and what it draws."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from tests.integration.tools import qgis_python

_BEGIN = """
import json, os, sys
from qgis.core import (
    NULL, QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject, QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False)
app.initQgis()
def plain(value):
    if value == NULL or value is None:
        return None
    if isinstance(value, QDateTime):
        return value.toUTC().toString("yyyy-MM-ddTHH:mm:ss.zzzZ")
    return value
def rows_of(layer):
    names = [field.name() for field in layer.fields()]
    return [
        {"wkb": bytes(f.geometry().asWkb()).hex(), **{n: plain(f[n]) for n in names}} for f in layer.getFeatures()
    ]
def attribute_of(layer):
    return getattr(layer.renderer(), "classAttribute", lambda: None)()
def draw(layers, crs, extent, picture, size=(900, 600), ground="white"):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(*size))
    settings.setBackgroundColor(QColor(ground))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)
given = sys.argv[1:]
"""
_END = """
print(json.dumps(found), flush=True)
os._exit(0)  # QGIS 3.22 crashes as it takes itself down
"""


def in_qgis(folder: Path, script: str, *given: str, quiet: bool = False) -> Any:
    """Run a script in QGIS and return what it calls ``found``.

    Args:
        folder: its home.
        script: has ``given``, ``rows_of(layer)``, ``attribute_of(layer)``, ``draw(layers, crs, extent, picture)``.
        given: words for it.
        quiet: whether a warning is a fault.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run(
        [qgis_python(), "-c", _BEGIN + script + _END, *given],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not quiet or "Warning" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def table_of(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    """Return what ``rows_of`` gave as a table."""
    table = pd.DataFrame(rows).astype(object)
    places = shapely.from_wkb([bytes.fromhex(text) for text in table.pop("wkb")])
    return gpd.GeoDataFrame(table, geometry=np.asarray(places, object), crs=crs)
