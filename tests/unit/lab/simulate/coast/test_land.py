"""Land of a simulated frame: what lies where, and that it keeps still."""

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely.geometry import box

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Area, Ground, build_ground
from roadstead_lab.simulate.coast.land import land_surface

LEFT, BOTTOM, SIDE = 700_000.0, 4_300_000.0, 4_000.0
QUAY_Y = BOTTOM + 2_000.0


@pytest.fixture(scope="module")
def ground() -> Ground:
    """Land in the northern half; a quay along the western half of its shore."""
    land = box(LEFT, QUAY_Y, LEFT + SIDE, BOTTOM + SIDE)
    berth = Area("p/quay", "berth", box(LEFT + 100, QUAY_Y - 300, LEFT + 1_900, QUAY_Y))
    return build_ground("EPSG:32651", (LEFT, BOTTOM, LEFT + SIDE, BOTTOM + SIDE), land, [berth])


def colour(ground: Ground, *, seed: int = 1, flats: float = 0.0) -> NDArray[np.float32]:
    return land_surface(ground, generator(seed, "land"), flats).rows(0, ground.grid.height)


def test_land_is_the_same_in_whatever_strips_it_is_read(ground: Ground) -> None:
    land = land_surface(ground, generator(1, "land"))
    strips = np.concatenate([land.rows(first, first + 50) for first in range(0, 400, 50)], axis=1)
    inside = np.s_[:, 12:180]
    np.testing.assert_allclose(strips[inside], land.rows(0, 400)[inside], atol=0.06)
    assert np.abs(strips[inside] - land.rows(0, 400)[inside]).mean() < 1e-3


def test_land_has_the_levels_of_real_land(ground: Ground) -> None:
    """Real ports: red 0.035-0.174, near infrared 0.15-0.33 (10 to 90 %), median over styles."""
    medians = np.array([np.median(colour(ground, seed=seed)[:, :190], axis=(1, 2)) for seed in range(12)])
    red, _, _, nir = np.median(medians, axis=0)
    assert 0.05 < red < 0.15
    assert 0.14 < nir < 0.32
    assert (medians[:, 3] > medians[:, 0]).all()


def test_ports_differ_in_style_and_the_same_seed_gives_the_same_land(ground: Ground) -> None:
    np.testing.assert_array_equal(colour(ground), colour(ground))
    assert np.abs(colour(ground, seed=2) - colour(ground)).mean() > 0.01


def test_yards_lie_behind_the_quay_alone(ground: Ground) -> None:
    """Paved ground is grey: near infrared hardly above red, far from it behind the natural shore."""
    ratios = []
    for seed in range(8):
        red, _, _, nir = colour(ground, seed=seed)
        behind, beyond = np.s_[165:190, 20:180], np.s_[20:190, 330:400]
        ratios.append(np.median(nir[behind] / red[behind]) / np.median(nir[beyond] / red[beyond]))
    assert np.median(ratios) < 0.85


def test_flats_line_the_natural_shore_and_no_quay(ground: Ground) -> None:
    dry, wet = colour(ground), colour(ground, flats=1.0)
    change = np.abs(wet - dry).sum(axis=0)
    assert change[194:199, 370:395].mean() > 5 * change[194:199, 40:170].mean()
    assert change[:150].max() < 1e-6, "inland nothing changes"
