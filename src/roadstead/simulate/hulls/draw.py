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
from scipy import ndimage

from roadstead.simulate.hulls.spec import (
    KINDS,
    Colour,
    HullSpec,
    Kind,
    VesselClass,
    class_of,
    random_hull,
)

__all__ = [
    "BANDS",
    "KINDS",
    "HullPatch",
    "HullSpec",
    "Kind",
    "Light",
    "SampledHull",
    "VesselClass",
    "class_of",
    "draw_hull",
    "hull_corners",
    "paste_hull",
    "random_hull",
    "sample_hull",
]

FloatArray = NDArray[np.float32]
BANDS: Final = ("red", "green", "blue", "nir")
SENSOR_PIXEL_M: Final = 10.0
# A Gaussian of this width and a square 10 m pixel give a modulation transfer of 0.19 at Nyquist; the
# Sentinel-2 mission requirement for its 10 m bands is 0.15-0.30 (ESA, Sentinel-2 User Handbook, 2015).
PSF_SIGMA_PX: Final = 0.5
BAND_DELAYS_S: Final = (0.556, 0.078, -0.449, -0.185)
"""When red, green, blue and nir look, seconds from their mean: B02 looks first, B08 0.264, B03 0.527 and B04 1.005 s
later (Sentinel-2 inter-band delays, Heiselberg 2016, doi:10.3390/rs8121033)."""

_BOX_COLOURS: Final[tuple[Colour, ...]] = (
    (0.32, 0.13, 0.10, 0.33),
    (0.12, 0.18, 0.30, 0.25),
    (0.36, 0.36, 0.35, 0.38),
    (0.13, 0.24, 0.17, 0.25),
    (0.35, 0.25, 0.12, 0.38),
    (0.16, 0.16, 0.17, 0.18),
)
_MIX: Final = 0.85
"""Covers and holds are seen with coamings, dust and gear of the deck's colour among them."""
_FOAM: Final[Colour] = (0.22, 0.24, 0.25, 0.19)


@dataclass(frozen=True)
class Light:
    """Where the sun stands."""

    sun_azimuth_deg: float = 150.0
    sun_elevation_deg: float = 50.0


@dataclass(frozen=True)
class SampledHull:
    """A hull as the sensor sees it, on a square grid whose middle pixel holds the hull's centre.

    Compositing is ``water * through + light``.
    """

    light: FloatArray
    """[S, S, 4] reflectance red, green, blue, nir, already multiplied by its share of the pixel."""
    through: FloatArray
    """[S, S, 4] share of the water's own light that stays."""


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
    colour = _paint_deck(spec, u, v, rng, light, heading_deg)
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


def _paint_deck(
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
    knots = np.clip(rng.normal(1.0, 0.17, count), 0.4, 1.7)
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


def sample_hull(
    patch: HullPatch,
    *,
    offset_px: tuple[float, float] = (0.0, 0.0),
    drift_px_s: tuple[float, float] = (0.0, 0.0),
    pixel_m: float = SENSOR_PIXEL_M,
    psf_sigma_px: float = PSF_SIGMA_PX,
) -> SampledHull:
    """See a drawn patch as the sensor does: shift, blur by the point spread, average over pixels.

    The bands look one after the other (`BAND_DELAYS_S`), so a hull that makes way lies elsewhere in each.

    Args:
        patch: What `draw_hull` gave.
        offset_px: Where the hull centre lies from the centre of the middle pixel, (rows, columns), in sensor
            pixels, each within -0.5..0.5; rounded to a drawing pixel.
        drift_px_s: How fast it moves, (rows, columns), sensor pixels a second.
        pixel_m: Side of a sensor pixel, metres.
        psf_sigma_px: Standard deviation of the Gaussian point spread, sensor pixels.

    Returns:
        A patch of odd side at `pixel_m`; `paste_hull` puts its middle pixel on a given row and column.

    Raises:
        ValueError: `pixel_m` is not a whole number of drawing pixels.
    """
    factor = round(pixel_m / patch.resolution_m)
    if abs(factor * patch.resolution_m - pixel_m) > 1e-6:
        message = f"pixel_m={pixel_m} is not a multiple of the patch's resolution {patch.resolution_m} m"
        raise ValueError(message)
    through = (1 - patch.alpha) * (1 - patch.shade)
    layers = np.dstack([patch.reflectance, 1 - through])
    sigma = psf_sigma_px * factor
    seen = ndimage.gaussian_filter(layers, (sigma, sigma, 0), truncate=3.0)
    if drift_px_s == (0.0, 0.0):
        still = _average_blocks(_rolled(seen, offset_px, factor), factor)
        return SampledHull(still[..., :4], np.repeat(1 - still[..., 4:], 4, axis=-1))
    light, taken = [], []
    for band, delay in enumerate(BAND_DELAYS_S):
        place = (offset_px[0] + delay * drift_px_s[0], offset_px[1] + delay * drift_px_s[1])
        moved = _average_blocks(_rolled(seen[..., [band, 4]], place, factor), factor)
        light.append(moved[..., 0])
        taken.append(moved[..., 1])
    return SampledHull(np.stack(light, -1), np.asarray(1 - np.stack(taken, -1), np.float32))


def _rolled(layers: FloatArray, offset_px: tuple[float, float], factor: int) -> FloatArray:
    """Shift by whole drawing pixels; the patch has an empty margin, so what rolls round its edge is empty."""
    return np.roll(layers, [round(o * factor) for o in offset_px], axis=(0, 1))


def _average_blocks(layers: FloatArray, factor: int) -> FloatArray:
    """Average [H, W, C] over blocks of `factor`, cropped so that the middle block is the grid's centre."""
    side = layers.shape[0]
    count = side // factor - (side // factor + 1) % 2
    margin = (side - count * factor) // 2
    cut = layers[margin : margin + count * factor, margin : margin + count * factor]
    blocks = cut.reshape(count, factor, count, factor, layers.shape[2])
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def paste_hull(image: FloatArray, hull: SampledHull, row: int, col: int) -> None:
    """Lay a sampled hull into an image, in place, its middle pixel on (row, col); what falls outside is cut.

    Args:
        image: [H, W, C] reflectance in the band order of `BANDS`; C is 3 or 4.
        hull: What `sample_hull` gave, at the image's pixel size.
        row: Row of the hull centre's pixel.
        col: Column of the hull centre's pixel.
    """
    radius = hull.light.shape[0] // 2
    top, left = max(row - radius, 0), max(col - radius, 0)
    bottom, right = min(row + radius + 1, image.shape[0]), min(col + radius + 1, image.shape[1])
    if top >= bottom or left >= right:
        return
    rows = slice(top - row + radius, bottom - row + radius)
    cols = slice(left - col + radius, right - col + radius)
    window = image[top:bottom, left:right]
    window *= hull.through[rows, cols, : image.shape[2]]
    window += hull.light[rows, cols, : image.shape[2]]


def hull_corners(
    spec: HullSpec, heading_deg: float, row: float, col: float, *, pixel_m: float = SENSOR_PIXEL_M
) -> FloatArray:
    """Corners [4, 2] (x = column, y = row, pixel units) of the hull's true box.

    `row` and `col` are the hull centre counted from the image's outer edge: the middle of the first pixel
    is 0.5.
    """
    angle = np.radians(heading_deg)
    forward = np.array([np.sin(angle), -np.cos(angle)]) * spec.length_m / 2 / pixel_m
    starboard = np.array([np.cos(angle), np.sin(angle)]) * spec.beam_m / 2 / pixel_m
    centre = np.array([col, row])
    return np.asarray(
        [
            centre + forward - starboard,
            centre + forward + starboard,
            centre - forward + starboard,
            centre - forward - starboard,
        ],
        np.float32,
    )
