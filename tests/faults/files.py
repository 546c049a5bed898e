"""Files that are broken, or that people have, and what becomes of each: run, checked, and written into docs/faults.md.

Each row makes a small file, gives it to a command as a user would, and holds the exit code, what is said and what is
kept. Images show two bulk carriers on open water (`tests.worlds`).
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from roadstead.apps.cli.main import main as command_line
from tests import builders
from tests.worlds import FRAME, water_with_ships

Dn = NDArray[Any]
NAMES = ("red", "green", "blue", "nir")
OUTPUT = "out.geojson"


@dataclass(frozen=True)
class FileRow:
    """One file and one command."""

    name: str
    words: Callable[[Path], Sequence[str]]
    """Makes the file in a folder; returns the command."""
    code: int
    says: str = ""
    """A part of what the user reads."""
    kept: str = "nothing"
    """What is stored or written; see `kept_of`."""


@dataclass(frozen=True)
class FileOutcome:
    """What became of one row."""

    code: int
    said: str
    kept: str


def run(row: FileRow, folder: Path) -> FileOutcome:
    """Give the file to the command line in this process."""
    words = ["roadstead", *row.words(folder)]
    said = io.StringIO()
    code: int | str | None = 0
    with patch.object(sys, "argv", words), redirect_stdout(said), redirect_stderr(said):
        try:
            command_line()
        except SystemExit as ended:
            code = ended.code
    return FileOutcome(int(code or 0), " ".join(said.getvalue().split()), kept_of(folder))


def kept_of(folder: Path) -> str:
    """Say what a command left: hulls, events or AIS rows; nothing where it left no file."""
    output, store = folder / OUTPUT, folder / "ais"
    if output.exists():
        features = json.loads(output.read_text(encoding="utf-8"))["features"]
        return f"{len(features)} hulls"
    kept = [json.loads(path.read_text()) for path in store.rglob("*.json")] if store.exists() else []
    rows = sum(int(one.get("kept", 0)) for one in kept)
    return f"{rows} rows" if rows else "nothing"


def line(row: FileRow, found: FileOutcome) -> str:
    """Return a row of the document."""
    says = f"... {row.says.replace('│', '')} ..." if row.says else "nothing"
    return f"| {row.name} | {found.code} | {says} | {found.kept} |"


def _stack() -> Dn:
    """Two ships as reflectance x 10000: red, green, blue, nir."""
    dn = np.stack([np.clip(band.astype(int) - 1000, 1, None) for band in water_with_ships().values()])
    return dn.astype(np.uint16)


def _image(
    dn: Callable[[], Dn], *, names: Sequence[str] | None = NAMES, options: Sequence[str] = (), **changes: Any
) -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        profile = {"transform": FRAME.transform, **changes}
        path = builders.write_tiff(folder / "image.tif", dn(), names=names, **profile)
        return ["detect", str(path), "-o", str(folder / OUTPUT), *options]

    return words


def _noise() -> Dn:
    return np.random.default_rng(3).integers(1, 3000, (4, FRAME.height, FRAME.width)).astype(np.uint16)


def _eight_bits(fourth: Dn | None = None) -> Dn:
    rgb = np.clip(_stack()[:3] / 3558 * 255, 1, 255).astype(np.uint8)
    return rgb if fourth is None else np.concatenate([rgb, fourth[None].astype(np.uint8)])


def _minus_9999() -> Dn:
    dn = _stack().astype(np.float32) / 1e4
    dn[:, :40] = -9999
    return dn


def _item(band: str, value: int) -> Callable[[Path], list[str]]:
    """An item of which one band is constant."""

    def words(folder: Path) -> list[str]:
        bands = water_with_ships()
        bands[band] = np.full_like(bands[band], value)
        item = builders.write_item(folder, "BROKEN", FRAME, bands)
        return ["detect", str(item), "-o", str(folder / OUTPUT)]

    return words


def _ais(text: str | bytes, name: str = "ais.csv", *options: str) -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["ais", "import", str(path), "--ais-store", str(folder / "ais"), *options]

    return words


def _list(text: str, name: str = "list.csv") -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        (folder / name).write_text(text)
        (folder / "ais.csv").write_text(HEAD + GOOD)
        return [
            "ais",
            "identify",
            "477999001",
            "--ais",
            str(folder / "ais.csv"),
            "--watchlist",
            str(folder / name),
        ]

    return words


def _port(features: list[dict[str, Any]], **more: Any) -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        path = folder / "port.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
        return ["ports", str(path)]

    return words


def _zone(ring: list[list[float]], **properties: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"port": "mine", "zone": "mine/roads", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


RING = [[125.2, 38.6], [125.3, 38.6], [125.3, 38.7], [125.2, 38.6]]
HEAD = "mmsi,timestamp,longitude,latitude,imo\n"
GOOD = "477999001,2020-11-03T02:00:00Z,125.0,38.6,9074729\n"
LOST = "4.77999E+08,2020-11-03T02:00:00Z,125.0,38.6,\n"

ROWS: tuple[FileRow, ...] = (
    FileRow("a sound image, four bands by name", _image(_stack), 0, kept="2 hulls"),
    FileRow("every band one number", _image(lambda: np.full_like(_stack(), 1500)), 3, "everywhere"),
    FileRow("DN 1 everywhere", _image(lambda: np.ones_like(_stack())), 3, "darker than water"),
    FileRow("noise", _image(_noise), 3, "noise"),
    FileRow("numbers ten times too small", _image(lambda: (_stack() // 10).clip(1)), 3, "darker than water"),
    FileRow(
        "gains of a portal: numbers three times too large",
        _image(lambda: (_stack() * 30.0).clip(0, 65535).astype(np.uint16)),
        3,
        "its scale is too large",
    ),
    FileRow(
        "one band given three times",
        _image(lambda: np.stack([_stack()[0]] * 3), names=NAMES[:3]),
        3,
        "one band",
    ),
    FileRow(
        "an alpha band after true colour",
        _image(
            lambda: _eight_bits(np.full((FRAME.height, FRAME.width), 255)),
            names=None,
            photometric="RGB",
            alpha="YES",
        ),
        0,
        kept="2 hulls",
    ),
    FileRow(
        "a mask called near infrared",
        _image(lambda: np.concatenate([_stack()[:3], np.full_like(_stack()[:1], 1)])),
        3,
        "mask",
    ),
    FileRow(
        "five bands without names",
        _image(lambda: np.concatenate([_stack(), _stack()[:1]]), names=None),
        3,
        "--bands red=",
    ),
    FileRow(
        "the same, named by the user",
        _image(
            lambda: np.concatenate([_stack(), _stack()[:1]]),
            names=None,
            options=["--bands", "red=1,green=2,blue=3,nir=4"],
        ),
        0,
        kept="2 hulls",
    ),
    FileRow("-9999 in a border, no tag for it", _image(_minus_9999), 0, kept="2 hulls"),
    FileRow(
        "ESA's offset of 1000 in every band",
        _image(lambda: np.stack(list(water_with_ships().values()))),
        0,
        kept="2 hulls",
    ),
    FileRow(
        "an item of which one band is constant", _item("green", 1500), 3, "band green is 0.0500 everywhere"
    ),
    FileRow(
        "`ftp://`",
        lambda folder: ["detect", "ftp://127.0.0.1/a.tif", "-o", str(folder / OUTPUT)],
        3,
        "is not read",
    ),
    FileRow(
        "a path of GDAL's",
        lambda folder: ["detect", "/vsicurl/http://127.0.0.1:9/a.tif", "-o", str(folder / OUTPUT)],
        3,
        "is a path of GDAL's",
    ),
    FileRow("every MMSI in E-notation", _ais(HEAD + LOST * 3), 3, "digits are lost"),
    FileRow("one MMSI of two in E-notation", _ais(HEAD + GOOD + LOST), 0, "quarantined │ 1", kept="1 rows"),
    FileRow(
        "an IMO number of six digits",
        _ais(HEAD + GOOD.replace("9074729", "907472")),
        0,
        "imo_not_seven_digits",
        kept="1 rows",
    ),
    FileRow("a PDF called .csv", _ais(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"), 3, "PDF"),
    FileRow(
        "dates that may be two days",
        _ais(HEAD + "477999001,03/11/2020 02:00:00,125.0,38.6,\n"),
        3,
        "time_format",
    ),
    FileRow(
        "a pattern that fits nothing",
        lambda folder: ["ais", "import", str(folder / "*.nmea"), "--ais-store", str(folder / "ais")],
        3,
        "no file fits this pattern",
    ),
    FileRow("a watchlist of names alone", _list("name\nGREY HERON\n"), 3, "identifies a vessel"),
    FileRow(
        "a watchlist with a date that is none",
        _list("name,imo,listed\nGREY HERON,9074729,32/13/2024\n"),
        3,
        "line 2, column 'listed': '32/13/2024' is no date",
    ),
    FileRow(
        "a watchlist as people keep it",
        _list("name;imo;listed\nGREY HERON;9074729;2024-05-03\n"),
        0,
        "1 vessel",
    ),
    FileRow("a port's zone without a kind", _port([_zone(RING)]), 3, "berth"),
    FileRow(
        "latitude before longitude",
        _port([_zone([[y, x] for x, y in RING], kind="anchorage")]),
        3,
        "latitude",
    ),
    FileRow(
        "a port in metres without a CRS",
        _port([_zone([[x * 1e4, y * 1e5] for x, y in RING], kind="anchorage")]),
        3,
        "say in the file which CRS it is in",
    ),
    FileRow("a port that nobody knows", lambda _: ["counts", "nanpo"], 2, "nampo"),
)

__all__ = ["ROWS", "FileOutcome", "FileRow", "kept_of", "line", "run"]
