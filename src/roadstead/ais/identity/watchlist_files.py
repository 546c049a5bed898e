"""Files of watchlists: OFAC, UK, EU, UN and OpenSanctions as they are published, and the user's own.

What a file is, is told by its content: XML by its root element (`watchlist_xml`), tables by the names of their columns
(`watchlist_tables`), in any encoding and with any mark between the cells. A list is read right or refused, never half:
one that identifies no vessel, or has a date that cannot be read, is refused by file, line and column.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from roadstead.ais.identity.watchlist_fields import DateError, date_of
from roadstead.ais.identity.watchlist_tables import Content, aliases_of, lines_of, read_table
from roadstead.ais.identity.watchlist_xml import read_xml
from roadstead.ais.identity.watchlists import Watchlist
from roadstead.ais.readers.open_files import encoding_of, foreign_type
from roadstead.core.errors import BadInputError

_ZIP = b"PK\x03\x04"


def read_watchlist(given: str | Path) -> Watchlist:
    """Read one list; ``FILE@YYYY-MM-DD`` tells when it was retrieved, else the file does, else its time.

    Raises:
        BadInputError: the file cannot be read, identifies no vessel, or has a date that cannot be read.
    """
    path, told = _told(str(given))
    try:
        raw = path.read_bytes()
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        content = _content(raw, path)
    except (OSError, csv.Error) as error:
        raise BadInputError(f"{path}: the watchlist cannot be read: {error}") from error
    if not content.entries:
        over = ", ".join(f"{what}: {count}" for what, count in content.counted.items() if count)
        raise BadInputError(
            f"{path}: the watchlist ({content.form}) holds no vessel"
            + (f"; not used: {over}" if over else "")
        )
    retrieved = told or content.dated or changed
    return Watchlist(
        path.stem,
        retrieved,
        "told" if told else "file" if content.dated else "file time",
        tuple(content.entries),
        content.form,
        content.columns,
        dict(content.counted),
    )


def _told(given: str) -> tuple[Path, date | None]:
    name, at, day = given.rpartition("@")
    try:
        if at and (read := date_of(day)) is not None:
            return Path(name), read
    except DateError:
        pass
    return Path(given), None


def _content(raw: bytes, path: Path) -> Content:
    if raw.startswith(_ZIP):
        raise BadInputError(
            f"{path} is a zip or an Excel workbook (xlsx): unpack it, or save the sheet as CSV UTF-8"
        )
    if not raw.strip():
        raise BadInputError(f"{path} is empty")
    text = raw.lstrip(b"\xef\xbb\xbf \t\r\n")
    if words := foreign_type(raw[:4096], may_be_xml=True):
        raise BadInputError(f"{path} is {words}, no watchlist that we read")
    if text.startswith(b"<"):
        return read_xml(raw, path)
    if text.startswith((b"{", b"[")):
        raise BadInputError(
            f"{path} is JSON, which is not read as a watchlist: take the publisher's CSV (of OpenSanctions: "
            "targets.simple.csv, or maritime.csv)"
        )
    return read_table(lines_of(_decoded(raw, path)), path, _aliases_beside(path))


def _decoded(raw: bytes, path: Path) -> str:
    return raw.decode(_wide_encoding(raw) or encoding_of(raw, path), "replace")


def _wide_encoding(raw: bytes) -> str | None:
    """Return the encoding of a text of two bytes a character that no byte order mark names."""
    head = raw[:2000]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(b"\x00") < len(head) // 4:
        return None
    return "utf-16-le" if head[1::2].count(b"\x00") > head[::2].count(b"\x00") else "utf-16-be"


def _aliases_beside(path: Path) -> Mapping[str, list[str]]:
    """Return the other names in the ALT.CSV that OFAC publishes with an SDN.CSV, where it lies beside it."""
    if not path.stem.lower().startswith("sdn"):
        return {}
    wanted = f"alt{path.stem.lower().removeprefix('sdn')}.csv"
    beside = next(
        (one for one in sorted(path.parent.iterdir()) if one.name.lower() in {wanted, "alt.csv"}), None
    )
    return aliases_of(_decoded(beside.read_bytes(), beside)) if beside else {}
