"""A simulated world on disk: a STAC catalogue of images, AIS files, and the truth kept apart.

    out/catalog.json                      static STAC catalogue, relative links
    out/sentinel-2-c1-l2a/ITEM/…          optical items and COGs
    out/sentinel-1-grd/ITEM/…             radar items and products
    out/detections/PORT.geojson           in mode ``detections``, instead of these three
    out/ais/PORT-SOURCE.nmea | .csv       what receivers heard
    out/truth/…                           what was really there (see `roadstead_lab.simulate.truth.files`)
    out/scenario.yaml, README.txt         how to make it again; that all this is simulated

The same seed gives the same bytes in any folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pystac

from roadstead.core.atomic_files import write_text
from roadstead.core.detections_file import write_detections
from roadstead.core.ports import Port
from roadstead.core.settings import settings
from roadstead.detection import Model, load_model
from roadstead_lab.simulate.ais.files import write_ais
from roadstead_lab.simulate.ais.received import Received, received
from roadstead_lab.simulate.detections.detector import metrics_of
from roadstead_lab.simulate.detections.draw import draw_detections
from roadstead_lab.simulate.detections.skies import observations, views
from roadstead_lab.simulate.files import replaced
from roadstead_lab.simulate.imaging import imaged
from roadstead_lab.simulate.optical.items import COLLECTION, LABEL
from roadstead_lab.simulate.radar.items import RADAR_COLLECTION
from roadstead_lab.simulate.scenario.file import LoadedScenario, copies
from roadstead_lab.simulate.scenario.lines import Where
from roadstead_lab.simulate.scenario.model import Scenario
from roadstead_lab.simulate.stac import write_catalog
from roadstead_lab.simulate.traffic.sailing import NoRoomError
from roadstead_lab.simulate.traffic.sea import PortWorld, Sea, simulate_sea
from roadstead_lab.simulate.truth.files import hull_features, write_truth

Mode = Literal["images", "detections"]
Progress = Callable[[str, int, int], None]
"""Is told what has just been made, how many passes are done, and how many there are."""
_README = f"""{LABEL}.

Made by: roadstead simulate scenario.yaml -o DIR --seed {{seed}}
({{name}}: {{title}})

{{products}}
ais/    what AIS receivers heard; ships and identities are invented
truth/  every hull at every overpass, every voyage, loading and delivery, what each ship was and what it declared;
        nothing that detects or reconciles may read it
"""
_PRODUCTS: Mapping[Mode, str] = {
    "images": f"catalog.json, {COLLECTION}/, {RADAR_COLLECTION}/\n        images as a static STAC catalogue",
    "detections": "detections/\n        hulls as a detector of the published recall and errors finds them; no pixels",
}


@dataclass(frozen=True)
class SimulatedWorld:
    """Where a simulated world lies."""

    out: Path
    """Its folder."""
    catalog: Path | None
    """The STAC catalogue's ``catalog.json``; None in mode ``detections``."""
    ais: dict[str, list[Path]]
    """Port slug -> its AIS files."""
    detections: dict[str, Path]
    """Port slug -> its detections; empty in mode ``images``."""
    numbers: dict[str, dict[str, int]]
    """Port slug -> how much there is of what."""

    @property
    def truth(self) -> Path:
        """The folder of the truth."""
        return self.out / "truth"


def simulate(
    out: Path, loaded: LoadedScenario, seed: int, mode: Mode | None = None, progress: Progress | None = None
) -> SimulatedWorld:
    """Make a world and write it.

    Args:
        out: Folder to write; an earlier simulation there is replaced whole.
        loaded: What happens, and the ports (see `roadstead_lab.simulate.scenario.file.load_scenario`).
        seed: Not negative; the same seed gives the same bytes.
        mode: Images, or detections drawn from the detector's published errors; by default the scenario's.
        progress: Is told of each pass.

    Raises:
        UsageError: ``out`` holds something that no simulation made.
        ScenarioError: a fleet or route finds no room; names the line.
        StoreError: a file cannot be written; ``out`` is as it was.
    """
    mode, out = mode or loaded.scenario.mode, out.resolve()
    with replaced(out) as folder:
        sea = _sea(loaded, seed)
        for name, text in {
            **copies(loaded, mode),
            "README.txt": _readme(loaded.scenario, seed, mode),
        }.items():
            write_text(folder / name, text)
        maker = _Maker(folder, sea, loaded.ports, seed, mode, progress or (lambda what, done, total: None))
        maker.write()
        write_truth(folder / "truth", sea.worlds, sea.occasions, maker.features, seed)
    return maker.made(out)


def _readme(scenario: Scenario, seed: int, mode: Mode) -> str:
    return _README.format(seed=seed, name=scenario.name, title=scenario.title, products=_PRODUCTS[mode])


def _sea(loaded: LoadedScenario, seed: int) -> Sea:
    """Let all ships move; what is impossible is told with its line."""
    try:
        return simulate_sea(loaded.scenario, loaded.ports, seed)
    except NoRoomError as error:
        raise loaded.error(_where(error, loaded.scenario), str(error)) from error


def _where(error: NoRoomError, scenario: Scenario) -> Where:
    if error.route is not None:
        return "routes", error.route
    slugs = [part.port for part in scenario.ports]
    if error.port is None:
        return ("ports",)
    port = "ports", slugs.index(error.port)
    return port if error.row is None else (*port, "fleet", error.row)


@dataclass
class _Maker:
    """Writes what sensors and receivers see of a sea, port by port."""

    folder: Path
    sea: Sea
    ports: Sequence[Port]
    seed: int
    mode: Mode
    tell: Progress
    features: list[dict[str, Any]] = field(default_factory=list)
    """Of `truth.hull_features`."""
    _ais: dict[str, list[Path]] = field(default_factory=dict)
    _detections: dict[str, Path] = field(default_factory=dict)
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    _items: dict[str, list[pystac.Item]] = field(default_factory=dict)
    _done: int = 0

    def write(self) -> None:
        """Write AIS, and images or detections."""
        self.tell("ships are placed", 0, self._total)
        for world, port in zip(self.sea.worlds, self.ports, strict=True):
            slug, heard = port.slug, received(world)
            self._ais[slug] = write_ais(self.folder / "ais", world, heard)
            self._numbers[slug] = {
                "ships": len({sailing.vessel.vessel_id for sailing in world.sailings}),
                "AIS messages": sum(len(source) for source in heard.values()),
            }
            look = self._image if self.mode == "images" else self._detect
            self._numbers[slug] |= look(world, port, heard)
        if self.mode == "images":
            write_catalog(self.folder, dict(sorted(self._items.items())), self.seed)

    @cached_property
    def model(self) -> Model:
        """The detector whose published errors are drawn from."""
        return load_model(settings().model_id)

    @property
    def _total(self) -> int:
        return sum(len(world.plans) + len(world.scenario.radar) for world in self.sea.worlds)

    def _image(self, world: PortWorld, _port: Port, heard: Mapping[str, Received]) -> dict[str, int]:
        """Draw every pass; return how many scenes there are."""
        passes = []
        for one in imaged(self.folder, world, heard):
            passes.append(one)
            self._step(one.port, one.acquired)
        numbers = {COLLECTION: 0, RADAR_COLLECTION: 0}
        for one in sorted(passes, key=lambda one: (one.acquired, one.collection)):
            self._items.setdefault(one.collection, []).extend(one.items)
            self.features.extend(one.features)
            numbers[one.collection] += len(one.items)
        return {"optical scenes": numbers[COLLECTION], "radar scenes": numbers[RADAR_COLLECTION]}

    def _detect(self, world: PortWorld, port: Port, heard: Mapping[str, Received]) -> dict[str, int]:
        """Draw what a detector would find at every pass; return how many detections there are."""
        seen = views(world)
        table, header = draw_detections(world, port, seen, self.model, metrics_of(self.model))
        path = self.folder / "detections" / f"{port.slug}.geojson"
        write_detections(path, table, header)
        self._detections[port.slug] = path
        for one in observations(world, seen):
            self.features.extend(hull_features(one, heard))
            self._step(port.slug, one.acquired)
        return {"optical passes": len(world.plans), "detections": len(table)}

    def _step(self, port: str, acquired: datetime) -> None:
        self._done += 1
        self.tell(f"{port} {acquired:%Y-%m-%d %H:%M}", self._done, self._total)

    def made(self, out: Path) -> SimulatedWorld:
        """Return where all this lies once the folder has become ``out``."""
        return SimulatedWorld(
            out,
            out / "catalog.json" if self.mode == "images" else None,
            {
                port: [out / path.relative_to(self.folder) for path in paths]
                for port, paths in self._ais.items()
            },
            {port: out / path.relative_to(self.folder) for port, path in self._detections.items()},
            self._numbers,
        )
