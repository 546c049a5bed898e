"""Put a dossier together and write it as a folder, a zip or a PDF; the same findings give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pandas as pd
from PIL import Image as Pillow

from roadstead.core.atomic_files import write_bytes
from roadstead.core.detections_file import to_features
from roadstead.core.errors import StoreError, UsageError
from roadstead.core.version import __version__
from roadstead.publish.dossier.data import Finding
from roadstead.publish.dossier.text import Section, headline, sections
from roadstead.publish.formats.flat import csv_text, plain_csv
from roadstead.publish.formats.geojson import by_the_rules
from roadstead.publish.formats.kmz import put
from roadstead.publish.formats.layers import positions_table
from roadstead.publish.pdf_pages import a4, write
from roadstead.publish.report.data import Image
from roadstead.publish.templating import templates
from roadstead.publish.wording import LEAD, check_words

MANIFEST = "manifest.json"
LIBRARIES = ("fpdf2", "geopandas", "jinja2", "numpy", "pandas", "pillow", "pyproj", "rasterio", "shapely")
"""Whose versions can change a byte of the files."""
_TEMPLATES = templates()
_CHIP_MM = 60


def write_dossier(
    path: Path,
    findings: Sequence[Finding],
    reasons: Mapping[str, str],
    conflicts: Mapping[str, str],
    parameters: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the dossier of some findings and return its files, or the one zip.

    Args:
        path: a folder, new, empty or of an earlier dossier; or a name that ends in ``.zip``.
        findings: what is known of each.
        reasons: reason code -> words.
        conflicts: conflict code -> words.
        parameters: how it was asked for; stands in the manifest.

    Raises:
        UsageError: the folder holds something else.
        StoreError: a file cannot be written.
        AccusationError: a text of ours accuses; nothing is written then.
    """
    files = dossier_files(findings, reasons, conflicts, parameters)
    if path.suffix.lower() == ".zip":
        write_bytes(path, zipped(files))
        return [path]
    _make_room(path)
    written = []
    for name, content in files.items():
        write_bytes(path / name, content)
        written.append(path / name)
    return written


def dossier_files(
    findings: Sequence[Finding],
    reasons: Mapping[str, str],
    conflicts: Mapping[str, str],
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return the files of a dossier by their names, the manifest first; see `write_dossier`."""
    files: dict[str, bytes] = {}
    for finding in findings:
        own = _files(finding, sections(finding, reasons, conflicts))
        files |= {f"{finding.key}/{name}": content for name, content in own.items()}
    manifest = {
        "roadstead": __version__,
        "about": LEAD,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "parameters": dict(parameters or {}),
        "findings": [_origin(finding) for finding in findings],
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return {MANIFEST: _json(manifest), **files}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one zip; the same files give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            put(archive, name, content)
    return buffer.getvalue()


def _files(finding: Finding, parts: list[Section]) -> dict[str, bytes]:
    title, names = headline(finding), _told(finding)
    files = {"finding.geojson": _geojson(finding)}
    if finding.chain is not None:
        rows = [{name: value for name, value in row.items() if name != "said"} for row in finding.decisions]
        files["decisions.json"] = _json({**asdict(finding.chain), "about": rows})
    if finding.chip is not None:
        files["chip.png"] = _png(finding.chip)
    if finding.imagery.pixels is not None:
        files["pixels.tif"] = finding.imagery.pixels
    if finding.imagery.item is not None:
        files["item.json"] = _json(finding.imagery.item, allow_nan=True)
    if len(finding.positions):
        files["ais-positions.csv"] = csv_text(positions_table(finding.positions)).encode()
    if len(finding.vessels):
        files["ais-static.csv"] = plain_csv(finding.vessels).encode()
    files |= {one.path: one.content for one in finding.attached}
    pieces = [cell for part in parts for row in (*part.facts, part.lines, *part.table) for cell in row]
    check_words("\n".join([title, *pieces]), names)
    files["dossier.pdf"] = pdf_bytes(
        title, parts, files.get("chip.png"), finding.hull["acquired"].to_pydatetime()
    )
    page = _TEMPLATES.get_template("dossier.html.j2").render(
        title=title,
        simulated=finding.simulated,
        sections=parts,
        chip=finding.chip is not None and _uri(files["chip.png"]),
        files=sorted(files),
    )
    return {"dossier.html": check_words(page, names).encode(), **files}


def _told(finding: Finding) -> set[str]:
    """Return every text that is not ours: what ships declared, what people typed in, and names of AIS sources."""
    typed = {text for one in finding.attached for text in (*one.texts, one.path)}
    sources = {*finding.withheld, *finding.positions["source"], *finding.vessels["source"]}
    return {*finding.declared, *finding.noted, *typed, *(str(source) for source in sources)}


def _origin(finding: Finding) -> dict[str, Any]:
    """Return what is needed to make a finding again."""
    made, scene = finding.acquisition, finding.scene or {}
    href = str(scene.get("item_href") or "")
    told = {
        **{name: made[name] for name in ("overpass_id", "roadstead_version", "model_id", "model_sha256")},
        **{name: made[name] for name in ("threshold", "inputs_sha256", "with_ais", "provider", "state")},
        "acquired": f"{pd.Timestamp(made['acquired']).isoformat()}",
        "scene_id": finding.hull["scene_id"],
        "processing_baseline": scene.get("processing_baseline"),
        "item_sha256": scene.get("item_sha256"),
        # Where it lies on somebody's disk is nobody else's matter.
        "item_href": href if urlparse(href).scheme in ("http", "https") else None,
    }
    plain = {name: None if pd.isna(value) else value for name, value in told.items()}
    return {
        "finding": finding.key,
        "port": finding.port,
        "simulated": finding.simulated,
        **plain,
        "decisions": asdict(finding.chain) if finding.chain else None,
        "ais_rows_withheld": dict(sorted(finding.withheld.items())),
        "imagery": finding.imagery.note,
    }


def _geojson(finding: Finding) -> bytes:
    """Return the box and, where there is a match, its point, as one FeatureCollection."""
    hull = to_features(by_the_rules(finding.detection))["features"]
    match = to_features(by_the_rules(finding.match))["features"] if len(finding.match) else []
    for kind, features in (("detection", hull), ("match", match)):
        for feature in features:
            feature["properties"] = {"layer": kind, **feature["properties"]}
    return _json({"type": "FeatureCollection", "features": [*hull, *match]})


def _json(document: Mapping[str, Any], allow_nan: bool = False) -> bytes:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=allow_nan, default=_plain)
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:  # noqa: ANN401 - numpy's numbers
    return value.item() if hasattr(value, "item") else str(value)


def _png(image: Image) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _make_room(folder: Path) -> None:
    """Take away the findings of an earlier dossier, so that the folder holds what its manifest lists.

    Raises:
        UsageError: it is no folder, or holds something that is no dossier.
        StoreError: it cannot be read or changed.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; name a folder, or a file that ends in .zip")
    if not any(folder.iterdir()):
        return
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["findings"]
        names = {str(row["finding"]) for row in listed} & {path.name for path in folder.iterdir()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: holds files of something else; name a new folder") from error
    others = sorted(path.name for path in folder.iterdir() if path.name not in {*names, MANIFEST})
    if others:
        raise UsageError(f"{folder}: holds {others[0]}, which is of no dossier; name a new folder")
    try:
        for name in names:
            shutil.rmtree(folder / name)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be cleared: {error.strerror or error}") from error


def pdf_bytes(title: str, parts: list[Section], chip: bytes | None, moment: datetime) -> bytes:
    """Return a PDF; the same sections give the same bytes.

    Letters that its font lacks stand in the page as they are.

    Args:
        title: heading.
        parts: sections in order.
        chip: picture as PNG.
        moment: stands as the file's time of making, so that a rerun gives the same file.
    """
    pdf = a4(title, moment)
    pdf.set_auto_page_break(True, margin=15)
    pdf.add_page()
    write(pdf, title, 15, "B")
    for part in parts:
        pdf.ln(2)
        write(pdf, part.title, 12, "B")
        if part.picture and chip is not None:
            pdf.image(BytesIO(chip), w=_CHIP_MM)
        for name, value in part.facts:
            write(pdf, f"{name}: {value}", 9)
        for line in part.lines:
            write(pdf, line, 9)
        for row in part.table:
            write(pdf, " | ".join(row), 7, "B" if row is part.table[0] else "")
    return bytes(pdf.output())
