"""The table: every measure, real against simulated, with a tolerance stated beforehand and a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from roadstead_lab.simulate.chance import generator
from roadstead_lab.training.realism import ground
from roadstead_lab.training.realism.edges import WAKE, HullMeasure, measure_hull, shore_edges, state_of
from roadstead_lab.training.realism.views import BANDS, Hull, State, View

Rows = NDArray[np.float64]
Verdict = Literal["agrees", "differs", "too few"]
LEAST_N: Final = 5
"""Fewer values on either side give no verdict."""
PER_VIEW: Final = 300
"""Windows that one view may bring, evenly picked, so that a large port does not speak for all."""
LEAST_LENGTH_M: Final = 45.0
Side = Literal["real", "held_out", "simulated"]


@dataclass(frozen=True)
class Tolerance:
    """When a simulated median agrees with the real one."""

    reason: str
    quartiles: bool = True
    """It must lie within the real 25-75 % range."""
    ratio: float | None = None
    """The medians may differ by this factor either way."""
    difference: float | None = None
    """They may differ by this much."""
    of: Literal["median", "mean"] = "median"
    """Which middle is held against the real one; shares have a mean alone."""

    @property
    def words(self) -> str:
        """Say the rule in short."""
        parts = ["in real 25-75 %"] if self.quartiles else []
        parts += [f"ratio <= {self.ratio:g}"] if self.ratio else []
        parts += [f"difference <= {self.difference:g}"] if self.difference else []
        return " and ".join(parts)


_LEVEL = Tolerance("places differ tenfold; a typical level of real places is enough")
_TEXTURE = Tolerance(
    "a tenth is the error of the real median over six ports; a third is what an eye sees", ratio=1.35
)
_SHARE = Tolerance(
    "a correlation or share of 0-1: a tenth is its spread between ports", quartiles=False, difference=0.12
)
_SHARP = Tolerance(
    "the 10 m bands' transfer at Nyquist may be 0.15-0.30 (ESA, Sentinel-2 User Handbook): blur within 15 %",
    quartiles=False,
    ratio=1.15,
)
_HULL = Tolerance(
    "paint varies threefold from ship to ship; the median of 15-50 real ships is known to a fifth", ratio=1.3
)
_SIZE = Tolerance("a detector's length is calibrated on it: within 8 %", quartiles=False, difference=0.08)

TOLERANCES: Final[dict[str, Tolerance]] = {
    "water level": _LEVEL,
    "water noise (80 m)": _LEVEL,
    "water noise over level": _LEVEL,
    "water change (320 m)": _LEVEL,
    "water autocorrelation (lag 1)": _SHARE,
    "water correlation with green": Tolerance(
        "swell gives 0.9, calm water 0; any typical place", quartiles=True
    ),
    "water brightest pixel": Tolerance(
        "in deviations: tails heavier than noise's", ratio=1.15, quartiles=False
    ),
    "land level": _LEVEL,
    "land texture (30 m)": _TEXTURE,
    "land texture (160 m)": _TEXTURE,
    "land fine over coarse texture": _SHARE,
    "land nir over red": _LEVEL,
    "shore edge 10-90 %": Tolerance(
        "real shores are no steps, so quays and beaches mix", ratio=1.2, quartiles=False
    ),
    "hull level": _HULL,
    "hull less water": _HULL,
    "hull unevenness along": Tolerance("few ships, loose labels", ratio=1.4),
    "hull edge 10-90 %": _SHARP,
    "hull width over truth": _SIZE,
    "hull length over truth": _SIZE,
    "wake contrast": Tolerance("wakes vary with speed and sea; presence matters", quartiles=True),
    "share with a wake": Tolerance(
        "13 real ships: the error of their share is 0.14", quartiles=False, difference=0.25, of="mean"
    ),
    "share darker than water": Tolerance(
        "outside the held-out places none of 280 real ships is; 3 in 100 would be seen",
        quartiles=False,
        difference=0.03,
        of="mean",
    ),
}
"""By measure; written with the real figures known and before any simulated one was."""

GROUND: Final[dict[str, Callable[[View], Rows]]] = {
    "water level": ground.water_level,
    "water noise (80 m)": ground.water_noise,
    "water noise over level": ground.water_relative_noise,
    "water change (320 m)": ground.water_change,
    "water autocorrelation (lag 1)": ground.water_autocorrelation,
    "water correlation with green": ground.water_band_correlation,
    "water brightest pixel": ground.water_tail,
    "land level": ground.land_level,
    "land texture (30 m)": ground.land_fine_texture,
    "land texture (160 m)": ground.land_texture,
    "land fine over coarse texture": ground.land_grain,
    "land nir over red": ground.land_nir_over_red,
}
DRY_CARGO: Final = ("bulk_carrier", "general_cargo", "cargo")
"""Kinds that AIS calls cargo and that are no container ships (a third of "cargo" may be)."""


@dataclass(frozen=True)
class Summary:
    """Quantiles of the values of one side."""

    n: int
    places: int
    mean: float
    q10: float
    q25: float
    median: float
    q75: float
    q90: float


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    group: str
    measure: str
    band: str
    real: Summary | None
    held_out: Summary | None
    simulated: Summary | None
    tolerance: str
    verdict: Verdict


class Values:
    """Values gathered by (group, measure, band) and side, with the places they come from."""

    def __init__(self) -> None:
        """Start empty."""
        self._found: dict[tuple[str, str, str], dict[Side, list[tuple[str, float]]]] = defaultdict(
            lambda: {"real": [], "held_out": [], "simulated": []}
        )

    def add(self, key: tuple[str, str, str], view: View, values: Iterable[float]) -> None:
        """Add what one view brings; NaN is left out."""
        kept = [(view.place, float(value)) for value in values if np.isfinite(value)]
        self._found[key][side_of(view)].extend(kept)

    def rows(self) -> list[Row]:
        """Return the table, by group and in the order of `TOLERANCES`."""
        order = list(TOLERANCES)
        filled = [(key, sides) for key, sides in self._found.items() if any(sides.values())]
        filled.sort(key=lambda item: (item[0][0], order.index(item[0][1])))
        return [self._row(key, sides) for key, sides in filled]

    def _row(self, key: tuple[str, str, str], sides: dict[Side, list[tuple[str, float]]]) -> Row:
        real, held_out = summarise(sides["real"]), summarise(sides["held_out"])
        simulated = summarise(sides["simulated"])
        rule = TOLERANCES[key[1]]
        return Row(*key, real, held_out, simulated, rule.words, judge(real, simulated, rule))


def side_of(view: View) -> Side:
    """Tell on which side of the table a view stands."""
    if view.origin == "simulated":
        return "simulated"
    return "held_out" if view.held_out else "real"


def summarise(values: Sequence[tuple[str, float]]) -> Summary | None:
    """Summarise (place, value) pairs; None where there are none."""
    if not values:
        return None
    numbers = np.array([value for _, value in values])
    figures = [numbers.mean(), *np.quantile(numbers, [0.1, 0.25, 0.5, 0.75, 0.9])]
    return Summary(len(numbers), len({place for place, _ in values}), *(float(f"{q:.4g}") for q in figures))


def judge(real: Summary | None, simulated: Summary | None, rule: Tolerance) -> Verdict:
    """Hold a simulated median against the real values."""
    if real is None or simulated is None or min(real.n, simulated.n) < LEAST_N:
        return "too few"
    a, b = (real.mean, simulated.mean) if rule.of == "mean" else (real.median, simulated.median)
    inside = not rule.quartiles or real.q25 <= b <= real.q75
    near = rule.ratio is None or (a * b > 0 and max(a / b, b / a) <= rule.ratio)
    close = rule.difference is None or abs(a - b) <= rule.difference
    return "agrees" if inside and near and close else "differs"


def add_ground(values: Values, view: View) -> None:
    """Measure water and land of one view.

    8-bit true colour steps by 0.0014 and is told from water by its smoothness, so anchorages bring the level of
    water alone.
    """
    if view.origin == "ais_chips":
        return
    for measure, of in GROUND.items():
        if view.has_nir or measure == "water level":
            rows = _thinned(of(view))
            for index, band in enumerate(BANDS):
                values.add((_of_product(measure.split(" ")[0], view), measure, band), view, rows[:, index])
    if view.has_nir:
        for index in (1, 3):
            widths = shore_edges(view, generator(0, "realism", "shore", view.name), index)
            values.add(("land", "shore edge 10-90 %", BANDS[index]), view, widths)


def _thinned(rows: Rows) -> Rows:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), PER_VIEW)).astype(int)] if len(rows) else rows


def counts(hull: Hull) -> bool:
    """Whether a ship is measured: 45 m or more and no small craft."""
    return hull.length_m >= LEAST_LENGTH_M and hull.kind not in ("small_craft", "fishing")


def add_hulls(values: Values, view: View) -> None:
    """Measure the ships of one view, by class and by what they do."""
    for hull in view.hulls:
        measured = measure_hull(view, hull) if counts(hull) else None
        if measured is not None:
            _add_hull(values, view, hull, measured)


def _add_hull(values: Values, view: View, hull: Hull, measured: HullMeasure) -> None:
    group = _of_product(hull_group(hull.class_, state_of(view, hull)), view)
    by_band = {
        "hull level": measured.level,
        "hull less water": measured.contrast,
        "hull unevenness along": measured.unevenness,
    }
    for measure, numbers in by_band.items():
        for band, number in zip(BANDS, numbers, strict=True):
            values.add((group, measure, band), view, [float(number)])
    darker = float(measured.contrast[:3].mean() < 0)
    values.add((group, "share darker than water", "visible"), view, [darker])
    if view.origin != "ais_chips":  # they are warped to another UTM zone, which blurs
        values.add((group, "hull edge 10-90 %", "visible"), view, [measured.edge_m])
    if hull.certain and state_of(view, hull) == "under_way" and hull.kind in DRY_CARGO:
        _add_under_way(values, view, measured)


def _add_under_way(values: Values, view: View, measured: HullMeasure) -> None:
    """Add what only ships of known size, known to make way, can tell: AIS chips and simulated ships."""
    wake = measured.wake_contrast
    found = {
        "hull width over truth": measured.width_ratio,
        "hull length over truth": measured.length_ratio,
        "wake contrast": wake,
        "share with a wake": float(wake >= WAKE) if np.isfinite(wake) else np.nan,
    }
    for measure, number in found.items():
        values.add(("cargo under way, true size", measure, "visible"), view, [number])


def _of_product(group: str, view: View) -> str:
    """Keep what shows reflectance at the surface apart from true colour seen through the air."""
    return group if view.has_nir else f"{group}, true colour"


def hull_group(class_: str, state: State) -> str:
    """Name a group of ships, e.g. ``bulk carrier at quay``."""
    return f"{class_} {state}".replace("_", " ")
