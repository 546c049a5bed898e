import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from shapely.geometry import box

from roadstead.core.detections_file import read_detections, write_detections, write_json
from roadstead.core.errors import DetectionsError, StoreError, TableError
from tests.unit.builders import detection, detections, header


def test_detections_come_back_as_they_were_written(tmp_path: Path) -> None:
    table = detections([detection(0), detection(1, lon=125.4, zone=None, port=None, flags="at_edge")])
    write_detections(tmp_path / "d.geojson", table, header())
    back, back_header = read_detections(tmp_path / "d.geojson")
    pd.testing.assert_frame_equal(
        pd.DataFrame(back.drop(columns="geometry"))[table.columns.drop("geometry")],
        pd.DataFrame(table.drop(columns="geometry")),
        check_dtype=False,
    )
    assert back_header.scenes == header().scenes


def test_a_search_that_found_nothing_still_says_what_was_searched(tmp_path: Path) -> None:
    write_detections(tmp_path / "d.geojson", detections([]), header())
    table, back = read_detections(tmp_path / "d.geojson")
    assert len(table) == 0
    assert [scene.scene_id for scene in back.scenes] == ["S2A_TEST"]


def test_the_file_is_rfc_7946_with_flat_properties(tmp_path: Path) -> None:
    write_detections(tmp_path / "d.geojson", detections([detection()]), header())
    document = json.loads((tmp_path / "d.geojson").read_text())
    assert "crs" not in document
    assert not any(isinstance(v, dict | list) for v in document["features"][0]["properties"].values())
    assert document["features"][0]["properties"]["acquired"].endswith("Z")


def test_a_file_without_the_roadstead_member_is_refused_with_the_way_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "d.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(DetectionsError, match=r"d\.geojson.*roadstead detect"):
        read_detections(tmp_path / "d.geojson")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": "Feature"}', "\x80"])
def test_what_is_no_geojson_is_named_as_such(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.geojson").write_text(text, encoding="latin-1")
    with pytest.raises(DetectionsError, match=r"d\.geojson"):
        read_detections(tmp_path / "d.geojson")


def test_a_damaged_header_is_named(tmp_path: Path) -> None:
    write_detections(tmp_path / "d.geojson", detections([detection()]), header())
    document = json.loads((tmp_path / "d.geojson").read_text())
    del document["roadstead"]["scenes"][0]["valid_area"]
    (tmp_path / "d.geojson").write_text(json.dumps(document))
    with pytest.raises(DetectionsError, match="damaged"):
        read_detections(tmp_path / "d.geojson")


def test_an_impossible_detection_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"p_vessel.*1\.5"):
        write_detections(tmp_path / "d.geojson", detections([detection(p_vessel=1.5)]), header())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_json(tmp_path / "file" / "d.geojson", {})


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the write fails half way."""
    target = tmp_path / "d.geojson"
    target.write_text("old")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from roadstead.core.detections_file import write_json\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from roadstead.core.errors import StoreError\n"
        f"try: write_json(Path({str(target)!r}), {{'a': 'x' * 10_000}})\n"
        "except StoreError as error: print(error); sys.exit(error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, target.read_text()) == (4, "old"), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["d.geojson"]


def test_valid_area_footprint_and_failures_come_back_each_as_itself(tmp_path: Path) -> None:
    seen = header(valid_area=box(125.1, 38.6, 125.2, 38.7))
    failed = replace(seen, status="partial", failures={"S2A_BAD": "truncated"})
    write_detections(tmp_path / "d.geojson", detections([]), failed)
    _, back = read_detections(tmp_path / "d.geojson")
    assert back.scenes[0].valid_area.equals(seen.scenes[0].valid_area)
    assert back.scenes[0].footprint.equals(seen.scenes[0].footprint)
    assert (back.status, back.failures) == ("partial", {"S2A_BAD": "truncated"})


def test_a_file_written_before_bow_and_motion_were_told_is_read_with_nulls(tmp_path: Path) -> None:
    write_detections(tmp_path / "d.geojson", detections([detection()]), header())
    document = json.loads((tmp_path / "d.geojson").read_text())
    for name in ("bow_deg", "p_bow", "moving", "p_moving"):
        del document["features"][0]["properties"][name]
    (tmp_path / "d.geojson").write_text(json.dumps(document))
    table, _ = read_detections(tmp_path / "d.geojson")
    assert table[["bow_deg", "p_bow", "moving", "p_moving"]].isna().all(axis=None)
