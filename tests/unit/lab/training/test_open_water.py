"""False alarms per area of open water, simulated and real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.simulate.chance import generator
from roadstead_lab.training import open_water as module
from roadstead_lab.training.figures import poisson_95, score_scene
from roadstead_lab.training.open_water import on_sea, open_sea, open_water, rates, real_open_water
from roadstead_lab.training.places import read_labels
from roadstead_lab.training.simulated_sea import CONDITIONS, empty_sea
from tests.unit.detection.worlds import lamps
from tests.unit.lab.training.test_scoring import seen, ship


def test_the_rate_rises_with_alarms_and_only_long_ones_count_from_45_m_on() -> None:
    found = rates([30.0, 60.0, 45.0], 200.0)
    assert (found["n_alarms"], found["per_100_km2"]) == (3, 1.5)
    assert (found["n_alarms_45m"], found["per_100_km2_45m"]) == (2, 1.0)
    assert rates([], 200.0)["per_100_km2"] == 0.0


def test_no_alarm_is_no_proof_of_none() -> None:
    # -ln(0.025) is the largest mean of which none in one unit is likelier than one in forty.
    assert poisson_95(0, 1.0) == [0.0, pytest.approx(-np.log(0.025), abs=1e-4)]
    assert poisson_95(10, 2.0) == [pytest.approx(2.3977, abs=1e-3), pytest.approx(9.1952, abs=1e-3)]
    assert poisson_95(3, 0.0) is None
    assert rates([], 0.0)["per_100_km2"] is None


def harbour() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rgb, valid and nir of water with land in the first 20 columns and a bright float in row 60, column 90."""
    rgb = np.full((120, 160, 3), (10, 20, 25), np.uint8)
    nir = np.full((120, 160), 0.01, np.float32)
    rgb[:, :20], nir[:, :20] = 120, 0.3
    rgb[60:62, 90:93], nir[60:62, 90:93] = 160, 0.3
    return rgb, np.ones((120, 160), bool), nir


def test_open_sea_keeps_300_m_off_land_and_labels_but_not_off_what_is_small_and_bright() -> None:
    rgb, valid, nir = harbour()
    sea = open_sea("gdynia", rgb, valid, nir, (ship(140.5, 20.5, length=2, width=2),))
    assert not sea[:, :49].any()
    assert sea[100, 51]
    assert sea[60, 90]
    assert not sea[20, 120]
    assert sea[20, 90]


def test_no_data_is_no_sea() -> None:
    rgb, valid, nir = harbour()
    valid[:, 100:] = False
    assert not open_sea("gdynia", rgb, valid, nir, ())[:, 100:].any()


def test_only_detections_centred_on_the_sea_are_counted() -> None:
    sea = np.zeros((50, 50), bool)
    sea[20:, 20:] = True
    inside, *outside = seen(30, 30), seen(10, 30), seen(60, 30)
    assert on_sea([inside, *outside], sea)[0] is inside
    assert on_sea(outside, sea) == []


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_empty_seas_are_dark_and_differ_by_chance_alone(name: str) -> None:
    first, again, other = (empty_sea(CONDITIONS[name], 64, generator(1, name, n)) for n in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (4, 64, 64)
    assert 0 < first.mean() < 0.2


def test_whitecaps_break_where_they_are_meant_to() -> None:
    tops = {
        name: empty_sea(CONDITIONS[name], 128, generator(3, "sea"))
        for name in ("swell", "whitecaps_on_swell")
    }
    assert tops["whitecaps_on_swell"].max() > tops["swell"].max() + 0.005


def test_a_detector_that_cries_wolf_is_told_from_one_that_keeps_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foam = np.zeros((4, 64, 64), np.float32)
    foam[:3, 30, 30] = np.array([0.6, 0.15, 0.25], np.float32) * VISUAL_FULL_SCALE
    monkeypatch.setattr(module, "CONDITIONS", {"whitecaps": CONDITIONS["whitecaps"]})
    monkeypatch.setattr(module, "empty_sea", lambda *_: foam)
    # The made network sees a ship of 150 m where the foam is, 0.6 sure.
    noisy = open_water(lamps(tmp_path / "noisy", score_threshold=0.5), frames=2, side_px=64)
    quiet = open_water(lamps(tmp_path / "quiet", score_threshold=0.7), frames=2, side_px=64)
    assert set(quiet) == {"simulated"}
    assert quiet["simulated"]["n_alarms"] == 0
    assert (
        noisy["simulated"]["n_alarms"] == noisy["simulated"]["by_condition"]["whitecaps"]["n_alarms_45m"] == 2
    )
    assert noisy["simulated"]["km2"] == pytest.approx(2 * 0.64**2, abs=0.05)


@pytest.mark.shared_data
def test_alarms_on_real_open_water_are_counted_by_place(shared_data: Path) -> None:
    labels = read_labels(shared_data, "gdynia")
    scenes = [score_scene("gdynia", labels, ())]
    nothing = real_open_water(shared_data, scenes)
    assert nothing["n_alarms"] == 0
    assert nothing["km2"] == nothing["by_place"]["gdynia"]["km2"] > 10
