"""In which pixels a hull could have shown, and in which it could not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from roadstead.core.errors import SceneError
from roadstead.imagery import Block, Mosaic, Scene, Searched, group_overpasses, open_scene, search
from roadstead.imagery.optical.plausibility import Tally, implausible
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.simulate.small import CLEAR, place, simulate_overpass, small_port
from tests import builders as b
from tests.worlds import FRAME, water_with_ships

Real = NDArray[np.float32]


def block_of(rgb: Real, nir: Real | None = None) -> Block:
    """Return what a mosaic reads where the detector is shown ``rgb`` [3, H, W], 0..1."""
    shape = rgb.shape[1:]
    valid, index = np.ones(shape, bool), np.zeros(shape, np.int16)
    return Block(rgb.astype(np.float32), nir, valid, None, None, index)


def shown(seed: int = 0) -> Real:
    """Return two ships on water as the detector is shown them, with grain of its own."""
    rng = np.random.default_rng(seed)
    bands = [water_with_ships()[band].astype(np.float32) for band in ("red", "green", "blue")]
    reflectance = (np.stack(bands) - 1000) * 1e-4 + rng.normal(0, 0.0003, (3, 240, 260))
    return np.clip(reflectance / 0.3558, 0, 1).astype(np.float32)


def told(block: Block) -> str | None:
    tally = Tally()
    tally.add(block, block.clear)
    return implausible(tally)


def noise(amplitude: float, seed: int = 0) -> Real:
    rng = np.random.default_rng(seed)
    return np.clip(0.3 + amplitude * rng.normal(size=(3, 128, 128)), 0, 1).astype(np.float32)


def damaged(band: int, rows: slice, fill: Callable[[tuple[int, int]], Real]) -> Real:
    """Return two ships on water of which some rows of a band are what a broken stream decodes to."""
    changed = shown()
    part = changed[band, rows]
    part[:] = fill((part.shape[0], part.shape[1]))
    return changed


def numbers(shape: tuple[int, int]) -> Real:
    """Return 16-bit numbers drawn evenly, as reflectance of the visual's full scale."""
    drawn = np.random.default_rng(4).integers(0, 65536, shape)
    return np.clip(drawn * 1e-4 / 0.3558, 0, 1).astype(np.float32)


def ramp(shape: tuple[int, int]) -> Real:
    """Return rows that all rise alike, as a predictor makes of zeros and a step."""
    return np.broadcast_to(np.linspace(0.05, 0.3, shape[1], dtype=np.float32), shape)


def soil() -> Real:
    """Return water beside red soil, which is five times as bright in red as in blue."""
    changed = shown()
    grain = np.random.default_rng(5).normal(0, 0.002, (3, 240, 130))
    changed[:, :, 130:] = np.array([0.95, 0.5, 0.2])[:, None, None] + grain
    return changed


def with_band(rgb: Real, band: int, value: float) -> Real:
    changed = rgb.copy()
    changed[band] = value
    return changed


BROKEN: dict[str, tuple[Callable[[], Real], str]] = {
    "every band is constant": (lambda: np.full((3, 64, 64), 0.2), "band red is 0.0712 everywhere"),
    "red is constant": (lambda: with_band(shown(), 0, 0.5), "band red is 0.1779 everywhere"),
    "green is constant": (lambda: with_band(shown(), 1, 1.0), "band green is 0.3558 everywhere"),
    "blue is zero": (lambda: with_band(shown(), 2, 0.0), "band blue is 0.0000 everywhere"),
    "DN 1 everywhere": (lambda: np.full((3, 64, 64), 1e-4 / 0.3558), "darker than water"),
    "the offset was taken off twice": (lambda: np.clip(shown() - 0.1 / 0.3558, 0, 1), "taken off twice"),
    "the scale is ten times too small": (lambda: shown() * 0.1, "darker than water"),
    "the scale is a hundred times too small": (lambda: shown() * 0.01, "darker than water"),
    "the scale is ten times too large": (lambda: np.clip(shown() * 10, 0, 1), "as dark as water"),
    "cloud all over": (lambda: np.clip(noise(0.01) + 0.5, 0, 1), "as dark as water"),
    "noise": (lambda: noise(0.2), "it is noise"),
    "faint noise": (lambda: noise(0.06, 1), "it is noise"),
    "numbers drawn evenly": (lambda: np.random.default_rng(2).random((3, 96, 96)), "it is noise"),
    "green is noise in its lower quarter": (
        lambda: damaged(1, np.s_[180:], numbers),
        "contradict each other",
    ),
    "blue is noise in its lower quarter": (lambda: damaged(2, np.s_[180:], numbers), "contradict each other"),
    "rows of red repeat in its lower half": (
        lambda: damaged(0, np.s_[120:], ramp),
        "the rows of a band repeat",
    ),
    "one band three times": (lambda: np.repeat(shown()[:1], 3, axis=0), "the same numbers"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_hull_could_have_shown_where(name: str) -> None:
    make, words = BROKEN[name]
    why = told(block_of(make()))
    assert why is not None
    assert words in why


SOUND: dict[str, Callable[[], Real]] = {
    "two ships on water": shown,
    "water without a ship": lambda: shown()[:, 100:140, :60],
    "water half as bright": lambda: shown() * 0.5,
    "silt": lambda: np.clip(shown() + np.array([0.45, 0.35, 0.15])[:, None, None], 0, 1),
    "8 bits": lambda: np.round(shown() * 255) / 255,
    "water beside red soil": soil,
    "choppy water": lambda: np.clip(shown() + _chop(), 0, 1),
}


def _chop() -> Real:
    """Return foam and waves that are one pixel wide and alike in all bands."""
    return np.random.default_rng(5).normal(0, 0.015, (1, 240, 260)).astype(np.float32)


@pytest.mark.parametrize("name", SOUND)
def test_a_hull_could_have_shown_in(name: str) -> None:
    assert told(block_of(SOUND[name]())) is None


@pytest.mark.parametrize("values", [(1.0,), (6.5535,), (0.0, 1.0), (0.0, 0.0255)])
def test_a_mask_is_no_near_infrared(values: tuple[float, ...]) -> None:
    rgb = shown()
    nir = np.resize(np.array(values, np.float32), rgb.shape[1:])
    why = told(block_of(rgb, nir))
    assert why is not None
    assert "a mask was taken for it" in why


def test_near_infrared_that_reflects_more_than_falls_on_it_is_damaged() -> None:
    rgb = shown()
    nir = np.full(rgb.shape[1:], 0.02, np.float32) + np.random.default_rng(6).random(rgb.shape[1:]) * 0.01
    assert told(block_of(rgb, nir.astype(np.float32))) is None
    nir[120:] = np.random.default_rng(7).integers(0, 65536, nir[120:].shape) * 1e-4
    assert "near infrared reflects more than falls on it in 42% of its pixels" in str(
        told(block_of(rgb, nir))
    )


def test_near_infrared_that_is_nowhere_known_is_not_held_against_a_scene() -> None:
    rgb = shown()
    assert told(block_of(rgb, np.full(rgb.shape[1:], np.nan, np.float32))) is None


def test_few_pixels_are_not_judged() -> None:
    assert told(block_of(np.full((3, 15, 17), 0.2))) is None


def test_cloud_that_is_known_is_not_judged() -> None:
    rgb = np.full((3, 240, 520), 0.9)
    rgb[:, :, 260:] = shown()
    block = block_of(rgb)
    cloud = np.zeros_like(block.valid)
    cloud[:, :260] = True
    assert told(replace(block, cloud=cloud)) is None


def test_a_large_block_is_judged_by_a_part_of_it() -> None:
    assert told(block_of(np.tile(shown(), (1, 4, 4)))) is None
    assert told(block_of(np.full((3, 700, 700), 0.2))) is not None


def _item(folder: Path, name: str, col: int, dn: dict[str, NDArray[np.uint16]]) -> Path:
    frame = b.grid(260, 240, col=col)
    return b.write_item(folder, name, frame, dn, properties={})


def test_of_an_overpass_the_broken_scene_is_named(tmp_path: Path) -> None:
    """Next to a sound scene, a constant one would be "searched, no ship"."""
    items = [
        _item(tmp_path, "SOUND", 0, water_with_ships()),
        _item(tmp_path, "CONSTANT", 260, b.water(FRAME)),
    ]
    (overpass,) = group_overpasses([open_scene(str(item)) for item in items], None)
    with Mosaic(overpass) as mosaic:
        searched = Searched(mosaic)
        searched.read(mosaic.grid.window)
        with pytest.raises(SceneError, match=r"scene CONSTANT: band red is 0\.0300 everywhere"):
            searched.check()


SKIES = {
    "clear": Weather(),
    "patches of cloud": Weather(cloud="patches"),
    "haze, glint and swell": Weather(haze=0.1, glint=0.1, swell=0.02),
}


@pytest.mark.parametrize("name", SKIES)
def test_no_simulated_scene_is_refused(name: str, tmp_path: Path) -> None:
    hulls = [place("barge", 80.0, (200.0, 220.0), 30.0), place("bulk_carrier", 180.0, (300.0, 260.0), 90.0)]
    catalog = simulate_overpass(tmp_path, hulls, plan=replace(CLEAR, weather=SKIES[name]))
    days = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 5, tzinfo=UTC)
    assert _why(search(str(catalog), small_port(), *days, "sentinel-2-l2a").scenes) == {}


def _why(scenes: Sequence[Scene]) -> dict[str, str]:
    """Return scene -> why it is refused, as an overpass that is read whole."""
    reasons: dict[str, str] = {}
    for overpass in group_overpasses(scenes, None):
        with Mosaic(overpass) as mosaic:
            searched = Searched(mosaic)
            searched.read(mosaic.grid.window)
            try:
                searched.check()
            except SceneError as error:
                reasons[overpass.overpass_id] = str(error)
    return reasons


@pytest.mark.shared_data
def test_no_real_scene_is_refused(shared_data: Path) -> None:
    items = sorted((shared_data / "stac").glob("*/*/*.json"))
    chips = sorted((shared_data / "s2_ais").glob("*/*.tif"))
    assert len(items) >= 22
    assert len(chips) == 33
    for path in (*items, *chips):
        assert _why([open_scene(str(path))]) == {}
