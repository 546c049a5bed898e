"""Which band of a plain raster is which: by name, by colour, by what its numbers are, and never by a guess.

A stack whose bands have no names may hold them in any order. It is read in the order that ours are in (red, green,
blue, near infrared) only where its own darkest water says so; three bands of 8 bits are true colour, as every viewer
takes them; all else is refused, with the option that names bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import SceneError
from roadstead.imagery.scene import BANDS, RGB
from roadstead.imagery.stac.assets import ALIASES, BOA_OFFSET, DN_SCALE

Numbers = NDArray[Any]

ORDER: Final = ("red", "green", "blue", "nir")
"""Bands of a raster whose bands carry no name, where its water looks like it."""
NAMES: Final[Mapping[str, str]] = {
    name.lower(): band
    for band in BANDS
    for alias in ALIASES[band]
    for name in (alias, alias.replace("B0", "B"))
}
"""Description of a band -> band. Earth Engine writes ``B4`` for ``B04``."""
MASK_NAMES: Final = ("alpha", "mask", "datamask", "data_mask", "valid", "valid_mask")
"""Descriptions of a band that says where there is data. Sentinel Hub writes ``dataMask``."""
OPAQUE_SHARE: Final = 0.98
"""A band called alpha of which so much is wholly opaque or wholly clear is one; GDAL calls any fourth band of 8 bits
so."""
LEAST_PIXELS: Final = 64
CLEAR_RED: Final = 0.06
"""Red of clear water is darker than this."""
BLUER: Final = 1.1
"""Blue over red of clear water is at least this."""
DARK_NIR: Final = 1.05
"""Near infrared over red of clear water is at most this. Of 45 real images in our order 33 are told by these bounds;
in the orders blue, green, red and near infrared first, none is taken for ours."""
DARKEST_SHARE: Final = 0.25
OFFSET_DN: Final = -BOA_OFFSET / DN_SCALE
"""1000: what ESA adds to every number from processing baseline 04.00 on."""
BELOW_SHARE: Final = 0.01
LEAST_REFLECTANCE: Final = -0.2
"""No surface is darker: numbers below this are marks of no data. Over-corrected water reaches -0.1."""


@dataclass(frozen=True)
class BandFacts:
    """What a raster tells of its bands."""

    descriptions: Sequence[str | None]
    colours: Sequence[str]
    """GDAL's colour interpretation of each: ``red``, ``gray``, ``alpha``, ``undefined`` and so on."""
    sample: Numbers
    """Numbers of some pixels, [bands, pixels]; 0 where the raster names them no data."""
    scale: float
    """Reflectance of one number of a band that has no name."""
    may_hold_offset: bool = False
    """Whether the numbers are such that ESA's offset may still be in them."""


@dataclass(frozen=True)
class Roles:
    """Which band is which."""

    index: Mapping[str, int]
    """Band of `scene.BANDS` -> its number, from 1."""
    mask: int | None = None
    """Band that is 0 where nothing was imaged."""


def resolve_roles(path: str, facts: BandFacts, given: Mapping[str, int] | None = None) -> Roles:
    """Return which band is which.

    Args:
        path: named in errors.
        facts: what the raster tells.
        given: what the user says, band -> number; wins.

    Raises:
        SceneError: red, green or blue is missing, or is not told; says how to name them.
    """
    mask = _mask(facts)
    if given:
        return Roles(_checked(path, given, len(facts.colours)), mask if mask not in given.values() else None)
    if any(facts.descriptions):
        return Roles(_complete(path, _by_description(facts.descriptions), facts), mask)
    by_colour = {colour: number for number, colour in enumerate(facts.colours, start=1) if colour in ORDER}
    if all(band in by_colour for band in RGB):
        return Roles(_with_near_infrared(by_colour, facts, mask), mask)
    return Roles(_by_order(path, facts, mask), mask)


def _checked(path: str, given: Mapping[str, int], count: int) -> dict[str, int]:
    beyond = [f"{band}={number}" for band, number in given.items() if not 1 <= number <= count]
    if beyond:
        raise SceneError(f"{path}: has {count} band(s), so {', '.join(beyond)} is none of them")
    missing = [band for band in RGB if band not in given]
    if missing:
        raise SceneError(f"{path}: --bands names no {', '.join(missing)}")
    return dict(given)


def _complete(path: str, index: dict[str, int], facts: BandFacts) -> dict[str, int]:
    missing = [band for band in RGB if band not in index]
    if not missing:
        return index
    described = any(facts.descriptions)
    told = f"described as {', '.join(map(str, facts.descriptions))}" if described else "not described"
    raise SceneError(
        f"{path}: no band {', '.join(missing)}; it has {len(facts.colours)} band(s), {told}. Describe the bands "
        "red, green, blue, nir, or name them with --bands red=3,green=2,blue=1; where each band is a file, name the "
        "STAC item or the SAFE folder"
    )


def _by_description(descriptions: Sequence[str | None]) -> dict[str, int]:
    named = {
        NAMES.get(str(text).strip().lower()): number for number, text in enumerate(descriptions, start=1)
    }
    return {band: number for band, number in named.items() if band is not None}


def _mask(facts: BandFacts) -> int | None:
    """Return the number of the band that says where there is data, by its name, its colour or its numbers."""
    for number, (text, colour) in enumerate(zip(facts.descriptions, facts.colours, strict=True), start=1):
        name = str(text).strip().lower()
        if name in NAMES:
            continue
        if (name in MASK_NAMES or colour == "alpha") and _is_mask(facts.sample[number - 1]):
            return number
    last = len(facts.colours)
    unnamed = last > 3 and not facts.descriptions[-1]
    return last if unnamed and _has_two_values(facts.sample[-1]) else None


def _is_mask(values: Numbers) -> bool:
    ends = np.isin(values, (0, values.max(initial=0)))
    return not values.size or float(ends.mean()) >= OPAQUE_SHARE


def _has_two_values(values: Numbers) -> bool:
    """Return whether a band is one number, or 0 and one other: no image is; a few pixels do not tell."""
    found = np.unique(values)
    return values.size >= LEAST_PIXELS and (len(found) == 1 or (len(found) == 2 and found[0] == 0))


def _with_near_infrared(index: dict[str, int], facts: BandFacts, mask: int | None) -> dict[str, int]:
    """Return bands with the fourth as near infrared, where it is no mask and nothing else follows."""
    if "nir" not in index and len(facts.colours) == 4 and mask is None and set(index.values()) == {1, 2, 3}:
        return {**index, "nir": 4}
    return index


def _by_order(path: str, facts: BandFacts, mask: int | None) -> dict[str, int]:
    count = len(facts.colours) - (mask is not None)
    index = {band: number for band, number in zip(ORDER, range(1, count + 1), strict=False) if number != mask}
    _complete(path, index, facts)
    if count > len(ORDER):
        raise SceneError(
            f"{path}: has {count} bands without names, so which is red is not known; name them, for bands 1 to 12 in "
            "ESA's order with --bands red=4,green=3,blue=2,nir=8"
        )
    numbers = facts.sample[:count]
    shift = BOA_OFFSET if facts.may_hold_offset and holds_offset(numbers) else 0.0
    true_colour = numbers.dtype == np.uint8 and count == len(RGB)
    if not true_colour and not looks_like_water_in_order(numbers * facts.scale + shift):
        raise SceneError(
            f"{path}: its bands have no names, and its darkest water does not tell in which order they are; name them, "
            f"with --bands {_example(count, RGB)} or --bands {_example(count, RGB[::-1])}, or describe them in the file"
        )
    return index


def _example(count: int, names: Sequence[str]) -> str:
    number = {name: place for place, name in enumerate(names, start=1)}
    return ",".join(f"{name}={number.get(name, 4)}" for name in ORDER[:count])


def looks_like_water_in_order(reflectance: NDArray[Any]) -> bool:
    """Return whether the darkest pixels are clear water if the bands are red, green, blue and near infrared.

    Clear water is dark in red, brighter in blue, and darkest in near infrared. Silt turns the first two about, and may
    look like clear water in the opposite order, so only clear water tells. Three bands tell nothing: near infrared, red
    and green look like red, green and blue.

    Args:
        reflectance: [3 or 4, pixels], zero or less where there is no data.
    """
    seen = reflectance[:, (reflectance[:3] > 0).all(axis=0)]
    if not seen.size:
        return True  # nothing is said of an image without data: it fails as that
    if len(seen) < len(ORDER):
        return False
    red, _, blue, nir = np.median(seen[:, seen[3] <= np.quantile(seen[3], DARKEST_SHARE)], axis=1)
    return bool(blue >= BLUER * red and red <= CLEAR_RED and nir <= DARK_NIR * red)


def holds_offset(sample: Numbers) -> bool:
    """Return whether reflectance x 10000 still holds ESA's offset of 1000 in every band.

    Some water, shadow or near infrared is darker than 0.05 in any image of a coast. With the offset in them, nearly no
    number of any band is below 1000, and the darkest band begins right above it.

    Args:
        sample: [bands, pixels]; 0 and less is no data.
    """
    seen = sample[:, (sample > 0).all(axis=0)]
    if seen.shape[1] < 100:
        return False
    darkest = min(float(np.percentile(band, 5)) for band in seen)
    return bool((np.mean(seen < 0.9 * OFFSET_DN, axis=1) <= BELOW_SHARE).all() and darkest < 1.5 * OFFSET_DN)


def mark_of_no_data(sample: Numbers, scale: float, offset: float) -> float | None:
    """Return the number that stands for no data in a file that names none, such as -9999; None where there is none.

    Args:
        sample: numbers of the file.
        scale: of a number.
        offset: reflectance = number x scale + offset.
    """
    finite = sample[np.isfinite(sample)] if np.issubdtype(sample.dtype, np.floating) else sample.ravel()
    impossible = finite[finite.astype(float) * scale + offset < LEAST_REFLECTANCE]
    if not impossible.size:
        return None
    values, counts = np.unique(impossible, return_counts=True)
    return float(values[counts.argmax()])
