"""Where ships lie, and recall by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from roadstead_lab.simulate.hulls.spec import random_hull
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training.conditions import (
    PlacedShip,
    places,
    practice_ships,
    recall_by_condition,
    recall_for_reconciling,
)
from roadstead_lab.training.figures import SoughtShip
from tests.unit.lab.training.test_scoring import box, ship

SIDE = 200
LABELS = (
    ship(50, 22, length=10, width=3),  # along the quay that lies north of row 20
    ship(50, 25.5, length=10, width=3),  # outside the first one
    ship(120, 90, length=10, width=3),
    ship(120, 94, length=10, width=3),  # beside it, off every quay
    ship(60, 150, length=10, width=3),
    ship(10, 10, use="unsearched", length=5, width=5),
)


def image(land_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 8-bit colour, valid and near infrared of smooth water with bright, rough land along the north edge."""
    rng = np.random.default_rng(0)
    rgb = np.full((SIDE, SIDE, 3), (10, 20, 25), np.uint8)
    rgb[:land_rows] = rng.integers(60, 200, (land_rows, SIDE, 1))
    nir = np.full((SIDE, SIDE), 0.01, np.float32)
    nir[:land_rows] = 0.3
    return rgb, np.ones((SIDE, SIDE), bool), nir


@pytest.mark.parametrize("bands", [True, False])
def test_ships_along_a_quay_and_those_outside_them_lie_at_it_and_others_alongside_or_free(
    bands: bool,
) -> None:
    rgb, valid, nir = image(20)
    told = places(LABELS, rgb, valid, nir if bands else None)
    assert [told[k] for k in range(5)] == ["at_quay", "at_quay", "alongside", "alongside", "free"]
    assert 5 not in told


def test_true_colour_does_not_tell_a_narrow_mole_and_bands_do() -> None:
    rgb, valid, nir = image(20)
    rgb[:18], nir[:18] = (10, 20, 25), 0.01
    assert places(LABELS, rgb, valid, nir)[0] == "at_quay"
    assert places(LABELS, rgb, valid, None)[0] == "alongside"


def test_a_scene_without_ships_has_none_to_place() -> None:
    assert places((), *image(20)) == {}


def placed(length_m: float, found: bool, **conditions: str) -> PlacedShip:
    return PlacedShip(SoughtShip(0, length_m, found), conditions)


SHIPS = [
    placed(100.0, True, place="at_quay"),
    placed(100.0, False, place="at_quay"),
    placed(100.0, True, place="free"),
    placed(100.0, True, place="alongside"),
    placed(30.0, False, place="free"),
]


def test_recall_by_condition_is_of_ships_of_45_m_or_more_and_by_length_of_all() -> None:
    free = recall_by_condition(SHIPS)["place"]["free"]
    assert (free["n"], free["recall"]) == (1, 1.0)
    assert sum(row["n"] for row in free["by_length"]) == 2


def test_the_reconciler_gets_recall_at_quays_on_open_water_and_of_all() -> None:
    rows = {row["where"]: row for row in recall_for_reconciling(SHIPS) if row["low_m"] == 90}
    assert (rows["berth"]["n"], rows["berth"]["recall"]) == (2, 0.5)
    assert (rows["open"]["n"], rows["open"]["recall"]) == (2, 1.0)
    assert (rows[None]["n"], rows[None]["recall"]) == (4, 0.75)


def test_the_ranges_of_every_place_are_the_same() -> None:
    rows = recall_for_reconciling(SHIPS)
    ranges = {
        w: [(r["low_m"], r["high_m"]) for r in rows if r["where"] == w] for w in (None, "berth", "open")
    }
    assert ranges[None] == ranges["berth"] == ranges["open"]
    assert ranges[None][-1] == (230, None)


def practice(weather: Weather) -> PracticeScene:
    spec = random_hull(np.random.default_rng(0), "barge", length_m=80.0)
    beside = 50 + (spec.beam_m + 3.0) / 10
    hulls = [
        PracticeHull(spec, "at_anchor", box(at, 50, length=8, width=spec.beam_m / 10, axis=0))
        for at in (50.0, beside, 150.0)
    ]
    blank = np.zeros((SIDE, SIDE), np.float32)
    return PracticeScene(
        np.zeros((4, SIDE, SIDE), np.float32),
        np.ones((SIDE, SIDE), bool),
        blank,
        np.full((SIDE // 2, SIDE // 2), 6, np.uint8),
        tuple(hulls),
        surface=True,
        weather=weather,
    )


def test_simulated_hulls_metres_apart_lie_alongside() -> None:
    scene = practice(Weather())
    ships = practice_ships(scene, scene.hulls, [True, False, True])
    assert [one.conditions["alongside"] for one in ships] == ["another_hull", "another_hull", "none"]
    assert [one.ship.found for one in ships] == [True, False, True]
    assert practice_ships(scene, scene.hulls[2:], [True])[0].conditions["alongside"] == "none"


@pytest.mark.parametrize(
    ("weather", "sky", "sea"),
    [
        (Weather(), "clear", "calm"),
        (Weather(haze=0.1, glint=0.01), "haze", "glint"),
        (Weather(cloud="thin", haze=0.1, swell=0.001), "thin_cloud_about", "swell"),
        (Weather(cloud="patches", glint=0.01, swell=0.001), "cloud_patches_about", "glint_and_swell"),
    ],
)
def test_sky_and_sea_of_a_simulated_ship_are_those_of_its_scene(weather: Weather, sky: str, sea: str) -> None:
    scene = replace(practice(weather), surface=False)
    (one,) = practice_ships(scene, scene.hulls[:1], [True])
    assert (one.conditions["sky"], one.conditions["sea"]) == (sky, sea)
    assert one.conditions["light"] == "through_air"
