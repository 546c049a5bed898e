"""Counts per zone, overpass, class and length bin, with 90 % intervals.

``value`` is the plain number of rows, so that the sums of `schemas.OBSERVED_PARTS` and
`schemas.DECLARED_PARTS` hold exactly. ``low`` to ``high`` says how many there really were: for `observed`
from the probabilities of the detections and from what the detector misses, for the others from the
probabilities of their rows. A declared vessel without a match has no seen class, so the declared
quantities stand under class `all` alone; a class has its matched and ambiguous hulls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import Array
from roadstead.core.ports import Port
from roadstead.core.schemas import (
    CLASSES,
    COUNTS,
    DETECTIONS,
    DRY_CARGO,
    LENGTH_BINS,
    MATCHES,
    OBSERVED_PARTS,
    UTC,
    checked,
    empty,
)
from roadstead.counting.posterior import hulls, interval, mix, poisson_binomial, recall_points
from roadstead.detection.recall import RecallBin, bin_index, recall_of

Flags = NDArray[np.bool_]
Row = dict[str, Any]
Numbers = tuple[float, float, float]
"""value, low, high."""

DECLARED_ONLY = ("unseen", "not_visible")
"""The parts of declared that no detection shows."""
_ALL_QUANTITIES = ("observed", "declared", *OBSERVED_PARTS, *DECLARED_ONLY)
_NOT_OBSERVED = (np.nan, np.nan, np.nan)
TYPICAL_LENGTH_M = 110.0
"""Length of a hull of which nothing is known."""
_EDGES = (45.0, 60.0, 90.0, 130.0, 170.0, 230.0)


_FROM_AIS = ("declared", *DECLARED_ONLY)
_UNKNOWN = {"value": None, "low": None, "high": None}


def counts(
    detections: gpd.GeoDataFrame,
    matches: gpd.GeoDataFrame,
    header: DetectionsHeader,
    port: Port,
    *,
    recall_by_length: Sequence[Mapping[str, Any]] | None = None,
    min_visible_fraction: float = 0.2,
    with_ais: bool = True,
) -> pd.DataFrame:
    """Return `schemas.COUNTS`: every zone of the port at every overpass of the header.

    Args:
        detections: `schemas.DETECTIONS`; rows with ``dropped_because`` are left out.
        matches: what `reconcile` returned for them.
        header: the scenes that were searched.
        port: its zones.
        recall_by_length: the model card's, used by the kind of zone where it tells berths and open water apart;
            a default where None or empty.
        with_ais: whether any AIS report lay around the overpasses; without, what was declared is not known: null,
            never zero.
        min_visible_fraction: a zone seen for less is not observed: its numbers are null, never zero.
    """
    checked(detections, DETECTIONS, "detections")
    checked(matches, MATCHES, "matches")
    kept = detections[detections["dropped_because"].isna()]
    kept = kept.merge(_status_of(matches), on="detection_id", how="left")
    recall = recall_of(recall_by_length)
    rows: list[Row] = []
    for name in dict.fromkeys(scene.overpass_id for scene in header.scenes):
        scenes = [scene for scene in header.scenes if scene.overpass_id == name]
        seen = kept[kept["overpass_id"] == name]
        of_overpass = matches[matches["overpass_id"] == name]
        alone = of_overpass[of_overpass["detection_id"].isna()]
        simulated = any(scene.simulated for scene in scenes) or bool(of_overpass["simulated"].any())
        for zone in port.zones:
            head = _head(port, zone.id, scenes, min_visible_fraction, simulated)
            here, missed = (part[part["zone"] == zone.id] for part in (seen, alone))
            rows.extend(_zone_rows(head, here, missed, recall.of_zone(zone.kind)))
    if not with_ais:
        rows = [row if row["quantity"] not in _FROM_AIS else {**row, **_UNKNOWN} for row in rows]
    return checked(_table(rows), COUNTS, "counts")


def _status_of(matches: gpd.GeoDataFrame) -> pd.DataFrame:
    named = matches[matches["detection_id"].notna()]
    return pd.DataFrame(named[["detection_id", "status", "probability"]])


def _head(port: Port, zone: str, scenes: Sequence[SceneHeader], least: float, simulated: bool) -> Row:
    visible = max(float(scene.visible_fraction.get(zone, 0.0)) for scene in scenes)
    return {
        "port": port.slug,
        "zone": zone,
        "overpass_id": scenes[0].overpass_id,
        "acquired": pd.Timestamp(min(scene.acquired for scene in scenes)),
        "visible_fraction": min(max(visible, 0.0), 1.0),
        "observed_at_all": visible >= least,
        "simulated": simulated,
    }


@dataclass(frozen=True)
class _Cell:
    """The detections of one zone, overpass, class and length bin."""

    name: str
    length_bin: str
    counted: Flags
    """Detections whose likeliest class and length put them here."""
    p: Array
    """Probability that each detection of the zone is a hull of this class and length."""
    share: Array
    """The same, given that it is a hull."""


def _cells(seen: pd.DataFrame) -> Iterator[_Cell]:
    p_vessel = seen["p_vessel"].to_numpy(float)
    kind = seen["class"].to_numpy(object)
    share = {name: seen[f"p_{name}"].to_numpy(float) for name in CLASSES}
    share["dry_cargo"] = np.sum([share[name] for name in DRY_CARGO], axis=0)
    share["all"] = np.ones(len(seen))
    in_class = {name: kind == name for name in CLASSES}
    in_class["dry_cargo"] = np.isin(kind.astype(str), DRY_CARGO)
    in_class["all"] = np.ones(len(seen), bool)
    for name in (*CLASSES, "dry_cargo", "all"):
        yield _Cell(name, "all", in_class[name], p_vessel * share[name], share[name])
    bins = np.searchsorted(_EDGES, seen["length_m"].to_numpy(float), side="right")
    within = _length_shares(seen)
    for k, label in enumerate(LENGTH_BINS[1:]):
        p = share["dry_cargo"] * within[:, k]
        yield _Cell("dry_cargo", label, in_class["dry_cargo"] & (bins == k), p_vessel * p, p)


def _length_shares(seen: pd.DataFrame) -> Array:
    """Return (k, 7) probabilities of each length bin, normal around the length with its 80 % interval."""
    middle = seen["length_m"].to_numpy(float)[:, None]
    sd = (seen["length_high_m"] - seen["length_low_m"]).to_numpy(float)[:, None] / 2.5631
    below = norm.cdf((np.array(_EDGES)[None] - middle) / np.maximum(sd, 1.0))
    ends = np.ones((len(seen), 1))
    return np.diff(np.hstack([0 * ends, below, ends]), axis=1)


def _zone_rows(
    head: Row, seen: pd.DataFrame, alone: pd.DataFrame, bins: Sequence[RecallBin]
) -> Iterator[Row]:
    for cell in _cells(seen):
        key = {**head, "class": cell.name, "length_bin": cell.length_bin}
        quantities = _ALL_QUANTITIES if cell.name == "all" else ("observed", *OBSERVED_PARTS)
        found: dict[str, Numbers] = {}
        if head["observed_at_all"]:
            found = dict(_numbers(cell, seen, alone, bins, head["visible_fraction"]))
        for quantity in quantities:
            value, low, high = found.get(quantity, _NOT_OBSERVED)
            yield {**key, "quantity": quantity, "value": value, "low": low, "high": high}


def _numbers(
    cell: _Cell,
    seen: pd.DataFrame,
    alone: pd.DataFrame,
    bins: Sequence[RecallBin],
    visible: float,
) -> Iterator[tuple[str, Numbers]]:
    status, sure = seen["status"].to_numpy(object), seen["probability"].to_numpy(float)
    value = float(cell.counted.sum())
    low, high = interval(_there(cell, seen, bins, visible), value)
    # What was there is no less than what was found.
    yield "observed", (value, max(low, interval(poisson_binomial(cell.p), value)[0]), high)
    for part in OBSERVED_PARTS:
        own = status == part
        # An ambiguous detection may be a match, so it reaches into the interval of matched.
        may = own | (status == "ambiguous") if part == "matched" else own
        chance = cell.p[may] * (sure[may] if part == "matched" else 1.0)
        if part == "no_ais_partner":
            # The probability of such a row is already that of a hull.
            chance = cell.share[may] * sure[may]
        yield part, _number(float((own & cell.counted).sum()), chance)
    if cell.name == "all":
        yield from _declared_numbers(status, sure, alone)


def _declared_numbers(
    status: NDArray[np.object_], sure: Array, alone: pd.DataFrame
) -> Iterator[tuple[str, Numbers]]:
    """Return declared, unseen and not visible; a matched or ambiguous pair counts where its hull was seen."""
    paired = [sure[status == part] for part in ("matched", "ambiguous")]
    single = [alone.loc[alone["status"] == part, "probability"].to_numpy(float) for part in DECLARED_ONLY]
    chances = np.concatenate([*paired, *single])
    yield "declared", _number(float(len(chances)), chances)
    for part, chance in zip(DECLARED_ONLY, single, strict=True):
        yield part, _number(float(len(chance)), chance)


def _number(value: float, chance: Array) -> Numbers:
    return value, *interval(poisson_binomial(np.clip(chance, 0.0, 1.0)), value)


def _there(cell: _Cell, seen: pd.DataFrame, bins: Sequence[RecallBin], visible: float) -> Array:
    """Return the distribution of hulls of this cell really there, over the uncertainty of recall."""
    likely = cell.p > 1e-3
    which = bin_index(seen["length_m"].to_numpy(float)[likely], bins)
    unknown = _unknown_bin(cell, which, bins)
    points = np.array([recall_points(b.recall, b.n) for b in bins])
    masses = [
        hulls(cell.p[likely], visible * points[which, k, 0], float(visible * points[unknown, k, 0]))
        for k in range(points.shape[1])
    ]
    return mix(masses, list(points[0, :, 1]))


def _unknown_bin(cell: _Cell, which: NDArray[np.intp], bins: Sequence[RecallBin]) -> int:
    """Return the recall bin of a hull of which nothing is known: the cell's own, the usual one, or a typical one."""
    if cell.length_bin != "all":
        low = float(cell.length_bin.split("-")[0].rstrip("+"))
        return int(bin_index(np.array([low]), bins)[0])
    if len(which):
        return int(np.bincount(which).argmax())
    return int(bin_index(np.array([TYPICAL_LENGTH_M]), bins)[0])


def _table(rows: list[Row]) -> pd.DataFrame:
    if not rows:
        return empty(COUNTS)
    frame = pd.DataFrame(rows, columns=list(COUNTS.columns))
    frame["acquired"] = frame["acquired"].astype(UTC)
    for name in ("value", "low", "high", "visible_fraction"):
        frame[name] = frame[name].astype(float)
    return frame
