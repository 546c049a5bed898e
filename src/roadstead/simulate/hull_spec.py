"""What simulated hulls are: kinds, proportions and colours, drawn by chance.

Colours are surface reflectances in the order red, green, blue, near infrared. Ranges of length, length over
beam and deck layout follow what such ships commonly have; no single ship is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Colour = tuple[float, float, float, float]
Kind = Literal[
    "barge", "bulk_carrier", "container", "tanker", "general_cargo", "ro_ro", "fishing", "small_craft"
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
)
_HOLD_COLOURS: Final[dict[str, Colour]] = {
    "coal": (0.035, 0.034, 0.034, 0.04),
    "sand": (0.30, 0.25, 0.18, 0.34),
    "empty": (0.13, 0.11, 0.10, 0.14),
}
_DECK_COLOURS: Final[tuple[Colour, ...]] = (
    (0.24, 0.11, 0.09, 0.26),  # red oxide
    (0.17, 0.09, 0.07, 0.20),  # rust
    (0.10, 0.17, 0.13, 0.18),  # green
    (0.10, 0.13, 0.19, 0.16),  # blue
    (0.17, 0.17, 0.17, 0.19),  # grey
    (0.30, 0.30, 0.29, 0.31),  # pale grey
)
_WHITE: Final[Colour] = (0.48, 0.48, 0.47, 0.48)


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
    deck = _jitter(rng, _random_deck(rng, kind))
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
        house=_jitter(rng, _WHITE, 0.25),
        height_m=float(np.clip(length * rng.uniform(0.03, 0.08), 1.5, 20.0)),
        speed_kn=float(rng.uniform(4.0, 14.0)) if moving else 0.0,
    )


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
    if kind in ("fishing", "small_craft"):
        return float(rng.uniform(-0.3, 0.45))
    return float(rng.uniform(-0.1, 0.1)) if kind == "ro_ro" else float(rng.uniform(-0.9, -0.8))


def _random_cranes(rng: np.random.Generator, kind: Kind, length_m: float) -> int:
    geared = {"bulk_carrier": 0.5 if length_m < 205 else 0.02, "general_cargo": 0.35}.get(kind, 0.0)
    return int(rng.integers(2, 5)) if rng.random() < geared else 0


def _random_deck(rng: np.random.Generator, kind: Kind) -> Colour:
    if kind in ("ro_ro", "fishing", "small_craft") and rng.random() < 0.75:
        return _WHITE
    return _DECK_COLOURS[int(rng.integers(len(_DECK_COLOURS)))]


def _random_cover(rng: np.random.Generator, kind: Kind, deck: Colour) -> Colour:
    """Hatch covers: often painted like the deck, else any deck colour or a pale one."""
    if kind != "container" and rng.random() < 0.4:
        factor = float(rng.uniform(0.7, 1.6))
        return (deck[0] * factor, deck[1] * factor, deck[2] * factor, deck[3] * factor)
    return (*_DECK_COLOURS, _WHITE)[int(rng.integers(len(_DECK_COLOURS) + 1))]


def _jitter(rng: np.random.Generator, colour: Colour, spread: float = 0.3) -> Colour:
    """Vary brightness by `spread` and each band by a tenth, as paint, wear and sun angle do."""
    gain = float(np.exp(rng.normal(0.0, spread)))
    red, green, blue, nir = (float(np.clip(c * gain * rng.normal(1, 0.1), 0.01, 0.95)) for c in colour)
    return red, green, blue, nir
