"""Random fields read in strips."""

import numpy as np
import pytest

from roadstead_lab.simulate.texture import (
    Chance,
    CoarseField,
    Field,
    SumField,
    coarse_noise,
    grain_field,
    swell_field,
)

SHAPE = (300, 420)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def fields() -> list[Field]:
    wave = swell_field(rng(), SHAPE[1], 6.0, 30.0)
    return [
        CoarseField(coarse_noise(rng(), SHAPE, 200.0, 5), SHAPE),
        grain_field(rng(), SHAPE[1], 0.7),
        wave,
        SumField(((0.5, wave), (2.0, grain_field(rng(), SHAPE[1])))),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_pixel_has_one_value_whatever_strip_it_is_read_in(number: int) -> None:
    field = fields()[number]
    strips = np.vstack([field.rows(first, min(first + 77, 300)) for first in range(0, 300, 77)])
    np.testing.assert_allclose(field.rows(0, 300), strips, atol=1e-4)


def test_grain_has_unit_spread_and_the_correlation_of_its_width() -> None:
    grain = grain_field(rng(), 400, 0.75).rows(0, 400)
    assert grain.std() == pytest.approx(1.0, abs=0.03)
    lag = np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1]
    assert lag == pytest.approx(np.exp(-1 / (4 * 0.75**2)), abs=0.03)
    white = grain_field(rng(), 400).rows(0, 400)
    assert abs(np.corrcoef(white[:, 1:].ravel(), white[:, :-1].ravel())[0, 1]) < 0.02


def test_swell_has_its_wavelength_across_its_crests() -> None:
    wave = swell_field(rng(), 512, 8.0, 90.0).rows(0, 512)
    power = np.abs(np.fft.rfft(wave, axis=1)).mean(axis=0)
    assert 512 / int(power.argmax()) == pytest.approx(8.0, rel=0.25)


def test_grain_does_not_repeat_inside_a_tile() -> None:
    grain = grain_field(rng(), 2000, 0.5).rows(0, 40)
    here = grain[:, :300].ravel()
    others = [np.corrcoef(here, grain[:, at : at + 300].ravel())[0, 1] for at in range(350, 1700, 1)]
    assert max(others) < 0.75


def test_the_same_cell_has_the_same_number_and_numbers_are_even() -> None:
    chance = Chance.drawn(rng())
    cells = np.arange(-20_000, 20_000, dtype=np.int32)
    values = chance.of(cells, cells // 7)
    np.testing.assert_array_equal(values, chance.of(cells, cells // 7))
    share, _ = np.histogram(values, bins=10, range=(0, 1))
    assert share.min() > 0.07 * len(cells)
