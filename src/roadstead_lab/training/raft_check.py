"""Simulated rafts: hulls side by side at a quay and at anchor, and whether each is counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Grid
from roadstead.detection import Model
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground, Quay, Vector
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.hulls.spec import HullSpec, Kind, random_hull
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.render import DN_OFFSET, QUANTIFICATION, PlacedHull, render
from roadstead_lab.simulate.practice.scene import PracticeHull, State
from roadstead_lab.simulate.scenario.model import OverpassPlan
from roadstead_lab.simulate.traffic.tracks import hull_outline
from roadstead_lab.training.figures import ratio, resampled, wilson
from roadstead_lab.training.places import Label
from roadstead_lab.training.product import found_in
from roadstead_lab.training.scoring import Floats, Found, score
from roadstead_lab.training.simulated_image import (
    SimulatedImage,
    detect_simulated,
    simulated_grid,
    simulated_image,
    simulated_label,
)
from roadstead_lab.training.simulated_sea import CONDITIONS, varied

SEED: Final = 26_001
"""Neither a seed that teaches (`practice.TAUGHT`) nor one that calibrates (`simulated_check.SEED`)."""
SCENES: Final = 20
SIDE_PX: Final = 320
_REACH_PX: Final = 2.0
"""A detection centred this far from a raft's hulls, or nearer, counts as one of the raft."""
_GAP_M: Final = (1.0, 4.0)
"""Between hulls side by side, as in practice scenes."""
_OFF_QUAY_M: Final = 3.0
_BARGE_SHARE: Final = 0.7
_LENGTHS_M: Final[dict[Kind, tuple[float, float]]] = {"barge": (45.0, 130.0), "bulk_carrier": (85.0, 150.0)}
_SHORE_M, _HALF_QUAY_M, _BERTHS_M = 300.0, 900.0, (-550.0, 550.0)
"""From the middle of the scene: how far off the quay is, half its length, and where along it the rafts lie."""
_ANCHORAGE_M: Final = 500.0
"""How far from the middle, away from the quay, the other rafts lie."""


@dataclass(frozen=True)
class Raft:
    """Simulated hulls side by side, 300 m or more from any other."""

    state: State
    """at_quay or at_anchor."""
    labels: tuple[Label, ...]
    """One a hull, with true class and length."""


@dataclass(frozen=True)
class CountedRaft:
    """What the detector made of a raft."""

    state: State
    hulls: int
    """How many there are."""
    right: int
    """Hulls with a detection of their own, oriented IoU of 0.3 or more."""
    counted: int
    """Detections on or beside it that a count would hold."""


def simulated_rafts(model: Model, *, scenes: int = SCENES, seed: int = SEED) -> dict[str, Any]:
    """Count simulated rafts with the product's own detector; four rafts a scene (`figures` tells the keys)."""
    counted: list[CountedRaft] = []
    for number in range(scenes):
        image, rafts = raft_scene(seed, number)
        counted += count_rafts(rafts, found_in(detect_simulated(image, model), image.grid))
    return figures(counted)


def figures(rafts: Sequence[CountedRaft]) -> dict[str, Any]:
    """Shares of simulated hulls and rafts counted right: all, by where they lie and by how many hulls they have.

    Shares have Wilson intervals. Hulls of one raft are found or missed together, so the share of hulls has beside it
    an interval that draws whole rafts (``_95_by_raft``).
    """
    return {
        **_shares(rafts),
        "by_place": {
            state: _shares([r for r in rafts if r.state == state]) for state in ("at_quay", "at_anchor")
        },
        "by_hulls": [
            {"hulls": hulls, **_shares([r for r in rafts if r.hulls == hulls])}
            for hulls in sorted({r.hulls for r in rafts})
        ],
    }


def _shares(rafts: Sequence[CountedRaft]) -> dict[str, Any]:
    hulls, right = sum(r.hulls for r in rafts), sum(r.right for r in rafts)
    exact = sum(r.counted == r.hulls for r in rafts)
    excess = [float(r.counted - r.hulls) for r in rafts]
    return {
        "n_simulated_rafts": len(rafts),
        "n_simulated_hulls": hulls,
        "hulls_right": ratio(right, hulls),
        "hulls_right_95": wilson(right, hulls),
        "hulls_right_95_by_raft": resampled(np.array([[r.right, r.hulls] for r in rafts]), _share_right),
        "rafts_exact": ratio(exact, len(rafts)),
        "rafts_exact_95": wilson(exact, len(rafts)),
        "mean_excess": round(float(np.mean(excess)), 3) if excess else None,
        "mean_excess_95": resampled(excess),
    }


def _share_right(rows: Floats, axis: int) -> Floats:
    """Share of hulls counted right over [draws, rafts, 2] rows of (right, hulls)."""
    right, hulls = np.moveaxis(rows.sum(axis=axis), -1, 0)
    return np.asarray(right / hulls)


def count_rafts(rafts: Sequence[Raft], found: Sequence[Found]) -> list[CountedRaft]:
    """Hold the detections of one scene against its rafts.

    Each hull may have one detection and each detection one hull (`scoring.score`, strict). Detections that match no
    hull count too, as false alarms do: with the raft they lie on, unless shorter than 45 m.
    """
    labels = [label for raft in rafts for label in raft.labels]
    raft_of = [number for number, raft in enumerate(rafts) for _ in raft.labels]
    outcome = score(labels, found, "strict")
    right = np.bincount([raft_of[ship] for ship, _ in outcome.hits], minlength=len(rafts))
    return [
        CountedRaft(
            raft.state,
            len(raft.labels),
            int(hits),
            int(hits) + _centred_on(raft, found, outcome.false_alarms),
        )
        for raft, hits in zip(rafts, right, strict=True)
    ]


def _centred_on(raft: Raft, found: Sequence[Found], numbers: Sequence[int]) -> int:
    around = shapely.union_all([shapely.Polygon(label.corners) for label in raft.labels]).convex_hull
    return sum(around.distance(shapely.Point(found[n].corners.mean(0))) <= _REACH_PX for n in numbers)


def raft_scene(seed: int, number: int, side_px: int = SIDE_PX) -> tuple[SimulatedImage, tuple[Raft, ...]]:
    """Draw a simulated quay with two rafts alongside and two at anchor off it; each has two to six hulls.

    Args:
        seed: Of the whole set.
        number: Of this scene; the same whatever was drawn before.
        side_px: Side of the square image, 10 m pixels; even, 320 or more for all rafts to lie inside.
    """
    rng = generator(seed, "rafts", number)
    ground = _ground(simulated_grid(side_px, side_px), float(rng.uniform(0, 360)))
    laid = _berthed(ground.quays[0], rng) + _anchored(ground.quays[0], rng)
    condition = list(CONDITIONS.values())[int(rng.integers(len(CONDITIONS)))]
    plan = OverpassPlan(0, time(2, 30), "sentinel-2a", 46, condition.weather)
    light = Light(float(rng.uniform(100, 200)), float(rng.uniform(22, 70)))
    hulls = [hull for _, raft in laid for hull in raft]
    drawn = render(ground, land_surface(ground, rng), hulls, plan, light, varied(condition.waters, rng), rng)
    image = simulated_image((drawn.dn.astype(np.float32) - DN_OFFSET) / np.float32(QUANTIFICATION))
    return image, tuple(
        Raft(state, tuple(_label(hull, state, ground.grid) for hull in raft)) for state, raft in laid
    )


_Laid = list[tuple[State, list[PlacedHull]]]


def _ground(grid: Grid, turn_deg: float) -> Ground:
    """A straight shore with a quay, turned about the middle of the frame."""
    left, bottom, right, top = grid.bounds_xy
    middle = ((left + right) / 2, (bottom + top) / 2)
    far = 2.0 * (right - left)
    land = _turned(box(-far, _SHORE_M, far, far), turn_deg, middle)
    along = (math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg)))
    start = shapely.get_coordinates(_turned(shapely.Point(-_HALF_QUAY_M, _SHORE_M), turn_deg, middle))[0]
    quay = Quay(
        "simulated", (float(start[0]), float(start[1])), along, (along[1], -along[0]), 2 * _HALF_QUAY_M
    )
    return Ground(grid, land & box(*grid.bounds_xy), (), (quay,))


def _turned(shape: BaseGeometry, turn_deg: float, middle: Vector) -> BaseGeometry:
    turned = affinity.rotate(shape, turn_deg, origin=(0, 0))
    moved: BaseGeometry = affinity.translate(turned, *middle)
    return moved


def _berthed(quay: Quay, rng: np.random.Generator) -> _Laid:
    return [
        (
            "at_quay",
            _side_by_side(quay, _HALF_QUAY_M + at + float(rng.normal(0, 30)), _OFF_QUAY_M, _specs(rng), rng),
        )
        for at in _BERTHS_M
    ]


def _anchored(quay: Quay, rng: np.random.Generator) -> _Laid:
    """Rafts off the quay, each about a line of its own through its middle."""
    laid: _Laid = []
    for at in _BERTHS_M:
        middle = quay.place(_HALF_QUAY_M + at, _SHORE_M + _ANCHORAGE_M)
        turn = float(rng.uniform(0, 2 * math.pi))
        line = Quay(
            "simulated", middle, (math.cos(turn), math.sin(turn)), (math.sin(turn), -math.cos(turn)), 0.0
        )
        specs = _specs(rng)
        laid.append(("at_anchor", _side_by_side(line, 0.0, -sum(s.beam_m for s in specs) / 2, specs, rng)))
    return laid


def _specs(rng: np.random.Generator) -> list[HullSpec]:
    """Two to six barges or small bulk carriers of much the same length."""
    kind: Kind = "barge" if rng.random() < _BARGE_SHARE else "bulk_carrier"
    low, high = _LENGTHS_M[kind]
    lead = float(rng.uniform(low, high))
    count = int(rng.integers(2, 7))
    lengths = np.clip(lead * rng.uniform(0.85, 1.1, count), low, high)
    return [random_hull(rng, kind, length_m=float(length)) for length in lengths]


def _side_by_side(
    line: Quay, along_m: float, off_m: float, specs: Sequence[HullSpec], rng: np.random.Generator
) -> list[PlacedHull]:
    """Lay hulls parallel to a line, the first one's side ``off_m`` from it and the others outside it."""
    heading = math.degrees(math.atan2(*line.along))
    hulls: list[PlacedHull] = []
    for spec in specs:
        xy = line.place(along_m + float(rng.normal(0, 6)), off_m + spec.beam_m / 2)
        turn = 180.0 * float(rng.integers(2)) + float(rng.normal(0, 0.2))
        hulls.append(PlacedHull(f"hull-{len(hulls)}", spec, xy, (heading + turn) % 360.0))
        off_m += spec.beam_m + float(rng.uniform(*_GAP_M))
    return hulls


def _label(hull: PlacedHull, state: State, grid: Grid) -> Label:
    outline = hull_outline(hull.xy, hull.heading_deg, hull.spec.length_m, hull.spec.beam_m)
    corners = grid.xy_to_colrow(shapely.get_coordinates(outline)[:4])
    return simulated_label(PracticeHull(hull.spec, state, np.asarray(corners)))
