"""What our PDF files share: pages of A4 made in Python alone (fpdf2); the same content gives the same bytes.

Their font has the letters of Western Europe; others show as a question mark.
"""

from __future__ import annotations

import re
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

FONT = "helvetica"
_TITLES = re.compile(r"<title>[^<]*</title>")
"""Of the parts of an SVG: they show under a pointer, and paper has none."""
_PLAIN = str.maketrans({"“": '"', "”": '"', "–": "-", "’": "'", "…": "..."})


def a4(title: str, made: datetime) -> FPDF:
    """Return a document without pages; ``made`` stands as its time of making, so that a rerun gives the same file."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(made)
    pdf.set_title(latin(title))
    return pdf


def write(pdf: FPDF, text: str, size: float, style: str = "", leading: float = 0.5) -> None:
    """Write a paragraph down to the next line.

    Args:
        pdf: where to.
        text: any letters.
        size: of the font, points.
        style: ``B`` for bold.
        leading: height of a line, mm a point.
    """
    pdf.set_font(FONT, style, size)
    pdf.multi_cell(0, size * leading, latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def draw_svg(pdf: FPDF, svg: str, x: float, y: float, width: float) -> float:
    """Draw an SVG and return where its lower edge lies.

    Args:
        pdf: where to.
        svg: of plain shapes, paths and text, with a ``viewBox``.
        x: of its upper left corner, mm.
        y: the same.
        width: mm.
    """
    drawn = pdf.image(_TITLES.sub("", svg).encode(), x=x, y=y, w=width)
    return y + float(drawn.rendered_height or 0.0)


def latin(text: str) -> str:
    """Return text in the letters that the font has."""
    return text.translate(_PLAIN).encode("latin-1", "replace").decode("latin-1")
