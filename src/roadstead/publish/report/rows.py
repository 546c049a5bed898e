"""Tables of a report in words: overpasses, counts and their series, leads, provenance. No HTML here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from roadstead.audit import NOT_MEASURED
from roadstead.core.leads import lead_probability, leads_of, without_ais
from roadstead.core.schemas import CLASSES
from roadstead.core.wording import (
    OUTSIDE,
    STATUS_MEANING,
    Tally,
    chance,
    moment,
    percent,
    place_words,
    tally,
    worded,
    zone_words,
)
from roadstead.counting.series import CHARTED, CountSeries, count_points, series_of
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.publish.report.data import CHIP_PX, PortReport, ReportData, data_uri
from roadstead.publish.wording import passes_of, quoted

Row = Mapping[Any, Any]
"""One row of a table: column -> value."""


@dataclass(frozen=True)
class ZoneCount:
    """One zone at one overpass."""

    zone: str
    visible: str
    observed: bool
    """False: not observed, no numbers."""
    tallies: tuple[Tally, ...]
    """Observed by class of `CHARTED`, then all hulls observed, then all vessels declared."""


@dataclass(frozen=True)
class OverpassCounts:
    """All zones at one overpass."""

    overpass_id: str
    when: str
    zones: tuple[ZoneCount, ...]
    recall: str = NOT_MEASURED
    """What audits say of recall at the port."""

    @property
    def seen(self) -> str:
        """How many zones were observed."""
        return f"{sum(zone.observed for zone in self.zones)} of {len(self.zones)} zones observed"


def count_tables(report: PortReport) -> list[OverpassCounts]:
    """Return the count tables of a port, newest overpass first."""
    names = zone_names(report)
    whole = report.counts[report.counts["length_bin"] == "all"].sort_values("acquired", ascending=False)
    tables = []
    for overpass_id, part in whole.groupby("overpass_id", sort=False):
        zones = (_zone_count(names.get(str(z), str(z)), rows) for z, rows in part.groupby("zone"))
        ordered = tuple(sorted(zones, key=lambda zone: (not zone.observed, zone.zone)))
        first = part.iloc[0]
        recall = str(first.get("recall_here", NOT_MEASURED))
        tables.append(OverpassCounts(str(overpass_id), moment(first["acquired"]), ordered, recall))
    return tables


def zone_names(report: PortReport) -> dict[str, str]:
    """Return zone id -> name for people."""
    names = {zone.id: zone.name for zone in report.port.zones}
    return {zone: zone_words(zone, names) for zone in names}


def _zone_count(name: str, rows: pd.DataFrame) -> ZoneCount:
    first = rows.iloc[0].to_dict()
    by = {(row["class"], row["quantity"]): row for row in rows.to_dict("records")}
    observed = (tally(by, kind, "observed") for kind in (*CHARTED, "all"))
    tallies = (*observed, tally(by, "all", "declared"))
    seen = bool(first["observed_at_all"])
    return ZoneCount(name, percent(first["visible_fraction"]), seen, tallies if seen else ())


@dataclass(frozen=True)
class Lead:
    """One row put before an analyst: a lead with a probability, never a verdict."""

    key: str
    """Detection id, or MMSI with overpass."""
    kind: str
    """Of `findings.LEAD_KINDS`."""
    status: str
    conflicts: tuple[str, ...]
    """In words."""
    probability: float
    title: str
    facts: tuple[str, ...]
    reasons: tuple[str, ...]
    """In words, with what else could explain it."""
    zone: str
    when: str
    place: str
    chip: str | None
    """``data:`` URI."""
    overpass_id: str
    lonlat: tuple[float, float]


def leads(report: PortReport, data: ReportData) -> list[Lead]:
    """Return the leads of a port (`findings.RULES`), likeliest first (`findings.lead_probability`)."""
    hulls = {hull["detection_id"]: hull for hull in report.detections.to_dict("records")}
    times = dict(zip(report.acquisitions["overpass_id"], report.acquisitions["acquired"], strict=True))
    found = [
        _lead(row, hulls.get(row["detection_id"]), times.get(row["overpass_id"]), report, data)
        for row in leads_of(report.matches).to_dict("records")
    ]
    return sorted(found, key=lambda lead: (-lead.probability, lead.overpass_id, lead.key))


def _lead(
    row: Row, hull: Row | None, acquired: pd.Timestamp | None, report: PortReport, data: ReportData
) -> Lead:
    declared = declared_of(report.vessels, row["mmsi"], acquired)
    chip = report.chips.get(row["detection_id"])
    point = row["geometry"]
    return Lead(
        key=row["detection_id"] or f"{row['mmsi']} {row['overpass_id']}",
        kind=row["lead"],
        status=row["status"],
        conflicts=worded(row["conflicts"], data.conflicts),
        probability=lead_probability(row["probability"], hull["p_vessel"] if hull else None),
        title=hull_words(hull) if hull else vessel_words(row["mmsi"], declared),
        facts=tuple(_facts(row, hull, declared)),
        reasons=worded(row["reasons"], data.reasons),
        zone=zone_names(report).get(row["zone"], row["zone"] or OUTSIDE),
        when=moment(acquired),
        place=place_words(point.x, point.y),
        chip=None if chip is None else data_uri(chip, CHIP_PX),
        overpass_id=row["overpass_id"],
        lonlat=(point.x, point.y),
    )


def hull_words(hull: Row) -> str:
    """Return a detection in a few words."""
    return f"Hull of about {hull['length_m']:.0f} m, looks like: {CLASS_LOOKS[hull['class']].label}"


def class_words(hull: Row) -> str:
    """Return the class probabilities of a detection, likeliest first."""
    shares = sorted(((hull[f"p_{name}"], name) for name in CLASSES), reverse=True)
    return ", ".join(f"{CLASS_LOOKS[name].label} {percent(share)}" for share, name in shares)


def length_words(hull: Row) -> str:
    """Return the 80 % interval of a detection's length."""
    return f"{hull['length_low_m']:.0f}–{hull['length_high_m']:.0f} m (80 %)"


def vessel_words(mmsi: str, declared: Row | None) -> str:
    """Return a declared vessel in a few words."""
    name = declared.get("name") if declared else None
    return f"Declared vessel {quoted(name) + ', ' if name else ''}MMSI {mmsi}"


def declared_of(vessels: pd.DataFrame, mmsi: str | None, at: pd.Timestamp | None) -> dict[str, Any] | None:
    """Return what a vessel declared of itself latest before ``at`` (else first after); None if nothing."""
    own = vessels[vessels["mmsi"] == mmsi].sort_values("time") if mmsi else vessels[:0]
    if own.empty:
        return None
    before = own if at is None or pd.isna(at) else own[own["time"] <= at]
    row = (before if len(before) else own[:1]).iloc[-1]
    return {str(name): value for name, value in row.items() if not pd.isna(value)}


def _facts(row: Row, hull: Row | None, declared: Row | None) -> Iterator[str]:
    if hull:
        yield f"Class: {class_words(hull)}"
        yield f"Length: {length_words(hull)}; beam {hull['beam_m']:.0f} m"
        yield f"Probability that it is a vessel at all: {chance(hull['p_vessel'])}"
        if hull["flags"]:
            yield f"Image: {hull['flags'].replace('_', ' ').replace(',', ', ')}"
    if hull and row["mmsi"]:
        yield vessel_words(row["mmsi"], declared)
    if hull is None or not without_ais(row["status"], row["reasons"]):
        yield f"{STATUS_MEANING[row['status']]}: {chance(row['probability'])}"
    if declared and (told := _declares(declared)):
        yield f"Declares: {told}"
    if row["status"] == "no_ais_partner":
        yield from _heard(row)


def _declares(declared: Row) -> str:
    told = {
        "length_m": "length {:.0f} m",
        "beam_m": "beam {:.0f} m",
        "ship_type": "ship type {:.0f}",
        "flag": "MMSI issued by {}",
        "imo": "IMO {}",
        "destination": "destination {}",
    }
    shown = {**declared, "destination": quoted(str(declared.get("destination", "")))}
    return ", ".join(words.format(shown[name]) for name, words in told.items() if name in declared)


def _heard(row: Row) -> Iterator[str]:
    for name in ("a", "b"):
        share = row[f"p_heard_class_{name}"]
        if not pd.isna(share):
            yield f"Chance that a Class {name.upper()} transmitter here would have been heard: {chance(share)}"
    yield f"AIS expected of a ship of this length: {row['carriage_expected']}"


def status_counts(matches: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return (status, label, rows) for every status, also those with none."""
    found = matches["status"].value_counts()
    return [(name, look.label, int(found.get(name, 0))) for name, look in STATUS_LOOKS.items()]


def report_series(report: PortReport, zone: str | None = None) -> CountSeries:
    """Return what was observed of a zone, or of all zones; every pass that says nothing of it is a gap."""
    return series_of(count_points(report.counts, zone), passes_of(report.ledger).gaps)


def zones_by_traffic(counts: pd.DataFrame) -> list[str]:
    """Return zone ids, those with most dry cargo hulls observed first."""
    dry = counts[
        (counts["class"] == "dry_cargo")
        & (counts["quantity"] == "observed")
        & (counts["length_bin"] == "all")
    ]
    totals = dry.groupby("zone")["value"].sum().reset_index()
    return list(totals.sort_values(["value", "zone"], ascending=[False, True])["zone"])
