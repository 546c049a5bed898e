"""The cue list: each lead once, with a place, a time window and a range of lengths."""

from __future__ import annotations

import csv
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from roadstead.publish import Filters, chosen
from roadstead.publish.formats.cues import COLUMNS, CUE_HOURS, cue_table, write_cues
from roadstead.publish.wording import check_words
from tests.unit.builders import ACQUIRED
from tests.unit.publish import builders as e
from tests.unit.publish.roundtrip import assert_same


def test_each_lead_is_one_cue_and_nothing_else_is() -> None:
    table = cue_table(e.port_report())
    assert set(table["kind"]) == {"no_ais_partner", "conflict", "unseen"}
    assert "no_coverage" not in set(table["kind"])
    assert list(table["rank"]) == [1, 2, 3]
    assert table["probability"].is_monotonic_decreasing
    assert list(table.columns) == [*COLUMNS, "geometry"]


def test_a_probability_allows_for_its_being_no_vessel() -> None:
    table = cue_table(e.port_report()).set_index("cue_id")
    assert table.loc["d0", "probability"] == pytest.approx(0.71 * 0.9)


def test_the_window_lies_about_the_overpass() -> None:
    cue = cue_table(e.port_report()).set_index("cue_id").loc["d0"]
    assert cue["window_to"] - cue["window_from"] == pd.Timedelta(hours=2 * CUE_HOURS)
    assert cue["window_from"] + pd.Timedelta(hours=CUE_HOURS) == pd.Timestamp(ACQUIRED)


def test_the_length_is_what_was_seen_or_else_what_was_declared() -> None:
    table = cue_table(e.port_report()).set_index("kind")
    seen, told = table.loc["no_ais_partner"], table.loc["unseen"]
    assert (seen["length_low_m"], seen["length_high_m"], seen["length_from"]) == (140.0, 160.0, "image")
    assert (told["length_low_m"], told["length_high_m"]) == (pytest.approx(135.0), pytest.approx(165.0))
    assert told["length_from"] == "declared"
    silent = cue_table(e.port_report(vessels=e.port_report().vessels[:0])).set_index("kind").loc["unseen"]
    assert pd.isna(silent["length_low_m"])


def test_a_cue_list_comes_back_as_csv_and_geojson(tmp_path: Path) -> None:
    report = e.port_report()
    text, places = write_cues(tmp_path, report)
    with text.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["cue_id"] for row in rows] == list(cue_table(report)["cue_id"])
    assert rows[0]["simulated"] == "true"
    assert_same(gpd.read_file(places), cue_table(report))
    check_words(text.read_text() + places.read_text())


def test_filters_hold_for_cues_and_no_lead_is_an_empty_list(tmp_path: Path) -> None:
    left = chosen(e.port_report(), Filters(statuses=("unseen",)))
    assert list(cue_table(left)["kind"]) == ["unseen"]
    none = chosen(e.port_report(), Filters(statuses=("no_coverage",)))
    text, places = write_cues(tmp_path, none)
    assert text.read_text().count("\n") == 1
    assert len(gpd.read_file(places)) == 0
