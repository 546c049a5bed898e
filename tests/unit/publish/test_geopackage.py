from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pyogrio
import pytest

from roadstead.core.errors import StoreError
from roadstead.core.schemas import CLASSES, STATUSES, ZONE_KINDS
from roadstead.publish import write_port_geopackage
from roadstead.publish.formats.qgis_project import style_qml
from tests.unit.builders import detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b
from tests.unit.store.test_trouble import run_limited


def write(path: Path) -> Path:
    return write_port_geopackage(path, e.port(), e.hulls(), e.matches(), e.counts())


def test_layers_are_in_the_ports_utm_zone(tmp_path: Path) -> None:
    path = write(tmp_path / "nampo.gpkg")
    for layer, rows in (("zones", 2), ("counts", 4), ("detections", 3), ("matches", 4)):
        info = pyogrio.read_info(path, layer=layer)
        assert (info["crs"], info["features"]) == ("EPSG:32651", rows)


def test_a_hull_keeps_its_length_in_metres(tmp_path: Path) -> None:
    table = pyogrio.read_dataframe(write(tmp_path / "nampo.gpkg"), layer="detections")
    west, _, east, _ = table.geometry.iloc[0].bounds
    assert east - west == pytest.approx(349, abs=6)


def test_whether_a_hull_moves_is_true_false_or_null_and_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "nampo.gpkg")
    with sqlite3.connect(path) as connection:
        told = [row[0] for row in connection.execute("SELECT moving FROM detections ORDER BY detection_id")]
    connection.close()
    assert told == [1, None, None]


def test_every_layer_has_a_default_style_that_covers_all_its_values(tmp_path: Path) -> None:
    styles = pyogrio.read_dataframe(write(tmp_path / "nampo.gpkg"), layer="layer_styles")
    assert set(styles["f_table_name"]) == {"zones", "counts", "detections", "matches"}
    assert styles["useAsDefault"].all()
    for layer, values in (("detections", CLASSES), ("matches", STATUSES), ("zones", ZONE_KINDS)):
        qml = style_qml(layer)
        assert qml is not None
        assert all(f'value="{value}"' in qml for value in values)
    assert style_qml("positions") is None


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write(tmp_path / "nampo.gpkg").read_bytes()
    time.sleep(1.1)
    assert write(tmp_path / "nampo.gpkg").read_bytes() == first


def test_no_table_holds_a_time_of_writing(tmp_path: Path) -> None:
    with sqlite3.connect(write(tmp_path / "nampo.gpkg")) as connection:
        changes = {row[0] for row in connection.execute("SELECT last_change FROM gpkg_contents")}
    connection.close()
    assert changes == {"2020-11-08T02:25:41.000Z"}


def test_a_port_where_nothing_was_found_still_gives_all_layers(tmp_path: Path) -> None:
    path = write_port_geopackage(
        tmp_path / "none.gpkg", e.port(), detections([]), b.matches([]), e.counts()[:0]
    )
    assert {name for name, _ in pyogrio.list_layers(path)} >= {"zones", "counts", "detections", "matches"}


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = write(tmp_path / "nampo.gpkg")
    before = path.read_bytes()
    said = run_limited(
        f"""
        from pathlib import Path
        from roadstead.core.errors import StoreError
        from tests.unit.publish.test_geopackage import write
        limit(100_000)
        try:
            write(Path({str(path)!r}))
        except StoreError as error:
            print(error)
        """
    )
    assert "nampo.gpkg: cannot be written" in said
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["nampo.gpkg"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"nampo\.gpkg: cannot be written"):
        write(tmp_path / "out" / "nampo.gpkg")
