"""Sea, noise and speckle."""

import numpy as np
import pytest
from scipy import stats

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.radar.clutter import cmod5n, noise_sigma0, point_spread, speckle

# Worked out with another transcription of CMOD5.N, of the scalar form of xsarsea.
PUBLISHED = [
    (30.0, 5.0, 0.0, 0.0499061),
    (35.0, 3.0, 90.0, 0.00707889),
    (40.0, 10.0, 0.0, 0.0507391),
    (40.0, 10.0, 90.0, 0.0160264),
    (45.0, 15.0, 180.0, 0.0657510),
    (38.0, 6.0, 45.0, 0.0167150),
]


@pytest.mark.parametrize(("incidence", "wind", "direction", "sigma"), PUBLISHED)
def test_the_sea_follows_cmod5n(incidence: float, wind: float, direction: float, sigma: float) -> None:
    assert cmod5n(np.array(wind), direction, np.array(incidence)) == pytest.approx(sigma, rel=1e-4)


def test_speckle_is_gamma_with_the_looks_of_grdh() -> None:
    field = speckle((600, 600), generator(3, "speckle"))
    apart = field[::6, ::6].ravel()
    assert field.mean() == pytest.approx(1.0, abs=0.02)
    assert apart.mean() ** 2 / apart.var() == pytest.approx(4.4, abs=0.3)
    assert stats.kstest(apart, stats.gamma(4.42, scale=1 / 4.42).cdf).pvalue > 0.01


def test_speckle_is_correlated_as_pixels_finer_than_the_resolution_are() -> None:
    field = speckle((500, 500), generator(4, "speckle")) - 1.0
    for axis in (0, 1):
        lag = [(field * np.roll(field, shift, axis)).mean() / field.var() for shift in (1, 2, 5)]
        assert lag == pytest.approx([0.62, 0.13, 0.0], abs=0.04), "real chips: 0.62 and 0.14-0.16"


def test_a_point_target_is_20_m_wide_with_sidelobes_21_db_down() -> None:
    at = np.arange(0.0, 8.0, 0.01)
    power = point_spread(at) ** 2 / point_spread(np.zeros(1)) ** 2
    assert 2 * at[np.argmax(power < 0.5)] * 10.0 == pytest.approx(21.0, abs=1.0)
    first_null = int(np.argmax(np.diff(power) > 0))
    assert 10 * np.log10(power[first_null:].max()) == pytest.approx(-21.0, abs=1.0)


def test_noise_is_under_the_required_22_db() -> None:
    assert (10 * np.log10(noise_sigma0(np.array([30.0, 46.0]))) < -22.0).all()
