"""What a map says of one hull or declared vessel under the pointer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from markupsafe import Markup, escape

from roadstead.core.wording import chance, finding_chance, place_words, worded
from roadstead.publish.palette import STATUS_LOOKS
from roadstead.publish.report.data import PortReport, ReportData
from roadstead.publish.report.rows import Row, class_words, declared_of, length_words, vessel_words


def tip(match: Row, hull: Row | None, report: PortReport, data: ReportData) -> tuple[str, str]:
    """Return (title, HTML lines) of a match and of its hull, if it has one."""
    lines = [*_hull_lines(hull), *_match_lines(match, hull, report, data), *_place_lines(match, hull)]
    return STATUS_LOOKS[match["status"]].label, _html(lines)


def _hull_lines(hull: Row | None) -> Iterator[str]:
    if hull is not None:
        yield class_words(hull)
        yield f"length {hull['length_m']:.0f} m, {length_words(hull)}"


def _match_lines(match: Row, hull: Row | None, report: PortReport, data: ReportData) -> Iterator[str]:
    p_vessel = None if hull is None else hull["p_vessel"]
    told, meaning = finding_chance(match["status"], match["reasons"], match["probability"], p_vessel)
    yield f"{meaning}: {chance(told)}"
    if match["mmsi"]:
        yield vessel_words(match["mmsi"], declared_of(report.vessels, match["mmsi"], None))
    yield from worded(match["conflicts"], data.conflicts)
    yield from worded(match["reasons"], data.reasons)


def _place_lines(match: Row, hull: Row | None) -> Iterator[str]:
    yield place_words(match["geometry"].x, match["geometry"].y)
    if hull is not None:
        yield f"id {hull['detection_id']}"


def _html(lines: list[str]) -> str:
    """Return lines as HTML; names come from AIS, so from anybody, and are escaped."""
    short = (textwrap.shorten(line, 240, placeholder=" ...") for line in lines)
    return str(Markup("<br>").join(escape(line) for line in short))
