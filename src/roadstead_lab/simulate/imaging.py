"""Each satellite pass over a simulated port: what lies there, drawn, written, and handed on for the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pystac

from roadstead_lab.simulate.ais.received import Received
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.land import drawn, land_surface
from roadstead_lab.simulate.hulls.spec import loaded
from roadstead_lab.simulate.optical.items import COLLECTION, Look, write_scenes
from roadstead_lab.simulate.optical.render import Frame, PlacedHull, render
from roadstead_lab.simulate.radar.geometry import RadarPass
from roadstead_lab.simulate.radar.items import RADAR_COLLECTION, write_radar_scene
from roadstead_lab.simulate.radar.render import render_radar
from roadstead_lab.simulate.scenario.model import OverpassPlan, RadarPlan
from roadstead_lab.simulate.texture import Field
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.truth.files import Observation, hull_features, scl_cover, swath_cover

_WORKERS = 2
_LARGE_PX = 30_000_000
"""Frames beyond are drawn one after the other, their land anew each time: each takes a gigabyte."""


@dataclass(frozen=True)
class Imaged:
    """One pass on disk, and what was there."""

    port: str
    acquired: datetime
    """UTC."""
    collection: str
    items: list[pystac.Item]
    features: list[dict[str, Any]]
    """Of `truth.hull_features`."""


def imaged(folder: Path, world: PortWorld, heard: Mapping[str, Received]) -> Iterator[Imaged]:
    """Draw and write each pass over a port, two at a time; the files do not depend on which is done first.

    Args:
        folder: The catalogue's folder; each collection has one of its own in it.
        world: The port.
        heard: What each source of the port heard, for the truth.
    """
    chance = generator(world.seed, world.scenario.port, "land")
    grid = world.ground.grid
    small = grid.width * grid.height <= _LARGE_PX
    surface = land_surface(world.ground, chance, world.scenario.tide_flats)
    land = drawn(surface) if small else surface
    # Radar first: it keeps one core busy for long, optical passes both for a short time.
    tasks = [partial(_radar, folder / RADAR_COLLECTION, world, heard, plan) for plan in world.scenario.radar]
    tasks += [partial(_optical, folder / COLLECTION, world, heard, land, plan) for plan in world.plans]
    with ThreadPoolExecutor(_WORKERS if small else 1) as pool:
        running = [pool.submit(task) for task in tasks]
        try:
            yield from (future.result() for future in as_completed(running))
        finally:
            for future in running:
                future.cancel()


def _optical(
    folder: Path, world: PortWorld, heard: Mapping[str, Received], land: Field, plan: OverpassPlan
) -> Imaged:
    frame, look = _observe(world, land, plan)
    items = write_scenes(folder, frame, look)
    ids = tuple(item.id for item in items)
    seen = Observation(world, look.acquired, "s2", ids, scl_cover(frame), look.datatake)
    return Imaged(world.scenario.port, look.acquired, folder.name, items, hull_features(seen, heard))


def _observe(world: PortWorld, land: Field, plan: OverpassPlan) -> tuple[Frame, Look]:
    scenario, acquired = world.scenario, plan.acquired(world.start)
    look = Look(plan, acquired, scenario.light_on(plan.day), world.seed)
    frame = render(
        world.ground,
        land,
        placed_hulls(world, acquired.timestamp()),
        plan,
        look.light,
        (scenario.clear_water, scenario.turbid_water),
        generator(world.seed, scenario.port, "overpass", plan.day, plan.clock.isoformat()),
    )
    return frame, look


def _radar(folder: Path, world: PortWorld, heard: Mapping[str, Received], plan: RadarPlan) -> Imaged:
    radar = _radar_pass(plan, world.start)
    rng = generator(world.seed, world.scenario.port, "radar", plan.day, plan.clock.isoformat())
    frame = render_radar(world.ground, placed_hulls(world, radar.acquired.timestamp()), radar, rng)
    item = write_radar_scene(folder, frame, radar, world.seed)
    pixels = {hull.name: hull for hull in frame.hulls}
    datatake, cover = str(item.properties["s1:datatake_id"]), swath_cover(frame.valid_xy)
    seen = Observation(world, radar.acquired, "s1", (item.id,), cover, datatake, pixels)
    return Imaged(world.scenario.port, radar.acquired, folder.name, [item], hull_features(seen, heard))


def _radar_pass(plan: RadarPlan, start: date) -> RadarPass:
    return RadarPass(
        plan.platform,
        plan.acquired(start),
        plan.orbit_state,
        plan.relative_orbit,
        wind_speed_m_s=plan.wind_speed_m_s,
        wind_from_deg=plan.wind_from_deg,
    )


def placed_hulls(world: PortWorld, time: float) -> list[PlacedHull]:
    """Return the hulls inside the frame at a time, seconds since 1970; the tug of a tow comes after its barge."""
    placed = []
    for sailing in world.present(time):
        motion = sailing.at(time)
        if motion is None:
            continue
        name, hull = sailing.vessel.vessel_id, loaded(sailing.vessel.hull, sailing.laden(time))
        placed.append(PlacedHull(name, hull, motion.xy, motion.heading_deg, motion.speed_kn))
        tug = sailing.tug(motion)
        if tug is not None:
            placed.append(PlacedHull(f"{name}-tug", *tug, motion.speed_kn))
    return placed
