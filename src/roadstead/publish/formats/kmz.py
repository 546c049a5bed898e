"""One KMZ a finding for Google Earth: where the hull is, its box, its picture, and what is known in plain words."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image as Pillow

from roadstead.core.errors import StoreError
from roadstead.core.wording import chance, finding_chance, moment, place_words, worded
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.publish.report.data import Image, PortReport
from roadstead.publish.report.rows import class_words, length_words
from roadstead.publish.wording import LEAD, check_words

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry of a zip file, so that a rerun gives the same bytes."""
_KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>{name}</name>
<Style id="hull"><LineStyle><color>{line}</color><width>2</width></LineStyle>
<PolyStyle><fill>0</fill></PolyStyle></Style>
<Placemark id="finding"><name>{name}</name><description>{description}</description>
<TimeStamp><when>{when}</when></TimeStamp><Point><coordinates>{lon:.7f},{lat:.7f}</coordinates></Point></Placemark>
<Placemark id="box"><name>{box}</name><styleUrl>#hull</styleUrl><Polygon><tessellate>1</tessellate><outerBoundaryIs>
<LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>
"""
"""KML 2.2 (https://www.ogc.org/standard/kml/)."""


def write_kmz(
    folder: Path, report: PortReport, reasons: Mapping[str, str], conflicts: Mapping[str, str]
) -> list[Path]:
    """Write ``<port>-kmz/<detection id>.kmz`` for every detection and return the paths.

    Args:
        folder: made where missing.
        report: its detections, their matches and their chips.
        reasons: reason code -> words, with what else could explain it.
        conflicts: conflict code -> words.

    Raises:
        StoreError: a file cannot be written.
    """
    matches = {row["detection_id"]: row for row in report.matches.to_dict("records") if row["detection_id"]}
    words, root = {"reasons": reasons, "conflicts": conflicts}, folder / f"{report.port.slug}-kmz"

    written: list[Path] = []
    path = root
    try:
        # One folder for all, made once: with `atomic_files.replacing` each file would cost more than what is in it.
        root.mkdir(parents=True, exist_ok=True)
        for hull in report.detections.to_dict("records"):
            name = hull["detection_id"]
            path = root / f"{name}.kmz"
            save(path, kmz(hull, matches.get(name), report.chips.get(name), words))
            written.append(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
    return written


def save(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, into a folder that is there; raise OSError where that fails."""
    temporary = f"{path.parent}/.{path.name}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def kmz(
    hull: Mapping[Any, Any],
    match: Mapping[Any, Any] | None,
    chip: Image | None,
    words: Mapping[str, Mapping[str, str]],
) -> bytes:
    """Return the KMZ of one detection: ``doc.kml``, and ``chip.jpg`` where there is a picture."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        put(archive, "doc.kml", _kml(hull, match, chip is not None, words).encode())
        if chip is not None:
            put(archive, "chip.jpg", jpeg(chip), zipfile.ZIP_STORED)
    return buffer.getvalue()


def put(archive: zipfile.ZipFile, name: str, content: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
    """Put a file into an archive without the time of writing."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type, entry.external_attr = how, 0o644 << 16
    archive.writestr(entry, content, compresslevel=1)


def jpeg(image: Image) -> bytes:
    """Return a picture, uint8 RGB [H, W, 3], as JPEG: Google Earth shows no WebP."""
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _kml(
    hull: Mapping[Any, Any],
    match: Mapping[Any, Any] | None,
    picture: bool,
    words: Mapping[str, Mapping[str, str]],
) -> str:
    label = STATUS_LOOKS[match["status"]].label if match else "not held against AIS"
    mark = "SIMULATED: " if hull["simulated"] else ""
    name = f"{mark}hull of about {hull['length_m']:.0f} m, {label}"
    shown = ['<img src="chip.jpg" width="256" alt="the hull, north up"/>'] if picture else []
    lines = [*shown, f"<b>{LEAD}</b>", *(escape(line) for line in _lines(hull, match, words))]
    colour = CLASS_LOOKS[hull["class"]].colour.lstrip("#")
    text = _KML.format(
        name=escape(name),
        description=escape("<br/>".join(lines)),
        when=f"{hull['acquired']:%Y-%m-%dT%H:%M:%SZ}",
        lon=hull["lon"],
        lat=hull["lat"],
        box="box that was found around the hull",
        ring=" ".join(f"{lon:.7f},{lat:.7f},0" for lon, lat in _corners(hull["geometry"])),
        # KML colours are alpha, blue, green, red.
        line=f"ff{colour[4:]}{colour[2:4]}{colour[:2]}",
    )
    check_words(text)
    return text


def _corners(box: Any) -> list[tuple[float, ...]]:  # noqa: ANN401 - a shapely polygon
    ring = box.exterior
    return list(ring.coords if ring.is_ccw else ring.coords[::-1])


def _lines(
    hull: Mapping[Any, Any], match: Mapping[Any, Any] | None, words: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    if hull["simulated"]:
        yield "SIMULATED: nothing of this was seen in the world."
    yield f"Seen {moment(hull['acquired'])} at {place_words(hull['lon'], hull['lat'])}, zone {hull['zone'] or 'none'}."
    yield f"Looks like: {class_words(hull)}."
    yield f"Length {hull['length_m']:.0f} m, {length_words(hull)}; beam {hull['beam_m']:.0f} m."
    yield f"Probability that it is a vessel at all: {chance(hull['p_vessel'])}."
    if hull["dropped_because"]:
        yield f"Not counted: {hull['dropped_because'].replace('_', ' ')}."
    if match:
        partner = f", MMSI {match['mmsi']}" if match["mmsi"] else ""
        told, meaning = finding_chance(
            match["status"], match["reasons"], match["probability"], hull["p_vessel"]
        )
        yield f"Status: {STATUS_LOOKS[match['status']].label}{partner}. {meaning}: {chance(told)}."
        yield from worded(match["conflicts"], words["conflicts"])
        yield from worded(match["reasons"], words["reasons"])
    yield f"Finding {hull['detection_id']}, scene {hull['scene_id']}, model {hull['model_id']}."
