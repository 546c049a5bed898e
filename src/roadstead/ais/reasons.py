"""Every reason that a row, a field or a report can be given, and what becomes of it; docs/ais.md lists them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from roadstead.ais.readers.presets import PRESETS


class Reason(NamedTuple):
    """One reason."""

    effect: str
    meaning: str


ROW, FIELD = "row to the quarantine", "field dropped, row kept; to the quarantine"
PLACE = "position dropped; to the quarantine (static data of the row is kept)"
NOTED, KEPT = "kept, counted", "kept as evidence of reception, never matched"

REASONS: dict[str, Reason] = {
    # lines and sentences
    "not_an_nmea_sentence": Reason(ROW, "the line holds no NMEA sentence"),
    "bad_checksum": Reason(ROW, "the sentence's checksum is not that of its characters"),
    "bad_tag_block_checksum": Reason(ROW, "the tag block is damaged, so its time cannot be trusted"),
    "payload_not_armoured": Reason(ROW, "characters outside the AIS alphabet"),
    "bad_bit_count": Reason(ROW, "the message is longer or shorter than its kind can be"),
    "part_of_message_missing": Reason(
        ROW, "a message of several sentences is not complete within 60 s or 2,000 lines"
    ),
    "no_receive_time": Reason(ROW, "neither tag block, $PGHP nor an epoch tells when it was received"),
    "undecodable": Reason(ROW, "the sentence or message breaks ITU-R M.1371 in another way"),
    "wrong_number_of_columns": Reason(ROW, "the line has not as many columns as the header"),
    "not_ENCODING_text": Reason(ROW, "bytes that the file's encoding does not have"),
    "not_json": Reason(ROW, "the line is no JSON object"),
    "error_of_the_feed": Reason(ROW, "the feed sent an error in a message's place"),
    "no_ais_file": Reason("file left out", "a file of another kind, beside the data of a folder or archive"),
    # identity and time
    "mmsi_invalid": Reason(ROW, "no number from 1 to 999999999"),
    "mmsi_lost_digits": Reason(
        ROW, "written in powers of ten (4.12345E+08) or as a 32-bit float, so that digits are lost"
    ),
    "distress_beacon": Reason(ROW, "AIS-SART, man-overboard device or EPIRB (MMSI 970, 972, 974): no ship"),
    "time_not_understood": Reason(ROW, "no time of the table's format"),
    "time_in_future": Reason(ROW, "more than a day ahead of our clock"),
    "time_before_ais": Reason(ROW, "before 1995"),
    # place
    "position_not_available": Reason(PLACE, "empty, or 181 degrees of longitude, or 91 of latitude"),
    "lon_out_of_range": Reason(PLACE, "beyond 180 degrees"),
    "lat_out_of_range": Reason(PLACE, "beyond 90 degrees"),
    "null_island": Reason(PLACE, "within 0.001 degrees of 0 N 0 E: an unset position"),
    "impossible_speed": Reason(
        "report to the quarantine when the file or store is read",
        "alone, and out of reach of the ship's reports before and after it",
    ),
    # fields
    "out_of_range_field_dropped": Reason(FIELD, "beyond what ITU-R M.1371 or any ship allows"),
    "not_understood_field_dropped": Reason(FIELD, "neither a code nor a word that we know"),
    "imo_not_seven_digits": Reason(
        "field dropped, row kept; every row counted, each ship's number once to the quarantine",
        "a declared IMO number that can be none: not seven digits, and not 0",
    ),
    # noted
    "coarse_position": Reason(NOTED, "message 27 (satellite): tenths of a minute; `sigma_m` holds 53 m"),
    "out_of_order": Reason(NOTED, "earlier than a report of the same MMSI before it; sorted when read"),
    "imo_check_digit": Reason(
        NOTED, "the declared IMO number's check digit is wrong: a conflict, not a fault"
    ),
    "mid_not_assigned": Reason(
        NOTED, "the MMSI names no assigned flag; kept, since a heard hull is not silent"
    ),
    "base_station": Reason(KEPT, "message 4, or an MMSI 00..."),
    "aid_to_navigation": Reason(KEPT, "message 21, or an MMSI 99..."),
    "sar_aircraft": Reason(KEPT, "message 9, or an MMSI 111..."),
    "gear_buoy": Reason(
        KEPT + " (told when read)", "only ever declared a fishing-gear name and no ship's length"
    ),
    # counted
    "duplicate": Reason("counted", "the same report again, or from another receiver within 2 s"),
    "out_of_reach": Reason("counted", "elsewhere, or at another time, than was asked for"),
    "passed_over": Reason(
        "counted", "a kind of message or instrument that says nothing of a ship, or a row without content"
    ),
}
_ENCODED = re.compile(r"not_.+_text")


def reason_of(code: str) -> Reason:
    """Return the reason behind a code of the quarantine or of a summary.

    Raises:
        KeyError: no such reason.
    """
    return REASONS["not_ENCODING_text" if _ENCODED.fullmatch(code) else code]


def layouts_table() -> str:
    """Return the layouts we know, each with its columns and where we know them from, as Markdown."""
    parts = []
    for layout in dict.fromkeys(layout.name for _, layout in PRESETS):
        known = [(telling, made) for telling, made in PRESETS if made.name == layout]
        made = known[0][1]
        told = " or ".join(", ".join(f"`{name}`" for name in sorted(telling)) for telling, _ in known)
        scaled = "; ".join(f"`{name}` x {factor}" for name, factor in made.scale.items())
        columns = ", ".join(f"`{theirs}`: {ours}" for ours, theirs in made.columns.items())
        lines = [f"**{layout}**", "", f"- told by the columns {told}", f"- columns: {columns}"]
        lines += [f"- times: `{made.time_format}`"] if made.time_format != "ISO8601" else []
        lines += [f"- units: {scaled}"] if scaled else []
        parts.append("\n".join([*lines, f"- known from: {made.known_from}"]))
    return "\n\n".join(parts)


def reasons_table() -> str:
    """Return every reason code with its effect and meaning as Markdown."""
    rows = [f"| `{code}` | {reason.meaning} | {reason.effect} |" for code, reason in REASONS.items()]
    return "\n".join(["| code | what it means | what becomes of it |", "|---|---|---|", *rows])


SECTIONS = {"layouts": layouts_table, "reasons": reasons_table}


def renewed(text: str) -> str:
    """Return a page with its generated sections (between ``begin`` and ``end`` comments) as the code has them."""
    for name, made in SECTIONS.items():
        pattern = re.compile(rf"(<!-- {name}:begin[^>]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        text = pattern.sub(lambda found, made=made: f"{found[1]}{made()}\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
