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

from roadstead.simulate.hull_spec import (
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

_BOX_COLOURS: Final[tuple[Colour, ...]] = (
    (0.32, 0.13, 0.10, 0.33),
    (0.12, 0.18, 0.30, 0.25),
    (0.36, 0.36, 0.35, 0.38),
    (0.13, 0.24, 0.17, 0.25),
    (0.35, 0.25, 0.12, 0.38),
    (0.16, 0.16, 0.17, 0.18),
)
_FOAM: Final[Colour] = (0.22, 0.24, 0.25, 0.19)


@dataclass(frozen=True)
class Light:
    """Where the sun stands."""

    sun_azimuth_deg: float = 150.0
    sun_elevation_deg: float = 50.0


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
    colour[house & (np.abs(across) < 0.92)] = spec.house
    texture = 1 + 0.08 * rng.standard_normal(u.shape).astype(np.float32)
    return np.clip(colour * texture[..., None], 0.005, 1.0)


def _cargo_span(spec: HullSpec) -> tuple[float, float]:
    """Ends of the cargo deck along the hull, in -1..1."""
    aft = -0.94 if spec.house_at > -0.7 else spec.house_at + spec.house_fraction + 0.02
    return max(aft, -0.94), 0.95 - 1.6 * spec.bow_taper


def _hatch_mask(spec: HullSpec, along: FloatArray, across: FloatArray) -> NDArray[np.bool_]:
    start, end = _cargo_span(spec)
    pitch = (end - start) / max(spec.hatches, 1)
    open_share = 0.96 if spec.kind in ("barge", "container") else 0.72
    within = ((along - start) % pitch) / pitch < open_share
    reach = 0.78 if spec.kind == "barge" else 0.9 if spec.kind == "container" else 0.62
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
        colour[mask] = spec.hatch


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
    return np.asarray(shadow * 0.5, np.float32)


def _wake_length(spec: HullSpec) -> float:
    return min(60.0 + 25.0 * spec.speed_kn, 400.0)


def _wake(spec: HullSpec, u: FloatArray, v: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Foam: a turbulent band astern, weaker Kelvin arms at 19.5 degrees, white water at the bow."""
    if spec.speed_kn <= 2:
        return np.zeros(u.shape, np.float32)
    length, stern = _wake_length(spec), -spec.length_m / 2
    behind = np.clip((stern - u) / length, 0, None)
    width = spec.beam_m * (0.4 + 0.8 * behind)
    band = (np.abs(v) < width) * np.exp(-2.5 * behind) * (u < stern)
    arm = np.abs(np.abs(v) - (spec.length_m / 2 - u) * np.tan(np.radians(19.5)))
    arms = 0.3 * (arm < 4.0) * np.exp(-3 * np.clip((spec.length_m / 2 - u) / length, 0, None))
    arms = arms * (u < spec.length_m / 2) * (behind < 1)
    strength = min(spec.speed_kn / 14.0, 1.0) * rng.uniform(0.3, 0.9)
    foam = np.maximum(band * (behind < 1), arms) * strength
    return np.asarray(np.clip(foam * rng.uniform(0.6, 1.4, u.shape), 0, 0.95), np.float32)


def sample_hull(
    patch: HullPatch,
    *,
    offset_px: tuple[float, float] = (0.0, 0.0),
    pixel_m: float = SENSOR_PIXEL_M,
    psf_sigma_px: float = PSF_SIGMA_PX,
) -> HullPatch:
    """See a drawn patch as the sensor does: shift, blur by the point spread, average over pixels.

    Args:
        patch: What `draw_hull` gave.
        offset_px: Where the hull centre lies from the centre of the middle pixel, (rows, columns), in sensor
            pixels, each within -0.5..0.5; rounded to a drawing pixel.
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
    layers = np.dstack([patch.reflectance, patch.alpha, patch.shade])
    sigma = psf_sigma_px * factor
    seen = ndimage.gaussian_filter(layers, (sigma, sigma, 0))
    # The patch has an empty margin, so what rolls round its edge is empty.
    seen = np.roll(seen, [round(o * factor) for o in offset_px], axis=(0, 1))
    seen = _average_blocks(seen, factor)
    return HullPatch(seen[..., :4], seen[..., 4], seen[..., 5], pixel_m)


def _average_blocks(layers: FloatArray, factor: int) -> FloatArray:
    """Average [H, W, C] over blocks of `factor`, cropped so that the middle block is the grid's centre."""
    side = layers.shape[0]
    count = side // factor - (side // factor + 1) % 2
    margin = (side - count * factor) // 2
    cut = layers[margin : margin + count * factor, margin : margin + count * factor]
    blocks = cut.reshape(count, factor, count, factor, layers.shape[2])
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def paste_hull(image: FloatArray, patch: HullPatch, row: int, col: int) -> None:
    """Lay a sampled patch into an image, in place, its middle pixel on (row, col); what falls outside is cut.

    Args:
        image: [H, W, C] reflectance in the band order of `BANDS`; C is 3 or 4.
        patch: What `sample_hull` gave, at the image's pixel size.
        row: Row of the hull centre's pixel.
        col: Column of the hull centre's pixel.
    """
    radius = patch.alpha.shape[0] // 2
    top, left = max(row - radius, 0), max(col - radius, 0)
    bottom, right = min(row + radius + 1, image.shape[0]), min(col + radius + 1, image.shape[1])
    if top >= bottom or left >= right:
        return
    rows = slice(top - row + radius, bottom - row + radius)
    cols = slice(left - col + radius, right - col + radius)
    through = (1 - patch.shade[rows, cols]) * (1 - patch.alpha[rows, cols])
    window = image[top:bottom, left:right]
    window *= through[..., None]
    window += patch.reflectance[rows, cols, : image.shape[2]]


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
