"""A finding in words: the sections of the page and of the PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from roadstead.core.wording import chance, finding_chance, moment, place_words, port_name
from roadstead.core.wording import worded as in_words
from roadstead.publish.dossier.data import Finding
from roadstead.publish.palette import STATUS_LOOKS
from roadstead.publish.report.rows import class_words, hull_words, length_words
from roadstead.publish.wording import LEAD, quoted

ELSE = {
    "matched": (
        "Another hull close by may be the one that declared itself.",
        "The declaration may hold wrong or old static data.",
    ),
    "no_ais_partner": (
        "The vessel may not have to carry AIS: coastal and inland barges may carry Class B or nothing.",
        "It may have been off the air for a lawful reason, or its set may have failed.",
        "It may have transmitted and not been received, or been left out by the source.",
        "It may be no vessel: a jetty, a crane, a platform, a wave or cloud.",
    ),
    "ambiguous": ("More than one pairing fits; nothing is said about which one holds.",),
    "unseen": (
        "The detector may have missed the hull.",
        "The declared position may be wrong, by fault or by interference with satellite navigation.",
    ),
    "no_coverage": ("AIS cannot tell: whether a vessel here would have been heard is not known.",),
    "not_visible": ("Its place could not be seen.",),
}
"""Status -> what else could explain it, besides what the reasons say."""


@dataclass(frozen=True)
class Section:
    """One part of a dossier."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    """(name, value) rows."""
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    """Rows of cells, the head first."""
    picture: bool = field(default=False)
    """Whether the chip belongs here."""


def headline(finding: Finding) -> str:
    """Return the title of a dossier."""
    return f"{'SIMULATED: ' if finding.simulated else ''}{hull_words(finding.hull)}"


def sections(finding: Finding, reasons: Mapping[str, str], conflicts: Mapping[str, str]) -> list[Section]:
    """Return a finding in words.

    Args:
        finding: what is known.
        reasons: reason code -> words.
        conflicts: conflict code -> words.
    """
    said = [f"{LEAD} {_summary(finding)}"]
    if finding.simulated:
        said.insert(0, "SIMULATED: nothing of this was seen in the world.")
    return [
        Section("What this is", lines=tuple(said)),
        Section("The hull", tuple(_hull(finding)), picture=finding.chip is not None),
        Section("Held against AIS", tuple(_match(finding)), tuple(_reasons(finding, reasons, conflicts))),
        Section("What else could explain it", lines=tuple(_other(finding))),
        *_decided(finding),
        *_declared(finding),
        *_track(finding),
        *_attached(finding),
        Section("The image", tuple(_image(finding)), (finding.imagery.note,)),
        Section("How it was made", tuple(_made(finding))),
    ]


def _summary(finding: Finding) -> str:
    match = finding.pairing
    where = f"Seen {moment(finding.hull['acquired'])} at {port_name(finding.port)}, {finding.zone_name}."
    if match is None:
        return f"{where} It was not held against AIS."
    told, meaning = _chance(finding, match)
    return f"{where} Status: {STATUS_LOOKS[match['status']].label}. {meaning}: {chance(told)}."


def _chance(finding: Finding, match: Mapping[Any, Any]) -> tuple[float, str]:
    p_vessel = finding.hull["p_vessel"]
    return finding_chance(match["status"], match["reasons"], match["probability"], p_vessel)


def _hull(finding: Finding) -> Iterator[tuple[str, str]]:
    hull = finding.hull
    yield "Finding", finding.key
    yield "Place", place_words(hull["lon"], hull["lat"])
    yield "Zone", finding.zone_name
    yield "Time", f"{moment(hull['acquired'])}, standard error {hull['acquired_sigma_s']:g} s"
    yield "Looks like", class_words(hull)
    yield "Length", f"{hull['length_m']:.0f} m, {length_words(hull)}"
    yield "Beam", f"{hull['beam_m']:.0f} m"
    yield "Axis", f"{hull['axis_deg']:.0f}° from true north"
    if finding.drawn:
        yield "Box as found, then as an analyst drew it", finding.drawn
    yield "Probability that it is a vessel at all", chance(hull["p_vessel"])
    if hull["flags"]:
        yield "Image", hull["flags"].replace("_", " ").replace(",", ", ")
    if hull["dropped_because"]:
        yield "Not counted", hull["dropped_because"].replace("_", " ")


def _match(finding: Finding) -> Iterator[tuple[str, str]]:
    match = finding.pairing
    if match is None:
        return
    yield "Status", STATUS_LOOKS[match["status"]].label
    told, meaning = _chance(finding, match)
    yield meaning, chance(told)
    if match["mmsi"]:
        yield "MMSI", match["mmsi"]
    if match["candidates"]:
        yield "Candidates (MMSI)", match["candidates"].replace(",", ", ")
    if not pd.isna(match["p_kinematic"]):
        yield "Probability by motion alone", chance(match["p_kinematic"])
    if not pd.isna(match["distance_m"]):
        yield "From the declared position", f"{match['distance_m']:.0f} m"
    if not pd.isna(match["dt_s"]):
        yield "Nearest report", f"{match['dt_s']:+.0f} s from the image"
    for name in ("a", "b"):
        if not pd.isna(match[f"p_heard_class_{name}"]):
            heard = chance(match[f"p_heard_class_{name}"])
            yield f"Chance that a Class {name.upper()} transmitter here would have been heard", heard
    yield "AIS expected of a ship of this length", match["carriage_expected"]


def _reasons(finding: Finding, reasons: Mapping[str, str], conflicts: Mapping[str, str]) -> Iterator[str]:
    match = finding.pairing
    if match is None:
        yield "No row of the matches names this hull."
        return
    for kind, codes, words in (
        ("Reason", match["reasons"], reasons),
        ("Conflict", match["conflicts"], conflicts),
    ):
        names = [code for code in codes.split(",") if code]
        for code, text in zip(names, in_words(codes, words), strict=True):
            yield f"{kind} {code}: {text}"


def _other(finding: Finding) -> Iterator[str]:
    match = finding.pairing
    yield f"It may be no vessel: the probability of that is {chance(1.0 - finding.hull['p_vessel'])}."
    yield from ELSE[match["status"]] if match else ()


def _decided(finding: Finding) -> Iterator[Section]:
    """What people said of it: decisions, release, corrections, replies; their words are between quotation marks."""
    if finding.chain is None:
        return
    head = ("row", "when (UTC)", "who", "what", "words", "SHA-256 of the row")
    rows = [
        (
            str(row["seq"]),
            moment(pd.Timestamp(row["decided"])),
            quoted(row["user_name"]),
            _decision_words(row),
            "; ".join(map(quoted, row["said"])),
            row["sha256"],
        )
        for row in finding.decisions
    ]
    said = () if rows else ("Nobody has decided anything of it yet.",)
    facts = (("Rows of the chain of decisions", str(finding.chain.rows)), ("Its head", finding.chain.head))
    yield Section("Decisions and release", facts, said, (head, *rows) if rows else ())


def _decision_words(row: Mapping[str, Any]) -> str:
    parts = [str(row["kind"]).replace("_", " ")]
    parts += [f"decision {row['undoes']}"] if row["undoes"] else []
    parts += [str(row["because"]).replace("_", " ")] if row["because"] else []
    parts += [f"class {str(row['hull_class']).replace('_', ' ')}"] if row["hull_class"] else []
    parts += [f"MMSI {row['linked_mmsi']}"] if row["linked_mmsi"] else []
    parts += ["box drawn anew"] if row["geometry"] else []
    return ", ".join(parts)


def _declared(finding: Finding) -> Iterator[Section]:
    """What vessels said of themselves; names are theirs, so they stand between quotation marks."""
    if finding.vessels.empty and not finding.withheld:
        return
    head = (
        "MMSI",
        "said at (UTC)",
        "name",
        "callsign",
        "IMO",
        "flag by MMSI",
        "type",
        "length",
        "destination",
        "source",
    )
    rows = [
        (
            row["mmsi"],
            moment(row["time"]),
            *(quoted(row[name]) if row[name] else "" for name in ("name", "callsign")),
            row["imo"] or "",
            row["flag"] or "",
            "" if pd.isna(row["ship_type"]) else f"{row['ship_type']:.0f}",
            "" if pd.isna(row["length_m"]) else f"{row['length_m']:.0f} m",
            quoted(row["destination"]) if row["destination"] else "",
            quoted(row["source"]),
        )
        for row in finding.vessels.to_dict("records")
    ]
    held = tuple(
        f"{count} rows of AIS source {quoted(source)} are left out: that source may not be passed on."
        for source, count in sorted(finding.withheld.items())
    )
    yield Section("Declared over AIS", lines=held, table=(head, *rows) if rows else ())


def _track(finding: Finding) -> Iterator[Section]:
    if finding.positions.empty:
        return
    head = ("MMSI", "time (UTC)", "lat", "lon", "knots", "course", "source")
    rows = [
        (
            row["mmsi"],
            f"{row['time']:%Y-%m-%d %H:%M:%S}",
            f"{row['lat']:.5f}",
            f"{row['lon']:.5f}",
            "" if pd.isna(row["sog_kn"]) else f"{row['sog_kn']:.1f}",
            "" if pd.isna(row["cog_deg"]) else f"{row['cog_deg']:.0f}°",
            quoted(row["source"]),
        )
        for row in _nearest(finding).to_dict("records")
    ]
    said = f"{len(rows)} of {len(finding.positions)} reports, those nearest in time; all are in ais-positions.csv."
    yield Section("AIS reports", lines=(said,), table=(head, *rows))


def _nearest(finding: Finding, most: int = 20) -> pd.DataFrame:
    away = (finding.positions["time"] - finding.hull["acquired"]).abs()
    kept: pd.DataFrame = finding.positions.loc[away.sort_values(kind="stable").index[:most]]
    return kept.sort_values(["mmsi", "time"], kind="stable")


def _attached(finding: Finding) -> Iterator[Section]:
    """What analysts attached; their words stand between quotation marks."""
    if not finding.attached and not finding.attached_withheld:
        return
    head = (
        "file",
        "attached by",
        "at (UTC)",
        "row of the chain",
        "licence",
        "source",
        "what it shows",
        "SHA-256",
    )
    rows = [
        (
            quoted(one.name),
            quoted(one.by),
            f"{one.when:%Y-%m-%d %H:%M:%S}",
            str(one.number),
            quoted(one.licence),
            quoted(one.source) if one.source else "not said",
            quoted(one.note) if one.note else "",
            one.sha256,
        )
        for one in finding.attached
    ]
    left = finding.attached_withheld
    told = (f"{left} file{'s' if left > 1 else ''} left out: not to be passed on.",) if left else ()
    yield Section("Attached by analysts", lines=told, table=(head, *rows) if rows else ())


def _image(finding: Finding) -> Iterator[tuple[str, str]]:
    scene = finding.scene
    yield "Product", str(finding.hull["scene_id"])
    if scene is not None:
        yield "Platform", scene["platform"] or "not told"
        yield "Processing baseline", scene["processing_baseline"] or "not told"
        yield "Provider", scene["provider"]
        yield "SHA-256 of its item as it was used", scene["item_sha256"] or "not kept"
    if finding.imagery.item_sha256:
        yield "SHA-256 of its item as it is now", finding.imagery.item_sha256


def _made(finding: Finding) -> Iterator[tuple[str, str]]:
    made: Mapping[Any, Any] = finding.acquisition
    yield "Overpass", made["overpass_id"]
    yield "Roadstead", made["roadstead_version"]
    yield "Model", f"{made['model_id'] or 'not kept'}, SHA-256 {made['model_sha256'] or 'not kept'}"
    if not pd.isna(made["threshold"]):
        yield "Threshold", f"{made['threshold']:g}"
    yield "Inputs, SHA-256", made["inputs_sha256"] or "not kept"
