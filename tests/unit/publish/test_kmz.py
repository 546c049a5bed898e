"""One KMZ a finding, as Google Earth reads it."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
from PIL import Image

from roadstead.core.errors import StoreError
from roadstead.core.geo import distance_m
from roadstead.publish.formats.kmz import write_kmz
from roadstead.reconcile import CONFLICTS, REASONS
from tests.unit.publish import builders as e

KML = "{http://www.opengis.net/kml/2.2}"


def write(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in write_kmz(folder, e.port_report(), REASONS, CONFLICTS)}


def kml(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read("doc.kml"))  # noqa: S314 - our own


def test_every_detection_has_its_own_file(tmp_path: Path) -> None:
    assert set(write(tmp_path)) == {"d0", "d1", "d2"}
    assert len(list((tmp_path / "nampo-kmz").iterdir())) == 3


def test_it_holds_the_place_the_box_and_the_picture(tmp_path: Path) -> None:
    paths = write(tmp_path)
    root = kml(paths["d0"])
    lon, lat = map(float, root.find(f".//{KML}Point/{KML}coordinates").text.split(","))  # type: ignore[union-attr]
    assert distance_m(np.array([[lon, lat]]), np.array([[e.HULL_LON, e.HULL_LAT]]))[0] < 0.01
    ring = root.find(f".//{KML}LinearRing/{KML}coordinates").text.split()  # type: ignore[union-attr]
    assert len(ring) == 5 and ring[0] == ring[-1]
    with zipfile.ZipFile(paths["d0"]) as archive:
        picture = Image.open(BytesIO(archive.read("chip.jpg")))
        assert abs(np.asarray(picture).astype(int) - 90).max() < 4
    with zipfile.ZipFile(paths["d1"]) as archive:
        assert archive.namelist() == ["doc.kml"]
    assert "chip.jpg" not in "".join(kml(paths["d1"]).itertext())


def test_it_says_in_plain_words_that_it_is_a_lead_and_what_else_could_explain_it(tmp_path: Path) -> None:
    text = " ".join(kml(write(tmp_path)["d0"]).itertext())
    assert "a lead with a probability, never a verdict" in text
    assert REASONS["no_vessel_fits"] in text
    assert "Status: no AIS partner. If it is a vessel, chance that no vessel heard fits: 71 %" in text
    assert "SIMULATED" in text


def test_gdal_reads_both_placemarks(tmp_path: Path) -> None:
    path = write(tmp_path)["d0"]
    with zipfile.ZipFile(path) as archive:
        (tmp_path / "doc.kml").write_bytes(archive.read("doc.kml"))
    assert pyogrio.read_info(tmp_path / "doc.kml", force_feature_count=True)["features"] == 2


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    first = {name: path.read_bytes() for name, path in write(tmp_path).items()}
    assert {name: path.read_bytes() for name, path in write(tmp_path).items()} == first


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "nampo-kmz" / "d1.kmz").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"d1\.kmz: cannot be written"):
        write(tmp_path)
    assert {path.name for path in (tmp_path / "nampo-kmz").iterdir()} == {"d0.kmz", "d1.kmz"}
