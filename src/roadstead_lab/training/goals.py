"""The figures a model is held to, read from its metrics, beside what it must reach and what it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Reached = Literal["goal", "must", "no"]
Interval = tuple[float, float]
_SHIPS: Final = "ships"


@dataclass(frozen=True)
class Target:
    """What a figure has to be: at least, at most, or within bounds."""

    sense: Literal["least", "most", "within"]
    must: float | Interval
    goal: float | Interval

    def reached(self, value: float) -> Reached:
        """Tell which of the two a value reaches."""
        return "goal" if self._holds(value, self.goal) else "must" if self._holds(value, self.must) else "no"

    def reached_by_all(self, interval: Interval) -> Reached:
        """Tell which of the two both ends of an interval reach."""
        ends = {self.reached(end) for end in interval}
        return "no" if "no" in ends else "must" if "must" in ends else "goal"

    def _holds(self, value: float, limit: float | Interval) -> bool:
        if isinstance(limit, tuple):
            return limit[0] <= value <= limit[1]
        return value >= limit if self.sense == "least" else value <= limit


@dataclass(frozen=True)
class Row:
    """One figure with its target."""

    figure: str
    target: Target
    value: float
    interval: Interval | None
    """95 %; None where there are too few to tell."""
    n: str
    """How many of what."""
    digits: int = 2

    @property
    def met(self) -> Reached:
        """What the figure reaches."""
        return self.target.reached(self.value)

    @property
    def surely_met(self) -> Reached | None:
        """What the whole interval reaches."""
        return None if self.interval is None else self.target.reached_by_all(self.interval)


@dataclass(frozen=True)
class Source:
    """Where in ``metrics.json`` a figure stands; paths are keys joined by dots."""

    figure: str
    target: Target
    value: str
    interval: str
    n: str
    of: str
    """What the n counts."""
    digits: int = 2


_F1: Final = ("f1", "f1_95", "n_ships")
_CLASS_F1: Final = ("f1", "f1_95", "n")
_COUNTS: Final = Target("most", 2.0, 0.8)
_SEA: Final = Target("most", 0.5, 0.05)
_COUNTED: Final = ("barge", "bulk_carrier", "other_vessel", "dry_cargo", "dry_cargo_60_170m")


def _source(
    figure: str, target: Target, at: str, keys: tuple[str, str, str], of: str, digits: int = 2
) -> Source:
    value, interval, n = (f"{at}.{key}" for key in keys)
    return Source(figure, target, value, interval, n, of, digits)


def _count_sources(where: str, at: str) -> tuple[Source, ...]:
    return tuple(
        _source(
            f"count MAE per scene, {name.replace('_', ' ').replace('60 170m', 'of 60-170 m')}, {where}",
            _COUNTS,
            f"{at}.count_mae",
            (name, f"{name}_95", "n_scenes"),
            "scenes",
        )
        for name in _COUNTED
    )


SOURCES: Final = (
    _source("strict F1 (oriented IoU >= 0.3)", Target("least", 0.75, 0.88), "unseen.strict", _F1, _SHIPS),
    _source("150 m rule F1", Target("least", 0.85, 0.93), "unseen.near_150m", _F1, _SHIPS),
    _source(
        "bulk carrier class F1, labels of high or medium confidence",
        Target("least", 0.80, 0.90),
        "unseen.class.f1.bulk_carrier",
        _CLASS_F1,
        "bulk carriers",
    ),
    _source(
        "the same without Vancouver",
        Target("least", 0.80, 0.90),
        "unseen_without_vancouver.class.f1.bulk_carrier",
        _CLASS_F1,
        "bulk carriers",
    ),
    _source(
        "barge class F1, simulated truth",
        Target("least", 0.85, 0.90),
        "simulated_lengths.class.f1.barge",
        _CLASS_F1,
        "simulated barges",
    ),
    *_count_sources("all places", "unseen"),
    *_count_sources("without Vancouver and Houston", "unseen_harbours"),
    _source(
        "rafted hulls counted right, simulated",
        Target("least", 0.85, 0.95),
        "simulated_rafts",
        ("hulls_right", "hulls_right_95_by_raft", "n_simulated_hulls"),
        "simulated hulls",
    ),
    _source(
        "length MAE on AIS vessels of 60 m or more, leave one out, m",
        Target("most", 15.0, 10.0),
        "s2_ais",
        ("length_mae_leave_one_out_m", "length_mae_leave_one_out_m_95", "n_found"),
        "AIS vessels",
        1,
    ),
    _source(
        "coverage of the 80 % interval of length, simulated",
        Target("within", (0.75, 0.85), (0.78, 0.82)),
        "simulated_lengths",
        ("interval_80_coverage", "interval_80_coverage_95", "n"),
        "simulated ships",
    ),
    _source(
        "its median width, m",
        Target("most", 60.0, 40.0),
        "simulated_lengths",
        ("interval_80_median_width_m", "interval_80_median_width_m_95", "n"),
        "simulated ships",
        1,
    ),
    _source(
        "axis within 10 degrees, ships over 100 m",
        Target("least", 0.88, 0.95),
        "unseen.axis_deg",
        ("within_10_deg", "within_10_deg_95", "n"),
        _SHIPS,
    ),
    _source(
        "false alarms per 100 km2 of clear open water, simulated",
        _SEA,
        "open_water.simulated",
        ("per_100_km2", "per_100_km2_95", "km2"),
        "km2",
    ),
    _source(
        "the same on real water, an upper bound: boats that nobody labelled count",
        _SEA,
        "open_water.real",
        ("per_100_km2", "per_100_km2_95", "km2"),
        "km2",
    ),
)
"""In the order of the card. Speed and memory are not measured here but by the benchmarks."""


def goal_rows(metrics: Mapping[str, Any]) -> list[Row]:
    """Return the rows whose figures were measured."""
    found = ((source, _at(metrics, source.value)) for source in SOURCES)
    return [_row(metrics, source, float(value)) for source, value in found if value is not None]


def _row(metrics: Mapping[str, Any], source: Source, value: float) -> Row:
    bounds = _at(metrics, source.interval)
    interval = None if bounds is None else (float(bounds[0]), float(bounds[1]))
    n = f"{_at(metrics, source.n):.0f} {source.of}"
    return Row(source.figure, source.target, value, interval, n, source.digits)


def _at(document: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    for key in path.split("."):
        if not isinstance(document, Mapping) or key not in document:
            return None
        document = document[key]
    return document
