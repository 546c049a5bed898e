"""What simulated hulls are: kinds, proportions and colours, drawn by chance.

Colours are surface reflectances in the order red, green, blue, near infrared. Ranges of length, length over
beam and deck layout follow what such ships commonly have; no single ship is copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

Colour = tuple[float, float, float, float]
Kind = Literal[
    "barge", "bulk_carrier", "container", "tanker", "general_cargo", "ro_ro", "fishing", "small_craft", "tug"
]
VesselClass = Literal["barge", "bulk_carrier", "other_vessel"]
Hold = Literal["covered", "coal", "sand", "empty", "none"]

KINDS: Final[tuple[Kind, ...]] = (
    "barge",
    "bulk_carrier",
    "container",
    "tanker",
    "general_cargo",
    "ro_ro",
    "fishing",
    "small_craft",
    "tug",
)
_HOLD_COLOURS: Final[dict[str, Colour]] = {
    "coal": (0.070, 0.068, 0.067, 0.080),
    "sand": (0.25, 0.21, 0.155, 0.28),
    "empty": (0.135, 0.112, 0.10, 0.15),
}
_DECK_COLOURS: Final[tuple[Colour, ...]] = (
    (0.205, 0.088, 0.068, 0.215),  # red oxide
    (0.240, 0.145, 0.125, 0.240),  # faded red oxide
    (0.130, 0.085, 0.070, 0.155),  # rust
    (0.120, 0.160, 0.138, 0.170),  # green
    (0.125, 0.138, 0.158, 0.158),  # grey blue
    (0.148, 0.146, 0.140, 0.165),  # grey
    (0.265, 0.262, 0.255, 0.268),  # pale grey
)
_DRY_CARGO: Final = ("bulk_carrier", "barge")
_DRY_CARGO_SHARES: Final = (0.20, 0.20, 0.07, 0.08, 0.05, 0.12, 0.28)
_OTHER_SHARES: Final = (0.22, 0.12, 0.18, 0.10, 0.08, 0.20, 0.10)
_DRY_CARGO_TONE: Final = (1.14, 1.12, 1.12, 1.15)
_OTHER_TONE: Final = (0.78, 0.72, 0.75, 0.80)
_WHITE: Final[Colour] = (0.32, 0.32, 0.31, 0.32)


@dataclass(frozen=True)
class HullSpec:
    """What a hull is; where it lies and how it heads are arguments of the drawing."""

    kind: Kind
    class_: VesselClass
    length_m: float
    beam_m: float
    hatches: int
    """Number of hatch covers or hold openings along the deck; 0 for flush decks."""
    hold: Hold
    """What one sees through the hatches: covers, a cargo, an empty hold, or no hold at all."""
    house_fraction: float
    """Share of the length that the superstructure takes; 0 for none."""
    house_at: float
    """Centre of the superstructure along the hull: -1 stern, +1 bow."""
    bow_taper: float
    """Share of the length over which the bow narrows; 0 is a box, as on pushed barges."""
    cranes: int
    deck: Colour
    hatch: Colour
    house: Colour
    house_width: float
    """Share of the half beam that the superstructure reaches."""
    height_m: float
    """Mean height above the water, which throws the shadow."""
    speed_kn: float
    """Above 2 kn a wake is drawn."""


def class_of(kind: Kind) -> VesselClass:
    """Give the detector's class of a kind of hull."""
    return kind if kind == "barge" or kind == "bulk_carrier" else "other_vessel"


def random_hull(
    rng: np.random.Generator, kind: Kind, *, length_m: float | None = None, moving: bool = False
) -> HullSpec:
    """Draw a hull of this kind with the proportions and colours such ships have.

    Args:
        rng: Source of chance; the same state gives the same hull.
        kind: One of `KINDS`.
        length_m: Length overall in metres; drawn from the kind's usual range where absent.
        moving: Whether it makes way (4-14 kn) and so trails a wake.
    """
    length = _random_length(rng, kind) if length_m is None else length_m
    dumb = kind == "barge" and rng.random() < 0.3
    low, high = _LENGTH_TO_BEAM["dumb_barge" if dumb else kind]
    hold = _random_hold(rng, kind)
    deck = _jitter(rng, _toned(_random_deck(rng, kind), kind))
    return HullSpec(
        kind=kind,
        class_=class_of(kind),
        length_m=float(length),
        beam_m=float(max(length / rng.uniform(low, high), 4.0)),
        hatches=_random_hatches(rng, kind, length),
        hold=hold,
        house_fraction=0.0 if dumb else float(rng.uniform(*_HOUSE_FRACTION[kind])),
        house_at=_random_house_place(rng, kind),
        bow_taper=float(rng.uniform(0.0, 0.04) if dumb else rng.uniform(*_BOW_TAPER[kind])),
        cranes=_random_cranes(rng, kind, length),
        deck=deck,
        hatch=_jitter(rng, _HOLD_COLOURS.get(hold) or _random_cover(rng, kind, deck)),
        house=_jitter(rng, _random_house(rng, deck), 0.2),
        house_width=float(rng.uniform(0.65, 0.9)),
        height_m=float(np.clip(length * rng.uniform(0.03, 0.08), 1.5, 20.0)),
        speed_kn=float(rng.uniform(4.0, 14.0)) if moving else 0.0,
    )


def loaded(spec: HullSpec, laden: bool) -> HullSpec:
    """Return a hull as it looks laden or in ballast: how high it rides, and what its open holds show.

    A laden hull keeps its own cargo, or carries coal where its holds were drawn empty; shut hatches tell nothing.
    """
    spec = replace(spec, height_m=spec.height_m * (0.7 if laden else 1.25))
    if spec.hold not in ("coal", "sand", "empty") or (spec.hold == "empty") != laden:
        return spec
    hold: Hold = "coal" if laden else "empty"
    return replace(spec, hold=hold, hatch=_HOLD_COLOURS[hold])


_LENGTH_TO_BEAM: Final[dict[str, tuple[float, float]]] = {
    "barge": (4.3, 6.2),
    "dumb_barge": (2.8, 4.8),
    "bulk_carrier": (5.6, 7.0),
    "container": (5.6, 7.6),
    "tanker": (5.4, 6.8),
    "general_cargo": (5.4, 7.2),
    "ro_ro": (5.2, 7.6),
    "fishing": (3.6, 5.2),
    "small_craft": (2.8, 4.5),
    "tug": (2.5, 3.4),
}
_HOUSE_FRACTION: Final[dict[str, tuple[float, float]]] = {
    "barge": (0.07, 0.15),
    "bulk_carrier": (0.09, 0.15),
    "container": (0.06, 0.12),
    "tanker": (0.11, 0.18),
    "general_cargo": (0.12, 0.2),
    "ro_ro": (0.55, 0.95),
    "fishing": (0.25, 0.5),
    "small_craft": (0.3, 0.8),
    "tug": (0.25, 0.45),
}
_BOW_TAPER: Final[dict[str, tuple[float, float]]] = {
    "barge": (0.05, 0.14),
    "bulk_carrier": (0.1, 0.16),
    "container": (0.16, 0.26),
    "tanker": (0.1, 0.18),
    "general_cargo": (0.13, 0.22),
    "ro_ro": (0.14, 0.3),
    "fishing": (0.25, 0.4),
    "small_craft": (0.3, 0.5),
    "tug": (0.15, 0.3),
}
# Ranges of length overall, metres, with their weights; several rows are several size classes.
_LENGTHS: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "barge": ((45, 75, 0.45), (70, 130, 0.55)),
    "bulk_carrier": ((85, 165, 0.45), (165, 200, 0.35), (215, 235, 0.15), (270, 300, 0.05)),
    "container": ((90, 180, 0.4), (180, 300, 0.4), (300, 400, 0.2)),
    "tanker": ((60, 120, 0.4), (120, 190, 0.4), (220, 335, 0.2)),
    "general_cargo": ((60, 110, 0.7), (110, 150, 0.3)),
    "ro_ro": ((60, 130, 0.4), (130, 230, 0.5), (230, 340, 0.1)),
    "fishing": ((18, 45, 0.7), (45, 80, 0.3)),
    "small_craft": ((10, 25, 0.7), (25, 44, 0.3)),
    "tug": ((20, 36, 1.0),),
}


def _random_length(rng: np.random.Generator, kind: Kind) -> float:
    rows = _LENGTHS[kind]
    low, high, _ = rows[rng.choice(len(rows), p=[weight for *_, weight in rows])]
    return float(rng.uniform(low, high))


def _random_hold(rng: np.random.Generator, kind: Kind) -> Hold:
    if kind == "barge":
        choices: tuple[Hold, ...] = ("coal", "empty", "sand", "covered")
        return choices[rng.choice(4, p=[0.4, 0.3, 0.15, 0.15])]
    if kind == "bulk_carrier":
        choices = ("covered", "coal", "empty")
        return choices[rng.choice(3, p=[0.85, 0.1, 0.05])]
    return "covered" if kind in ("general_cargo", "container") else "none"


def _random_hatches(rng: np.random.Generator, kind: Kind, length_m: float) -> int:
    if kind == "barge":
        return int(rng.choice([1, 1, 1, 2]))
    if kind == "bulk_carrier":
        return int(np.clip(round(length_m / rng.uniform(26, 36)), 3, 9))
    if kind == "general_cargo":
        return int(rng.choice([1, 2, 2]))
    return int(max(length_m // 15, 4)) if kind == "container" else 0


def _random_house_place(rng: np.random.Generator, kind: Kind) -> float:
    if kind == "container":
        return float(rng.choice([-0.82, -0.5, 0.3], p=[0.55, 0.35, 0.1]))
    if kind in ("fishing", "small_craft", "tug"):
        return float(rng.uniform(-0.3, 0.45))
    return float(rng.uniform(-0.1, 0.1)) if kind == "ro_ro" else float(rng.uniform(-0.9, -0.8))


def _random_cranes(rng: np.random.Generator, kind: Kind, length_m: float) -> int:
    geared = {"bulk_carrier": 0.5 if length_m < 205 else 0.02, "general_cargo": 0.35}.get(kind, 0.0)
    return int(rng.integers(2, 5)) if rng.random() < geared else 0


def _random_deck(rng: np.random.Generator, kind: Kind) -> Colour:
    if kind in ("ro_ro", "fishing", "small_craft", "tug") and rng.random() < 0.6:
        return _WHITE
    return _DECK_COLOURS[int(rng.choice(len(_DECK_COLOURS), p=_deck_shares(kind)))]


def _toned(colour: Colour, kind: Kind) -> Colour:
    """Decks of dry-cargo ships are the plainest; those of others are cluttered, in shade, and so darker."""
    tone = _DRY_CARGO_TONE if kind in _DRY_CARGO else _OTHER_TONE
    red, green, blue, nir = (level * factor for level, factor in zip(colour, tone, strict=True))
    return red, green, blue, nir


def _deck_shares(kind: Kind) -> tuple[float, ...]:
    return _DRY_CARGO_SHARES if kind in _DRY_CARGO else _OTHER_SHARES


def _random_house(rng: np.random.Generator, deck: Colour) -> Colour:
    """Superstructures look white from the side; from above half of them are hardly paler than the deck."""
    if rng.random() < 0.5:
        factor = float(rng.uniform(0.9, 1.4))
        return (deck[0] * factor, deck[1] * factor * 1.1, deck[2] * factor * 1.15, deck[3] * factor)
    return (0.26, 0.25, 0.24, 0.27)


def _random_cover(rng: np.random.Generator, kind: Kind, deck: Colour) -> Colour:
    """Hatch covers: often painted like the deck, else any deck colour or a pale one."""
    if kind != "container" and rng.random() < 0.4:
        factor = float(rng.uniform(0.7, 1.6))
        return (deck[0] * factor, deck[1] * factor, deck[2] * factor, deck[3] * factor)
    shares = (*(0.85 * share for share in _deck_shares(kind)), 0.15)
    return (*_DECK_COLOURS, _WHITE)[int(rng.choice(len(shares), p=shares))]


def _jitter(rng: np.random.Generator, colour: Colour, spread: float = 0.3) -> Colour:
    """Vary brightness by `spread` and each band by a little, as paint, wear and sun angle do."""
    gain = float(np.exp(rng.normal(0.0, spread)))
    red, green, blue, nir = (float(np.clip(c * gain * rng.normal(1, 0.06), 0.01, 0.95)) for c in colour)
    return red, green, blue, nir
