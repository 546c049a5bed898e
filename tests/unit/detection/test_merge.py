from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from roadstead.detection.merge import MEETING_BEAMS, rank, unique_hulls
from roadstead.detection.model import Merge


def hull(x: float, y: float, length: float, beam: float, angle_deg: float = 0.0) -> shapely.Polygon:
    flat = shapely.box(x - length / 2, y - beam / 2, x + length / 2, y + beam / 2)
    return affinity.rotate(flat, angle_deg, origin=(x, y))


def kept(
    boxes: Sequence[shapely.Polygon],
    scores: Sequence[float],
    *,
    cut: Sequence[int] = (),
    tiles: Sequence[int] | None = None,
    threshold: float = 0.3,
) -> list[int]:
    """Return the indices of the boxes that stay, in the order given."""
    is_cut = np.isin(np.arange(len(boxes)), cut)
    of_tile = np.array(tiles if tiles is not None else range(len(boxes)))
    centres = shapely.get_coordinates(shapely.centroid(np.array(boxes, object)))
    order = rank(np.array(scores), is_cut, centres, threshold)
    stay = unique_hulls(np.array(boxes, object)[order], is_cut[order], of_tile[order], Merge())
    return sorted(order[stay].tolist())


@given(st.floats(0, 180))
def test_two_hulls_side_by_side_both_stay(angle: float) -> None:
    away = np.radians(angle + 90)
    second = hull(22 * np.cos(away), 22 * np.sin(away), 150, 22, angle)
    assert kept([hull(0, 0, 150, 22, angle), second], [0.9, 0.5]) == [0, 1]


@pytest.mark.parametrize(("beam", "box_beam"), [(22.0, 35.0), (22.0, 43.0), (12.0, 35.0)])
def test_rafted_hulls_stay_though_their_boxes_run_a_pixel_or_two_wide(beam: float, box_beam: float) -> None:
    raft = [hull(0, beam * n, 163, box_beam, 3) for n in range(4)]
    assert kept(raft, [0.6, 0.9, 0.7, 0.8], tiles=[0, 0, 1, 1]) == [0, 1, 2, 3]


def test_two_views_of_one_hull_become_the_better_one() -> None:
    views = [hull(0, 0, 150, 35, 30), hull(4, -4, 140, 30, 33)]
    assert kept(views, [0.6, 0.8]) == [1]
    assert kept(views, [0.6, 0.8], tiles=[0, 0]) == [1]


def test_a_chain_of_overlaps_loses_only_the_boxes_that_a_kept_one_covers() -> None:
    chain = [hull(0, 0, 100, 30), hull(35, 0, 100, 30), hull(70, 0, 100, 30)]
    assert kept(chain, [0.9, 0.8, 0.7]) == [0, 2]


def test_a_fragment_at_a_tile_edge_yields_to_the_whole_hull_even_if_it_scores_more() -> None:
    whole, fragment = hull(0, 0, 300, 40), hull(-110, 0, 80, 38)
    assert kept([whole, fragment], [0.5, 0.9], cut=[1]) == [0]


def test_a_small_hull_inside_the_box_of_a_large_one_stays_unless_a_tile_edge_cut_it() -> None:
    large, small = hull(0, 0, 300, 60), hull(-110, 0, 60, 30)
    assert kept([large, small], [0.5, 0.9]) == [0, 1]
    assert kept([large, small], [0.5, 0.9], cut=[1], tiles=[4, 4]) == [0, 1]


def test_a_fragment_stays_where_no_tile_saw_the_whole_hull() -> None:
    assert kept([hull(0, 0, 80, 38), hull(0, 60, 300, 40)], [0.9, 0.8], cut=[0]) == [0, 1]


def test_boxes_below_the_threshold_never_take_a_kept_one_away() -> None:
    whole, fragment = hull(0, 0, 300, 40), hull(-110, 0, 80, 38)
    assert 1 in kept([whole, fragment], [0.1, 0.9], cut=[1])


def test_of_equal_boxes_the_upper_left_stays_in_whatever_order_they_come() -> None:
    left, right = hull(0, 0, 150, 35), hull(10, 0, 150, 35)
    assert kept([left, right], [0.8, 0.8]) == [0]
    assert kept([right, left], [0.8, 0.8]) == [1]


def test_nothing_to_merge_is_no_error() -> None:
    assert kept([], []) == []


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.floats(0, 400), st.floats(0, 180), st.floats(0.3, 1)), max_size=25
    )
)
def test_no_two_kept_boxes_show_one_hull_and_each_dropped_one_is_shown_by_a_kept_one(
    places: list[tuple[float, float, float, float]],
) -> None:
    boxes = [hull(x, y, 120, 40, angle) for x, y, angle, _ in places]
    stay = kept(boxes, [score for *_, score in places])

    def middle(n: int) -> shapely.LineString:
        x, y, angle, _ = places[n]
        half = Merge().middle / 2 * 120
        return affinity.rotate(shapely.LineString([(x - half, y), (x + half, y)]), angle, origin=(x, y))

    def margin(a: int, b: int) -> float:
        """Above 0 where the boxes show one hull."""
        overlap = boxes[a].intersection(boxes[b]).area / boxes[a].union(boxes[b]).area
        return max(overlap - Merge().iou, (MEETING_BEAMS * 40 - middle(a).distance(middle(b))) / 40)

    assert all(margin(a, b) < 1e-9 for a in stay for b in stay if a < b)
    dropped = set(range(len(boxes))) - set(stay)
    assert all(any(margin(a, b) > -1e-9 for b in stay) for a in dropped)


@given(st.floats(0, 180), st.floats(20, 160), st.floats(-60, 60))
def test_no_ship_lies_across_another(angle: float, turn: float, along: float) -> None:
    away = along * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    boxes = [hull(0, 0, 227, 36, angle), hull(away[0], away[1], 244, 45, angle + turn)]
    assert kept(boxes, [0.9, 0.6]) == [0]


@given(st.floats(0, 180), st.floats(60, 200))
def test_a_box_further_along_the_same_line_is_the_same_hull_while_their_middles_meet(
    angle: float, along: float
) -> None:
    away = along * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    boxes = [hull(0, 0, 200, 36, angle), hull(away[0], away[1], 200, 36, angle)]
    # The middles touch at 100 m, and nearer than that share of a beam they still are one line.
    assert kept(boxes, [0.9, 0.6]) == ([0] if along < 100.0 + MEETING_BEAMS * 36 else [0, 1])


@given(st.floats(0, 180), st.floats(45, 250), st.floats(-30, 60))
def test_ships_end_to_end_and_bow_to_side_both_stay_though_their_boxes_run_long(
    angle: float, length: float, slack: float
) -> None:
    def moored(x: float, y: float, turn: float) -> shapely.Polygon:
        return affinity.rotate(hull(x, y, length + 20, 25, turn), angle, origin=(0, 0))

    first = moored(0, 0, 0)
    # 20 m longer than the ships, as boxes are; the ships themselves do not overlap.
    assert kept([first, moored(length + max(slack, 0), 0, 0)], [0.9, 0.6]) == [0, 1]
    assert kept([first, moored(0, length / 2 + 12.5 + max(slack, 0), 90)], [0.9, 0.6]) == [0, 1]


def test_overlap_alone_decides_where_middles_are_left_out() -> None:
    boxes = np.array([hull(0, 0, 227, 36, 44), hull(0, 0, 244, 36, 130)], object)
    whole, tile = np.zeros(2, bool), np.zeros(2, np.int64)
    assert unique_hulls(boxes, whole, tile, Merge(middle=0.0)).tolist() == [True, True]
    assert unique_hulls(boxes, whole, tile, Merge()).tolist() == [True, False]
