"""Practice scenes: small made-up harbours full of ships, to train detectors on and to hold against real images.

Scene number n of a seed is the same whatever was drawn before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground, Quay, Vector
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.hulls.spec import HullSpec, Kind, random_hull
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.render import DN_OFFSET, QUANTIFICATION, PlacedHull, render
from roadstead_lab.simulate.practice.ground import practice_ground
from roadstead_lab.simulate.scenario.model import Cloud, OverpassPlan, Spectrum, Weather
from roadstead_lab.simulate.texture import FloatArray
from roadstead_lab.simulate.traffic.tracks import hull_outline, moved

SIDE_PX: Final = 400
State = Literal["at_quay", "at_anchor", "under_way"]
_KINDS: Final[dict[Kind, float]] = {
    "barge": 0.26,
    "bulk_carrier": 0.26,
    "container": 0.12,
    "tanker": 0.13,
    "general_cargo": 0.10,
    "ro_ro": 0.06,
    "fishing": 0.04,
    "tug": 0.03,
}
_WATERS: Final[tuple[tuple[Spectrum, Spectrum], ...]] = (
    ((0.004, 0.011, 0.021, 0.003), (0.010, 0.019, 0.028, 0.006)),
    ((0.012, 0.023, 0.030, 0.006), (0.024, 0.037, 0.042, 0.011)),
    ((0.014, 0.031, 0.028, 0.007), (0.036, 0.054, 0.045, 0.014)),
    ((0.024, 0.052, 0.062, 0.009), (0.055, 0.090, 0.095, 0.018)),
    ((0.035, 0.070, 0.090, 0.014), (0.060, 0.100, 0.115, 0.024)),
    ((0.075, 0.100, 0.100, 0.030), (0.110, 0.130, 0.125, 0.045)),
    ((0.050, 0.115, 0.120, 0.014), (0.085, 0.145, 0.135, 0.024)),
    ((0.050, 0.068, 0.056, 0.015), (0.110, 0.112, 0.088, 0.036)),
)
"""Deep blue, navy, green, teal, pale blue, pale grey, turquoise, silt: levels of real ports and anchorages."""
_WATER_SHARES: Final = (0.24, 0.28, 0.20, 0.07, 0.05, 0.03, 0.02, 0.11)
_BERTH_GAP_M: Final = 3.0
_THROUGH_AIR_PORT: Final = 0.12
_THROUGH_AIR_SEA: Final = 0.7
"""Share of scenes with and without quays that show reflectance at the top of the atmosphere."""


@dataclass(frozen=True)
class PracticeHull:
    """One hull of a practice scene."""

    spec: HullSpec
    state: State
    corners: NDArray[np.float64]
    """[4, 2] true outline, pixel (column, row), 0 at the outer edge."""


@dataclass(frozen=True)
class PracticeScene:
    """One image with its truth."""

    reflectance: FloatArray
    """[4, H, W] red, green, blue, nir; 0 where there is no data."""
    valid: NDArray[np.bool_]
    """[H, W]."""
    land_share: FloatArray
    """[H, W] 0 to 1."""
    scl: NDArray[np.uint8]
    """[H / 2, W / 2] scene classification."""
    hulls: tuple[PracticeHull, ...]
    surface: bool
    """Whether it shows reflectance at the surface, else that at the top of the atmosphere."""
    weather: Weather


def practice_scene(
    seed: int, number: int, side_px: int = SIDE_PX, *, weather: Weather | None = None
) -> PracticeScene:
    """Draw one practice scene of ``side_px`` 10 m pixels, an even number.

    A ``weather`` that is given takes the place of the one drawn; all else stays as it is without.
    """
    rng = generator(seed, "practice", number)
    ground = practice_ground(rng, side_px)
    fleet = _Fleet(ground, rng)
    fleet.berth()
    fleet.anchor()
    fleet.sail()
    fleet.scatter()
    light = Light(float(rng.uniform(100, 200)), float(rng.uniform(22, 70)))
    drawn, wedge = _weather(rng), bool(rng.random() < 0.05)
    plan = OverpassPlan(0, time(2, 30), "sentinel-2a", 46, weather or drawn, no_data_wedge=wedge)
    land = land_surface(ground, rng)
    frame = render(ground, land, [hull for hull, _ in fleet.hulls], plan, light, _waters(rng), rng)
    reflectance = (frame.dn.astype(np.float32) - DN_OFFSET) / np.float32(QUANTIFICATION)
    surface = bool(rng.random() >= (_THROUGH_AIR_PORT if ground.quays else _THROUGH_AIR_SEA))
    if not surface:
        see_through_air(reflectance, float(rng.uniform(0.3, 1.0)), float(rng.uniform(1.25, 1.75)))
    valid = frame.dn[0] > 0
    reflectance[:, ~valid] = 0
    hulls = tuple(PracticeHull(hull.spec, state, _corners(ground, hull)) for hull, state in fleet.hulls)
    shown = np.clip(reflectance, 0, None)
    return PracticeScene(shown, valid, ground.land_share, frame.scl, hulls, surface, plan.weather)


def see_through_air(reflectance: FloatArray, air: float, gain: float) -> None:
    """Turn reflectance at the surface into what a product at the top of the atmosphere shows; in place.

    Real true-colour mosaics of anchorages are such: hulls half as bright again as at the surface, over blue air.

    Args:
        reflectance: [4, H, W] red, green, blue, nir.
        air: How much light the air adds, 0 for none, 1 for the most.
        gain: How much brighter all else is.
    """
    reflectance *= np.float32(gain)
    reflectance += (air * np.array([0.035, 0.055, 0.09, 0.015], np.float32))[:, None, None]


def _corners(ground: Ground, hull: PlacedHull) -> NDArray[np.float64]:
    outline = hull_outline(hull.xy, hull.heading_deg, hull.spec.length_m, hull.spec.beam_m)
    return np.asarray(ground.grid.xy_to_colrow(shapely.get_coordinates(outline)[:4]))


def _waters(rng: np.random.Generator) -> tuple[Spectrum, Spectrum]:
    clear, turbid = _WATERS[int(rng.choice(len(_WATERS), p=_WATER_SHARES))]
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.08, 4))
    return _times(clear, gain), _times(turbid, gain)


def _times(level: Spectrum, gain: NDArray[np.float64]) -> Spectrum:
    red, green, blue, nir = (float(v) for v in np.array(level) * gain)
    return red, green, blue, nir


def _weather(rng: np.random.Generator) -> Weather:
    skies: tuple[Cloud, ...] = ("none", "patches", "thin")
    return Weather(
        cloud=skies[int(rng.choice(3, p=[0.84, 0.08, 0.08]))],
        haze=float(min(rng.exponential(0.015), 0.3)),
        glint=float(rng.choice([0.0, rng.uniform(0, 0.02)], p=[0.7, 0.3])),
        swell=float(rng.choice([0.0, np.exp(rng.uniform(-8.0, -6.4))], p=[0.6, 0.4])),
        plumes=float(rng.uniform(0, 0.5)),
    )


class _Fleet:
    """Puts hulls on a ground's water, each clear of land and of all others."""

    def __init__(self, ground: Ground, rng: np.random.Generator) -> None:
        self.ground, self.rng = ground, rng
        self.hulls: list[tuple[PlacedHull, State]] = []
        self._outlines: list[Polygon] = []
        self._land: BaseGeometry = ground.land
        shapely.prepare(self._land)

    def _kind(self) -> Kind:
        kinds = list(_KINDS)
        return kinds[
            int(self.rng.choice(len(kinds), p=np.array(list(_KINDS.values())) / sum(_KINDS.values())))
        ]

    def _put(
        self, spec: HullSpec, xy: Vector, heading: float, state: State, *, clear_m: float, speed: float = 0.0
    ) -> bool:
        outline = hull_outline(xy, heading, spec.length_m, spec.beam_m)
        if self._land.distance(outline) < min(clear_m, 1.5):
            return False
        if clear_m > 1.5 and self._land.distance(outline) < clear_m:
            return False
        if self._outlines and min(shapely.distance(outline, self._outlines)) < 0.8:
            return False
        self._outlines.append(outline)
        name = f"hull-{len(self.hulls)}"
        self.hulls.append((PlacedHull(name, spec, xy, heading % 360.0, speed), state))
        return True

    def berth(self) -> None:
        """Ships along quays, some with others alongside."""
        for quay in self.ground.quays:
            busy, kind = float(self.rng.beta(1.6, 1.3)), self._kind()
            at = float(self.rng.uniform(2, 60))
            while at < quay.length_m - 30.0:
                kind = kind if self.rng.random() < 0.6 else self._kind()
                spec = random_hull(self.rng, kind)
                if at + spec.length_m > quay.length_m + 15.0:
                    spec = random_hull(self.rng, kind, length_m=max(quay.length_m - at, 20.0))
                if self.rng.random() < busy:
                    self._moor(quay, at + spec.length_m / 2, spec)
                at += spec.length_m + float(self.rng.uniform(8, 70))

    def _moor(self, quay: Quay, along: float, spec: HullSpec) -> None:
        heading = float(np.degrees(np.arctan2(*quay.along)))
        off = _BERTH_GAP_M + spec.beam_m / 2
        many = 1 + int(self.rng.random() < (0.35 if spec.kind == "barge" else 0.1)) * int(
            self.rng.integers(1, 4)
        )
        for _ in range(many):
            turn = 180.0 * float(self.rng.integers(2)) + float(self.rng.normal(0, 0.6))
            if not self._put(spec, quay.place(along, off), heading + turn, "at_quay", clear_m=0.5):
                return
            beam = spec.beam_m
            spec = random_hull(
                self.rng, spec.kind, length_m=spec.length_m * float(self.rng.uniform(0.85, 1.1))
            )
            off += beam / 2 + float(self.rng.uniform(1.0, 4.0)) + spec.beam_m / 2
            along += float(self.rng.normal(0, 6))

    def anchor(self) -> None:
        """Ships at anchor, headed alike, a few in rafts or with a lighter alongside."""
        tide = float(self.rng.uniform(0, 360))
        for _ in range(
            int(self.rng.choice([0, self.rng.poisson(6), self.rng.poisson(14)], p=[0.25, 0.55, 0.2]))
        ):
            spec, xy = random_hull(self.rng, self._kind()), self._somewhere(200.0)
            heading = tide + float(self.rng.normal(0, 9))
            if not self._put(spec, xy, heading, "at_anchor", clear_m=40.0):
                continue
            for _ in range(int(self.rng.random() < 0.09) * int(self.rng.integers(1, 4))):
                kind: Kind = "barge" if self.rng.random() < 0.7 else spec.kind
                mate = random_hull(self.rng, kind)
                side = float(self.rng.choice([-1.0, 1.0])) * ((spec.beam_m + mate.beam_m) / 2 + 2.0)
                place = moved(moved(xy, heading + 90.0, side), heading, float(self.rng.normal(0, 12)))
                self._put(
                    mate, place, heading + 180.0 * float(self.rng.integers(2)), "at_anchor", clear_m=20.0
                )

    def sail(self) -> None:
        """Ships under way."""
        for _ in range(int(self.rng.poisson(3.0))):
            spec = random_hull(self.rng, self._kind())
            heading, speed = float(self.rng.uniform(0, 360)), float(self.rng.uniform(3.0, 15.0))
            self._put(spec, self._somewhere(), heading, "under_way", clear_m=30.0, speed=speed)

    def scatter(self) -> None:
        """Boats: some fast with long wakes, some moored close to the shore."""
        for _ in range(int(self.rng.poisson(7.0))):
            spec = random_hull(self.rng, "small_craft")
            speed = float(self.rng.choice([0.0, self.rng.uniform(4, 25)]))
            state: State = "under_way" if speed else "at_anchor"
            self._put(
                spec, self._somewhere(), float(self.rng.uniform(0, 360)), state, clear_m=4.0, speed=speed
            )
        self._marina()

    def _marina(self) -> None:
        """Rows of boats in berths of their own along one stretch of shore."""
        if not self.ground.quays or self.rng.random() < 0.55:
            return
        quay = self.ground.quays[int(self.rng.integers(len(self.ground.quays)))]
        heading = float(np.degrees(np.arctan2(*quay.along)))
        for row in range(int(self.rng.integers(1, 4))):
            for at in np.arange(10.0, min(quay.length_m, 260.0), float(self.rng.uniform(5, 9))):
                if self.rng.random() < 0.7:
                    spec = random_hull(self.rng, "small_craft", length_m=float(self.rng.uniform(8, 18)))
                    xy = quay.place(float(at), 14.0 + 32.0 * row)
                    self._put(spec, xy, heading + 90.0, "at_quay", clear_m=0.5)

    def _somewhere(self, off_land_m: float = 25.0) -> Vector:
        left, bottom, right, top = self.ground.grid.bounds_xy
        for _ in range(40):
            xy = float(self.rng.uniform(left, right)), float(self.rng.uniform(bottom, top))
            if self._land.distance(Point(xy)) > off_land_m:
                break
        return xy
