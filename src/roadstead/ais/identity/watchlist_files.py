"""Files of watchlists: UN 1718, EU, OFAC and UK, and the user's own CSV.

The EU's Regulation 2017/1509 annexes as a CSV (``annex, measure, startDate, name, imoNumber``); OFAC's ``SDN.CSV``,
which has no header (its data specification gives twelve columns, with IMO and MMSI in the remarks); the UK's list
with ``Name 6`` and an IMO column below a line that dates the report; the UN's designated vessels and any other table
by plain column names.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from roadstead.ais.identity.watchlists import Entry, Watchlist
from roadstead.ais.readers.open_files import encoding_of
from roadstead.core.errors import BadInputError

_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "vessel name", "name of vessel", "name 6", "ship name"),
    "alias": ("alias", "aliases", "aka", "also known as", "previous names", "former names"),
    "imo": ("imo", "imonumber", "imo number", "imo no", "imo no.", "ship imo number", "imo number (s)"),
    "mmsi": ("mmsi",),
    "callsign": ("callsign", "call sign"),
    "listed": (
        "listed", "listed on", "startdate", "date designated", "date of designation", "designation date",
    ),
    "delisted": ("delisted", "delisted on", "enddate", "date delisted", "removed"),
    "programme": ("programme", "program", "measure", "regime name", "regime", "annex"),
}  # fmt: skip
"""Our field to the headers that it has in files, in lower case."""
_KIND_COLUMNS = ("designation type", "group type", "type", "sdn_type", "type of entity")
_SHIPS = {"ship", "vessel", "v"}
_SDN_WIDTH = 12
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d %b. %Y")
_IMO = re.compile(r"(?<!\d)(\d{7})(?!\d)")
_SDN_IMO = re.compile(r"IMO\s*(\d{7})")
_SDN_MMSI = re.compile(r"MMSI\s*(\d{9})")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_AKA = re.compile(r";|\b(?:a\.?k\.?a\.?|f\.?k\.?a\.?)\b:?", re.IGNORECASE)


def read_watchlist(given: str | Path) -> Watchlist:
    """Read one list; ``FILE@YYYY-MM-DD`` tells when it was retrieved, else the file does, else its time.

    Raises:
        BadInputError: the file cannot be read, or no column holds a vessel's name or IMO number.
    """
    path, told = _told(str(given))
    try:
        raw = path.read_bytes()
        lines = list(csv.reader(raw.decode(encoding_of(raw, path), "replace").splitlines()))
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    except (OSError, csv.Error) as error:
        raise BadInputError(f"{path}: the watchlist cannot be read: {error}") from error
    header, dated = _header(lines)
    entries = tuple(_sdn(lines) if _is_sdn(lines) else _table(lines, header, path))
    if not entries:
        raise BadInputError(f"{path}: the watchlist holds no vessel")
    if told is not None:
        return Watchlist(path.stem, told, "told", entries)
    return Watchlist(path.stem, dated or changed, "file" if dated else "file time", entries)


def _told(given: str) -> tuple[Path, date | None]:
    name, at, day = given.rpartition("@")
    if at and (read := _date(day)) is not None:
        return Path(name), read
    return Path(given), None


def _header(lines: Sequence[Sequence[str]]) -> tuple[int, date | None]:
    """Return the line that is the header, and the date that a line before it tells."""
    for n, cells in enumerate(lines[:5]):
        words = {cell.strip().lower() for cell in cells}
        if words & set(_COLUMNS["name"]) and len(cells) > 1:
            dates = [
                _date(part) for line in lines[:n] for cell in line for part in (cell, cell.split(":")[-1])
            ]
            return n, next((day for day in dates if day is not None), None)
    return 0, None


def _is_sdn(lines: Sequence[Sequence[str]]) -> bool:
    return bool(lines) and len(lines[0]) == _SDN_WIDTH and lines[0][0].strip().isdigit()


def _sdn(lines: Sequence[Sequence[str]]) -> Iterator[Entry]:
    for cells in lines:
        if len(cells) < _SDN_WIDTH or cells[2].strip().lower() != "vessel":
            continue
        remarks = cells[11]
        imo, mmsi = _SDN_IMO.search(remarks), _SDN_MMSI.search(remarks)
        aliases = re.findall(r"[af]\.k\.a\. '([^']*)'", remarks)
        yield Entry(
            names=(cells[1].strip(), *aliases),
            imo=imo[1] if imo else None,
            mmsi=mmsi[1] if mmsi else None,
            callsign=_known(cells[5]),
            programme=_known(cells[3]),
        )


def _known(cell: str) -> str | None:
    text = cell.strip()
    return None if text in ("", "-0-", "-") else text


def _table(lines: Sequence[Sequence[str]], header: int, path: Path) -> Iterator[Entry]:
    names = [cell.strip().lower() for cell in (lines[header] if lines else [])]
    place = {
        field: next((names.index(name) for name in spelt if name in names), -1)
        for field, spelt in _COLUMNS.items()
    }
    if place["name"] < 0 and place["imo"] < 0:
        raise BadInputError(
            f"{path}: no column of this watchlist is a vessel's name or IMO number. Your own list has columns such "
            "as name, alias, imo, mmsi, callsign, listed, delisted, programme"
        )
    kind = next((names.index(name) for name in _KIND_COLUMNS if name in names), -1)
    for cells in lines[header + 1 :]:
        row = {field: cells[n].strip() if 0 <= n < len(cells) else "" for field, n in place.items()}
        is_ship = kind < 0 or kind >= len(cells) or cells[kind].strip().lower() in _SHIPS
        entry = _entry(row)
        if (is_ship or entry.imo is not None) and (entry.imo or any(entry.names)):
            yield entry


def _entry(row: Mapping[str, str]) -> Entry:
    imo = _IMO.search(row["imo"])
    mmsi = row["mmsi"].removesuffix(".0")
    return Entry(
        names=_names(row["name"], row["alias"]),
        imo=imo[1] if imo else None,
        mmsi=mmsi if re.fullmatch(r"\d{9}", mmsi) else None,
        callsign=row["callsign"] or None,
        listed=_date(row["listed"]),
        delisted=_date(row["delisted"]),
        programme=row["programme"] or None,
    )


def _names(name: str, alias: str) -> tuple[str, ...]:
    """Return the name and its aliases, those in brackets included: ``NEW (OLD) (OLDER)``."""
    told = [_IN_BRACKETS.sub(" ", name), *_IN_BRACKETS.findall(name), *_AKA.split(alias)]
    return tuple(dict.fromkeys(" ".join(each.split()) for each in told if each.strip()))


def _date(cell: str) -> date | None:
    text = cell.strip().split("T")[0]
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
