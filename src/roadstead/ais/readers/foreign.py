"""Kinds of file that hold no AIS table, log or list that we read, each told by its first bytes and named in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

OFFICE_MEMBERS = {
    "xl/": "an Excel workbook (xlsx): save the sheet as CSV UTF-8",
    "word/": "a Word document (docx)",
    "ppt/": "a PowerPoint presentation (pptx)",
    "content.xml": "an OpenDocument file: save the sheet as CSV UTF-8",
    "doc.kml": "a KMZ file (KML): drawings for a map, not position reports",
}
"""A member, or the folder of members, that tells a zip which is one document -> what it is."""
_LEADS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (xls, doc): save the sheet as CSV UTF-8"),
    (b"SQLite format 3\x00", "an SQLite database (also GeoPackage): save the table as CSV or Parquet"),
    (b"\x89HDF", "an HDF5 or netCDF file"),
    (b"CDF\x01", "a netCDF file"),
    (b"CDF\x02", "a netCDF file"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"ARROW1", "an Arrow (Feather) file: save the table as Parquet"),
    (b"FEA1", "a Feather file: save the table as Parquet"),
    (b"ORC", "an ORC file: save the table as Parquet"),
    (b"Obj\x01", "an Avro file: save the table as Parquet or CSV"),
    (b"\x00\x00\x27\x0a", "a Shapefile: save the table as CSV, or the points as GeoParquet"),
    (b"\x1f\x9d", "a file of compress (.Z): unpack it"),
    (b"\x04\x22\x4d\x18", "an LZ4 file: unpack it"),
    (b"\x80\x04", "a Python pickle, which could run code: save the table as CSV or Parquet"),
    (b"\x80\x05", "a Python pickle, which could run code: save the table as CSV or Parquet"),
    (b"PGDMP", "a PostgreSQL dump: save the table as CSV"),
    (b"{\\rtf", "an RTF document"),
)
_XML: tuple[tuple[bytes, str], ...] = (
    (b"<kml", "a KML file: drawings for a map, not position reports"),
    (b"<gpx", "a GPX file: a track of one receiver, without MMSI"),
    (b"<html", "an HTML page (was a log-in page saved in the file's place?)"),
    (b"<!doctype html", "an HTML page (was a log-in page saved in the file's place?)"),
)
_GEOJSON = re.compile(rb'"type"\s*:\s*"(?:FeatureCollection|Feature)"')


def foreign_type(head: bytes, may_be_xml: bool = False) -> str | None:
    """Return what a file is, in words, by its first bytes; None where it may be a log, a table or a list.

    Args:
        head: the first bytes.
        may_be_xml: XML of further kinds is read: watchlists are published so.
    """
    for lead, words in _LEADS:
        if head.startswith(lead) and not (lead == b"ORC" and b"\n" in head[:200]):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:4096]
    if text.startswith(b"<"):
        told = next((words for mark, words in _XML if mark in text.lower()), None)
        return told if told or may_be_xml else "an XML file"
    if text.startswith(b"{") and _GEOJSON.search(text):
        return "a GeoJSON file: shapes for a map; save the reports as CSV, or as GeoParquet"
    return None


def foreign_zip(members: Sequence[str]) -> str | None:
    """Return what a zip is whose members make one document; None where it is an archive of files."""
    for mark, words in OFFICE_MEMBERS.items():
        if any(name == mark or (name.startswith(mark) and mark.endswith("/")) for name in members):
            if mark != "content.xml" or "mimetype" in members:
                return words
    if members and all(name.lower().endswith(".kml") for name in members):
        return OFFICE_MEMBERS["doc.kml"]
    return None
