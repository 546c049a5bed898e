"""Events are found where the made-up truth has them, with their evidence, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, box
from typer.testing import CliRunner

from roadstead.ais import AisData
from roadstead.ais.data import SIMULATED_SOURCE
from roadstead.ais.events import ALSO, events
from roadstead.ais.static_history import history
from roadstead.apps.cli.main import app
from roadstead.core.ports import Port, Zone
from roadstead.core.schemas import EVENTS, checked
from roadstead.workflows.events import features_of
from tests.unit.ais.messages import GOOD_IMO, SHIP, at, nmea, position, report, reports, voyage, write

HOUR = 3600.0
M_LAT = 1 / 111_200
M_LON = 1 / (111_320 * np.cos(np.radians(38.7)))
BERTH, ROADS, CHANNEL = (
    (125.40, 38.70, 125.42, 38.71),
    (125.30, 38.60, 125.34, 38.64),
    (125.0, 38.5, 125.1, 38.9),
)
PORT = Port(
    "mine",
    tuple(
        Zone(f"mine/{name}", kind, MultiPolygon([box(*bounds)]))  # type: ignore[arg-type]
        for name, kind, bounds in (
            ("quay", "berth", BERTH),
            ("roads", "anchorage", ROADS),
            ("channel", "fairway", CHANNEL),
        )
    ),
)
SEA = (125.6, 38.4)
"""Outside every zone."""
Leg = tuple[float, tuple[float, float], float]
"""Hours, place at its end, knots reported."""


def sail(
    mmsi: str, start: tuple[float, float], *legs: Leg, every: float = 300.0, begin: float = 0.0
) -> list[Any]:
    """Return reports of a hull that goes from place to place."""
    rows, here, now = [], start, begin
    for hours, there, knots in legs:
        steps = max(round(hours * HOUR / every), 1)
        for n in range(steps):
            lon, lat = (a + (b - a) * n / steps for a, b in zip(here, there, strict=True))
            rows.append(report(mmsi, now + n * every, lon=lon, lat=lat, sog_kn=knots, source="SIM-T"))
        here, now = there, now + steps * every
    return [*rows, report(mmsi, now, lon=here[0], lat=here[1], sog_kn=0.1, source="SIM-T")]


def crowd(hours: float = 40.0, ships: int = 8) -> list[Any]:
    """Return ships at quay all the time: they show that someone listens."""
    place = (125.41, 38.705)
    return [
        row for n in range(ships) for row in sail(f"44522200{n}", place, (hours, place, 0.0), every=900.0)
    ]


def found(*tracks: list[Any], vessels: pd.DataFrame | None = None) -> pd.DataFrame:
    table = reports([row for rows in tracks for row in rows]).assign(segment=0)
    data = AisData(positions=table) if vessels is None else AisData(positions=table, vessels=vessels)
    return checked(events(data, PORT), EVENTS, "events")


def of(kind: str, table: pd.DataFrame, mmsi: str = str(SHIP)) -> list[dict[str, Any]]:
    rows = table[(table["kind"] == kind) & (table["mmsi"] == mmsi)].to_dict("records")
    return [{**row, "evidence": json.loads(row["evidence"])} for row in rows]


def test_a_call_at_the_quay_is_one_port_visit_with_its_hours() -> None:
    quay = (125.41, 38.705)
    calls = sail(str(SHIP), SEA, (3, quay, 9.0), (10, quay, 0.0), (3, SEA, 9.0))
    (visit,) = of("port_visit", found(calls))
    assert visit["zone"] == "mine/quay"
    assert visit["evidence"]["hours_still"] == pytest.approx(10, abs=0.3)
    assert (visit["evidence"]["arrival_seen"], visit["evidence"]["departure_seen"]) == (True, True)
    assert abs((visit["start"] - at(3 * HOUR)).total_seconds()) < 900
    assert abs((visit["end"] - at(13 * HOUR)).total_seconds()) < 900


def test_a_hull_moored_across_a_zones_edge_makes_one_visit() -> None:
    edge = (BERTH[2], 38.705)
    rows = sail(str(SHIP), SEA, (3, edge, 9.0), (10, edge, 0.0), (3, SEA, 9.0))
    shaken = [{**row, "lon": row["lon"] + (40 if n % 2 else -40) * M_LON} for n, row in enumerate(rows)]
    assert len(of("port_visit", found(shaken))) == 1


def test_passing_through_a_zone_or_stopping_in_the_fairway_is_no_visit() -> None:
    through = sail(str(SHIP), (125.28, 38.62), (1, (125.36, 38.62), 6.0))
    channel = sail(str(SHIP + 1), (125.05, 38.7), (5, (125.05, 38.7), 0.0))
    assert not (found(through, channel)["kind"] == "port_visit").any()


def silent(hours: float, at_place: tuple[float, float] = (125.45, 38.72)) -> list[Any]:
    """Return a ship at sea near the quay that is silent for some hours."""
    first = sail(str(SHIP), at_place, (2, at_place, 5.0))
    later = sail(str(SHIP), at_place, (2, at_place, 5.0), begin=(2 + hours) * HOUR)
    return first + later


def test_a_gap_is_told_where_others_were_heard_at_both_ends() -> None:
    (gap,) = of("gap", found(silent(9), crowd()))
    assert gap["evidence"]["hours"] == pytest.approx(9, abs=0.2)
    assert gap["evidence"]["others_heard_at_start"] == gap["evidence"]["others_heard_at_end"] == 8
    assert "loses reports" in gap["could_also_be"]


@pytest.mark.parametrize(
    "others",
    [[], crowd(ships=3), crowd(hours=3.0), [{**row, "lon": row["lon"] + 3.0} for row in crowd()]],
    ids=["nobody", "too few", "not at its end", "elsewhere"],
)
def test_silence_where_nobody_else_was_heard_is_no_event(others: list[Any]) -> None:
    assert of("gap", found(silent(9), others)) == []


def test_short_silence_and_the_rhythm_of_a_thinned_source_are_no_gaps() -> None:
    assert of("gap", found(silent(4), crowd())) == []
    thinned = sail(str(SHIP), (125.45, 38.72), (48, (125.45, 38.72), 5.0), every=7 * HOUR)
    assert of("gap", found(thinned, crowd(60.0))) == []


def test_lying_still_at_sea_is_loitering_and_at_anchor_in_the_roads_is_not() -> None:
    drifts = sail(str(SHIP), (125.9, 38.4), (2, SEA, 8.0), (5, SEA, 0.5), (2, (125.9, 38.4), 8.0))
    anchored = sail(str(SHIP + 1), (125.32, 38.62), (6, (125.32, 38.62), 0.1))
    table = found(drifts, anchored)
    (loiters,) = of("loitering", table)
    assert loiters["evidence"]["hours"] == pytest.approx(5, abs=0.3)
    assert of("loitering", table, str(SHIP + 1)) == []
    assert of("port_visit", table, str(SHIP + 1))[0]["zone"] == "mine/roads"


def beside(metres: float, hours: float = 4.0, place: tuple[float, float] = SEA) -> list[list[Any]]:
    other = place[0] + metres * M_LON, place[1]
    return [
        sail(
            str(SHIP),
            (place[0] + 0.3, place[1]),
            (2, place, 8.0),
            (hours, place, 0.4),
            (2, (126.0, 38.4), 8.0),
        ),
        sail(
            str(SHIP + 1),
            (place[0], place[1] + 0.3),
            (2, other, 8.0),
            (hours, other, 0.4),
            (2, (125.6, 38.1), 8.0),
        ),
    ]


def test_two_ships_side_by_side_at_sea_are_one_encounter() -> None:
    (met,) = of("encounter", found(*beside(60.0)))
    assert met["other_mmsi"] == str(SHIP + 1)
    assert met["evidence"]["hours"] == pytest.approx(4, abs=0.5)
    assert met["evidence"]["median_metres"] == pytest.approx(60, abs=10)
    assert "towing" in met["could_also_be"]


@pytest.mark.parametrize(
    "tracks",
    [beside(900.0), beside(60.0, hours=1.0), beside(60.0, place=(125.32, 38.62))],
    ids=["too far", "too short", "in the roads"],
)
def test_ships_apart_or_shortly_or_in_an_anchorage_do_not_meet(tracks: list[list[Any]]) -> None:
    assert not (found(*tracks)["kind"] == "encounter").any()


def static(*rows: tuple[str, float, dict[str, Any]]) -> pd.DataFrame:
    blank = dict.fromkeys(("imo", "name", "callsign", "ship_type", "to_bow_m", "to_stern_m", "to_port_m"))
    blank |= dict.fromkeys(("to_starboard_m", "length_m", "beam_m", "draught_m", "destination"))
    made = [{"mmsi": mmsi, "time": at(time), "source": "t", **blank, **said} for mmsi, time, said in rows]
    return history(pd.DataFrame(made))


def test_a_new_name_is_an_identity_change_and_a_new_spelling_or_destination_is_none() -> None:
    said = static(
        (str(SHIP), 0, {"name": "GREY HERON", "destination": "NAMPO", "length_m": 150.0}),
        (str(SHIP), 100, {"name": "M/V GREY-HERON", "destination": "DALIAN", "length_m": 152.0}),
        (str(SHIP), 200, {"name": "BLUE FINCH", "length_m": 90.0}),
    )
    changes = of("identity_change", found(sail(str(SHIP), SEA, (1, SEA, 0.0)), vessels=said))
    told = {
        change["evidence"]["field"]: (change["evidence"]["before"], change["evidence"]["after"])
        for change in changes
    }
    assert told == {"name": ("M/V GREY-HERON", "BLUE FINCH"), "length_m": (152.0, 90.0)}
    assert {change["start"] for change in changes} == {at(200)}


def test_an_imo_number_that_moves_to_another_mmsi_is_an_identity_change() -> None:
    said = static((str(SHIP), 0, {"imo": GOOD_IMO}), (str(SHIP + 1), 100, {"imo": GOOD_IMO}))
    table = found(sail(str(SHIP), SEA, (1, SEA, 0.0)), sail(str(SHIP + 1), SEA, (1, SEA, 0.0)), vessels=said)
    (change,) = of("identity_change", table, str(SHIP + 1))
    assert (change["other_mmsi"], change["evidence"]["imo"]) == (str(SHIP), GOOD_IMO)


def test_no_ais_no_events_and_snapshots_tell_none() -> None:
    assert events(AisData(), PORT).empty
    table = reports(sail(str(SHIP), (125.41, 38.705), (5, (125.41, 38.705), 0.0))).assign(segment=0)
    times = frozenset(time.to_pydatetime() for time in table["time"])
    assert events(AisData(positions=table, snapshot_times=times), PORT).empty


def test_every_event_says_what_else_it_could_be_and_accuses_nobody() -> None:
    table = found(*beside(60.0), silent(9), crowd())
    assert set(table["could_also_be"]) <= set(ALSO.values())
    told = table.to_csv().lower()
    for word in ("illegal", "smuggling", "violation", "dark ship"):
        assert word not in told
    assert table["simulated"].all()


def test_events_are_the_same_again_and_their_ids_are_stable() -> None:
    tracks = [*beside(60.0), crowd()]
    pd.testing.assert_frame_equal(found(*tracks), found(*tracks))


def test_the_geojson_is_rfc_7946(tmp_path: Path) -> None:
    document = json.loads(json.dumps(features_of(found(*beside(60.0)), "mine")))
    assert (document["type"], document["roadstead"]["simulated"]) == ("FeatureCollection", True)
    assert "crs" not in document
    for feature in document["features"]:
        lon, lat = feature["geometry"]["coordinates"]
        assert (125 < lon < 127, 38 < lat < 39) == (True, True)
        assert feature["id"] == feature["properties"]["event_id"]


def test_the_command_writes_events_of_a_port(tmp_path: Path) -> None:
    lines = [line for n in range(60) for line in position(n * 120, lon=125.40, lat=38.727, speed=0, status=5)]
    lines += [
        *voyage(10),
        *voyage(5000, shipname="BLUE FINCH"),
        *nmea(5, type=4, mmsi="004451234", lon=125.1, lat=38.6),
    ]
    log, made = write(tmp_path / "a.nmea", lines), tmp_path / "events.geojson"
    call = ["ais", "events", "nampo", "--ais", str(log), "-o", str(made), "--json"]
    done = CliRunner().invoke(app, call, catch_exceptions=False)
    assert json.loads(done.stdout)["events"]["identity_change"] == 1
    assert len(json.loads(made.read_text())["features"]) == sum(json.loads(done.stdout)["events"].values())


def test_simulated_calls_at_berths_are_found_with_their_times() -> None:
    """Of honest simulated ships that are heard for 3 hours or more while they lie at a berth or at anchor."""
    from roadstead_lab.simulate.ais.received import POSITION_MESSAGES, received
    from roadstead_lab.simulate.scenario.file import load_scenario
    from roadstead_lab.simulate.traffic.sea import simulate_sea
    from roadstead_lab.simulate.traffic.tracks import Stay

    loaded = load_scenario("fortnight")
    world, port = simulate_sea(loaded.scenario, loaded.ports, 0).worlds[0], loaded.ports[0]
    source = max(received(world).values(), key=len)
    rows = source.messages[source.messages["message"].isin(POSITION_MESSAGES)]
    honest = {s.vessel.vessel_id: s for s in world.sailings if s.vessel.behaviour == "honest"}
    sender = pd.Series([source.senders[n] for n in rows["sender"]], index=rows.index)
    rows = rows.assign(sender=sender)[sender.isin(honest).to_numpy()]
    number = {name: f"{445_000_000 + n}" for n, name in enumerate(sorted(honest))}
    table = pd.DataFrame(
        {
            "mmsi": rows["sender"].map(number).astype(object),
            "time": pd.to_datetime(rows["time"], unit="s", utc=True).astype("datetime64[ns, UTC]"),
            **{name: rows[name].astype(float) for name in ("lon", "lat", "sog_kn", "cog_deg", "heading_deg")},
            "nav_status": None,
            "ais_class": "A",
            "source": SIMULATED_SOURCE + "X",
            "segment": 0,
        }
    ).reset_index(drop=True)
    visits = events(AisData(positions=table), port)
    visits = visits[visits["kind"] == "port_visit"]
    asked = right = 0
    for name, sailing in honest.items():
        mine, heard = visits[visits["mmsi"] == number[name]], table.loc[table["mmsi"] == number[name], "time"]
        for stay in (leg for leg in sailing.track.parts if isinstance(leg, Stay)):
            begin, end = (pd.Timestamp(time, unit="s", tz="UTC") for time in (stay.start, stay.end))
            inside = heard[heard.between(begin, end)]
            if len(inside) < 20 or inside.max() - inside.min() < pd.Timedelta(hours=3):
                continue
            asked += 1
            found_it = (mine["start"] <= inside.min()) & (mine["end"] >= inside.max())
            right += bool(found_it.any())
    assert asked >= 8
    assert right / asked >= 0.9


def test_the_events_of_one_vessel_are_those_of_all_that_name_it() -> None:
    other = str(SHIP + 1)
    tracks = [*beside(60.0), silent(9.0), sail(other, (125.0, 38.5), (12.0, (125.0, 38.5), 0.1)), crowd()]
    table = reports([row for rows in tracks for row in rows]).assign(segment=0)
    table = table.drop_duplicates(["mmsi", "time"]).sort_values(["mmsi", "time"], ignore_index=True)
    said = static((str(SHIP), 0.0, {"name": "ONE"}), (str(SHIP), 5.0, {"name": "OTHER"}))
    data = AisData(positions=table, vessels=said)
    every = events(data, PORT)
    assert len(set(every["kind"])) >= 3
    for mmsi in set(table["mmsi"]):
        named = every[(every["mmsi"] == mmsi) | (every["other_mmsi"] == mmsi)].reset_index(drop=True)
        alone = events(data, PORT, mmsi)
        alone = alone[(alone["mmsi"] == mmsi) | (alone["other_mmsi"] == mmsi)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, named)
