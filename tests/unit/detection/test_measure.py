from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod
from scipy import special

from roadstead.core.geo import Array, Grid, axis_difference_deg, convergence_deg
from roadstead.core.schemas import CLASSES
from roadstead.detection.decode import Boxes, Ground, decode, long_side_first
from roadstead.detection.measure import (
    bearings_deg,
    bow_side,
    class_probabilities,
    fitted,
    flags,
    measured,
    moving,
    p_vessel,
)
from roadstead.detection.model import ClassFit, Context, ModelCard, Platt, SizeFit
from roadstead.detection.tiling import tile_rows
from tests import builders

GRID = builders.grid(320, 320)
CARD = ModelCard(
    type="Feature", stac_version="1.1.0", model_id="m", weights="w.onnx", sha256="0" * 64, tile_px=320,
    classes=CLASSES, score_threshold=0.3,
)  # fmt: skip


def decoded(
    raw: list[list[float]],
    grid: Grid = GRID,
    *,
    ground: Ground | None = None,
    floor: float = 0.3,
    context: Context = Context(),  # noqa: B008 - frozen
) -> Boxes:
    size = 320
    clear = make_ground()
    (tile, *_), *_ = tile_rows(grid.width, grid.height, size)
    values = np.array(raw, np.float32).reshape(-1, 8).T
    return decode(values, tile, 0, ground or clear, grid, floor, context)


def box(
    col: float = 100, row: float = 100, w: float = 15, h: float = 3, angle: float = 0.0, score: float = 0.9
) -> list[float]:
    return [col, row, w, h, 0.1, score, 0.2, angle]


@given(st.floats(-np.pi, np.pi), st.floats(3.0, 35.0))
def test_a_box_on_the_map_has_the_length_place_and_axis_of_the_hull(angle: float, length: float) -> None:
    table = measured(decoded([box(w=length, h=2.0, angle=angle)]), GRID, CARD)
    row = table.iloc[0]
    corners = np.array(row.geometry.exterior.coords)
    geod = Geod(ellps="WGS84")
    side_m = geod.inv(*corners[0], *corners[1])[2], geod.inv(*corners[1], *corners[2])[2]
    # UTM is true to scale within 0.04 %.
    assert max(side_m) == pytest.approx(10 * length, rel=2e-3)
    assert min(side_m) == pytest.approx(20.0, rel=2e-3)
    long_side = (0, 1) if side_m[0] > side_m[1] else (1, 2)
    azimuth = geod.inv(*corners[long_side[0]], *corners[long_side[1]])[0]
    assert axis_difference_deg(azimuth, row["axis_deg"]) < 0.1
    assert row.geometry.centroid.distance(shapely.Point(row["lon"], row["lat"])) < 1e-6
    assert shapely.is_ccw(row.geometry.exterior)


def test_true_north_is_not_grid_north_away_from_the_central_meridian() -> None:
    # 125 E is 2 degrees east of the meridian of UTM zone 51: grid north points 1.25 degrees east of true north.
    up = measured(decoded([box(angle=np.pi / 2)]), GRID, CARD).iloc[0]
    turned = convergence_deg(up["lon"], up["lat"], GRID.crs)
    assert turned > 1.0
    assert up["axis_deg"] == pytest.approx(turned, abs=1e-4)


@given(st.floats(-10, 10))
def test_bearings_are_from_0_up_to_but_not_360(angle: float) -> None:
    for value in (angle, np.pi / 2, np.pi / 2 + 1e-17, np.nextafter(np.pi / 2, 2)):
        (bearing,) = bearings_deg(np.array([value]), np.array([[123.0, 38.0]]), "EPSG:32651")
        assert 0.0 <= bearing < 360.0


def test_the_bow_is_told_where_it_is_all_but_sure_and_lies_along_the_axis() -> None:
    bow, p = bow_side(np.array([30.0, 200.0, 200.0, 30.0]), np.array([0.95, 0.05, 0.8, np.nan]))
    np.testing.assert_array_equal(bow, [30.0, 20.0, np.nan, np.nan])
    np.testing.assert_allclose(p, [0.95, 0.95, np.nan, np.nan])


def test_a_hull_moves_or_lies_still_only_where_that_is_all_but_sure() -> None:
    assert moving(np.array([0.95, 0.9, 0.5, 0.05, np.nan])).tolist() == [True, True, None, False, None]


@given(st.floats(1, 40), st.floats(1, 40), st.floats(-4, 4))
def test_the_long_side_is_the_length_whichever_side_the_network_named_first(
    w: float, h: float, angle: float
) -> None:
    shape: Array = np.array([[5.0, 6.0, w, h, angle]])
    (turned,) = long_side_first(shape)
    assert (turned[2], turned[3]) == (max(w, h), min(w, h))
    (other,) = long_side_first(np.array([[5.0, 6.0, h, w, angle + np.pi / 2]]))
    if abs(w - h) > 1e-9:
        assert axis_difference_deg(np.degrees(turned[4]), np.degrees(other[4])) < 1e-6


def test_length_is_calibrated_with_its_interval() -> None:
    size, low, high = fitted(np.array([160.0]), SizeFit(slope=0.9, intercept=-4.0, low=-12.0, high=9.0), 10.0)
    assert (size[0], low[0], high[0]) == pytest.approx((140.0, 128.0, 149.0))


@given(st.floats(0.1, 500))
def test_no_hull_is_shorter_than_a_pixel_or_outside_its_own_interval(box_m: float) -> None:
    size, low, high = fitted(np.array([box_m]), SizeFit(intercept=-13.0, low=-12.0, high=12.0), 10.0)
    assert 10.0 <= low[0] <= size[0] <= high[0]


def test_without_calibration_p_vessel_is_the_score() -> None:
    scores = np.array([0.05, 0.3, 0.999])
    assert p_vessel(scores, Platt()) == pytest.approx(scores)


def test_platt_scaling_works_on_the_logit_and_bears_scores_of_0_and_1() -> None:
    assert p_vessel(np.array([0.5]), Platt(a=2.0, b=1.0)) == pytest.approx([1 / (1 + np.exp(-1.0))])
    ends = p_vessel(np.array([0.0, 1.0]), Platt(a=1.5))
    assert (ends >= 0).all() and (ends <= 1).all()


def test_class_probabilities_sum_to_one_and_the_class_is_the_likeliest() -> None:
    assert class_probabilities(np.array([[0.1, 0.3, 0.1]]), ClassFit()) == pytest.approx(
        np.array([[0.2, 0.6, 0.2]])
    )
    assert measured(decoded([box()]), GRID, CARD).iloc[0]["class"] == "bulk_carrier"


def test_calibration_makes_class_probabilities_surer_or_less_sure_and_leaves_the_likeliest() -> None:
    scores = np.array([[0.1, 0.3, 0.2], [0.2, 0.6, 0.4]])
    assert class_probabilities(scores, ClassFit(power=2.0)) == pytest.approx(
        np.tile([1 / 14, 9 / 14, 4 / 14], (2, 1))
    )
    assert class_probabilities(scores, ClassFit(power=0.01)) == pytest.approx(
        np.full((2, 3), 1 / 3), abs=0.01
    )
    card = CARD.model_copy(update={"class_calibration": ClassFit(power=0.5)})
    row, raw = (measured(decoded([box()]), GRID, each).iloc[0] for each in (card, CARD))
    assert row["class"] == raw["class"]
    assert row["p_bulk_carrier"] < raw["p_bulk_carrier"]


def make_ground(
    valid: NDArray[np.bool_] | None = None,
    cloud: NDArray[np.bool_] | None = None,
    land: NDArray[np.bool_] | None = None,
) -> Ground:
    nowhere = np.zeros((320, 320), bool)
    return Ground(
        ~nowhere if valid is None else valid,
        nowhere if cloud is None else cloud,
        np.zeros((320, 320), np.int16),
        nowhere if land is None else land,
        nowhere if land is None else ~nowhere,
        np.zeros((320, 320), np.float32),
    )


def half(from_col: int) -> NDArray[np.bool_]:
    mask = np.zeros((320, 320), bool)
    mask[:, from_col:] = True
    return mask


def test_a_hull_that_reaches_into_no_data_is_at_the_edge() -> None:
    boxes = decoded([box(col=100), box(col=94), box(col=80)], ground=make_ground(valid=~half(101)))
    assert flags(boxes, Context()).tolist() == ["at_edge", "at_edge", ""]
    assert boxes.valid.tolist() == [True, True, True]


def test_a_hull_that_reaches_beyond_the_image_is_at_the_edge() -> None:
    assert flags(decoded([box(col=5), box(col=160)]), Context()).tolist() == ["at_edge", ""]


def test_a_hull_partly_under_cloud_is_flagged_and_one_wholly_under_is_cloud() -> None:
    boxes = decoded([box(col=96), box(col=120), box(col=60)], ground=make_ground(cloud=half(100)))
    assert boxes.cloud.tolist() == [False, True, False]
    assert flags(boxes, Context()).tolist() == ["under_thin_cloud", "", ""]


STRONG = Context(land_share=0.6, logit=4.0)


def test_a_hull_at_a_quay_keeps_its_score_and_one_with_land_all_round_loses_it() -> None:
    land = make_ground(land=half(100))
    boxes = decoded(
        [box(col=60), box(col=97, w=3, h=20), box(col=160)], ground=land, floor=0.01, context=STRONG
    )
    assert boxes.land_around[0] == 0.0
    assert 0.3 < boxes.land_around[1] < 0.6
    assert boxes.land_around[2] == 1.0
    assert boxes.score[:2] == pytest.approx([0.9, 0.9])
    assert boxes.score[2] == pytest.approx(special.expit(special.logit(0.9) - 4.0), rel=1e-4)
    assert flags(boxes, STRONG).tolist() == ["", "", "land_around"]


def test_land_all_round_lowers_the_classes_by_one_factor_and_never_deletes_a_sure_hull() -> None:
    (on_land,) = decoded(
        [box(score=0.99)], ground=make_ground(land=half(0)), floor=0.0, context=STRONG
    ).scores
    assert on_land / on_land.max() == pytest.approx(np.array([0.1, 0.99, 0.2]) / 0.99, rel=1e-4)
    assert on_land.max() > 0.6


def test_where_land_is_unknown_no_score_is_lowered() -> None:
    boxes = decoded([box()], context=STRONG)
    assert np.isnan(boxes.land_around).all()
    assert boxes.score == pytest.approx([0.9])
    assert flags(boxes, STRONG).tolist() == [""]


def test_what_land_lowers_is_still_there_to_be_listed_as_dropped() -> None:
    boxes = decoded([box(score=0.4)], ground=make_ground(land=half(0)), floor=0.3, context=STRONG)
    assert len(boxes) == 1
    assert boxes.score[0] < 0.02


def test_a_ring_that_is_known_on_its_landward_side_alone_tells_nothing() -> None:
    land = make_ground(land=half(100))
    for known_from, told in ((99, False), (90, True)):
        ground = replace(land, land_known=half(known_from))
        (around,) = decoded([box(col=97, w=3, h=20)], ground=ground, context=STRONG).land_around
        assert np.isfinite(around) == told


def test_a_box_is_cut_by_a_tile_edge_inside_the_image_but_not_by_the_image_edge() -> None:
    wide = builders.grid(576, 320)
    long = [box(col=285, w=70), box(col=35, w=70), box(col=200, w=20)]
    assert decoded(long, wide).cut.tolist() == [True, False, False]


def test_boxes_without_breadth_or_score_are_no_boxes() -> None:
    assert len(decoded([box(h=0.0), box(score=0.29), box(w=-1.0)])) == 0


def test_pixels_of_another_size_are_measured_in_metres() -> None:
    coarse = Grid(GRID.crs, Affine(20.0, 0, 660_000, 0, -20.0, 4_290_000), 320, 320)
    assert measured(decoded([box(w=10)], coarse), coarse, CARD).iloc[0]["length_m"] == pytest.approx(200.0)
