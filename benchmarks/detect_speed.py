"""How fast one scene is searched, and how much of that is the network: megapixels a second on this machine."""

from __future__ import annotations

import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from affine import Affine

from roadstead.detection import Model, detect_mosaic, load_model
from roadstead.detection.runtime import open_network
from roadstead.geo import Grid
from roadstead.imagery import Mosaic, group_overpasses, open_geotiff, write_cog
from roadstead.settings import settings

SIDE_PX = 2000


def scene(path: Path) -> Path:
    """Write four bands of noisy water."""
    rng = np.random.default_rng(0)
    grid = Grid("EPSG:32651", Affine(10.0, 0.0, 700_000.0, 0.0, -10.0, 4_290_000.0), SIDE_PX, SIDE_PX)
    bands = rng.normal(400, 30, (4, SIDE_PX, SIDE_PX)).clip(1).astype(np.uint16)
    write_cog(path, bands, grid, band_names=["red", "green", "blue", "nir"])
    return path


def network_seconds(model: Model, tiles: int) -> float:
    """Return how long the network alone takes for so many tiles."""
    tile = np.zeros((3, model.read.tile_px, model.read.tile_px), np.float32)
    begun = time.perf_counter()
    for _ in open_network(model).run((index, tile) for index in range(tiles)):
        pass
    return time.perf_counter() - begun


def main() -> None:
    """Print one table."""
    model = load_model(settings().model_id)
    with TemporaryDirectory() as folder:
        image = scene(Path(folder) / "water.tif")
        (overpass,) = group_overpasses(
            [open_geotiff(str(image), acquired=datetime(2020, 11, 3, tzinfo=UTC))], None
        )
        with Mosaic(overpass) as mosaic:
            tiles: list[int] = []
            begun = time.perf_counter()
            detect_mosaic(mosaic, model, overpass=overpass, progress=lambda _, total: tiles.append(total))
            whole = time.perf_counter() - begun
    network = network_seconds(model, tiles[-1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    megapixels = SIDE_PX**2 / 1e6
    print(f"{'':24}{'s':>8}{'MP/s':>8}")
    print(f"{'end to end':24}{whole:8.1f}{megapixels / whole:8.1f}")
    print(f"{f'network alone, {tiles[-1]} tiles':24}{network:8.1f}{megapixels / network:8.1f}")
    print(f"peak memory {peak:.2f} GB")
