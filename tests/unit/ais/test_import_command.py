"""`roadstead ais import` and `sources` as they are typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roadstead.apps.cli.main import app
from roadstead.core.errors import PortError, UsageError
from tests.unit.ais.messages import position, voyage, write


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["ais", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    far = position(0, mmsi=445111009, lon=10.0, lat=55.0)
    lines = [
        *position(0, lon=125.40, lat=38.73),
        *position(60, lon=122.10, lat=29.95),
        *far,
        *voyage(5),
        "junk",
    ]
    return write(tmp_path / "a.nmea", lines)


def test_the_totals_are_printed_and_add_up(log: Path, tmp_path: Path) -> None:
    done = typed("import", log, "--port", "nampo", "--ais-store", tmp_path / "ais")
    assert "Rows read: 5" in done.stdout
    rows = json.loads(
        typed("import", log, "--port", "nampo", "--ais-store", tmp_path / "ais", "--json").stdout
    )["rows"]
    assert (rows["read"], rows["kept"], rows["out_of_reach"], rows["quarantined"]) == (5, 2, 2, 1)


def test_several_ports_and_a_port_of_ones_own_are_kept(log: Path, tmp_path: Path) -> None:
    ring = [[9.9, 54.9], [10.1, 54.9], [10.1, 55.1], [9.9, 55.1], [9.9, 54.9]]
    feature = {
        "type": "Feature",
        "properties": {"port": "mine", "zone": "mine/roads", "kind": "anchorage"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    own = tmp_path / "mine.geojson"
    own.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    both = typed(
        "import", log, "--port", "nampo", "--port", "ningbo-zhoushan", "--ais-store", tmp_path / "a", "--json"
    )
    assert json.loads(both.stdout)["rows"]["out_of_reach"] == 1
    three = typed("import", log, "--port", "nampo", "--aoi", own, "--ais-store", tmp_path / "b", "--json")
    assert json.loads(three.stdout)["rows"]["out_of_reach"] == 1
    with pytest.raises(PortError):
        typed("import", log, "--port", "nowhere", "--ais-store", tmp_path / "c")


def test_terms_are_listed_and_what_was_not_said_is_not_assumed(log: Path, tmp_path: Path) -> None:
    store = ("--ais-store", tmp_path / "ais")
    typed(
        "import",
        log,
        *store,
        "--source",
        "mast",
        "--licence",
        "CC0",
        "--no-redistribute",
        "--receiver",
        "terrestrial",
    )
    (row,) = json.loads(typed("sources", *store, "--json").stdout)
    assert (row["source"], row["licence"], row["redistribute"], row["thinning_s"]) == (
        "mast",
        "CC0",
        False,
        None,
    )
    shown = typed("sources", *store).stdout
    assert "mast" in shown
    assert "not said" in shown


@pytest.mark.parametrize("words", [["import"], ["import", "a.nmea", "--listen", "tcp://h:1"]])
def test_files_or_a_feed_must_be_named_and_not_both(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--listen URL"):
        typed(*words, "--ais-store", tmp_path / "ais")
