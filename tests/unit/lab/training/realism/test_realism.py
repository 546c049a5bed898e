"""The comparison of real and simulated images: sheets, blind test, table, command."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from roadstead_lab.simulate.hulls.spec import random_hull
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training.realism.blind import auc, blind_test
from roadstead_lab.training.realism.compare import compare, main, write_report
from roadstead_lab.training.realism.sheets import (
    CHIP_PX,
    Chip,
    blind,
    cut_chip,
    side_by_side,
    visual,
    write_sheets,
)
from roadstead_lab.training.realism.simulated import simulated_view
from roadstead_lab.training.realism.table import Summary, Tolerance, judge, summarise
from roadstead_lab.training.realism.views import Hull, View

WATER = np.array([0.02, 0.03, 0.04, 0.015], np.float32)
DECK = np.array([0.25, 0.15, 0.12, 0.27], np.float32)


def chips(count: int, *, real: bool, level: float = 60.0, grain: float = 4.0, seed: int = 0) -> list[Chip]:
    """Return plain chips of grainy water from four places."""
    rng = np.random.default_rng([seed, real])
    images = [np.clip(rng.normal(level, grain, (CHIP_PX, CHIP_PX, 3)), 0, 255) for _ in range(count)]
    side = "real" if real else "simulated"
    return [
        Chip(f"{side}-{n % 4}/{n}", f"{side}-{n % 4}", real, image.astype(np.uint8))
        for n, image in enumerate(images)
    ]


def view_with_ship(name: str, origin: str, *, held_out: bool = False) -> View:
    """Return 128 pixels of water with one bulk carrier of 200 m by 40 m in the middle."""
    rng = np.random.default_rng(len(name))
    image = WATER[:, None, None] + rng.normal(0, 0.0008, (4, 128, 128))
    image[:, 62:66, 54:74] = DECK[:, None, None] + rng.normal(0, 0.01, (4, 4, 20))
    corners = np.array([[54.0, 62.0], [74.0, 62.0], [74.0, 66.0], [54.0, 66.0]])
    certain = origin == "simulated"
    state = "at_anchor" if certain else None
    hull = Hull(f"{name}/0", corners, "bulk_carrier", "bulk_carrier", state, 200.0, 40.0, certain)  # type: ignore[arg-type]
    return View(name, name, origin, image.astype(np.float32), (hull,), held_out)  # type: ignore[arg-type]


def test_absent_shared_data_is_told_with_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--shared", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"), "--scenes", "0"])
    assert code == 3
    assert "shared data" in capsys.readouterr().err


def test_the_same_chips_give_the_same_bytes_of_sheet_and_key(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        rng = np.random.default_rng(5)
        write_sheets(tmp_path / folder, "barges", chips(9, real=True), chips(9, real=False), rng)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["barges-blind.png", "barges-key.json", "barges.png"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_blind_key_answers_for_every_chip_that_is_shown() -> None:
    shown = [*chips(24, real=True), *chips(24, real=False)]
    _, key = blind("barges", shown, np.random.default_rng(1))
    assert {(answer["row"], answer["column"]) for answer in key} == {
        (row, column) for row in range(1, 7) for column in range(1, 9)
    }
    answers = {chip.name: "real" if chip.real else "simulated" for chip in shown}
    assert {str(answer["name"]): answer["answer"] for answer in key} == answers


def test_the_blind_sheet_shows_at_each_place_the_chip_that_its_key_names() -> None:
    shown = [*chips(4, real=True, level=200), *chips(4, real=False, level=20)]
    sheet, key = blind("barges", shown, np.random.default_rng(1))
    pixels = np.asarray(sheet)
    for answer in key:
        row = 28 + (int(str(answer["row"])) - 1) * 196 + 90
        column = (int(str(answer["column"])) - 1) * 196 + 90
        assert (pixels[row, column].mean() > 100) == (answer["answer"] == "real")


def test_blind_sheets_name_neither_side_in_the_picture_order() -> None:
    _, key = blind("barges", [*chips(24, real=True), *chips(24, real=False)], np.random.default_rng(1))
    first_half = [answer["answer"] for answer in key[:24]]
    assert 0 < first_half.count("real") < 24


def test_side_by_side_puts_real_chips_left_of_simulated_ones() -> None:
    sheet = side_by_side("water", chips(24, real=True, level=200), chips(24, real=False, level=20))
    pixels = np.asarray(sheet)[40:]
    half = pixels.shape[1] // 2
    assert pixels[:, : half - 8].mean() > 150 > 60 > pixels[:, half + 8 :].mean()


def test_true_colour_saturates_where_the_product_does() -> None:
    rgb = visual(np.array([0.0, 0.1779, 0.3558, 0.9], np.float32)[None, None].repeat(3, 0))
    assert rgb[0, :, 0].tolist() == [0, 128, 255, 255]


def test_a_chip_that_leaves_the_view_is_not_cut() -> None:
    view = view_with_ship("port", "ports")
    assert cut_chip(view, "a", np.array([64.0, 64.0])) is not None
    assert cut_chip(view, "a", np.array([20.0, 64.0])) is None


def test_chips_of_one_kind_cannot_be_told_apart_and_others_can() -> None:
    real, same = chips(40, real=True), chips(40, real=False)
    alike = blind_test(real, same, np.random.default_rng(0))
    smooth = blind_test(real, chips(40, real=False, grain=2.0), np.random.default_rng(0))
    assert alike.by_chance is not None
    assert smooth.places_apart is not None
    assert 0.3 < alike.by_chance.auc < 0.7
    assert smooth.places_apart.auc > 0.99


def test_places_are_not_kept_apart_where_one_holds_most_chips() -> None:
    real = [Chip(chip.name, "houston", True, chip.rgb) for chip in chips(40, real=True)]
    assert blind_test(real, chips(40, real=False), np.random.default_rng(0)).places_apart is None


def test_a_handful_of_chips_gives_no_area() -> None:
    assert blind_test(chips(3, real=True), chips(40, real=False), np.random.default_rng(0)).by_chance is None


def test_area_is_the_share_of_pairs_in_the_right_order() -> None:
    truth = np.array([False, True, False, True])
    assert auc(np.array([0.0, 1.0, 2.0, 3.0]), truth) == 0.75


def summary(median: float, low: float, high: float, n: int = 20) -> Summary:
    """Return a summary with these quartiles."""
    return Summary(n, 3, median, low, low, median, high, high)


def test_a_median_outside_the_real_quartiles_differs() -> None:
    rule = Tolerance("test", ratio=2.0)
    real = summary(1.0, 0.9, 1.2)
    assert judge(real, summary(1.1, 1.0, 1.2), rule) == "agrees"
    assert judge(real, summary(1.3, 1.0, 1.4), rule) == "differs"


def test_a_ratio_holds_either_way() -> None:
    rule = Tolerance("test", quartiles=False, ratio=1.5)
    real = summary(1.0, 0.9, 1.2)
    assert [judge(real, summary(m, 0, 9), rule) for m in (0.6, 0.7, 1.4, 1.6)] == [
        "differs",
        "agrees",
        "agrees",
        "differs",
    ]


def test_few_values_give_no_verdict() -> None:
    assert judge(summary(1, 0, 2), summary(1, 0, 2, n=4), Tolerance("test")) == "too few"
    assert judge(None, summary(1, 0, 2), Tolerance("test")) == "too few"


def test_shares_are_judged_by_their_mean() -> None:
    values = [("a", 0.0)] * 6 + [("a", 1.0)] * 4
    rule = Tolerance("test", quartiles=False, difference=0.2, of="mean")
    assert judge(summarise(values), summarise([("b", 0.0)] * 10), rule) == "differs"


def test_held_out_places_are_neither_shown_nor_judged(tmp_path: Path) -> None:
    views = [view_with_ship("durban", "ports", held_out=True), view_with_ship("sim", "simulated")]
    found = compare(views, tmp_path, seed=1, scenes=1)
    key = json.loads((tmp_path / "bulk-carriers-at-anchor-key.json").read_text())
    assert [answer["answer"] for answer in key] == ["simulated"]
    row = next(row for row in found.rows if row.measure == "water noise (80 m)")
    assert row.held_out is not None
    assert row.real is None
    assert row.verdict == "too few"


def test_the_report_holds_every_row_and_no_pixels(tmp_path: Path) -> None:
    views = [view_with_ship("genoa", "ports"), view_with_ship("sim", "simulated")]
    found = compare(views, tmp_path / "sheets", seed=1, scenes=1)
    write_report(found, tmp_path / "docs")
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == ["realism.json", "realism.md"]
    content = json.loads((tmp_path / "docs" / "realism.json").read_text())
    assert len(content["rows"]) == len(found.rows) == sum(content["verdicts"].values())
    page = (tmp_path / "docs" / "realism.md").read_text()
    assert all(f"| {row.measure} | {row.band} |" in page for row in found.rows)


def test_a_sheet_is_as_large_as_its_grid() -> None:
    sheet = side_by_side("water", [], [])
    assert isinstance(sheet, Pillow.Image)
    assert sheet.size == (8 * 196, 28 + 6 * 196)


@pytest.mark.parametrize("surface", [True, False])
def test_a_simulated_scene_hides_cloud_and_keeps_the_truth_of_its_hulls(surface: bool) -> None:
    spec = random_hull(np.random.default_rng(0), "bulk_carrier", length_m=150.0)
    hull = PracticeHull(spec, "under_way", np.array([[2.0, 2.0], [17.0, 2.0], [17.0, 5.0], [2.0, 5.0]]))
    valid = np.ones((20, 20), bool)
    valid[:, 0] = False
    scl = np.full((10, 10), 6, np.uint8)
    scl[4, 3] = 9
    scene = PracticeScene(
        np.full((4, 20, 20), 0.05, np.float32),
        valid,
        np.zeros((20, 20), np.float32),
        scl,
        (hull,),
        surface,
        Weather(),
    )
    view = simulated_view("scene", scene)
    assert view.has_nir == surface, "true colour seen through the air has no near infrared"
    missing = set(zip(*np.nonzero(~view.valid[:, 1:]), strict=True))
    assert missing == {(8, 5), (8, 6), (9, 5), (9, 6)}
    assert not view.valid[:, 0].any()
    (kept,) = view.hulls
    assert (kept.state, kept.length_m, kept.class_, kept.certain) == (
        "under_way",
        150.0,
        "bulk_carrier",
        True,
    )
