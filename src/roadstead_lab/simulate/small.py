"""A made-up port of 5 km, and single small overpasses: quick worlds for tests and examples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import Literal

import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from roadstead.core.geo import WGS84, project
from roadstead.core.ports import Port, Zone
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground, build_ground
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.hulls.spec import Kind, random_hull
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.items import COLLECTION, Look, write_scenes
from roadstead_lab.simulate.optical.render import PlacedHull, render
from roadstead_lab.simulate.scenario.model import (
    FleetRow,
    Outage,
    OverpassPlan,
    PortScenario,
    RadarPlan,
    Receiver,
    Scenario,
    Spectrum,
    Weather,
)
from roadstead_lab.simulate.stac import write_catalog

CRS = "EPSG:32651"
LEFT, BOTTOM, SIDE_M = 697_400.0, 4_283_000.0, 5_120.0
"""The frame of 512 pixels; its eastern half lies in two Sentinel-2 tiles, 51SXC and 51SYC."""
RIGHT, TOP = LEFT + SIDE_M, BOTTOM + SIDE_M
_QUAY_Y = TOP - 1_200.0
_WATERS: tuple[Spectrum, Spectrum] = ((0.031, 0.052, 0.046, 0.013), (0.085, 0.098, 0.076, 0.030))
_LIGHT = Light(sun_azimuth_deg=163.0, sun_elevation_deg=34.0)
CLEAR = OverpassPlan(1, time(2, 28, 31), "sentinel-2a", 46)

SMALL_SCENARIO = PortScenario(
    port="small-port",
    name="SMALL",
    aoi="small-port.geojson",
    bounds_xy=(LEFT, BOTTOM, RIGHT, TOP),
    entries="S",
    fleet=(
        FleetRow(
            "bulk_carrier",
            (100.0, 160.0),
            {"at_berth": 1, "at_anchor": 1, "call": 1},
            behaviours={"honest": 1 / 3, "wrong_length": 1 / 3, "switched_off": 1 / 3},
            flags=(445, 412),
            berths=("quay",),
            anchorages=("roads",),
        ),
        FleetRow(
            "barge",
            (60.0, 110.0),
            {"at_berth": 2, "at_anchor": 2},
            ais_class={"B": 1.0},
            behaviours={"honest": 0.5, "silent": 0.5},
            flags=(412,),
            berths=("quay",),
            anchorages=("roads",),
            rafts=0.6,
        ),
    ),
    overpasses=(
        CLEAR,
        OverpassPlan(2, time(2, 18, 53), "sentinel-2b", 3, Weather(cloud="patches"), no_data_wedge=True),
    ),
    radar=(RadarPlan(1, time(9, 31, 12), relative_orbit=98),),
    receivers=(
        Receiver(
            "SIM-SMALL",
            stations=((125.3, 38.7),),
            station_mid=445,
            outages=(Outage(2, 0.0, 6.0),),
            thin_s=360,
        ),
    ),
    clear_water=_WATERS[0],
    turbid_water=_WATERS[1],
    sun_elevation_deg=_LIGHT.sun_elevation_deg,
    sun_azimuth_deg=_LIGHT.sun_azimuth_deg,
    land_xy=(((LEFT, _QUAY_Y), (RIGHT, _QUAY_Y), (RIGHT, TOP), (LEFT, TOP)),),
)
"""Seven ships, two optical overpasses and one by radar."""
SMALL_WORLD = Scenario(
    name="small",
    title="Three days at a made-up port of 5 km",
    start=date(2020, 11, 1),
    days=3,
    ports=(SMALL_SCENARIO,),
)


def small_port() -> Port:
    """Return a made-up port: a straight quay in the north, roads south of it."""
    quay = box(LEFT + 600.0, _QUAY_Y - 300.0, RIGHT - 600.0, _QUAY_Y)
    roads = box(LEFT + 400.0, BOTTOM + 600.0, RIGHT - 400.0, _QUAY_Y - 700.0)
    return Port("small-port", (_zone("quay", "berth", quay), _zone("roads", "anchorage", roads)))


def _zone(name: str, kind: Literal["berth", "anchorage"], xy: Polygon) -> Zone:
    lonlat = Polygon(shapely.get_coordinates(project(xy.segmentize(1000.0), CRS, WGS84)))
    return Zone(f"small-port/{name}", kind, MultiPolygon([lonlat]))


def open_water() -> Ground:
    """Return the small port's frame without land or zones."""
    return build_ground(CRS, (LEFT, BOTTOM, RIGHT, TOP), Polygon(), [])


def place(
    kind: Kind,
    length_m: float,
    colrow: tuple[float, float],
    heading_deg: float,
    *,
    speed_kn: float = 0.0,
    seed: int = 0,
) -> PlacedHull:
    """Return a hull whose centre is at a pixel coordinate of the small frame.

    Args:
        kind: Kind of hull.
        length_m: Length overall.
        colrow: (column, row) of the centre from the frame's upper-left corner, pixels.
        heading_deg: Clockwise from grid north.
        speed_kn: Above 2 kn it trails a wake.
        seed: Of its looks.
    """
    name = f"{kind}-{length_m}-{colrow}"
    hull = random_hull(generator(seed, "hull", name), kind, length_m=length_m)
    xy = LEFT + 10.0 * colrow[0], TOP - 10.0 * colrow[1]
    return PlacedHull(name, hull, xy, heading_deg, speed_kn)


def simulate_overpass(
    out: Path,
    hulls: Sequence[PlacedHull],
    *,
    ground: Ground | None = None,
    plan: OverpassPlan = CLEAR,
    start: date = date(2020, 11, 1),
    seed: int = 0,
) -> Path:
    """Write one overpass of a small frame and return its ``catalog.json``.

    Args:
        out: Folder of the catalogue.
        hulls: What lies on the water (see `place`).
        ground: The frame; by default `open_water`.
        plan: Weather and clock.
        start: Day 0 of the plan, UTC.
        seed: Not negative; the same seed gives the same bytes.
    """
    frame_of = ground or open_water()
    land = land_surface(frame_of, generator(seed, "small", "land"))
    look = Look(plan, plan.acquired(start), _LIGHT, seed)
    rng = generator(seed, "small", "overpass", plan.day)
    frame = render(frame_of, land, hulls, plan, _LIGHT, _WATERS, rng)
    return write_catalog(out, {COLLECTION: write_scenes(out / COLLECTION, frame, look)}, seed)
