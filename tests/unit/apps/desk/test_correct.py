"""Corrections of geometry, class and partner, and what they lead to."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import text

from roadstead.apps.desk.box_form import drawn_box
from roadstead.apps.desk.picture_frames import ChipFrame, chip_frame
from roadstead.core.errors import UsageError
from roadstead.core.geo import destination_lonlat
from roadstead.core.oriented_boxes import measured
from roadstead.store import Decisions, Store, Verdict
from roadstead.workflows.labels import label_features
from tests.unit.apps.desk import builders as r
from tests.unit.publish import builders as e
from tests.unit.store import builders as b


def boxes(page: str) -> list[dict[str, Any]]:
    """Return what the drawing's field of a page holds."""
    found: list[dict[str, Any]] = json.loads(
        html.unescape(re.findall(r'name="boxes" value="([^"]*)"', page)[0])
    )
    return found


def moved(page: str, right: float = 0.0, down: float = 0.0) -> str:
    """Return the box of a page moved by pixels, as the drawing writes it."""
    (one,) = boxes(page)
    return json.dumps([{"box": [[x + right, y + down] for x, y in one["box"]], "class": "barge"}])


def frame_of(ana: r.Browser, finding: str = "d0") -> ChipFrame:
    row = ana.desk.leads.one("nampo", finding)
    assert row is not None
    chip = ana.desk.leads.chip("nampo", b.OVERPASS_ID, finding)
    assert chip is not None
    return chip_frame(chip, row, ana.desk.ports.get("nampo"))


@pytest.mark.parametrize("known", [True, False])
def test_pixels_and_degrees_are_the_same_places_both_ways(ana: r.Browser, known: bool) -> None:
    row = ana.desk.leads.one("nampo", "d0")
    assert row is not None
    chip = ana.desk.leads.chip("nampo", b.OVERPASS_ID, "d0") or b""
    frame = chip_frame(chip, row, e.port() if known else None)
    pixels = np.array([[0.0, 0.0], [64.0, 64.0], [12.25, 40.5]])
    assert frame.pixels(frame.lonlat(pixels)) == pytest.approx(pixels, abs=1e-6)
    assert frame.pixels(np.array([[row["hull_lon"], row["hull_lat"]]])) == pytest.approx(32.5, abs=0.51)


def test_the_measures_of_a_box_are_those_it_was_made_with() -> None:
    centre = np.array([[122.1, 30.0]])
    ends = [destination_lonlat(centre, np.array([bearing]), np.array([75.0])) for bearing in (40.0, 220.0)]
    ring = [
        destination_lonlat(end, np.array([bearing]), np.array([12.0]))[0].tolist()
        for end, bearing in ((ends[0], 130.0), (ends[0], 310.0), (ends[1], 310.0), (ends[1], 130.0))
    ]
    box = measured(ring)
    assert box.length_m == pytest.approx(150, rel=1e-3)  # UTM stretches by up to 0.1 %
    assert box.beam_m == pytest.approx(24, rel=1e-3)
    assert box.axis_deg == pytest.approx(40, abs=0.1)
    assert (box.lon, box.lat) == pytest.approx((122.1, 30.0), abs=1e-6)


def test_a_box_drawn_anew_is_stored_in_degrees_and_shown_beside_the_old_one(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    before = np.array(boxes(page)[0]["box"])
    assert ana.decide("d0", kind="corrected", boxes=moved(page, 3, -2)).status_code == 303
    (row,) = ana.desk.decisions.standing()
    assert row.box is not None
    assert frame_of(ana).pixels(np.array(row.box[:4])) == pytest.approx(before + np.array([3, -2]), abs=0.02)
    assert row.hull_class is None
    raw = ana.get("/finding/nampo/d0").text
    page = html.unescape(raw)
    size = r"(\d+) × (\d+) m, axis (\d+)°"
    told = re.findall(f"Box as found → as drawn: {size} → {size}, middle moved 36 m", page)
    assert told[0][:3] == told[0][3:] == ("348", "67", "90")
    assert 'class="drawn"' in page
    assert "blue: as drawn by ana" in page
    assert np.array(boxes(raw)[0]["box"]) == pytest.approx(before + np.array([3, -2]), abs=0.02), (
        "the next starts there"
    )
    assert Decisions(ana.desk.store).verify().faults == ()


def test_a_box_left_as_it_is_changes_nothing(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    assert ana.decide("d0", kind="corrected", boxes=moved(page)).status_code == 400
    ana.decide("d0", kind="corrected", boxes=moved(page), hull_class="barge")
    assert ana.desk.decisions.standing()[0].geometry is None
    assert ana.decide("d0", kind="accepted", boxes=moved(page, 2)).status_code == 303, (
        "only 'Correct' sends it"
    )
    assert ana.desk.decisions.standing()[0].geometry is None


def test_a_later_correction_of_the_class_keeps_the_box_that_was_drawn(ana: r.Browser) -> None:
    ana.decide("d0", kind="corrected", boxes=moved(ana.get("/finding/nampo/d0").text, 3))
    first = ana.desk.decisions.standing()[0].geometry
    ana.decide("d0", kind="corrected", hull_class="barge", boxes=moved(ana.get("/finding/nampo/d0").text))
    row = ana.desk.decisions.standing()[0]
    assert (row.geometry, row.hull_class) == (first, "barge")
    ana.undo(2)
    ana.undo(1)
    assert ana.desk.decisions.standing() == ()
    assert [one.geometry is None for one in ana.desk.decisions.newest(9)] == [True, True, False, False]


LINE = [[1, 1], [2, 2], [3, 3], [4, 4]]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("nonsense", "cannot be read"),
        ("{}", "cannot be read"),
        ("[1]", "cannot be read"),
        ('[{"box": [[1, 2], [3, 4]]}]', "cannot be read"),
        ('[{"box": [[NaN, 1], [2, 1], [2, 2], [1, 2]]}]', "cannot be read"),
        ('[{"box": [[1e999, 1], [2, 1], [2, 2], [1, 2]]}]', "cannot be read"),
        ('[{"box": [["<script>", 1], [2, 1], [2, 2], [1, 2]]}]', "cannot be read"),
        ("[" * 5000, "cannot be read"),
        (json.dumps([{"box": [[1, 1], [9, 1], [9, 3], [1, 3]]}] * 2), "cannot be read"),
        (json.dumps([{"box": [[-1, 1], [9, 1], [9, 3], [-1, 3]]}]), "reaches out of the picture"),
        (json.dumps([{"box": [[1, 1], [65, 1], [65, 3], [1, 3]]}]), "reaches out of the picture"),
        (json.dumps([{"box": LINE}]), "no rectangle"),
        (json.dumps([{"box": [[1, 1], [9, 9], [9, 1], [1, 9]]}]), "no rectangle"),
        (json.dumps([{"box": [[1, 1], [20, 1], [10, 5], [1, 5]]}]), "no rectangle"),
        (json.dumps([{"box": [[1, 1], [1.5, 1], [1.5, 1.4], [1, 1.4]]}]), "5 m long: 10 to 450 m"),
        (json.dumps([{"box": [[1, 1], [60, 1], [60, 4], [1, 4]]}]), "590 m long: 10 to 450 m"),
        (json.dumps([{"box": [[1, 1], [21, 1], [21, 21], [1, 21]]}]), "wide"),
    ],
)
def test_a_box_that_cannot_be_is_refused_and_nothing_is_written(
    ana: r.Browser, field: str, words: str
) -> None:
    answer = ana.decide("d0", kind="corrected", boxes=field)
    assert answer.status_code == 400
    assert words in answer.text
    assert "<script>" not in answer.text
    assert ana.desk.decisions.newest(1) == ()


def test_of_what_was_not_seen_no_box_is_drawn(ana: r.Browser) -> None:
    for changes in (
        {"geometry": "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"},
        {"hull_class": "barge", "geometry": "POINT (1 1)"},
    ):
        with pytest.raises(UsageError):
            Verdict("corrected", "nampo", "o", "f", {"hull": None}, True, **changes)
    with pytest.raises(UsageError, match="nothing was seen"):
        Verdict("rejected", "nampo", "o", "f", {"hull": None}, True, because="fixed_structure")
    with pytest.raises(UsageError, match="makes it a correction"):
        Verdict(
            "accepted", "nampo", "o", "f", {"hull": {}}, True, geometry="POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"
        )
    with pytest.raises(UsageError, match="on the earth"):
        Verdict(
            "corrected",
            "nampo",
            "o",
            "f",
            {"hull": {}},
            True,
            geometry="POLYGON ((0 0, 0 91, 1 91, 1 0, 0 0))",
        )


def test_a_correction_that_somebody_tampered_with_is_found(ana: r.Browser, store: Store) -> None:
    ana.decide("d0", kind="corrected", boxes=moved(ana.get("/finding/nampo/d0").text, 3))
    with store.transaction(writes=True) as connection:
        connection.execute(text("DROP TRIGGER decisions_no_update"))
        connection.execute(text("UPDATE decisions SET geometry = NULL"))
    assert len(Decisions(store).verify().faults) == 1


def test_the_label_of_a_corrected_hull_has_the_box_that_was_drawn(ana: r.Browser) -> None:
    ana.decide(
        "d0", kind="corrected", boxes=moved(ana.get("/finding/nampo/d0").text, 3, -2), hull_class="barge"
    )
    ana.decide("d3", kind="accepted")
    ana.decide("d4", kind="rejected:fixed_structure", note="a crane")
    features = label_features(ana.desk.decisions.standing(), {"nampo": e.port()})["S2A_TEST"]
    drawn, found, crane = (one["properties"] for one in features[1:])
    row = ana.desk.decisions.of("nampo", "d0")[-1]
    assert features[1]["geometry"]["coordinates"][0] == row.box
    assert (drawn["use"], drawn["class"], drawn["box_by"]) == ("yes", "barge", "analyst")
    assert (drawn["length_m"], drawn["width_m"]) == (pytest.approx(348, abs=1), pytest.approx(67, abs=1))
    grid = e.port().grid()
    frame = frame_of(ana)
    corner = np.array([frame.corner]) - [grid.transform.c, grid.transform.f]
    offset = corner / [grid.transform.a, grid.transform.e]
    expected = frame.pixels(np.array(row.box[:4])) + offset  # type: ignore[index]
    assert np.array(drawn["polygon_px"]) == pytest.approx(expected, abs=0.02)
    assert (found["use"], found["box_by"], found["length_m"]) == ("yes", "model", 150.0)
    assert (crane["use"], crane["class"]) == ("no", None)
    assert crane["note"] == "a fixed structure, no vessel; a crane"


def test_a_partner_is_chosen_from_the_vessels_heard_nearby(ana: r.Browser, store: Store) -> None:
    positions = e.port_report().positions
    lead = ana.desk.leads.one("nampo", "d0")
    assert lead is not None
    place = lead["geometry"]
    near = positions.iloc[[0]].assign(mmsi="413000009", lon=place.x + 0.01, lat=place.y)
    far = positions.iloc[[0]].assign(mmsi="413000010", lon=125.5, lat=38.8)
    heard = pd.concat([positions, near, far], ignore_index=True)
    static = b.vessels()
    r.fill(
        store,
        positions=heard,
        vessels=pd.concat(
            [static, static.iloc[[0]].assign(mmsi="413000009", name="<b>NEAR</b>")], ignore_index=True
        ),
    )
    page = ana.get("/finding/nampo/d0").text
    options = re.findall(r'<option value="(\d{9})">([^<]*)</option>', page)
    assert "413000010" not in dict(options)
    assert re.fullmatch(r"413000009 &lt;b&gt;NEAR&lt;/b&gt;, heard 8\d\d m away", dict(options)["413000009"])
    ana.decide("d0", kind="corrected", linked_known="413000009")
    assert ana.desk.decisions.standing()[0].linked_mmsi == "413000009"
    ana.decide("d3", kind="corrected", linked_known="413000009", linked_mmsi="413000010")
    assert ana.desk.decisions.standing()[1].linked_mmsi == "413000010", "what is typed is meant"
    assert ana.decide("d4", kind="corrected", linked_known="<script>").status_code == 400
    assert "<b>NEAR" not in page


def test_a_finding_matched_to_a_vessel_offers_it_first(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d1").text
    options = re.findall(r'<option value="(\d{9})">([^<]*)</option>', page)
    assert options[0][0] == "412000001"
    assert options[0][1].endswith("candidate")


def test_a_fixed_structure_is_no_vessel_and_says_what_follows(ana: r.Browser) -> None:
    ana.decide("d0", kind="rejected:fixed_structure")
    page = html.unescape(ana.get("/finding/nampo/d0").text)
    assert "a fixed structure, no vessel" in page
    assert "Later overpasses of Nampo leave out what looks the same here, under ana's name" in page
    assert "0 % [0–79 %]" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", ana.get("/precision").text))


def test_drawn_box_refuses_every_corner_outside(ana: r.Browser) -> None:
    frame = frame_of(ana)
    inside = [[1.0, 1.0], [21.0, 1.0], [21.0, 4.0], [1.0, 4.0]]
    wkt = drawn_box(json.dumps([{"box": inside}]), frame, [])
    assert wkt is not None
    assert shapely.from_wkt(wkt).is_valid
