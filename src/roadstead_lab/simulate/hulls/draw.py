"""Simulated hulls: a specification drawn on a 1-2 m grid, seen by a 10 m sensor.

A hull is drawn from above in its own axes: ``u`` metres forward of amidships, ``v`` metres to starboard.
Colours are surface reflectances in the order red, green, blue, near infrared. Headings are degrees clockwise
from north, and north is up: the row axis of every array points south, the column axis east.

The usual way through this module::

    spec = random_hull(rng, "barge")
    patch = draw_hull(spec, heading_deg=40.0, rng=rng)
    paste_hull(image, sample_hull(patch, offset_px=(0.3, -0.2)), row=120, col=88)
    corners = hull_corners(spec, heading_deg=40.0, row=120.3, col=87.8)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roadstead_lab.simulate.hulls.deck import paint_deck
from roadstead_lab.simulate.hulls.spec import Colour, HullSpec
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.texture import FloatArray

_FOAM: Final[Colour] = (0.22, 0.24, 0.25, 0.19)


@dataclass(frozen=True)
class HullPatch:
    """A hull, its wake and its shadow on a square grid whose centre is the hull's centre.

    Compositing is ``water * (1 - shade) * (1 - alpha) + reflectance``.
    """

    reflectance: FloatArray
    """[H, W, 4] red, green, blue, nir, already multiplied by alpha."""
    alpha: FloatArray
    """[H, W] share of the pixel that hull or wake covers."""
    shade: FloatArray
    """[H, W] share of light that the hull's shadow takes from the water."""
    resolution_m: float


def draw_hull(
    spec: HullSpec,
    heading_deg: float,
    rng: np.random.Generator,
    *,
    light: Light | None = None,
    resolution_m: float | None = None,
) -> HullPatch:
    """Draw a hull from above with its shadow and, when it makes way, its wake.

    Args:
        spec: The hull.
        heading_deg: Where the bow points, degrees clockwise from north (up).
        rng: Source of chance for deck texture, containers and foam.
        light: Where the sun stands; by default south-south-east, 50 degrees up.
        resolution_m: Side of a drawing pixel, a divisor of 10 m; by default 1 m for hulls
            shorter than 90 m, else 2 m.

    Returns:
        A patch large enough for hull, shadow and wake, hull centre at the grid's centre.
    """
    light = light or Light()
    step = resolution_m or (1.0 if spec.length_m < 90 else 2.0)
    u, v = _hull_axes(_patch_radius(spec), step, heading_deg)
    inside = _hull_outline(spec, u, v)
    colour = paint_deck(spec, u, v, rng, light, heading_deg)
    shade = _shadow(spec, u, v, light, heading_deg) * ~inside
    foam = _wake(spec, u, v, rng) * ~inside
    alpha = np.where(inside, 1.0, foam)
    reflectance = np.where(inside[..., None], colour, np.array(_FOAM) * foam[..., None])
    return HullPatch(reflectance.astype(np.float32), alpha.astype(np.float32), shade.astype(np.float32), step)


def _patch_radius(spec: HullSpec) -> float:
    """Half the side of a patch, metres, a multiple of 20 m so that 10 m pixels fit evenly."""
    reach = spec.length_m / 2 + 60.0 + (_wake_length(spec) if spec.speed_kn > 2 else 0.0)
    return float(np.ceil(reach / 20.0) * 20.0 + 10.0)


def _hull_axes(radius_m: float, step_m: float, heading_deg: float) -> tuple[FloatArray, FloatArray]:
    """Coordinates (u forward, v to starboard), metres, of every drawing pixel's centre."""
    axis = np.arange(-radius_m + step_m / 2, radius_m, step_m, dtype=np.float32)
    south, east = np.meshgrid(axis, axis, indexing="ij")
    sine, cosine = np.sin(np.radians(heading_deg)), np.cos(np.radians(heading_deg))
    return (
        (east * sine - south * cosine).astype(np.float32),
        (east * cosine + south * sine).astype(np.float32),
    )


def _hull_outline(spec: HullSpec, u: FloatArray, v: FloatArray) -> NDArray[np.bool_]:
    """Tell which pixels lie on the hull: parallel sides, a parabolic bow, slightly rounded stern."""
    half_length, half_beam = spec.length_m / 2, spec.beam_m / 2
    taper = max(spec.bow_taper * spec.length_m, 1e-3)
    ahead = np.clip((u - (half_length - taper)) / taper, 0, 1)
    astern = np.clip((-u - (half_length - 0.03 * spec.length_m)) / (0.03 * spec.length_m), 0, 1)
    width = half_beam * (1 - ahead**2 * (0.9 if spec.bow_taper > 0.05 else 0.2)) * (1 - 0.2 * astern)
    return np.asarray((np.abs(u) <= half_length) & (np.abs(v) <= width))


def _shadow(spec: HullSpec, u: FloatArray, v: FloatArray, light: Light, heading_deg: float) -> FloatArray:
    """Sweep the outline away from the sun by the hull's height over the tangent of the elevation."""
    reach = spec.height_m / np.tan(np.radians(max(light.sun_elevation_deg, 10.0)))
    angle = np.radians(light.sun_azimuth_deg - heading_deg)
    shadow = np.zeros(u.shape, bool)
    for share in (0.34, 0.67, 1.0):
        shadow |= _hull_outline(spec, u + share * reach * np.cos(angle), v + share * reach * np.sin(angle))
    return np.asarray(shadow * 0.22, np.float32)


def _wake_length(spec: HullSpec) -> float:
    return min(60.0 + 40.0 * spec.speed_kn, 500.0)


def _wake(spec: HullSpec, u: FloatArray, v: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Foam: a short bright patch astern, a turbulent band with paler rims, thin Kelvin arms at up to 19.5 degrees.

    A third of ships that make way show next to none, as in real scenes.
    """
    if spec.speed_kn <= 2:
        return np.zeros(u.shape, np.float32)
    length, stern = _wake_length(spec), -spec.length_m / 2
    bend = float(rng.normal(0.0, 0.05)) * np.clip(stern - u, 0, None) ** 2 / length
    across, behind = v - bend, np.clip((stern - u) / length, 0, None)
    half = spec.beam_m * (0.3 + 0.25 * behind)
    rims = np.exp(-(((np.abs(across) - half) / 5.0) ** 2)) + 0.35 * (np.abs(across) < half)
    band = rims * np.exp(-2.2 * behind) * (u < stern) * (behind < 1)
    patch = 1.6 * np.exp(-(across**2) / (2 * (0.35 * spec.beam_m) ** 2) - np.clip(stern - u, 0, None) / 35.0)
    angle = np.radians(float(rng.uniform(8.0, 19.5)))
    bow_to = spec.length_m / 2 - u
    arm = np.exp(-(((np.abs(v) - bow_to * np.tan(angle)) / 4.0) ** 2))
    arms = (
        float(rng.uniform(0.0, 0.35)) * arm * np.exp(-2.5 * np.clip(bow_to / length, 0, None)) * (bow_to > 0)
    )
    foam = np.maximum(band + patch * (u < stern + 4), arms * (behind < 1)) * _wake_strength(spec, rng)
    return np.asarray(np.clip(foam * rng.uniform(0.6, 1.4, u.shape), 0, 0.95), np.float32)


def _wake_strength(spec: HullSpec, rng: np.random.Generator) -> float:
    if rng.random() < 0.35:
        return float(rng.uniform(0.0, 0.04))
    return float(min(spec.speed_kn / 14.0, 1.0) * np.clip(np.exp(rng.normal(-1.5, 0.7)), 0.03, 0.7))
