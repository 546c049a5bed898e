"""Surfaces of land and what they reflect, and the styles that ports differ by.

Reflectances are in the order red, green, blue, near infrared: levels of such surfaces in clear Sentinel-2 scenes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_GROUPS: Final[dict[str, tuple[tuple[float, float, float, float], ...]]] = {
    "wood": ((0.030, 0.046, 0.026, 0.22), (0.045, 0.060, 0.034, 0.27)),
    "field": (
        (0.100, 0.095, 0.066, 0.24),
        (0.065, 0.080, 0.046, 0.29),
        (0.145, 0.120, 0.088, 0.26),
        (0.050, 0.068, 0.038, 0.31),
        (0.120, 0.105, 0.080, 0.22),
    ),
    "garden": ((0.046, 0.062, 0.036, 0.33), (0.110, 0.100, 0.080, 0.22)),
    "roof": (
        (0.210, 0.130, 0.090, 0.27),
        (0.150, 0.105, 0.080, 0.22),
        (0.140, 0.135, 0.125, 0.19),
        (0.230, 0.220, 0.205, 0.27),
        (0.100, 0.098, 0.092, 0.15),
        (0.360, 0.350, 0.330, 0.41),
    ),
    "asphalt": ((0.085, 0.084, 0.080, 0.11), (0.110, 0.105, 0.098, 0.14)),
    "shed": (
        (0.150, 0.145, 0.135, 0.19),
        (0.230, 0.220, 0.205, 0.26),
        (0.110, 0.105, 0.100, 0.15),
        (0.420, 0.420, 0.400, 0.46),
        (0.200, 0.130, 0.105, 0.25),
        (0.110, 0.140, 0.210, 0.22),
        (0.620, 0.610, 0.590, 0.64),
    ),
    "concrete": ((0.165, 0.155, 0.138, 0.21), (0.240, 0.225, 0.200, 0.28), (0.130, 0.120, 0.105, 0.17)),
    "container": (
        (0.170, 0.085, 0.070, 0.21),
        (0.090, 0.110, 0.160, 0.17),
        (0.210, 0.205, 0.195, 0.25),
        (0.085, 0.115, 0.090, 0.16),
        (0.190, 0.140, 0.085, 0.24),
        (0.075, 0.073, 0.072, 0.11),
        (0.220, 0.110, 0.075, 0.27),
        (0.130, 0.120, 0.110, 0.18),
    ),
    "heap": (
        (0.062, 0.059, 0.057, 0.075),
        (0.140, 0.085, 0.066, 0.17),
        (0.270, 0.225, 0.165, 0.32),
        (0.085, 0.078, 0.070, 0.10),
    ),
    "tank": ((0.450, 0.450, 0.440, 0.47),),
    "crane": (
        (0.130, 0.160, 0.240, 0.22),
        (0.300, 0.290, 0.280, 0.32),
        (0.260, 0.120, 0.080, 0.30),
        (0.300, 0.240, 0.090, 0.34),
    ),
    "mud": ((0.150, 0.135, 0.105, 0.16),),
}


@dataclass(frozen=True)
class Materials:
    """Numbers of materials by group."""

    spans: dict[str, NDArray[np.int32]]

    def span(self, group: str) -> NDArray[np.int32]:
        """Return the numbers of a group."""
        return self.spans[group]

    def first(self, group: str) -> int:
        """Return the first number of a group."""
        return int(self.spans[group][0])


def _numbered() -> Materials:
    spans, start = {}, 0
    for name, colours in _GROUPS.items():
        spans[name] = np.arange(start, start + len(colours), dtype=np.int32)
        start += len(colours)
    return Materials(spans)


MATERIALS: Final = _numbered()
PALETTE: Final[FloatArray] = np.array([c for colours in _GROUPS.values() for c in colours], np.float32)
"""[n, 4] reflectance by material number."""


@dataclass(frozen=True)
class Style:
    """What the land of one port looks like."""

    tint: tuple[float, float, float, float]
    """Factor a band: light, soil and season."""
    grain: float
    """Spread of light from one 5 m pixel to the next."""
    wood_from: float
    """Level of the wood field above which woods stand; lower is greener."""
    urban: float
    """Added to the town field; higher is more town."""
    built: float
    """Share of a town block that is roofs."""
    clutter: float
    """Share of paved ground that goods stand on."""
    field_deg: float
    street_deg: float
    roof_steps: tuple[float, ...]
    """Cumulated shares of the roof materials."""
    shed_steps: tuple[float, ...]
    yard_steps: tuple[float, ...]
    """Cumulated shares of container stacks, sheds, heaps, tanks, open ground."""


def random_style(rng: np.random.Generator) -> Style:
    """Draw a port's style."""
    light = float(np.exp(rng.normal(-0.08, 0.22)))
    warm = float(rng.normal(0.0, 0.06))
    return Style(
        tint=(
            light * (1 + warm),
            light,
            light * (1 - warm),
            float(light**0.7 * np.exp(rng.normal(0.0, 0.12))),
        ),
        grain=float(rng.uniform(0.20, 0.42)),
        wood_from=float(rng.uniform(-0.6, 1.2)),
        urban=float(rng.normal(0.1, 0.6)),
        built=float(rng.uniform(0.45, 0.8)),
        clutter=float(rng.uniform(0.05, 0.4)),
        field_deg=float(rng.uniform(0, 90)),
        street_deg=float(rng.uniform(0, 90)),
        roof_steps=_steps(rng, (2.0, 1.2, 1.5, 1.0, 0.8, 0.25)),
        shed_steps=_steps(rng, (2.0, 1.6, 1.4, 0.45, 0.4, 0.12, 0.15)),
        yard_steps=_steps(rng, (1.2, 1.2, 0.9, 0.4, 0.8)),
    )


def _steps(rng: np.random.Generator, weights: tuple[float, ...]) -> tuple[float, ...]:
    """Cumulated shares, without the last, of a draw round some weights."""
    shares = rng.dirichlet(np.array(weights) * 1.5)
    return tuple(float(v) for v in np.cumsum(shares)[:-1])
