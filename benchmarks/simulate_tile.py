"""How fast a whole Sentinel-2 tile (10,980 x 10,980 pixels, four bands) is simulated, and in how much memory."""

from __future__ import annotations

import resource
import time
from datetime import time as clock
from pathlib import Path
from tempfile import TemporaryDirectory

from shapely.geometry import Point, box

from roadstead.core.ports import load_port
from roadstead.imagery import write_cog
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.hulls.spec import KINDS, random_hull
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.render import PlacedHull, render
from roadstead_lab.simulate.scenario.model import OverpassPlan, PortScenario, Weather
from roadstead_lab.simulate.traffic.sea import port_ground

PORT = "ningbo-zhoushan"
LEFT_BOTTOM = (330_000.0, 3_260_000.0)
SIDE_M = 109_800.0
HULLS = 400


def hulls_on(ground: Ground, count: int, margin_m: float = 0.0) -> list[PlacedHull]:
    """Return ships at random places on the water, so far from the edge of the image."""
    rng, placed = generator(1, "benchmark"), []
    left, bottom, right, top = box(*ground.grid.bounds_xy).buffer(-margin_m, join_style="mitre").bounds
    while len(placed) < count:
        xy = float(rng.uniform(left, right)), float(rng.uniform(bottom, top))
        if ground.is_water(Point(xy).buffer(200.0)):
            spec = random_hull(rng, KINDS[int(rng.integers(len(KINDS)))])
            heading, speed = float(rng.uniform(0, 360)), float(rng.choice([0.0, 11.0]))
            placed.append(PlacedHull(f"hull-{len(placed)}", spec, xy, heading, speed))
    return placed


def main() -> None:
    """Print one table."""
    begun = time.perf_counter()
    (left, bottom), port = LEFT_BOTTOM, load_port(PORT)
    bounds = (left, bottom, left + SIDE_M, bottom + SIDE_M)
    ground = port_ground(port, PortScenario(port=PORT, fleet=(), bounds_xy=bounds))
    hulls = hulls_on(ground, HULLS)
    plan = OverpassPlan(0, clock(2, 30), "sentinel-2a", 46, Weather(cloud="patches", haze=0.05))
    waters = ((0.062, 0.084, 0.068, 0.022), (0.138, 0.138, 0.102, 0.050))
    ready = time.perf_counter()
    frame = render(
        ground, land_surface(ground, generator(1, "land")), hulls, plan, Light(), waters, generator(1)
    )
    drawn = time.perf_counter()
    with TemporaryDirectory() as folder:
        for band, name in zip(frame.dn, ("B04", "B03", "B02", "B08"), strict=True):
            write_cog(Path(folder) / f"{name}.tif", band[None], frame.grid, overviews=False)
    written = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    height, width = frame.dn.shape[1:]
    print(f"{height} x {width} pixels, 4 bands, {len(hulls)} hulls, {ground.land_share.mean():.0%} land")
    for what, seconds in (
        ("coast, hulls", ready - begun),
        ("drawing", drawn - ready),
        ("COGs", written - drawn),
    ):
        print(f"{what:24}{seconds:8.1f} s")
    print(f"{'whole':24}{written - begun:8.1f} s, peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
