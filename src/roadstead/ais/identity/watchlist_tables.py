"""Watchlists that are tables: OFAC, UK, EU, UN, OpenSanctions, and the user's own from any spreadsheet."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from roadstead.ais.identity.watchlist_fields import (
    NO_VESSEL,
    DateError,
    callsign_in,
    date_of,
    day_comes_first,
    entries_of,
    imos_in,
    imos_of,
    kind_of,
    known,
    mmsis_in,
    mmsis_of,
    names_a_company,
    names_of,
)
from roadstead.ais.identity.watchlists import Entry
from roadstead.core.atomic_files import text_of_cell
from roadstead.core.errors import BadInputError

Row = Sequence[str]
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "vessel name", "name of vessel", "name of the vessel", "name 6", "ship name", "vessel", "ship",
             "caption", "sdn_name", "sdn name", "nameofvessel", "vessel_name", "ship_name", "vesselname", "shipname"),
    "alias": ("alias", "aliases", "aka", "a.k.a.", "also known as", "previous names", "former names", "previous name",
              "former name", "other names", "ex-name", "ex names"),
    "imo": ("imo", "imonumber", "imo number", "imo_number", "imo no", "imo no.", "ship imo number", "imo number (s)",
            "imo numbers", "imo nr", "imo nr.", "imo-nr.", "imo-nummer", "imo number(s)", "ship_imonumber", "imo#"),
    "mmsi": ("mmsi", "mmsi number", "mmsi no", "mmsi no.", "mmsi_number", "mmsis"),
    "callsign": ("callsign", "call sign", "call_sign", "call-sign"),
    "identifiers": ("identifiers", "identifier"),
    "text": ("remarks", "other information", "additional information", "notes", "comments", "comment"),
    "listed": ("listed", "listed on", "startdate", "start date", "date designated", "date of designation",
               "designation date", "date of application", "date listed", "listing date", "date of listing",
               "uk sanctions list date designated", "date_listed", "designated"),
    "delisted": ("delisted", "delisted on", "enddate", "end date", "date delisted", "removed", "delisting date"),
    "programme": ("programme", "program", "measure", "regime name", "regime", "subject to", "program_ids", "annex",
                  "sanctions imposed", "risk"),
    "kind": ("designation type", "group type", "sdn_type", "sdn type", "type of entity", "entity type", "schema",
             "individual, entity, ship", "type"),
    "id": ("unique id", "group id", "ofsi group id", "id"),
}  # fmt: skip
"""Our field to the headers that it has in files, in lower case; the first that is there is read."""
_IDENTIFIERS = ("imo", "mmsi", "callsign", "identifiers", "text")
_HEADER_LINES = 12
"""Lines above which a header may stand: titles and dates."""
_SDN_WIDTH, _ALT_WIDTHS = 12, (5, 6)
_SDN_FIELDS = {1: "name", 2: "kind", 3: "programme", 5: "callsign", 11: "text"}
_SDN_AKA = re.compile(r"[af]\.k\.a\. '([^']*)'")
_NAME_PARTS = re.compile(r"name [1-5]")


@dataclass
class Content:
    """What a file holds."""

    form: str
    """What kind of file it is, in words."""
    columns: Mapping[str, str]
    """Our field to the column, or element, that it was read from."""
    entries: list[Entry] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """What was passed over or could not be used, in words, and how often."""
    dated: date | None = None
    """The day that the file says it is of."""


def lines_of(text: str) -> list[list[str]]:
    """Return the cells of a text, whatever stands between them."""
    head = text[:65_536].lstrip("\ufeff")
    first, _, rest = text.lstrip("\ufeff").partition("\n")
    if found := re.fullmatch(r'"?sep=(.)"?\s*', first.strip("\r")):
        return _cells(rest, found[1])
    return _cells(text.lstrip("\ufeff"), _delimiter(head))


def _cells(text: str, delimiter: str) -> list[list[str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x1a", "").split("\n")
    rows = csv.reader((line + "\n" for line in lines), delimiter=delimiter)
    return [[text_of_cell(cell) for cell in row] for row in rows]


def _delimiter(head: str) -> str:
    """Return what stands between cells: what cuts a line into the most names of columns, else the most cells."""
    lines = head.splitlines()[:_HEADER_LINES]
    spelt = {name for names in COLUMNS.values() for name in names}

    def fits(mark: str) -> tuple[int, int]:
        cut = [[cell.strip().strip('"').lower() for cell in line.split(mark)] for line in lines]
        return max((sum(cell in spelt for cell in cells) for cells in cut), default=0), len(
            cut[0]
        ) if cut else 0

    return max(",;\t|", key=fits)


def read_table(lines: Sequence[Row], path: Path, aliases: Mapping[str, Sequence[str]]) -> Content:
    """Read a list that is a table.

    Args:
        lines: its cells.
        path: for messages.
        aliases: OFAC's number of an entry to further names, from the file that it keeps beside.

    Raises:
        BadInputError: no column identifies a vessel, a date cannot be read, or it is a part of OFAC's list without
            vessels.
    """
    if _is_sdn(lines):
        return _sdn(lines, aliases)
    at = _header(lines)
    if at is None:
        raise BadInputError(_no_columns(path, lines[0] if lines else ()))
    content = Content("table", {}, dated=_dated(lines[:at]))
    _read_rows(lines, at, path, content, aliases)
    return content


def _no_columns(path: Path, header: Row) -> str:
    if len(header) in _ALT_WIDTHS and header[0].strip().isdigit():
        return (
            f"{path}: looks like a part of OFAC's list that holds other names or addresses (ALT.CSV, ADD.CSV) and no "
            "vessel: give SDN.CSV; an ALT.CSV beside it is read with it"
        )
    shown = ", ".join(cell.strip() for cell in header[:30]) or "none"
    return (
        f"{path}: no column of this watchlist identifies a vessel, as an IMO number, an MMSI or a call sign beside its "
        f"name does. Columns found: {shown}. Your own list has columns such as name, alias, imo, mmsi, callsign, "
        "listed, delisted, programme"
    )


def _is_sdn(lines: Sequence[Row]) -> bool:
    return bool(lines) and len(lines[0]) == _SDN_WIDTH and lines[0][0].strip().isdigit()


def _sdn(lines: Sequence[Row], aliases: Mapping[str, Sequence[str]]) -> Content:
    """Read OFAC's SDN.CSV, which has no header: twelve columns by its data specification."""
    columns = {"name": "2 (SDN_Name)", "kind": "3 (SDN_Type)", "programme": "4 (Program)", "callsign": "6 (Call_Sign)",
               "imo, mmsi": "12 (Remarks)"}  # fmt: skip
    content = Content("OFAC SDN.CSV, without header", columns)
    if aliases:
        content.columns = {**columns, "alias": "ALT.CSV"}
    for cells in lines:
        if len(cells) < _SDN_WIDTH:
            continue
        row = {ours: cells[n] for n, ours in _SDN_FIELDS.items()}
        _add_sdn(row, aliases.get(cells[0].strip(), ()), content)
    return content


def _add_sdn(row: Mapping[str, str], aliases: Sequence[str], content: Content) -> None:
    if kind_of(row["kind"]) != "vessel":
        content.counted[NO_VESSEL] += 1
        return
    text = row["text"]
    content.entries += entries_of(
        (row["name"].strip(), *dict.fromkeys([*_SDN_AKA.findall(text), *aliases])),
        imos_in(text, content.counted),
        mmsis_in(text),
        content.counted,
        callsign=known(row["callsign"]),
        programme=_programmes(row["programme"]),
    )


def _programmes(cell: str) -> str | None:
    """Return the programmes of an entry; OFAC writes several as ``IRAN] [IFSR``."""
    text = known(cell)
    return None if text is None else text.replace("] [", ", ")


def _header(lines: Sequence[Row]) -> int | None:
    """Return the place of the line that is the header: the first with a name or IMO number among several columns."""
    telling = {*COLUMNS["name"], *COLUMNS["imo"]}
    for n, cells in enumerate(lines[:_HEADER_LINES]):
        if len(cells) > 1 and {_plain(cell) for cell in cells} & telling:
            return n
    return None


def _plain(cell: str) -> str:
    return " ".join(cell.strip().strip("\"'\ufeff*").lower().split())


def _dated(lines: Sequence[Row]) -> date | None:
    """Return the day that a line above the header tells."""
    for line in lines:
        for cell in line:
            for part in (cell, cell.split(":")[-1]):
                try:
                    if (day := date_of(part, day_first=True)) is not None:
                        return day
                except DateError:
                    continue
    return None


@dataclass(frozen=True)
class _Table:
    """A header, and what its columns are."""

    path: Path
    header: tuple[str, ...]
    place: Mapping[str, int]
    day_first: Mapping[str, bool | None]
    is_ofac: bool

    def cell(self, cells: Row, name: str) -> str:
        """Return a cell; empty where the row or the table has none."""
        n = self.place.get(name, -1)
        return cells[n].strip() if 0 <= n < len(cells) else ""

    def date(self, cells: Row, name: str, line: int) -> date | None:
        """Return the day in a cell.

        Raises:
            BadInputError: it is none that can be read.
        """
        try:
            return date_of(self.cell(cells, name), self.day_first.get(name))
        except DateError as error:
            raise BadInputError(
                f"{self.path}, line {line}, column {self.header[self.place[name]]!r}: {error}"
            ) from error


def _read_rows(
    lines: Sequence[Row], at: int, path: Path, content: Content, aliases: Mapping[str, Sequence[str]]
) -> None:
    rows = [
        (n, cells) for n, cells in enumerate(lines[at + 1 :], at + 2) if any(cell.strip() for cell in cells)
    ]
    table = _table(lines[at], [cells for _, cells in rows], path)
    content.form = _form(table)
    content.columns = {ours: table.header[n].strip() for ours, n in table.place.items()}
    merged: dict[str, list[tuple[int, Row]]] = {}
    for n, cells in rows:
        merged.setdefault(table.cell(cells, "id") or f"line {n}", []).append((n, cells))
    for key, group in merged.items():
        content.entries += _vessel(table, group, content.counted, aliases.get(key, ()))


def _table(header: Row, rows: Sequence[Row], path: Path) -> _Table:
    """Return what the columns of a table are.

    Raises:
        BadInputError: none of them identifies a vessel.
    """
    names = [_plain(cell) for cell in header]
    place = {ours: n for ours, spelt in COLUMNS.items() if (n := _place(names, spelt)) is not None}
    if "kind" in place and not any(kind_of(_at(cells, place["kind"])) for cells in rows):
        del place["kind"]  # a type of ship, not of entry
    if not set(_IDENTIFIERS) & set(place):
        raise BadInputError(
            f"{path}: this watchlist has names alone; no column is an IMO number, an MMSI or a call sign, and a name "
            f"alone is never a hit. Columns found: {', '.join(cell.strip() for cell in header[:30])}"
        )
    is_ofac = "ent_num" in names or "sdn_name" in names
    if is_ofac and "ent_num" in names:
        place["id"] = names.index("ent_num")
    knows_order = "name 6" in names or "designation type" in names
    order = {
        name: True if knows_order else day_comes_first(_at(cells, place[name]) for cells in rows)
        for name in ("listed", "delisted")
        if name in place
    }
    return _Table(path, tuple(header), place, order, is_ofac)


def _place(names: Sequence[str], spelt: Sequence[str]) -> int | None:
    return next((names.index(name) for name in spelt if name in names), None)


def _at(cells: Row, place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _form(table: _Table) -> str:
    names = {_plain(cell) for cell in table.header}
    told = {
        "OFAC SDN.CSV, with header": {"sdn_name"},
        "UK consolidated list (ConList)": {"name 6", "group type"},
        "UK sanctions list": {"name 6", "designation type"},
        "OpenSanctions, maritime": {"caption", "imo", "mmsi"},
        "OpenSanctions, simple targets": {"schema", "identifiers"},
        "EU list of vessels": {"vessel name", "date of application"},
        "EU annexes": {"annex", "imonumber"},
        "UN designated vessels": {"name of vessel", "date of designation"},
    }
    return next((form for form, telling in told.items() if telling <= names), "a list by its column names")


def _vessel(
    table: _Table, group: Sequence[tuple[int, Row]], counted: Counter[str], aliases: Sequence[str]
) -> Iterator[Entry]:
    """Yield the vessel that some rows of one number are about: its names, and all that any of them tells."""
    _, first = group[0]
    cells = [row for _, row in group]
    if not _is_vessel(table, first):
        counted[NO_VESSEL] += 1
        return
    names = tuple(dict.fromkeys(name for row in cells for name in _names(table, row)))
    texts = " | ".join(table.cell(row, "text") for row in cells)
    imos = [imo for row in cells for imo in _imos(table, row, counted)] or list(imos_in(texts, counted))
    mmsis = [mmsi for row in cells for mmsi in _mmsis(table, row, counted)] + list(mmsis_in(texts))
    callsign = next((sign for row in cells if (sign := known(table.cell(row, "callsign")))), None)
    dates = {
        name: [day for n, row in group if (day := table.date(row, name, n))]
        for name in ("listed", "delisted")
    }
    yield from entries_of(
        tuple(dict.fromkeys([*names, *_SDN_AKA.findall(texts), *aliases])),
        tuple(dict.fromkeys(imos)),
        tuple(dict.fromkeys(mmsis)),
        counted,
        callsign=callsign or callsign_in(texts),
        listed=min(dates["listed"], default=None),
        delisted=max(dates["delisted"], default=None),
        programme=_programmes(table.cell(first, "programme")),
    )


def _is_vessel(table: _Table, cells: Row) -> bool:
    if "kind" in table.place:
        return kind_of(table.cell(cells, "kind")) == "vessel"
    return not names_a_company(table.cell(cells, "name"))


def _names(table: _Table, cells: Row) -> tuple[str, ...]:
    """Return the names of a row; the UK writes further parts of a name into columns of their own."""
    parts = [
        cells[n].strip()
        for n, name in enumerate(table.header)
        if _NAME_PARTS.fullmatch(_plain(name)) and n < len(cells) and cells[n].strip()
    ]
    if table.is_ofac:
        return (table.cell(cells, "name"),)
    return names_of(" ".join([*parts, table.cell(cells, "name")]), table.cell(cells, "alias"))


def _imos(table: _Table, cells: Row, counted: Counter[str]) -> tuple[str, ...]:
    own = imos_of(table.cell(cells, "imo"), counted)
    return own or imos_of(table.cell(cells, "identifiers"), Counter())


def _mmsis(table: _Table, cells: Row, counted: Counter[str]) -> tuple[str, ...]:
    return (
        *mmsis_of(table.cell(cells, "mmsi"), counted),
        *mmsis_of(table.cell(cells, "identifiers"), Counter()),
    )


def aliases_of(text: str) -> dict[str, list[str]]:
    """Return OFAC's number of an entry to its other names, from the text of an ALT.CSV."""
    found: dict[str, list[str]] = {}
    for cells in lines_of(text):
        if len(cells) in _ALT_WIDTHS and cells[0].strip().isdigit() and known(cells[3]):
            found.setdefault(cells[0].strip(), []).append(cells[3].strip())
    return found
