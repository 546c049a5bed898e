"""The picture shows what went wrong, on simulated pixels, and says so."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from roadstead_lab.simulate.hulls.spec import random_hull
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training import failures
from roadstead_lab.training.failures import (
    _CAPTION,
    _GAP,
    _HEADING,
    _SHOWN_PX,
    _TITLE,
    ROWS,
    Failure,
    practice_failures,
    raft_failures,
    sheet,
    write_failures,
)
from roadstead_lab.training.raft_check import Raft
from roadstead_lab.training.simulated_image import practice_image, simulated_image, simulated_label
from tests.unit.detection.worlds import lamps
from tests.unit.lab.training.test_scoring import box, seen

SIDE = 200


def hull(col: float, row: float) -> PracticeHull:
    spec = random_hull(np.random.default_rng(0), "barge", length_m=100.0)
    return PracticeHull(spec, "at_anchor", box(col, row, width=spec.beam_m / 10))


def scene(*hulls: PracticeHull) -> PracticeScene:
    return PracticeScene(
        np.full((4, SIDE, SIDE), 0.03, np.float32),
        np.ones((SIDE, SIDE), bool),
        np.zeros((SIDE, SIDE), np.float32),
        np.full((SIDE // 2, SIDE // 2), 6, np.uint8),
        hulls,
        surface=True,
        weather=Weather(),
    )


def test_missed_hulls_false_alarms_and_wrong_classes_are_told_apart() -> None:
    world = scene(hull(50, 50), hull(120, 50))
    found = [seen(120, 50, width=3.0, class_="other_vessel"), seen(60, 150, length_m=77.0)]
    met = {one.kind: one for one in practice_failures(world, practice_image(world), found)}
    assert set(met) == {"missed", "false_alarm", "wrong_class"}
    assert met["missed"].captions == ("there: barge, 100 m", "found: nothing")
    assert met["false_alarm"].captions == ("there: no hull of 25 m", "found: bulk carrier, 77 m")
    assert met["wrong_class"].captions == ("there: barge, 100 m", "found: other vessel, 100 m")


def test_a_cut_shows_the_ground_about_its_hull_with_true_and_found_boxes() -> None:
    world = scene(hull(50, 50))
    small = [seen(50, 58, length_m=30.0), seen(150, 150, length_m=30.0)]
    (missed,) = practice_failures(world, practice_image(world), small)
    assert missed.kind == "missed"
    assert len(missed.truth) == len(missed.found) == 1
    np.testing.assert_allclose(missed.truth[0].mean(0), len(missed.rgb) / 2, atol=1.0)
    np.testing.assert_allclose(missed.found[0].mean(0) - missed.truth[0].mean(0), (0, 8), atol=0.01)


def test_what_is_found_right_is_no_failure() -> None:
    world = scene(hull(50, 50))
    right = [seen(50, 50, width=3.0, class_="barge")]
    assert practice_failures(world, practice_image(world), right) == []


def test_a_raft_counted_short_is_shown_whole_and_one_counted_right_is_not() -> None:
    raft = Raft("at_quay", tuple(simulated_label(hull(60, row)) for row in (50, 53, 56)))
    image = simulated_image(np.full((4, SIDE, SIDE), 0.03, np.float32))
    boxes = [seen(60, row, length=11, width=3.2) for row in (50, 53, 56)]
    (short,) = raft_failures(image, [raft], boxes[:1])
    assert short.captions == ("there: 3 x barge, 100 m", "found: 1; at quay")
    assert len(short.truth) == 3
    assert raft_failures(image, [raft], boxes) == []


def failure(kind: str) -> Failure:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
    return Failure(kind, pixels, (box(20, 20),), (box(21, 21),), ("there: barge, 90 m", "found: nothing"))


@pytest.mark.parametrize("met", [0, 6])
def test_the_picture_is_small_even_of_pure_noise_and_the_same_each_time(met: int) -> None:
    drawn = []
    for _ in range(2):
        stream = io.BytesIO()
        sheet("m", {kind: [failure(kind)] * met for kind in ROWS}).save(stream, "PNG", optimize=True)
        drawn.append(stream.getvalue())
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) < 300_000


def test_the_model_folder_gets_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lamps(tmp_path)
    monkeypatch.setattr(failures, "simulated_failures", lambda _: {kind: [failure(kind)] for kind in ROWS})
    path = write_failures(model)
    assert path == model.folder / "failures.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"


def test_a_long_caption_stays_under_its_own_picture() -> None:
    """Black pictures, the last column empty: nothing white may lie there."""
    black = np.zeros((40, 40, 3), np.uint8)
    long = Failure(
        next(iter(ROWS)), black, (), (), ("there: bulk carrier, 198 m, off or double" * 2, "found: nothing")
    )
    drawn = np.asarray(sheet("m", {kind: [long] * (kind == long.kind) for kind in ROWS}).convert("RGB"), int)
    row = drawn[_TITLE + _HEADING + _SHOWN_PX : _TITLE + _HEADING + _SHOWN_PX + _CAPTION]
    assert (row.sum(axis=2).max(axis=0)[_GAP : _GAP + _SHOWN_PX] > 600).any()
    assert (row.sum(axis=2).max(axis=0)[_GAP + _SHOWN_PX + 1 :] < 600).all()
