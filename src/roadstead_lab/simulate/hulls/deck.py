"""What is painted on a hull's deck: holds and hatches, boxes, pipes, cranes, superstructure, wear."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from roadstead_lab.simulate.hulls.spec import Colour, HullSpec
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.texture import FloatArray

_BOX_COLOURS: Final[tuple[Colour, ...]] = (
    (0.230, 0.090, 0.070, 0.240),
    (0.080, 0.110, 0.180, 0.170),
    (0.250, 0.245, 0.235, 0.270),
    (0.085, 0.145, 0.100, 0.160),
    (0.240, 0.165, 0.080, 0.260),
    (0.090, 0.088, 0.090, 0.110),
)
_MIX: Final = 0.85
"""Covers and holds are seen with coamings, dust and gear of the deck's colour among them."""


def paint_deck(
    spec: HullSpec,
    u: FloatArray,
    v: FloatArray,
    rng: np.random.Generator,
    light: Light,
    heading_deg: float,
) -> FloatArray:
    """Colour every pixel as if it were deck; the outline is cut afterwards. Shape [H, W, 4]."""
    colour = np.broadcast_to(np.array(spec.deck, np.float32), (*u.shape, 4)).copy()
    along, across = u / (spec.length_m / 2), v / (spec.beam_m / 2)
    _paint_hatches(colour, spec, along, across, rng)
    if spec.hold == "empty":
        _shade_hold(colour, spec, along, across, light, heading_deg)
    _paint_fittings(colour, spec, along, across)
    house = np.abs(along - spec.house_at) <= spec.house_fraction
    colour[house & (np.abs(across) < spec.house_width)] = spec.house
    texture = _wear(spec, u, rng) + 0.08 * rng.standard_normal(u.shape).astype(np.float32)
    return np.clip(colour * texture[..., None], 0.005, 1.0)


def _wear(spec: HullSpec, u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Light of the deck along the hull, about 1: paint, dirt and gear differ every dozen metres."""
    count = max(int(spec.length_m / 12.0), 3)
    spread = 0.26 if spec.kind == "bulk_carrier" else 0.33
    knots = np.clip(rng.normal(1.0, spread, count), 0.3, 2.1)
    return np.asarray(np.interp(u, np.linspace(-0.5, 0.5, count) * spec.length_m, knots), np.float32)


def _cargo_span(spec: HullSpec) -> tuple[float, float]:
    """Ends of the cargo deck along the hull, in -1..1."""
    aft = -0.94 if spec.house_at > -0.7 else spec.house_at + spec.house_fraction + 0.02
    return max(aft, -0.94), 0.95 - 1.6 * spec.bow_taper


def _hatch_mask(spec: HullSpec, along: FloatArray, across: FloatArray) -> NDArray[np.bool_]:
    start, end = _cargo_span(spec)
    pitch = (end - start) / max(spec.hatches, 1)
    open_share = 0.96 if spec.kind in ("barge", "container") else 0.72
    within = ((along - start) % pitch) / pitch < open_share
    reach = 0.74 if spec.kind == "barge" else 0.9 if spec.kind == "container" else 0.62
    return np.asarray(within & (along > start) & (along < end) & (np.abs(across) < reach))


def _paint_hatches(
    colour: FloatArray, spec: HullSpec, along: FloatArray, across: FloatArray, rng: np.random.Generator
) -> None:
    if spec.hatches == 0:
        return
    mask = _hatch_mask(spec, along, across)
    if spec.kind == "container":
        colour[mask] = _container_colours(spec, along, across, rng)[mask]
    else:
        colour[mask] = _MIX * np.array(spec.hatch, np.float32) + (1 - _MIX) * np.array(spec.deck, np.float32)


def _container_colours(
    spec: HullSpec, along: FloatArray, across: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Blocks of a bay by a sixth of the beam, each of one line's colour."""
    palette = np.array(_BOX_COLOURS, np.float32)
    blocks = palette[rng.integers(len(palette), size=(spec.hatches + 2, 6))]
    bay = np.clip((along + 1) / 2 * spec.hatches, 0, spec.hatches + 1).astype(int)
    row = np.clip((across + 1) * 3, 0, 5).astype(int)
    return np.asarray(blocks[bay, row], np.float32)


def _shade_hold(
    colour: FloatArray,
    spec: HullSpec,
    along: FloatArray,
    across: FloatArray,
    light: Light,
    heading_deg: float,
) -> None:
    """Darken the side of an empty hold that lies behind the sunward coaming."""
    sunward = np.sin(np.radians(light.sun_azimuth_deg - heading_deg))
    side = np.clip(across * np.sign(sunward), 0, 1)
    mask = _hatch_mask(spec, along, across)
    colour[mask] *= (1 - 0.75 * abs(sunward) * side[mask])[:, None]


def _paint_fittings(colour: FloatArray, spec: HullSpec, along: FloatArray, across: FloatArray) -> None:
    """Paint a tanker's pipe line and manifold, and the cranes of geared ships."""
    start, end = _cargo_span(spec)
    if spec.kind == "tanker":
        pipes = (np.abs(across) < 0.12) & (along > start) & (along < end)
        manifold = (np.abs(along - 0.05) < 0.03) & (np.abs(across) < 0.85)
        colour[pipes | manifold] = (0.28, 0.27, 0.25, 0.3)
    for number in range(spec.cranes):
        place = start + (number + 1) * (end - start) / (spec.cranes + 1)
        colour[(np.abs(along - place) < 0.025) & (np.abs(across) < 0.5)] = (0.42, 0.38, 0.25, 0.42)
