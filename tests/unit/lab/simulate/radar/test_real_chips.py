"""Simulated radar beside real Sentinel-1 chips (OpenSARShip: calibrated, 10 m pixels in radar geometry)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from roadstead_lab.simulate.radar.hulls import mean_rcs_db
from tests.unit.lab.simulate.radar.builders import middle, rendered, sigma0

pytestmark = [pytest.mark.shared_data, pytest.mark.filterwarnings("ignore", category=NotGeoreferencedWarning)]


def chips(shared_data: Path) -> list[tuple[float, NDArray[np.float64]]]:
    """Length by AIS or registry, and VV, of each real chip."""
    folder = shared_data / "s1_ships"
    ships = pd.read_csv(folder / "ships.csv")
    found = []
    for ship in ships[ships.ais_length_m > 40].itertuples():
        with rasterio.open(folder / "chips" / f"{ship.chip}.tif") as dataset:
            band = dataset.descriptions.index("vv") + 1
            found.append((float(ship.ais_length_m), dataset.read(band).astype(float)))
    return found


def lags(field: NDArray[np.float64]) -> list[float]:
    """Correlation of intensity at 1 and 2 pixels in range and in azimuth."""
    f = field - field.mean()
    return [float((f * np.roll(f, k, axis)).mean() / f.var()) for axis in (1, 0) for k in (1, 2)]


def test_speckle_is_as_broad_as_in_real_chips(shared_data: Path) -> None:
    corners = [vv[:24, :24] for _, vv in chips(shared_data) if min(vv.shape) > 90]
    quiet = [c for c in corners if c.max() < 6 * np.median(c)]
    real = np.median([lags(c) for c in quiet], axis=0)
    sea = middle(sigma0(rendered())[0], 144).reshape(12, 24, 12, 24).swapaxes(1, 2).reshape(-1, 24, 24)
    simulated = np.median([lags(c) for c in sea], axis=0)
    assert len(quiet) > 10
    assert simulated == pytest.approx(real, abs=0.06)


def test_ships_reflect_as_much_as_real_ones_of_their_length(shared_data: Path) -> None:
    excess = []
    for length, vv in chips(shared_data):
        row, col = (size // 2 for size in vv.shape)
        half = min(row, col, round(length / 20) + 4)
        core = vv[row - half : row + half + 1, col - half : col + half + 1]
        rcs = 100 * np.clip(core - np.median(vv), 0, None).sum()
        excess.append(10 * np.log10(rcs) - mean_rcs_db(length))
    assert np.median(excess) == pytest.approx(0.0, abs=1.0)
    assert np.std(excess) == pytest.approx(4.0, abs=1.0)
