"""The sections as a PDF of A4 pages, made in Python alone (fpdf2)."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from roadstead.export.dossier.text import Section

_PLAIN = str.maketrans({"“": '"', "”": '"', "–": "-", "’": "'", "…": "..."})
_FONT = "helvetica"
_CHIP_MM = 60


def pdf_bytes(title: str, parts: list[Section], chip: bytes | None, moment: datetime) -> bytes:
    """Return a PDF; the same sections give the same bytes.

    Its font has the letters of Western Europe; others show as a question mark, and in the page as they are.

    Args:
        title: heading.
        parts: sections in order.
        chip: picture as PNG.
        moment: stands as the file's time of making, so that a rerun gives the same file.
    """
    pdf = FPDF(format="A4")
    pdf.set_creation_date(moment)
    pdf.set_title(_latin(title))
    pdf.set_auto_page_break(True, margin=15)
    pdf.add_page()
    _write(pdf, title, 15, "B")
    for part in parts:
        pdf.ln(2)
        _write(pdf, part.title, 12, "B")
        if part.picture and chip is not None:
            pdf.image(BytesIO(chip), w=_CHIP_MM)
        for name, value in part.facts:
            _write(pdf, f"{name}: {value}", 9)
        for line in part.lines:
            _write(pdf, line, 9)
        for row in part.table:
            _write(pdf, " | ".join(row), 7, "B" if row is part.table[0] else "")
    return bytes(pdf.output())


def _write(pdf: FPDF, text: str, size: int, style: str = "") -> None:
    pdf.set_font(_FONT, style, size)
    pdf.multi_cell(0, size * 0.5, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _latin(text: str) -> str:
    return text.translate(_PLAIN).encode("latin-1", "replace").decode("latin-1")
