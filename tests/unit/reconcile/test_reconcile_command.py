"""What `roadstead reconcile` says of an overpass whose AIS or image is off."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.core.detections_file import write_detections
from roadstead.core.settings import settings
from roadstead.detection import load_model
from tests.unit.builders import detections, header
from tests.unit.reconcile.test_alignment import hulls, spots, stamped_later, under_way


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """Write hulls of eight ships under way and their AIS, stamped five minutes late; return them and the output."""
    places = spots(8)
    model = load_model(settings().model_id)
    name = tmp_path / "detections.geojson"
    seen = header()
    write_detections(
        name, detections(hulls(places, moves=True)), type(seen)(seen.scenes, model.model_id, 0.4)
    )
    said = stamped_later(under_way(places), 300.0).positions
    with (tmp_path / "ais.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        columns = "mmsi time lon lat sog_kn cog_deg heading_deg".split()
        rows.writerow(columns)
        rows.writerows([row[c] for c in columns] for row in said.to_dict("records"))
    return str(name), str(tmp_path / "ais.csv"), str(tmp_path / "matches.geojson")


def test_the_command_names_the_offset_and_leaves_no_lead(files: tuple[str, str, str]) -> None:
    found, said, output = files
    done = CliRunner().invoke(app, ["reconcile", found, "--ais", said, "-o", output, "--json"])
    assert done.exit_code == 0, done.output
    assert "AIS reports fit best 5 min later than the image's time" in " ".join(done.stderr.split())
    document = json.loads(done.stdout)
    (words,) = document["doubts"].values()
    assert "5 min later" in words and set(document["statuses"]) <= {"no_coverage", "not_visible"}
    (fits,) = document["fits"].values()
    assert fits["offset_s"] == pytest.approx(300.0, abs=40.0)
    rows = json.loads(Path(output).read_text())["features"]
    assert {row["properties"]["reasons"] for row in rows} == {"time_offset_suspected"}
