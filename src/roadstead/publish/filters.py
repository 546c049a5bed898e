"""Which rows leave: one set of filters for every format."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from roadstead.core.errors import UsageError
from roadstead.core.schemas import CLASSES, STATUSES
from roadstead.publish.report.data import PortReport


def _known(option: str, given: Collection[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UsageError(f"{option} {name}: {hint}choose from {', '.join(known)}")


@dataclass(frozen=True)
class Filters:
    """What to keep; nothing given keeps everything."""

    zones: tuple[str, ...] = ()
    """Zone ids, ``port/zone`` or the part after the slash."""
    classes: tuple[str, ...] = ()
    """Of `schemas.CLASSES`: the class a hull most looks like."""
    statuses: tuple[str, ...] = ()
    """Of `schemas.STATUSES`."""
    min_probability: float = 0.0
    """Least `p_vessel` of a detection, and least `probability` of a match."""

    def __post_init__(self) -> None:
        """Refuse what names nothing.

        Raises:
            UsageError: an unknown class or status, or a probability outside 0..1.
        """
        _known("--class", self.classes, CLASSES)
        _known("--status", self.statuses, STATUSES)
        if not 0.0 <= self.min_probability <= 1.0:
            raise UsageError(f"--min-probability {self.min_probability:g}: give a number from 0 to 1")

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.zones or self.classes or self.statuses or self.min_probability)

    @property
    def words(self) -> str:
        """The filters in words, for a file's reader."""
        named = {"zone": self.zones, "class": self.classes, "status": self.statuses}
        parts = [f"{name} {' or '.join(values)}" for name, values in named.items() if values]
        if self.min_probability:
            parts.append(f"probability of {self.min_probability:g} or more")
        return "; ".join(parts) or "none"


EVERYTHING = Filters()


def chosen(report: PortReport, filters: Filters) -> PortReport:
    """Return a port's tables with the rows that fit.

    Detections and matches are held against each filter that they have a column for; then a match goes with its
    detection, and the other way about. A declared vessel without a detection has no class, so `classes` leaves it
    out. Counts are kept or left by zone alone: they are sums over all hulls. Positions stay where a kept match names
    their vessel, as partner or candidate.

    Raises:
        UsageError: the port has no such zone.
    """
    if not filters:
        return report
    zones = _zone_ids(report, filters.zones)
    hulls, matches = report.detections, report.matches
    hulls = hulls[hulls["p_vessel"] >= filters.min_probability]
    matches = matches[matches["probability"] >= filters.min_probability]
    if zones:
        hulls, matches = hulls[hulls["zone"].isin(zones)], matches[matches["zone"].isin(zones)]
    if filters.classes:
        hulls = hulls[hulls["class"].isin(filters.classes)]
        matches = matches[matches["detection_id"].notna()]
    if filters.statuses:
        matches = matches[matches["status"].isin(filters.statuses)]
    # What was dropped as a fixed structure has no match, so no status can leave it in or out by one.
    matched = set(report.matches["detection_id"].dropna())
    held = hulls["detection_id"].isin(set(matches["detection_id"].dropna()))
    free = ~hulls["detection_id"].isin(matched) & (not filters.statuses)
    hulls = hulls[held | free]
    own = matches["detection_id"].isna() | matches["detection_id"].isin(set(hulls["detection_id"]))
    matches = matches[own]
    counts = report.counts[report.counts["zone"].isin(zones)] if zones else report.counts
    return replace(
        report,
        detections=hulls.reset_index(drop=True),
        matches=matches.reset_index(drop=True),
        counts=counts.reset_index(drop=True),
        positions=_named(report.positions, matches),
    )


def _named(positions: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return the positions of vessels that a match names, by overpass."""
    pairs = {
        (row["overpass_id"], mmsi)
        for row in matches.to_dict("records")
        for mmsi in (row["mmsi"], *row["candidates"].split(","))
        if mmsi
    }
    keys = zip(positions["overpass_id"], positions["mmsi"], strict=True)
    return positions[[key in pairs for key in keys]].reset_index(drop=True)


def _zone_ids(report: PortReport, names: Sequence[str]) -> list[str]:
    known = [zone.id for zone in report.port.zones]
    full = [name if "/" in name else f"{report.port.slug}/{name}" for name in names]
    _known("--zone", full, known)
    return full
