"""When AIS units report, and what sources hear of it."""

import numpy as np
import pytest

from roadstead_lab.simulate.ais.received import Received, received
from roadstead_lab.simulate.ais.reception import DROPOUT_S, ear_of, open_spans
from roadstead_lab.simulate.ais.reporting import interval_s, schedule
from roadstead_lab.simulate.scenario.model import AisClass, Outage, Receiver
from roadstead_lab.simulate.traffic.tracks import Track
from tests.unit.lab.simulate.ais.builders import (
    BEGIN,
    HOUR,
    MIDDLE,
    STATION,
    at_anchor,
    calling,
    passing,
    places_xy,
    positions,
    receiver,
    satellite,
    scenario,
    world_of,
)


def heard_on(
    track: Track, ais_class: AisClass = "A", seed: int = 5, days: int = 1, **source: object
) -> Received:
    port = scenario(receiver(**source), ais_class={ais_class: 1.0})
    return received(world_of(port, [track], seed=seed, days=days))["SIM-TEST"]


def gaps(heard: Received) -> np.ndarray:
    return np.diff(positions(heard)["time"].to_numpy())


@pytest.mark.parametrize(
    ("ais_class", "speed_kn", "seconds"),
    [("A", 8.0, 10.0), ("A", 15.0, 6.0), ("A", 24.0, 2.0), ("B", 8.0, 30.0), ("B", 1.5, 180.0)],
)
def test_ships_under_way_report_by_class_and_speed(
    ais_class: AisClass, speed_kn: float, seconds: float
) -> None:
    found = gaps(heard_on(passing(speed_kn), ais_class))
    assert found.mean() == pytest.approx(seconds, rel=0.02)
    assert found.max() <= 1.2 * seconds + 1.0, (
        "a slot lies within 10 % of the interval about its nominal time"
    )
    assert found.min() >= 0.8 * seconds - 1.0


@pytest.mark.parametrize("ais_class", ["A", "B"])
def test_ships_that_lie_still_report_every_three_minutes(ais_class: AisClass) -> None:
    found = gaps(heard_on(at_anchor(), ais_class))
    assert found.mean() == pytest.approx(180.0, rel=0.01)
    assert found.max() <= 217.0


def test_class_a_reports_three_times_as_often_while_she_changes_course() -> None:
    x, y = MIDDLE
    track = passing(10.0, (x - 3_000.0, y), (x, y), (x, y + 3_000.0))
    times = positions(heard_on(track))["time"].to_numpy()
    turn = track.start + (track.end - track.start) / 2
    turning = (times > turn) & (times < turn + 50.0)
    assert turning.sum() == pytest.approx(15, abs=1)
    assert ((times > turn + 60.0) & (times < turn + 160.0)).sum() == pytest.approx(10, abs=1)


def test_a_still_ship_whose_position_leaps_reports_like_a_moving_one() -> None:
    assert interval_s("A", 5.0, still=True) == 10.0, "table 1: at anchor or moored and faster than 3 knots"
    rng = np.random.default_rng(1)
    sent = schedule(at_anchor(), "A", [(BEGIN + HOUR, BEGIN + 2 * HOUR)], rng)
    fast = (sent.start >= BEGIN + HOUR) & (sent.start < BEGIN + 2 * HOUR)
    assert set(sent.every_s[fast]) == {10.0} and set(sent.every_s[~fast]) == {180.0}


@pytest.mark.parametrize(("ais_class", "message"), [("A", 5), ("B", 24)])
def test_static_data_are_sent_every_six_minutes(ais_class: AisClass, message: int) -> None:
    table = heard_on(at_anchor(), ais_class).messages
    times = table.loc[table["message"] == message, "time"].to_numpy()
    assert np.diff(times).mean() == pytest.approx(360.0, rel=0.01)


def test_base_stations_report_every_ten_seconds_with_message_4() -> None:
    table = heard_on(at_anchor()).messages
    assert (table["message"] == 4).sum() == pytest.approx(8_640, abs=2)


def test_a_thinned_source_keeps_one_report_in_each_window() -> None:
    times = positions(heard_on(passing(8.0), thin_s=300))["time"].to_numpy()
    windows = (times - BEGIN) // 300
    assert len(np.unique(windows)) == len(windows)
    assert len(windows) >= (times[-1] - times[0]) // 300


@pytest.mark.parametrize("heard", [0.9, 0.1, 0.02])
def test_thinning_draws_what_thinning_all_reports_would_keep(heard: float) -> None:
    # At 2 % some five-minute windows hear nothing of thirty reports: 0.98^30 = 0.55.
    thin, track = 300, passing(0.3)
    kept, expected = [], []
    for seed in range(3):
        kept.append(positions(heard_on(track, heard=heard, thin_s=thin, seed=seed))["time"].to_numpy())
        every = positions(heard_on(track, heard=heard, seed=seed + 50))["time"].to_numpy()
        _, first = np.unique((every - BEGIN) // thin, return_index=True)
        expected.append(every[first])
    mine, theirs = np.concatenate(kept), np.concatenate(expected)
    assert len(mine) == pytest.approx(len(theirs), rel=0.12)
    assert ((mine - BEGIN) % thin).mean() == pytest.approx(((theirs - BEGIN) % thin).mean(), abs=16.0)


def test_reception_takes_its_share_of_reports() -> None:
    everything, some = (len(positions(heard_on(passing(8.0), heard=share))) for share in (1.0, 0.6))
    assert some / everything == pytest.approx(0.6, abs=0.08)


@pytest.mark.parametrize(("ais_class", "reach_nm"), [("A", 3.0), ("B", 1.5)])
def test_a_ship_is_heard_in_range_alone_and_class_b_half_as_far(ais_class: AisClass, reach_nm: float) -> None:
    xy = places_xy(positions(heard_on(passing(10.0), ais_class, range_nm=3.0)))
    away = np.hypot(*(xy - MIDDLE).T) / 1852.0
    assert away.max() <= reach_nm + 0.03
    assert away.max() >= reach_nm - 0.15, "it is heard up to the edge"


def test_thinned_reports_begin_at_the_edge_of_the_range() -> None:
    xy = places_xy(positions(heard_on(passing(10.0), range_nm=3.0, thin_s=3_600)))
    away = np.hypot(*(xy - MIDDLE).T) / 1852.0
    assert away.max() == pytest.approx(3.0, abs=0.1), "the window's first report is that of coming into range"


def test_an_outage_hears_nothing() -> None:
    heard = heard_on(at_anchor(), outages=(Outage(0, 6.0, 5.5),))
    hours = (heard.messages["time"] - BEGIN) / HOUR
    assert not ((hours >= 6.0) & (hours < 11.5)).any()
    assert ((hours >= 5.9) & (hours < 6.0)).any() and ((hours >= 11.5) & (hours < 11.6)).any()


def test_dropouts_last_as_long_as_declared_on_average() -> None:
    source = receiver(dropouts_per_day=4.0)
    spans = open_spans(world_of(scenario(source), [at_anchor(days=200.0)], days=200), source)
    closed = 1.0 - sum(end - start for start, end in spans) / (200 * 24 * HOUR)
    assert closed == pytest.approx(4.0 * DROPOUT_S / (24 * HOUR), rel=0.15)


def test_a_satellite_hears_in_passes_alone() -> None:
    source = satellite(pass_every_min=95.0, pass_min=12.0)
    world = world_of(scenario(source), [at_anchor()])
    times = received(world)["SIM-SAT"].messages["time"].to_numpy()
    ear = ear_of(world, source)
    lengths = np.diff(ear.open, axis=1)[1:-1, 0]
    assert lengths == pytest.approx(np.full(len(lengths), 720.0))
    assert np.diff(ear.open[:, 0])[1:] == pytest.approx(np.full(len(ear.open) - 2, 5_700.0))
    inside = [((ear.open[:, 0] <= t) & (t < ear.open[:, 1])).any() for t in times]
    assert inside and all(inside)


def test_the_seed_draws_when_passes_come() -> None:
    source = satellite()
    starts = {
        open_spans(world_of(scenario(source), [at_anchor()], seed=seed), source)[1][0] for seed in (1, 2)
    }
    assert len(starts) == 2


def test_message_27_comes_from_class_a_ships_that_no_base_station_reaches() -> None:
    near, far = receiver(range_nm=3.0), satellite(pass_every_min=1.0, pass_min=1.0)
    world = world_of(scenario(near, far), [passing(10.0)])
    table = received(world)["SIM-SAT"].messages
    long_range = table[table["message"] == 27]
    away = np.hypot(*(places_xy(long_range) - MIDDLE).T)
    assert len(long_range) > 5
    assert away.min() >= 3.0 * 1852.0 - 160.0, "a step of message 27 is up to 185 m"
    outside = np.diff(long_range["time"].to_numpy())
    assert np.median(outside) == pytest.approx(180.0, abs=20.0)
    assert 27 not in set(received(world)["SIM-TEST"].messages["message"]), (
        "base stations listen on other channels"
    )


def test_class_b_sends_no_message_27() -> None:
    world = world_of(scenario(satellite(), ais_class={"B": 1.0}), [calling()], days=3)
    assert set(received(world)["SIM-SAT"].messages["message"]) == {18, 24}


def test_two_sources_hear_the_same_report_at_the_same_time_and_place() -> None:
    other = Receiver("SIM-OTHER", stations=(STATION,), station_mid=445, heard=0.5)
    heard = received(world_of(scenario(receiver(), other), [calling()], days=3))
    names = ["time", "lon", "lat", "sog_kn"]
    all_of, some = (positions(heard[name])[names] for name in ("SIM-TEST", "SIM-OTHER"))
    merged = some.merge(all_of, on=names)
    assert len(merged) == len(some) > 100


def test_a_satellite_that_hears_none_gives_an_empty_table() -> None:
    world = world_of(scenario(satellite(heard=0.0)), [at_anchor()])
    assert len(received(world)["SIM-SAT"]) == 0
