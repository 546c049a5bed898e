"""The audit: cells drawn at random and cut from their scenes, and what reviewers boxed as labels."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from PIL import Image
from shapely.geometry import box

from roadstead.audit import (
    LEAST_CELLS,
    Candidate,
    Estimate,
    ModelResult,
    Results,
    allocation,
    candidates,
    order,
    seconds,
    shuffled,
    window_of,
)
from roadstead.core.errors import BadInputError, RoadsteadError, UpstreamError, UsageError
from roadstead.core.geo import Grid, to_lonlat
from roadstead.core.ports import Port, named_port, read_port
from roadstead.imagery import Mosaic, Overpass, StoredScene, open_stored
from roadstead.store import AuditDraw, Audits, Store, hull_record

MOST_CELLS = 2000
LISTED = 200
"""Cells that could not be read which a draw names; it counts all of them."""


@dataclass(frozen=True)
class Drawn:
    """What a draw took."""

    draw: AuditDraw
    cells: int
    seconds: int
    """Cells that a second reviewer looks at too."""


@dataclass
class _Taken:
    """The cells of one port, as they are read."""

    cells: list[dict[str, Any]] = field(default_factory=list)
    strata: list[dict[str, Any]] = field(default_factory=list)
    unread: list[dict[str, Any]] = field(default_factory=list)
    overpasses: list[str] = field(default_factory=list)


def draw_cells(store: Store, ports: Sequence[Port], wanted: int, seed: int, now: datetime) -> Drawn:
    """Draw cells at some ports and store them with their pictures; the same store and seed give the same cells.

    Args:
        store: Its processed overpasses are drawn from.
        ports: Where.
        wanted: Cells at each port; fewer are drawn where fewer are left.
        seed: Of the random order.
        now: UTC.

    Raises:
        UsageError: a number out of range.
        BadInputError: no cell is left to be drawn.
        UpstreamError: not one of the cells could be read.
        StoreError: the database failed; nothing was drawn.
    """
    if not 1 <= wanted <= MOST_CELLS or not 0 <= seed < 2**31:
        raise UsageError(f"--cells: 1 to {MOST_CELLS}; --seed: 0 to {2**31 - 1}")
    before = Audits(store).drawn()
    parts = [_of_port(store, port, wanted, seed, before) for port in ports]
    if not any(part.strata for part in parts):
        names = ", ".join(port.slug for port in ports)
        raise BadInputError(
            f"no cell of {names} is left to draw: no zone was observed, or all were drawn before"
        )
    cells = [cell for part in parts for cell in part.cells]
    unread = [one for part in parts for one in part.unread]
    if not cells:
        raise UpstreamError(f"none of {len(unread)} cells could be read again: {unread[0]['why']}")
    frame = {
        "strata": [stratum for part in parts for stratum in part.strata],
        "overpasses": {port.slug: part.overpasses for port, part in zip(ports, parts, strict=True)},
        "unread": unread[:LISTED],
    }
    for place, index in enumerate(shuffled(len(cells), seed, "order")):
        cells[index]["place"] = place
    draw = Audits(store).add_draw(seed, wanted, frame, cells, now)
    return Drawn(draw, len(cells), sum(cell["second"] for cell in cells))


def _of_port(store: Store, port: Port, wanted: int, seed: int, before: frozenset[Any]) -> _Taken:
    every = candidates(store, port)
    left = [cell for cell in every if cell.place not in before]
    sizes = Counter(cell.stratum for cell in left)
    taken = _Taken(overpasses=sorted({cell.overpass_id for cell in left}))
    numbers = allocation(sizes, wanted)
    with _Reader(store, port) as reader:
        for stratum, number in numbers.items():
            own = [cell for cell in left if cell.stratum == stratum]
            _take(taken, reader, order(own, seed, port.slug, stratum), number)
    again = seconds(len(taken.cells), seed, port.slug)
    for index, cell in enumerate(taken.cells):
        cell["second"] = index in again
    return taken


def _take(taken: _Taken, reader: _Reader, ordered: Sequence[Candidate], number: int) -> None:
    """Read the first cells of a random order; one that cannot be read is noted and the next takes its place."""
    read: list[dict[str, Any]] = []
    unread: list[dict[str, Any]] = []
    tried = 0
    while len(read) < number and tried < len(ordered):
        batch = ordered[tried : tried + number - len(read)]
        tried += len(batch)
        for cell in sorted(batch, key=lambda cell: cell.overpass_id):  # so that each is opened once
            try:
                read.append(reader.row(cell))
            except RoadsteadError as error:
                names = ("port", "zone", "overpass_id", "col", "row")
                unread.append({**dict(zip(names, cell.place, strict=True)), "why": str(error)})
    first = ordered[0]
    for row in read:
        row["inclusion"] = (len(read) + len(unread)) / len(ordered)
    taken.cells += read
    taken.unread += unread
    taken.strata.append(
        {
            "port": first.port,
            "kind": first.kind,
            "found": first.found,
            "cells": len(ordered),
            "drawn": len(read),
            "unread": len(unread),
        }
    )


class _Reader:
    """Reads cells of a port; what of an overpass cannot be opened once is not tried again."""

    def __init__(self, store: Store, port: Port) -> None:
        """Take a store and a port."""
        self._store, self._port = store, port
        self._grid = port.grid()
        self._scenes = store.scenes(port.slug)
        self._hulls = store.detections(port.slug)
        tried = store.acquisitions(port.slug)
        self._made = {row["overpass_id"]: row for row in tried.to_dict("records")}
        self._failed: dict[str, RoadsteadError] = {}
        self._open: tuple[str, Mosaic] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> _Reader:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open."""
        self._stack.close()

    def row(self, cell: Candidate) -> dict[str, Any]:
        """Return a cell as it is stored, without its place in the draw.

        Raises:
            RoadsteadError: its scenes cannot be read again.
        """
        window = window_of(cell, self._grid)
        picture, frame = self._mosaic(cell.overpass_id).shown(window), self._grid.crop(window)
        left, _, _, top = frame.bounds_xy
        name = hashlib.sha256("\n".join(map(str, cell.place)).encode()).hexdigest()[:12]
        return {
            "cell": name, "port": cell.port, "zone": cell.zone, "kind": cell.kind, "overpass_id": cell.overpass_id,
            "acquired": cell.acquired, "scene_id": cell.scene_id, "col": cell.col, "row": cell.row,
            "found": cell.found, "area": cell.area, "crs": frame.crs, "left": left, "top": top,
            "pixel_m": frame.pixel_m, "width": frame.width, "height": frame.height, "image": lossless(picture),
            "output": self._output(cell, frame), "simulated": cell.simulated,
        }  # fmt: skip

    def _mosaic(self, name: str) -> Mosaic:
        """Return an overpass, opened; one at a time."""
        if name in self._failed:
            raise self._failed[name]
        if self._open is not None and self._open[0] == name:
            return self._open[1]
        self._stack.close()
        self._open = None
        try:
            mosaic = self._stack.enter_context(Mosaic(self._overpass(name), self._grid))
        except RoadsteadError as error:
            self._failed[name] = error
            raise
        self._open = name, mosaic
        return mosaic

    def _overpass(self, name: str) -> Overpass:
        rows = self._scenes[self._scenes["overpass_id"] == name].to_dict("records")
        scenes = []
        for row in rows:
            acquired = pd.Timestamp(row["acquired"]).to_pydatetime()
            stored = StoredScene(
                row["scene_id"], row["item_href"], row["item_sha256"], acquired, row["provider"]
            )
            scenes.append(open_stored(stored)[0])
        when = min(pd.Timestamp(row["acquired"]).to_pydatetime() for row in rows)
        return Overpass(name, self._port.slug, when, 0.0, tuple(sorted(scenes, key=lambda s: s.scene_id)))

    def _output(self, cell: Candidate, frame: Grid) -> dict[str, Any]:
        """Return what the model gave in a cell's picture."""
        made = self._made[cell.overpass_id]
        own: gpd.GeoDataFrame = self._hulls[self._hulls["overpass_id"] == cell.overpass_id]
        here = own[own.intersects(to_lonlat(box(*frame.bounds_xy), frame.crs))]
        hulls = [hull_record(row) for row in here.to_dict("records")]
        return {"model_id": made["model_id"], "model_sha256": made["model_sha256"], "hulls": hulls}


def lossless(image: np.ndarray) -> bytes:
    """Return an RGB image [H, W, 3], uint8, as WebP that gives back the same pixels."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, quality=100)
    return buffer.getvalue()


def draw_document(drawn: Drawn) -> dict[str, Any]:
    """Return a draw as JSON."""
    draw = drawn.draw
    return {
        "draw": draw.draw,
        "seed": draw.seed,
        "cells_wanted_at_each_port": draw.wanted,
        "cells": drawn.cells,
        "to_second_reviewer": drawn.seconds,
        "strata": draw.frame["strata"],
        "unread": draw.frame["unread"],
    }


def stratum_rows(strata: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the strata of a draw as people read them."""
    for one in strata:
        inclusion = (one["drawn"] + one["unread"]) / one["cells"]
        where = "with hulls found" if one["found"] else "without"
        yield [
            one["port"], one["kind"], where, f"{one['drawn']} of {one['cells']}", f"{inclusion:.4f}",
            str(one["unread"]),
        ]  # fmt: skip


def ports_to_draw(store: Store, names: Sequence[str], own_file: Path | None) -> list[Port]:
    """Return the ports asked for, or else all that the store holds anything of.

    Raises:
        PortError: a port is not known.
    """
    own = [] if own_file is None else [read_port(own_file)]
    by = {port.slug: port for port in own}
    return [by.get(name) or named_port(name) for name in dict.fromkeys(names or store.ports())]


def results_document(found: Results) -> dict[str, Any]:
    """Return the results as JSON."""
    return {
        "least_cells": LEAST_CELLS,
        "models": [_model_document(model) for model in found.models],
        "agreement": [
            {
                "port": a.port,
                "simulated": a.simulated,
                "cells": a.cells,
                "kappa_any_ship": a.cell_presence.document,
                "kappa_boxes": a.box_presence.document,
                "kappa_class": a.hull_class.document,
                "kappa_by_class": {name: one.document for name, one in a.by_class.items()},
            }
            for a in found.agreements
        ],
        "progress": {port: dict(n) for port, n in found.progress.items()},
    }


def _model_document(model: ModelResult) -> dict[str, Any]:
    return {
        "port": model.port,
        "model_id": model.model_id,
        "model_sha256": model.model_sha256,
        "simulated": model.simulated,
        "measured": model.cells >= LEAST_CELLS,
        "cells": model.cells,
        "reviewers": model.reviewers,
        "ships": model.ships,
        "recall": model.recall.document,
        "recall_by_length": {name: one.document for name, one in model.by_length.items()},
        "precision": model.precision.document,
        "count_bias": {name: one.document for name, one in model.bias.items()},
        "class_confusion": {name: dict(row) for name, row in model.confusion.items()},
    }


def result_rows(found: Results) -> Iterator[list[str]]:
    """Yield the results of each model as people read them."""
    for model in found.models:
        name = f"{model.model_id}{' (SIMULATED)' if model.simulated else ''}"
        few = "" if model.cells >= LEAST_CELLS else f" (of {LEAST_CELLS} needed: not measured)"
        figures = [told(one) for one in (model.recall, model.precision, model.bias["all"])]
        yield [model.port, name, f"{model.cells}{few}", str(model.ships), *figures]


def agreement_rows(found: Results) -> Iterator[list[str]]:
    """Yield how far reviewers agree at each port as people read it."""
    for a in found.agreements:
        yield [a.port, str(a.cells), *(told(one) for one in (a.cell_presence, a.box_presence, a.hull_class))]


def told(one: Estimate) -> str:
    """Return an estimate with its interval."""
    if one.value is None:
        return "-"
    return f"{one.value:.2f}" + ("" if one.low is None else f" [{one.low:.2f} to {one.high:.2f}]")
