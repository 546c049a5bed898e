"""Wakes and decks tell the bow and motion of drawn hulls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from roadstead.core.geo import Array
from roadstead.detection.model import MotionFit
from roadstead.detection.motion import bow_inputs, moving_inputs, probabilities, signs

FIT = MotionFit(moving=(-2.0, 1.0, 0.0, 1.0, -1.0, 0.0), bow=(2.0, -4.0))
CLEAR = np.ones((160, 160), bool)
LENGTH, BEAM = 15.0, 4.0


def sea(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0.1, 0.005, (160, 160)).astype(np.float32)


def drawn(angle: float, *, wake: float = 0.0, bridge: float = 0.0) -> NDArray[np.float32]:
    """Return a sea with a hull whose bow points to `angle`, the wake and the bridge behind."""
    image, (row, col) = sea(), np.mgrid[0:160, 0:160] + 0.5
    along = (col - 80) * np.cos(angle) + (row - 80) * np.sin(angle)
    across = np.abs(-(col - 80) * np.sin(angle) + (row - 80) * np.cos(angle))
    hull = (np.abs(along) <= LENGTH / 2) & (across <= BEAM / 2)
    image[hull] = 0.3
    image[hull & (along < -LENGTH / 4)] += bridge
    image[(along < -LENGTH / 2) & (along > -LENGTH / 2 - 25) & (across <= BEAM / 2)] += wake
    return image


def box(angle: float) -> Array:
    return np.array([[80.0, 80.0, LENGTH, BEAM, angle]])


@given(st.floats(0, 2 * np.pi))
def test_a_wake_tells_that_a_hull_moves_and_away_from_it(angle: float) -> None:
    told = signs(box(angle), drawn(angle, wake=0.1), CLEAR)
    moves, first = probabilities(told, np.array([150.0]), FIT)
    assert moves[0] > 0.9 and first[0] > 0.9
    _, turned = probabilities(
        signs(box(angle + np.pi), drawn(angle, wake=0.1), CLEAR), np.array([150.0]), FIT
    )
    assert turned[0] < 0.1


@given(st.floats(0, 2 * np.pi))
def test_without_a_wake_the_bridge_tells_the_stern(angle: float) -> None:
    told = signs(box(angle), drawn(angle, bridge=0.3), CLEAR)
    moves, first = probabilities(told, np.array([150.0]), FIT)
    assert moves[0] < 0.3
    assert first[0] > 0.6


def test_a_plain_hull_on_calm_water_tells_no_side() -> None:
    told = signs(box(0.3), drawn(0.3), CLEAR)
    _, first = probabilities(told, np.array([150.0]), FIT)
    assert 0.1 < first[0] < 0.9


def test_land_on_one_side_is_told_apart_from_a_wake() -> None:
    image = drawn(0.0)
    image[84:] = 0.5
    told = signs(box(0.0), image, CLEAR)
    assert told[0, 2] > 20
    assert probabilities(told, np.array([150.0]), FIT)[0][0] < 0.5


@pytest.mark.parametrize("hidden", [np.s_[:, :78], np.s_[60:78], np.s_[:]])
def test_nothing_is_told_where_the_ground_around_is_hidden(hidden: tuple[slice, slice]) -> None:
    clear = CLEAR.copy()
    clear[hidden] = False
    told = signs(box(0.0), drawn(0.0, wake=0.1), clear)
    assert np.isnan(told).all()
    assert np.isnan(np.concatenate(probabilities(told, np.array([150.0]), FIT))).all()


def test_boxes_at_the_edge_of_a_tile_and_none_at_all_are_borne() -> None:
    edge = np.array([[1.0, 1.0, 20.0, 4.0, 0.5], [159.0, 80.0, 30.0, 5.0, 0.0]])
    assert np.isnan(signs(edge, sea(), CLEAR)).all()
    assert signs(np.zeros((0, 5)), sea(), CLEAR).shape == (0, 4)


def test_without_a_fit_nothing_is_told() -> None:
    told = signs(box(0.0), drawn(0.0, wake=0.1), CLEAR)
    assert np.isnan(np.concatenate(probabilities(told, np.array([150.0]), None))).all()


def test_the_side_of_the_bow_turns_with_the_ends_and_motion_does_not() -> None:
    told = np.array([[3.0, 0.5, 1.0, 0.4]])
    swapped = told[:, [1, 0, 2, 3]] * (1, 1, 1, -1)
    np.testing.assert_allclose(bow_inputs(told), -bow_inputs(swapped))
    np.testing.assert_allclose(
        moving_inputs(told, np.array([90.0])), moving_inputs(swapped, np.array([90.0]))
    )
