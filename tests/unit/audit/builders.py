"""A port of two zones with images on disk, a model's hulls in the store, and people who answer as they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon, Polygon

from roadstead.core.geo import Array, xy_to_lonlat
from roadstead.core.ports import Port, Zone
from roadstead.core.schemas import CLASSES
from roadstead.imagery import Overpass, open_item
from roadstead.store import AuditAnswer, AuditBox, AuditCell, Audits, Store
from tests import builders
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b

FRAME = builders.grid(700, 520)
ROADS, QUAY = "nampo/roads", "nampo/quay"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL = "a" * 64


@dataclass(frozen=True)
class Seen:
    """A ship by the pixel of its middle in the images."""

    col: float
    row: float
    length_m: float = 150.0
    hull_class: str = "bulk_carrier"

    @property
    def corners(self) -> Array:
        """Bow up, pixels of `FRAME`."""
        length, width = self.length_m / 10, self.length_m / 60
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
        return np.array([self.col, self.row]) + signs * [width, length]


SHIPS = (Seen(100, 100), Seen(300, 150, 90, "barge"), Seen(320, 300, 60, "other_vessel"), Seen(600, 420))


def port() -> Port:
    """Return an anchorage of some 3 x 2 squares and a quay that lies in its corner."""
    roads, quay = (
        MultiPolygon([Polygon(builders.area(FRAME, *pixels).exterior)])
        for pixels in ((60, 60, 640, 460), (500, 300, 640, 460))
    )
    return Port("nampo", (Zone(ROADS, "anchorage", roads, "Nampo roads"), Zone(QUAY, "berth", quay)))


def write_image(folder: Path, ships: Sequence[Seen] = SHIPS) -> Path:
    """Write one item of water with bright hulls."""
    bands = builders.water(FRAME)
    for ship in ships:
        (left, top), (right, bottom) = np.floor(ship.corners.min(0)), np.ceil(ship.corners.max(0))
        for dn in bands.values():
            dn[int(top) : int(bottom), int(left) : int(right)] = 3500
    return builders.write_item(folder, "S2A_TEST", FRAME, bands)


def hull(number: int, ship: Seen, overpass_id: str, scene_id: str, **changes: Any) -> dict[str, Any]:
    """Return a detection where a ship is."""
    lonlat = xy_to_lonlat(FRAME.colrow_to_xy(ship.corners), FRAME.crs)
    lon, lat = lonlat.mean(0)
    kinds = {f"p_{name}": 0.8 if name == ship.hull_class else 0.1 for name in CLASSES}
    return detection(
        number, float(lon), float(lat), overpass_id=overpass_id, scene_id=scene_id, length_m=ship.length_m,
        zone=port().zone_of(lonlat.mean(0)[None])[0], geometry=Polygon(lonlat), detection_id=f"{overpass_id}-{number}",
        **{"class": ship.hull_class, "length_low_m": ship.length_m - 9, "length_high_m": ship.length_m + 9},
        **kinds, **changes,
    )  # fmt: skip


def put(
    store: Store,
    item: Path,
    number: int = 0,
    found: Sequence[Seen] = SHIPS,
    *,
    blind: Sequence[str] = (),
    model_sha256: str = MODEL,
    searched: Any = None,
    dropped: Sequence[Seen] = (),
) -> Overpass:
    """Store an overpass ``number`` x 5 days after the first, of an image on disk."""
    acquired = ACQUIRED + timedelta(days=5 * number)
    scene = replace(open_item(str(item)), scene_id=f"S2A_{number}", acquired=acquired, simulated=True)
    taken = b.overpass(f"o{number}", scene)
    times = {"acquired": pd.Timestamp(acquired)}
    rows = [hull(k, ship, taken.overpass_id, scene.scene_id, **times) for k, ship in enumerate(found)]
    gone = {**times, "dropped_because": "fixed_structure"}
    rows += [hull(90 + k, ship, taken.overpass_id, scene.scene_id, **gone) for k, ship in enumerate(dropped)]
    area = FRAME.footprint_lonlat if searched is None else searched
    counts = [
        b.counts(None if zone in blind else {"matched": 1.0}, zone, kind, taken.overpass_id, acquired)
        for zone in (ROADS, QUAY)
        for kind in (*CLASSES, "dry_cargo", "all")
    ]
    b.put(
        store,
        taken,
        header=b.headers(taken, valid_area=MultiPolygon([area]), visible_fraction={ROADS: 1.0, QUAY: 1.0}),
        detections=detections(rows),
        matches=b.matches([]),
        counts=pd.concat(counts, ignore_index=True),
        chips={},
        model_sha256=model_sha256,
    )
    return taken


def boxed(cell: AuditCell, ships: Sequence[Seen]) -> list[AuditBox]:
    """Return the boxes of the ships that a cell's picture shows whole, as a careful reviewer draws them."""
    made = []
    for ship in ships:
        xy = FRAME.colrow_to_xy(ship.corners)
        pixels = cell.grid.xy_to_colrow(xy)
        if (pixels < 0).any() or (pixels > [cell.width, cell.height]).any():
            continue
        lonlat = xy_to_lonlat(xy, FRAME.crs)
        lon, lat = lonlat.mean(0)
        kind = None if ship.hull_class == "cannot_tell" else ship.hull_class
        made.append(
            AuditBox(
                kind,
                ship.length_m,
                ship.length_m / 6,
                0.0,
                float(lon),
                float(lat),
                shapely.Polygon(lonlat),
                json.dumps(pixels.round(2).tolist()),
            )
        )
    return made


def answer(
    store: Store, cell: AuditCell, ships: Sequence[Seen] = SHIPS, user: str = "ana", **more: Any
) -> AuditAnswer:
    """Answer a cell with the ships that it shows."""
    boxes = boxed(cell, ships)
    return Audits(store).submit(cell, user, "boxes" if boxes else "none", boxes, NOW, **more)


def answer_all(
    store: Store,
    ships: Callable[[AuditCell], Sequence[Seen]] | Sequence[Seen] = SHIPS,
    users: Sequence[str] = ("ana", "bob"),
) -> tuple[AuditCell, ...]:
    """Have every cell answered by as many people as it needs."""
    cells = Audits(store).cells()
    for cell in cells:
        own = ships(cell) if callable(ships) else ships
        for user in users[: cell.reviewers]:
            answer(store, cell, own, user)
    return cells
