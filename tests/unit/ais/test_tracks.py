"""One MMSI is split into the hulls that use it, and jumps that no ship can make are taken out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.ais_segments import GOAL, agreement, labelled, simulated
from roadstead.ais import read_ais
from roadstead.ais.tracks import MAX_SPEED_KN, segment
from roadstead.core.geo import distance_m
from tests.unit.ais.messages import SHIP, position, report, reports, write

KNOT = 1852 / 3600
M_LON = 1 / (111_320 * np.cos(np.radians(38.7)))


def sail(
    mmsi: str = str(SHIP),
    lon: float = 125.2,
    lat: float = 38.7,
    knots: float = 10.0,
    every: float = 60,
    n: int = 20,
    start: float = 0.0,
) -> list[dict[str, Any]]:
    """Return reports of a ship that sails east."""
    return [
        report(
            mmsi,
            start + every * i,
            lon=lon + knots * KNOT * every * i * M_LON,
            lat=lat,
            sog_kn=knots,
            cog_deg=90.0,
        )
        for i in range(n)
    ]


def table(*rows: list[dict[str, Any]]) -> pd.DataFrame:
    return reports([row for part in rows for row in part]).astype({"sog_kn": float, "cog_deg": float})


def test_a_ship_alone_on_its_number_is_one_track_in_order_of_time() -> None:
    done = segment(table(sail()[::-1]))
    assert done.positions["segment"].eq(0).all()
    assert done.positions["time"].is_monotonic_increasing
    assert done.jumps.empty


def test_a_report_that_no_ship_can_have_made_is_taken_out() -> None:
    rows = sail()
    rows[9] = {**rows[9], "lon": 126.9}
    done = segment(table(rows))
    assert len(done.positions) == 19
    assert list(done.jumps["lon"]) == [126.9]
    assert done.positions["segment"].eq(0).all()


def test_two_hulls_on_one_number_become_two_tracks() -> None:
    done = segment(table(sail(), sail(lon=121.9, lat=30.0, start=7)))
    by_place = done.positions.groupby(done.positions["lat"] > 35)["segment"].unique()
    assert [list(numbers) for numbers in by_place] == [[1], [0]]
    assert done.jumps.empty


def test_two_hulls_two_miles_apart_that_report_in_turn_are_told_apart() -> None:
    done = segment(table(sail(every=10, n=60), sail(lat=38.733, every=10, n=60, start=5)))
    assert done.positions.groupby("lat")["segment"].nunique().tolist() == [1, 1]
    assert done.positions["segment"].nunique() == 2


def test_hulls_whose_tracks_cross_keep_their_numbers() -> None:
    east = sail(every=20, n=60, lon=125.2)
    north = [
        report(
            str(SHIP), 20 * i + 3, lon=125.23, lat=38.69 + 5.14 * 20 * i / 111_000, sog_kn=10.0, cog_deg=0.0
        )
        for i in range(60)
    ]
    done = segment(table(east, north)).positions
    assert done.groupby("cog_deg")["segment"].nunique().max() == 1


def test_an_honest_gap_is_no_jump() -> None:
    done = segment(table(sail(n=5), sail(n=5, start=6 * 3600, lon=125.2 + 10 * KNOT * 6 * 3600 * M_LON)))
    assert done.jumps.empty
    assert done.positions["segment"].eq(0).all()


def test_numbers_of_other_ships_do_not_mix() -> None:
    done = segment(table(sail(), sail("445222000", lon=121.0, lat=30.0)))
    assert done.positions["segment"].eq(0).all()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 7200), st.floats(120, 130), st.floats(30, 39)),
        min_size=1,
        max_size=40,
        unique_by=lambda t: t[0],
    )
)
def test_no_track_ever_holds_an_impossible_speed(places: list[tuple[int, float, float]]) -> None:
    rows = [report(seconds=s, lon=lon, lat=lat, sog_kn=0.0, cog_deg=0.0) for s, lon, lat in places]
    done = segment(table(rows))
    assert len(done.positions) + len(done.jumps) == len(rows)
    for _, track in done.positions.groupby("segment"):
        assert _worst_knots(track) <= MAX_SPEED_KN


def test_a_read_puts_the_jump_into_the_quarantine_with_its_line(tmp_path: Path) -> None:
    lines = [line for n in range(9) for line in position(60 * n, lon=125.2 + 0.002 * n)]
    lines[4] = position(240, lon=127.0)[0]
    data = read_ais([write(tmp_path / "log.nmea", lines)])
    assert len(data.positions) == 8
    assert data.quarantine[["row", "reason"]].to_numpy().tolist() == [[5, "impossible_speed"]]
    assert "127.0" in data.quarantine["content"][0]


def _worst_knots(track: pd.DataFrame) -> float:
    if len(track) < 2:
        return 0.0
    lonlat = track[["lon", "lat"]].to_numpy(float)
    metres = np.maximum(distance_m(lonlat[:-1], lonlat[1:]) * 0.995 - 300.0, 0.0)
    seconds = track["time"].diff().dt.total_seconds().to_numpy()[1:] + 2.0
    return float((metres / seconds).max() / KNOT)


def _real(path: Path) -> pd.DataFrame:
    rows = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()]).dropna(
        subset=["lon", "lat"]
    )
    time = pd.to_datetime(rows["timestamp"], utc=True, format="ISO8601").astype("datetime64[ns, UTC]")
    made = rows.assign(
        mmsi=rows["ssvid"].astype(str), time=time, sog_kn=rows["speed"], cog_deg=rows["course"]
    )
    return made.astype({"sog_kn": float, "cog_deg": float})


@pytest.mark.shared_data
def test_a_real_shared_number_is_split_into_tracks_that_ships_can_sail(shared_data: Path) -> None:
    done = segment(_real(shared_data / "ais/shared_mmsi/segmented-416000000.json")).positions
    tracks = done.groupby("segment")
    assert 3 <= tracks.ngroups <= 28
    assert max(_worst_knots(track) for _, track in tracks) <= MAX_SPEED_KN
    indian_ocean = done["lon"] < 70
    assert set(done.loc[indian_ocean, "segment"]) & set(done.loc[~indian_ocean, "segment"]) == set()


@pytest.mark.shared_data
def test_a_real_ship_alone_on_its_number_stays_whole(shared_data: Path) -> None:
    done = segment(_real(shared_data / "ais/shared_mmsi/263576000.json"))
    assert done.positions["segment"].eq(0).all()
    assert len(done.jumps) <= 1


@pytest.mark.shared_data
def test_a_real_shared_number_is_split_as_its_labels_say(shared_data: Path) -> None:
    shares = agreement(labelled(shared_data / "ais/shared_mmsi/segmented-416000000.json"), "labels")
    assert [share.n for share in shares[:1]] == [1667]
    for share in shares:
        assert share.interval[0] >= GOAL


def test_simulated_clones_are_told_apart() -> None:
    reports = simulated()
    assert reports.groupby("mmsi")["hull"].nunique().min() >= 2
    for share in agreement(reports, "clones"):
        assert share.n > 1000
        assert share.right / share.n >= 0.99
