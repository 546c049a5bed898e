"""Detections without pixels: they show again the figures that they are drawn from."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree
from scipy.stats import binomtest

from roadstead.core.detections_file import DetectionsHeader, read_detections, write_detections
from roadstead.core.errors import ModelError
from roadstead.core.geo import axis_difference_deg, lonlat_to_xy
from roadstead.core.schemas import CLASSES, DETECTIONS
from roadstead.core.settings import DEFAULT_MODEL_ID
from roadstead.detection import Model, load_model
from roadstead_lab.simulate.detections.detector import Detector, detector_of, metrics_of
from roadstead_lab.simulate.detections.draw import draw_detections
from roadstead_lab.simulate.detections.skies import observations, views
from roadstead_lab.simulate.scenario.model import FleetRow, PortScenario, Weather
from roadstead_lab.simulate.small import CLEAR, SMALL_SCENARIO, small_port
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.truth.files import hull_features
from tests.unit.lab.simulate.builders import simulate_port

START = date(2020, 11, 1)
UNLIKELY = 1e-4
"""A share that chance alone gives this rarely is another share."""
_FLEET = (
    FleetRow(
        "bulk_carrier",
        (90.0, 160.0),
        {"at_berth": 3, "at_anchor": 1},
        berths=("quay",),
        anchorages=("roads",),
    ),
    FleetRow(
        "barge", (50.0, 130.0), {"at_berth": 4, "at_anchor": 2}, berths=("quay",), anchorages=("roads",)
    ),
    FleetRow(
        "general_cargo",
        (60.0, 220.0),
        {"at_berth": 3, "at_anchor": 1},
        berths=("quay",),
        anchorages=("roads",),
    ),
    FleetRow("fishing", (25.0, 44.0), {"at_anchor": 3}, anchorages=("roads",)),
)


def scenario(days: int, weather: Weather, *, wedge: bool = False) -> PortScenario:
    passes = tuple(replace(CLEAR, day=day, weather=weather, no_data_wedge=wedge) for day in range(days))
    return replace(SMALL_SCENARIO, fleet=_FLEET, overpasses=passes, radar=(), receivers=())


def port_world(days: int, weather: Weather, *, seed: int = 5, wedge: bool = False) -> PortWorld:
    return simulate_port(small_port(), scenario(days, weather, wedge=wedge), seed, START, days)


@pytest.fixture(scope="module")
def model() -> Model:
    """The model that ships."""
    return load_model(DEFAULT_MODEL_ID)


@pytest.fixture(scope="module")
def metrics(model: Model) -> dict[str, Any]:
    """Its figures."""
    return metrics_of(model)


@pytest.fixture(scope="module")
def detector(model: Model, metrics: dict[str, Any]) -> Detector:
    """What they come to."""
    return detector_of(model, metrics)


@dataclass(frozen=True)
class Drawn:
    """Two hundred clear passes over 17 hulls, and what was found."""

    table: gpd.GeoDataFrame
    header: DetectionsHeader
    hulls: gpd.GeoDataFrame
    """Every hull at every pass; `found` is the row of the detection nearest to it, -1 for none."""


@pytest.fixture(scope="module")
def clear(model: Model, metrics: dict[str, Any]) -> Drawn:
    """Draw it."""
    world = port_world(200, Weather())
    table, header = draw_detections(world, small_port(), views(world), model, metrics)
    features = [f for seen in observations(world, views(world)) for f in hull_features(seen, {})]
    hulls = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326")
    crs = world.ground.grid.crs
    found = np.full(len(hulls), -1)
    for acquired, own in hulls.groupby("acquired"):
        rows = np.flatnonzero(table["acquired"].dt.strftime("%Y-%m-%dT%H:%M:%SZ") == acquired)
        places = lonlat_to_xy(table.loc[rows, ["lon", "lat"]].to_numpy(), crs)
        apart, nearest = cKDTree(places).query(lonlat_to_xy(own[["lon", "lat"]].to_numpy(), crs))
        found[own.index] = np.where(apart < 30.0, rows[np.minimum(nearest, len(rows) - 1)], -1)
    return Drawn(table, header, hulls.assign(found=found))


def assert_share(hits: int, n: int, share: float) -> None:
    assert binomtest(hits, n, share).pvalue > UNLIKELY, (hits, n, hits / n, share)


def test_hulls_are_found_as_often_as_the_model_card_says_by_length_and_zone(
    clear: Drawn, detector: Detector
) -> None:
    kinds = small_port().kind_of(clear.hulls[["lon", "lat"]].to_numpy())
    expected = detector.chances(clear.hulls["length_m"].to_numpy(), kinds)
    for share in np.unique(expected):
        some = clear.hulls[expected == share]
        assert len(some) >= 200
        assert_share(int((some["found"] >= 0).sum()), len(some), float(share))


def test_classes_are_confused_as_the_model_card_says(clear: Drawn, detector: Detector) -> None:
    seen = clear.hulls[clear.hulls["found"] >= 0]
    as_class = clear.table["class"].to_numpy()[seen["found"]]
    for i, true in enumerate(CLASSES):
        own = as_class[seen["class"] == true]
        for j, name in enumerate(CLASSES):
            # A false alarm beside a missed hull passes for it now and then.
            assert_share(int((own == name).sum()), len(own), max(float(detector.found_as[i, j]), 0.005))


def test_false_alarms_are_as_many_as_the_precision_says(clear: Drawn, detector: Detector) -> None:
    ships = clear.hulls.loc[clear.hulls["found"] >= 0, "found"].nunique()
    assert_share(ships, len(clear.table), detector.stated.precision)


def test_stated_probabilities_are_right_as_often_as_the_reliability_table_says(
    clear: Drawn, metrics: dict[str, Any]
) -> None:
    is_ship = np.zeros(len(clear.table), bool)
    is_ship[clear.hulls.loc[clear.hulls["found"] >= 0, "found"]] = True
    stated = clear.table["p_vessel"].to_numpy()
    for row in metrics["reliability"]:
        some = (stated >= row["low"]) & (stated < row["high"])
        if not row["n"]:
            assert not some.any()
            continue
        assert_share(int(is_ship[some].sum()), int(some.sum()), row["share_ships"])
        assert stated[some].mean() == pytest.approx(row["stated"], abs=0.01)


def test_lengths_lie_in_their_interval_as_often_as_measured_against_ais(
    clear: Drawn, detector: Detector
) -> None:
    seen = clear.hulls[(clear.hulls["found"] >= 0) & (clear.hulls["length_m"] > 80.0)]
    told = clear.table.loc[seen["found"]]
    inside = (told["length_low_m"].to_numpy() <= seen["length_m"]) & (
        seen["length_m"] <= told["length_high_m"].to_numpy()
    )
    assert_share(int(inside.sum()), len(inside), detector.length.coverage)


def test_axes_are_off_by_the_published_error(clear: Drawn, detector: Detector) -> None:
    seen = clear.hulls[clear.hulls["found"] >= 0]
    pairs = zip(seen["axis_deg"], clear.table["axis_deg"].to_numpy()[seen["found"]], strict=True)
    errors = [axis_difference_deg(float(a), float(b)) for a, b in pairs]
    assert np.mean(errors) == pytest.approx(detector.axis_mae_deg, rel=0.1)


def test_places_are_off_by_about_a_pixel(clear: Drawn) -> None:
    seen = clear.hulls[clear.hulls["found"] >= 0]
    found = clear.table.loc[seen["found"], ["lon", "lat"]].to_numpy()
    crs = "EPSG:32651"
    apart = lonlat_to_xy(found, crs) - lonlat_to_xy(seen[["lon", "lat"]].to_numpy(), crs)
    assert 6.0 < np.hypot(*apart.T).mean() < 11.0


def test_false_alarms_keep_to_water_and_come_again_at_fixed_places(clear: Drawn) -> None:
    false = np.ones(len(clear.table), bool)
    false[clear.hulls.loc[clear.hulls["found"] >= 0, "found"]] = False
    places = lonlat_to_xy(clear.table.loc[false, ["lon", "lat"]].to_numpy(), "EPSG:32651")
    assert clear.table.loc[false, "zone"].notna().all()
    near = cKDTree(places).query_ball_point(places, 30.0, return_length=True)
    again = float((near > 10).mean())
    assert 0.5 < again < 0.9


def test_class_probabilities_add_up_and_the_class_is_the_likeliest(clear: Drawn) -> None:
    p = clear.table[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert (p > 0.0).all()
    assert [CLASSES[k] for k in p.argmax(axis=1)] == clear.table["class"].tolist()


def test_nothing_is_found_under_cloud(model: Model, metrics: dict[str, Any]) -> None:
    world = port_world(40, Weather(cloud="patches"))
    table, header = draw_detections(world, small_port(), views(world), model, metrics)
    assert 0 < len(table)
    areas = {scene.overpass_id: scene.valid_area.buffer(2e-5) for scene in header.scenes}
    for overpass_id, own in table.groupby("overpass_id"):
        assert shapely.contains_xy(areas[overpass_id], own["lon"], own["lat"]).all()
    shares = [share for scene in header.scenes for share in scene.visible_fraction.values()]
    assert 0.0 <= min(shares) < 0.5 < max(shares) <= 1.0


def test_an_overcast_pass_sees_nothing_and_is_in_the_header_all_the_same(
    model: Model, metrics: dict[str, Any]
) -> None:
    world = port_world(5, Weather(cloud="overcast"))
    table, header = draw_detections(world, small_port(), views(world), model, metrics)
    assert len(table) == 0
    assert list(table.columns) == list(DETECTIONS.columns)
    assert len(header.scenes) == 5
    assert all(
        scene.valid_area.is_empty and set(scene.visible_fraction.values()) == {0.0} for scene in header.scenes
    )


def test_visible_fractions_are_the_shares_of_the_zones_that_are_clear() -> None:
    for weather in (Weather(), Weather(cloud="patches"), Weather(cloud="thin")):
        for view in views(port_world(4, weather)):
            imaged = view.frame.area
            cells = np.isin(view.scl, (8, 9, 10)).mean()
            assert view.clear.area / imaged == pytest.approx(1.0 - cells, abs=1e-6)


def test_the_truth_and_the_detections_have_one_sky() -> None:
    world = port_world(30, Weather(cloud="patches"), wedge=True)
    rng = np.random.default_rng(1)
    left, bottom, right, top = world.ground.grid.bounds_xy
    xy = rng.uniform((left, bottom), (right, top), (400, 2))
    words = set()
    for view in views(world):
        cover = np.array(view.cover(xy))
        seen = shapely.contains_xy(view.clear, xy)
        assert (seen == np.isin(cover, ("clear", "shadow"))).all()
        words |= set(cover)
    assert {"clear", "cloud", "no_data"} <= words


def test_the_header_says_that_all_is_simulated_and_survives_the_file(
    model: Model, metrics: dict[str, Any], tmp_path: Path
) -> None:
    world = port_world(6, Weather(cloud="patches"), wedge=True)
    table, header = draw_detections(world, small_port(), views(world), model, metrics)
    write_detections(tmp_path / "small.geojson", table, header)
    again, read = read_detections(tmp_path / "small.geojson")
    assert len(again) == len(table)
    assert again["simulated"].all()
    assert read.model_id == model.model_id
    assert [scene.overpass_id for scene in read.scenes] == [scene.overpass_id for scene in header.scenes]
    assert all(scene.simulated and scene.cloud == "known" for scene in read.scenes)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    model: Model, metrics: dict[str, Any], tmp_path: Path
) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        world = port_world(8, Weather(cloud="thin"), seed=seed)
        write_detections(tmp_path / name, *draw_detections(world, small_port(), views(world), model, metrics))
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_boxes_that_cover_one_hull_are_merged_as_the_detector_merges(
    model: Model, metrics: dict[str, Any]
) -> None:
    raft = FleetRow("barge", (60.0, 70.0), {"at_anchor": 12}, anchorages=("roads",), rafts=1.0)
    alike = replace(scenario(60, Weather()), fleet=(raft,))
    world = simulate_port(small_port(), alike, 2, START, 60)
    assert sum(sailing.alongside is not None for sailing in world.sailings) >= 4
    counts = []
    for iou in (0.05, 0.4, 1.0):
        read = model.read.model_copy(update={"merge": model.read.merge.model_copy(update={"iou": iou})})
        counts.append(
            len(draw_detections(world, small_port(), views(world), replace(model, read=read), metrics)[0])
        )
    assert counts[0] < counts[1] < counts[2]


def without(document: Mapping[str, Any], *path: str) -> dict[str, Any]:
    changed = deepcopy(dict(document))
    part = changed
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path",
    [("s2_ais", "interval_80_coverage"), ("unseen", "axis_deg"), ("reliability",)],
)
def test_a_figure_missing_in_the_metrics_is_named(
    model: Model, metrics: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ModelError, match=r"metrics\.json: " + r"\.".join(path)):
        detector_of(model, without(metrics, *path))


def without_real_barges(model: Model) -> dict[str, Any]:
    card = deepcopy(dict(model.card))
    card["class_confusion"]["counts"][0] = [0, 0, 0]
    return card


def test_a_confusion_missing_in_the_card_is_named(model: Model, metrics: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="class_confusion"):
        detector_of(replace(model, card=without(model.card, "class_confusion")), metrics)
    card = without_real_barges(model)
    with pytest.raises(ModelError, match="simulated_check"):
        detector_of(replace(model, card=without(card, "simulated_check")), metrics)


def test_figures_of_another_model_are_refused(model: Model, metrics: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="of model 'other'"):
        detector_of(model, {**metrics, "model_id": "other"})


def test_a_class_that_was_never_measured_on_real_images_takes_the_simulated_check(
    model: Model, metrics: dict[str, Any]
) -> None:
    counts = np.array(model.card["simulated_check"]["class"]["confusion"]["counts"][0], float)
    drawn = detector_of(replace(model, card=without_real_barges(model)), metrics)
    assert drawn.found_as[0] == pytest.approx(counts / counts.sum())
