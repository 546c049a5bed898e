"""A simulated world on disk: a STAC catalogue of COGs, AIS files, and the truth kept apart.

    out/catalog.json                      static STAC catalogue, relative links
    out/sentinel-2-c1-l2a/ITEM/…          items and COGs
    out/ais/PORT-simulated.nmea | .csv    what receivers heard
    out/truth/hulls.geojson, voyages.csv  what was really there
    out/README.txt                        says that all this is simulated

The same seed gives the same bytes in any folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pystac

from roadstead.aoi import Port
from roadstead.simulate.ais import Message, received
from roadstead.simulate.ais_files import write_csv, write_nmea
from roadstead.simulate.chance import generator
from roadstead.simulate.files import write_text
from roadstead.simulate.hulls import Light
from roadstead.simulate.items import COLLECTION, LABEL, Look, write_catalog, write_scenes
from roadstead.simulate.optical import PlacedHull, render
from roadstead.simulate.scenario import OverpassPlan, PortScenario, scenario_of
from roadstead.simulate.sea import PortWorld, simulate_port
from roadstead.simulate.surface import land_surface
from roadstead.simulate.truth import Observation, hull_features, write_hulls, write_voyages

_SUN_SINKS_DEG_A_DAY = 0.25
_README = f"""{LABEL}.

catalog.json and {COLLECTION}/  images as a static STAC catalogue
ais/    what AIS receivers heard; ships and identities are invented. Reports are thinned: every 6 minutes
        under way, every 15 minutes moored or at anchor, static data every 30 minutes.
truth/  every hull at every overpass, every voyage; nothing that detects or reconciles may read it

Seed: {{seed}}
"""


@dataclass(frozen=True)
class SimulatedWorld:
    """Where a simulated world lies."""

    catalog: Path
    """The STAC catalogue's ``catalog.json``."""
    ais: dict[str, list[Path]]
    """Port slug -> its AIS files."""
    truth: Path
    """The folder of the truth."""


def simulate_fortnight(
    out: Path,
    ports: Sequence[Port],
    seed: int,
    start: date = date(2020, 11, 1),
    *,
    progress: Callable[[str], None] | None = None,
) -> SimulatedWorld:
    """Simulate two weeks of ships, overpasses and AIS at some ports.

    Args:
        out: Folder to write into; files of the same names are replaced.
        ports: Ports with a built-in scenario (see `scenario_of`).
        seed: Not negative; the same seed gives the same bytes.
        start: First day, UTC.
        progress: Is told what was written, one line an overpass.

    Raises:
        PortError: a port has no scenario or no coast outline.
        StoreError: a file cannot be written.
    """
    return simulate_scenarios(out, [(port, scenario_of(port.slug)) for port in ports], seed, start, progress)


def simulate_scenarios(
    out: Path,
    scenarios: Sequence[tuple[Port, PortScenario]],
    seed: int,
    start: date,
    progress: Callable[[str], None] | None = None,
) -> SimulatedWorld:
    """Simulate ports by scenarios of one's own; see `simulate_fortnight`."""
    tell = progress or (lambda line: None)
    items: list[pystac.Item] = []
    features: list[dict[str, Any]] = []
    ais: dict[str, list[Path]] = {}
    worlds = [simulate_port(port, scenario, seed, start) for port, scenario in scenarios]
    for world in worlds:
        messages = received(world)
        ais[world.scenario.port] = [_write_ais(out / "ais", world, messages)]
        for seen, made in _observe(out / COLLECTION, world):
            items.extend(made)
            features.extend(hull_features(seen, messages))
            tell(f"{world.scenario.port}: {seen.acquired:%Y-%m-%d %H:%M} UTC, {len(made)} scenes")
    write_catalog(out, items, seed)
    write_hulls(out / "truth" / "hulls.geojson", features, seed)
    write_voyages(out / "truth" / "voyages.csv", worlds)
    write_text(out / "README.txt", _README.format(seed=seed))
    return SimulatedWorld(out / "catalog.json", ais, out / "truth")


def _write_ais(folder: Path, world: PortWorld, messages: Sequence[Message]) -> Path:
    reception = world.scenario.reception
    write = {"nmea": write_nmea, "csv": write_csv}[reception.format]
    path = folder / f"{world.scenario.port}-simulated.{reception.format}"
    write(path, messages, reception.source)
    return path


def _observe(folder: Path, world: PortWorld) -> Iterator[tuple[Observation, list[pystac.Item]]]:
    scenario = world.scenario
    land = land_surface(world.ground, generator(world.seed, scenario.port, "land"))
    for number, plan in enumerate(scenario.overpasses):
        acquired = plan.acquired(world.start)
        look = Look(plan, acquired, _light(scenario, plan), world.seed)
        frame = render(
            world.ground,
            land,
            placed_hulls(world, acquired.timestamp()),
            plan,
            look.light,
            (scenario.clear_water, scenario.turbid_water),
            generator(world.seed, scenario.port, "overpass", number),
        )
        items = write_scenes(folder, frame, look)
        yield Observation(world, acquired, frame, look.datatake, tuple(item.id for item in items)), items


def placed_hulls(world: PortWorld, time: float) -> list[PlacedHull]:
    """Return the hulls inside the frame at a time, seconds since 1970."""
    return [
        PlacedHull(s.vessel.vessel_id, s.vessel.hull, motion.xy, motion.heading_deg, motion.speed_kn)
        for s in world.sailings
        if (motion := s.at(time)) is not None
    ]


def _light(scenario: PortScenario, plan: OverpassPlan) -> Light:
    sunk = _SUN_SINKS_DEG_A_DAY * plan.day
    return Light(scenario.sun_azimuth_deg, scenario.sun_elevation_deg - sunk)
