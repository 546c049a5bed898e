"""The sections as a PDF of A4 pages."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from roadstead.publish.dossier.text import Section
from roadstead.publish.pdf_pages import a4, write

_CHIP_MM = 60


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
