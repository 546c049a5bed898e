"""The OGC API as its clients read it: GDAL's OAPIF driver, QGIS, and schemathesis against its own document."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import schemathesis
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from roadstead.apps.desk.ogc.features import COLLECTIONS, CatalogFeatures
from roadstead.publish import port_layers
from roadstead.store import Store
from roadstead.workflows.export import port_report
from tests.integration.desks import running
from tests.integration.qgis import in_qgis, table_of
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED
from tests.unit.publish import builders as e

USER = "vic"
EXAMPLES = 12
"""Requests that schemathesis makes up of each operation."""
CENTIMETRE_DEG = 1e-7
GDAL = """
import json, sys
import pyogrio
found = {}
for name in sys.argv[2:]:
    table = pyogrio.read_dataframe(sys.argv[1], layer=name, use_arrow=True)
    info = pyogrio.read_info(sys.argv[1], layer=name)
    found[name] = {
        "crs": str(info["crs"]), "types": dict(zip(list(info["fields"]), [str(t) for t in info["dtypes"]])),
        "features": json.loads(table.to_json(drop_id=True, to_wgs84=False, default=str)),
    }
box = (125.281, 38.0, 126.0, 39.0)
narrow = pyogrio.read_dataframe(sys.argv[1], layer="detections", bbox=box, where="class = 'bulk_carrier'")
print(json.dumps({"all": found, "narrow": len(narrow)}, default=str))
"""
QGIS = """
address, user, password, *names = given
found = {}
for name in names:
    uri = f"url='{address}' typename='{name}' username='{user}' password='{password}' pagingEnabled='true'"
    layer = QgsVectorLayer(uri, name, "OAPIF")
    found[name] = {
        "valid": layer.isValid(), "error": layer.error().message(), "crs": layer.crs().authid(),
        "rows": rows_of(layer) if layer.isValid() else [],
    }
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}") as opened:
        r.fill(opened)
        r.people(opened)
        yield opened


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with running(r.desk(store, features=CatalogFeatures(store, {"nampo": e.port()}))) as found:
        yield f"{found}/ogc"


@pytest.fixture(scope="module")
def layers(store: Store) -> dict[str, gpd.GeoDataFrame]:
    report = port_report(
        store, e.port(), ACQUIRED.replace(year=2000), ACQUIRED.replace(year=2030), pictures=False
    )
    return port_layers(report)


def rows_of(table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return rows without geometry, times to the millisecond, nulls as None, in an order of their own."""
    rows = []
    for row in table.drop(columns=table.geometry.name).to_dict("records"):
        told = {}
        for name, value in row.items():
            empty = value is None or (not isinstance(value, (list, dict)) and pd.isna(value))
            told[name] = None if empty else _plain(value)
        rows.append(told)
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return float(value) if isinstance(value, (int, float, np.number)) else value


def assert_same(read: gpd.GeoDataFrame, wanted: gpd.GeoDataFrame, name: str) -> None:
    """Check rows, attributes and geometry within a centimetre, whatever the order."""
    assert len(read) == len(wanted), name
    ours, theirs = rows_of(wanted), rows_of(read[list(wanted.columns)].set_geometry(wanted.geometry.name))
    place = {json.dumps(row, sort_keys=True): i for i, row in enumerate(theirs)}
    assert len(place) == len(theirs)
    for i, row in enumerate(ours):
        key = json.dumps(row, sort_keys=True)
        assert key in place, "\n".join((name, key, *place))
        mine, other = wanted.geometry.iloc[i], read.geometry.iloc[place[key]]
        assert shapely.hausdorff_distance(mine, other) < CENTIMETRE_DEG, name


def test_gdal_reads_every_collection_as_it_is_stored(
    address: str, layers: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GDAL, f"OAPIF:{address}", *layers],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "GDAL_HTTP_USERPWD": f"{USER}:{r.PASSWORD}", "OGR_OAPIF_PAGE_SIZE": "3"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name, table in layers.items():
        told = found["all"][name]
        read = gpd.GeoDataFrame.from_features(told["features"]["features"], crs="EPSG:4326")
        for column, dtype in table.dtypes.items():
            if isinstance(dtype, pd.DatetimeTZDtype):
                read[column] = pd.to_datetime(read[column], utc=True, format="mixed")
        assert_same(read, table, name)
        assert told["crs"] in ("EPSG:4326", "OGC:CRS84")
    assert found["all"]["detections"]["types"]["bow_deg"] == "float64", "null everywhere, and still a number"
    hulls = layers["detections"]
    assert found["narrow"] == int(((hulls["lon"] > 125.281) & (hulls["class"] == "bulk_carrier")).sum()) > 0


def test_gdal_gets_nothing_without_a_password(address: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "GDAL_HTTP_USERPWD"}
    done = subprocess.run(
        [sys.executable, "-c", GDAL, f"OAPIF:{address}", "zones"], capture_output=True, text=True, check=False, env=kept
    )  # fmt: skip
    assert done.returncode != 0 and "401" in done.stderr


@pytest.mark.qgis
def test_qgis_reads_every_collection_as_it_is_stored(
    address: str, layers: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    found = in_qgis(tmp_path, QGIS, address, USER, r.PASSWORD, *layers)
    for name, table in layers.items():
        assert found[name]["valid"], (name, found[name]["error"])
        read = table_of(found[name]["rows"], "EPSG:4326")
        for column, dtype in table.dtypes.items():
            if isinstance(dtype, pd.DatetimeTZDtype):
                read[column] = pd.to_datetime(read[column], utc=True, format="mixed")
        assert_same(read, table, name)


def test_every_answer_keeps_to_the_document_whatever_is_asked(address: str) -> None:
    """Schemathesis makes up requests from the document: no fault, and only such answers as it describes."""
    login = {"authorization": "Basic " + base64.b64encode(f"{USER}:{r.PASSWORD}".encode()).decode()}
    schema = schemathesis.openapi.from_url(f"{address}/api", headers=login)
    wanted = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    asked: dict[str, set[int]] = {}

    def check(case: schemathesis.Case) -> None:
        answer = case.call(headers=login)
        asked.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=wanted)

    bounded = settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for operation in schema.get_all_operations():
        made = operation.ok()
        bounded(given(case=made.as_strategy())(check))()
    assert len(asked) == 3 + 5 * len(COLLECTIONS), "all but the document itself"
    assert all(200 in codes for label, codes in asked.items() if "{" not in label), asked
    assert not any(code in (401, 429) for codes in asked.values() for code in codes), asked
