"""Clocks, days and images that are off: how often it is said, how often wrongly, and which leads are left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from benchmarks.reconciler.common import share, table
from benchmarks.reconciler.leads import MODEL, what
from benchmarks.reconciler.worlds import PortWorld, world
from roadstead.core.geo import destination_lonlat
from roadstead.reconcile import Reconciled, reconcile_checked

BUSY = (("port_month.yaml", 5, "ningbo-zhoushan"), ("port_month.yaml", 6, "ningbo-zhoushan"))
QUIET = (("quiet_port.yaml", 5, "nampo"), ("quiet_port.yaml", 6, "nampo"))
THIN = (("year-2020", 3, "ningbo-zhoushan"), ("year-2020", 3, "nampo"))
"""AIS that keeps one report in two hours."""
PLACES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "Ningbo-Zhoushan, AIS every ten minutes": BUSY,
    "Nampo, AIS every ten minutes": QUIET,
    "both ports, AIS every two hours": THIN,
}
"""What is set by hand was set on seeds 1001 to 1004 of the months and on seed 2 of the year."""


def later(seconds: float) -> Callable[[PortWorld], PortWorld]:
    """Return what stamps all AIS so much later than it was."""

    def skewed(made: PortWorld) -> PortWorld:
        shift = pd.Timedelta(seconds=seconds)
        positions = made.ais.positions.assign(time=made.ais.positions["time"] + shift)
        vessels = made.ais.vessels.assign(time=made.ais.vessels["time"] + shift)
        return replace(made, ais=replace(made.ais, positions=positions, vessels=vessels))

    return skewed


def another_day(made: PortWorld) -> PortWorld:
    """Return the world with, around each overpass, only reports of the day before under its date."""
    moved = later(86_400.0)(made)
    times = [pd.Timestamp(scene.acquired) for scene in made.header.scenes]
    days = {time.normalize() for time in times}
    kept = moved.ais.positions["time"].dt.normalize().isin(days)
    return replace(moved, ais=replace(moved.ais, positions=moved.ais.positions[kept]))


def image_moved(made: PortWorld) -> PortWorld:
    """Return the world with every detection 1 km further north-east."""
    place = made.detections[["lon", "lat"]].to_numpy(float)
    moved = destination_lonlat(
        place, pd.Series(45.0, made.detections.index).to_numpy(), 1_000.0 + 0 * place[:, 0]
    )
    return replace(made, detections=made.detections.assign(lon=moved[:, 0], lat=moved[:, 1]))


def image_late(made: PortWorld) -> PortWorld:
    """Return the world with every image dated one hour late."""
    shift = pd.Timedelta(hours=1)
    scenes = tuple(replace(scene, acquired=scene.acquired + shift) for scene in made.header.scenes)
    detections = made.detections.assign(acquired=made.detections["acquired"] + shift)
    return replace(made, detections=detections, header=replace(made.header, scenes=scenes))


SKEWS: Mapping[str, Callable[[PortWorld], PortWorld]] = {
    "none": lambda made: made,
    "AIS 5 min late": later(300.0),
    "AIS 1 h late": later(3_600.0),
    "AIS 8 h late": later(8 * 3_600.0),
    "AIS a day late": later(86_400.0),
    "AIS of the day before, that day alone": another_day,
    "image 1 km off": image_moved,
    "image dated 1 h late": image_late,
}


def told(made: PortWorld) -> Reconciled:
    """Return what is said of a world."""
    recall = json.loads(MODEL.read_text(encoding="utf-8"))["recall_by_length"]
    return reconcile_checked(made.detections, made.header, made.ais, port=made.port, recall_by_length=recall)


def wrong_leads(made: PortWorld, held: Reconciled) -> int:
    """Return how many hulls that transmit are called hulls without AIS partner."""
    rows = held.matches.dropna(subset="detection_id")
    names = rows.loc[rows["status"] == "no_ais_partner", "detection_id"]
    return sum(what(made, name) in ("heard", "unheard", "false place") for name in names)


@dataclass(frozen=True)
class Tally:
    """What was said of some worlds."""

    warned: int = 0
    overpasses: int = 0
    wrong: int = 0
    """Leads on hulls that transmit."""
    missed: int = 0
    """Vessels called unseen."""

    def with_world(self, made: PortWorld) -> Tally:
        """Return the tally with one more world."""
        held = told(made)
        return Tally(
            self.warned + len(set(held.doubts) & set(held.alignments)),
            self.overpasses + len(held.alignments),
            self.wrong + wrong_leads(made, held),
            self.missed + int((held.matches["status"] == "unseen").sum()),
        )


def section() -> dict[str, str]:
    """Return the text for the document by marker; thinned AIS is tried as it is alone, for its false warnings."""
    tallies: dict[tuple[str, str], Tally] = {}
    for place, (scenario, seed, slug) in ((place, one) for place, some in PLACES.items() for one in some):
        made = world(scenario, seed, slug)
        for name in ["none"] if PLACES[place] is THIN else SKEWS:
            key = name, place
            tallies[key] = tallies.get(key, Tally()).with_world(SKEWS[name](made))
    honest = [tally for (name, _), tally in tallies.items() if name == "none"]
    rows = [
        (name, place, share(one.warned, one.overpasses), one.wrong, one.missed)
        for (name, place), one in sorted(tallies.items(), key=lambda item: list(SKEWS).index(item[0][0]))
    ]
    columns = ("off", "where", "overpasses warned of", "leads on hulls that transmit", "`unseen`")
    false = share(sum(one.warned for one in honest), sum(one.overpasses for one in honest), 2)
    return {"skew": table(columns, rows) + f"\n\nWarned of with nothing off: {false}."}
