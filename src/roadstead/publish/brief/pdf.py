"""The weekly brief as one page of A4."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from PIL import Image as Pillow

from roadstead.core.atomic_files import write_bytes, write_text
from roadstead.counting.series import CHARTED
from roadstead.publish.brief.compose import (
    COUNTED,
    MARKED,
    WORDS,
    Brief,
    brief_html,
    chart_svg,
    cropped,
    spots,
)
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.publish.pdf_pages import FONT, a4, draw_svg, latin, write

_GREY, _INK, _ALARM = (85, 96, 109), (29, 38, 48), (138, 43, 6)


def write_brief(folder: Path, slug: str, brief: Brief) -> list[Path]:
    """Write ``<port>-brief.html`` and ``.pdf`` and return the paths.

    Raises:
        StoreError: a file cannot be written.
        AccusationError: a refused word stands in it.
    """
    page, paper = folder / f"{slug}-brief.html", folder / f"{slug}-brief.pdf"
    write_text(page, brief_html(brief))
    write_bytes(paper, brief_pdf(brief))
    return [page, paper]


def brief_pdf(brief: Brief) -> bytes:
    """Return one page of A4; the same brief gives the same bytes."""
    brief = cropped(brief)
    pdf = a4(brief.title, brief.end)
    pdf.set_margins(14, 12)
    pdf.set_auto_page_break(False)
    pdf.add_page()
    if brief.simulated:
        pdf.set_fill_color(*_ALARM)
        pdf.set_text_color(255, 255, 255)
        pdf.set_font(FONT, "B", 9)
        pdf.cell(0, 6, "SIMULATED DATA: nothing of this was seen in the world.", fill=True, new_x=XPos.LMARGIN,
                 new_y=YPos.NEXT)  # fmt: skip
    _line(pdf, brief.title, 15, "B")
    _line(pdf, WORDS, 8, colour=_GREY)
    top = pdf.get_y() + 2
    under_picture = _picture(pdf, brief, top)
    _beside(pdf, brief, top)
    pdf.set_y(max(pdf.get_y(), under_picture) + 2)
    _chart(pdf, brief)
    _passes_pdf(pdf, brief)
    _zones_pdf(pdf, brief)
    pdf.set_y(-14)
    _line(pdf, f"Roadstead. Counts are what was found, in brackets the 90 % interval of what was there. {WORDS}", 7,
          colour=_GREY)  # fmt: skip
    return bytes(pdf.output())


def _line(
    pdf: FPDF,
    text: str,
    size: float,
    style: str = "",
    colour: tuple[int, int, int] = _INK,
    x: float | None = None,
) -> None:
    pdf.set_text_color(*colour)
    if x is not None:
        pdf.set_x(x)
    write(pdf, text, size, style, leading=0.45)


def _picture(pdf: FPDF, brief: Brief, top: float) -> float:
    """Draw the picture with its marks at the left and return where it ends."""
    if brief.picture is None:
        return top
    height, width = brief.picture.image.shape[:2]
    wide = 92.0
    tall = min(wide * height / width, 78.0)
    wide = tall * width / height
    buffer = BytesIO()
    Pillow.fromarray(brief.picture.image).save(buffer, "PNG")
    pdf.image(buffer, x=14, y=top, w=wide, h=tall)
    for x, y, status in spots(brief):
        pdf.set_draw_color(*STATUS_LOOKS[status].rgb)
        pdf.set_line_width(0.4)
        pdf.circle(14 + x / 1000 * wide, top + y / 1000 * wide, 1.1)
    pdf.set_y(top + tall + 1)
    told = ", ".join(
        STATUS_LOOKS[name].label for name in MARKED if any(mark[2] == name for mark in brief.marks)
    )
    pdf.set_font(FONT, "", 7)
    pdf.set_text_color(*_GREY)
    pdf.multi_cell(92, 3.2, latin(f"Circles: {told or 'none'}; colours as in the report."))
    return pdf.get_y()


def _beside(pdf: FPDF, brief: Brief, top: float) -> None:
    left = 112.0 if brief.picture is not None else 14.0
    pdf.set_y(top)
    _line(pdf, "Newest observed overpass", 10, "B", x=left)
    _line(pdf, brief.newest, 8, x=left)
    for name, count in brief.totals:
        _line(pdf, f"{name}: {count}", 9, x=left)
    for name, one in (("all hulls observed", brief.observed), ("vessels declared", brief.declared)):
        if one.interval:
            parts = f" = {one.parts}" if one.parts else ""
            _line(pdf, f"{name}: {one.value} [{one.interval}]{parts}", 8, x=left)
    _line(pdf, f"{brief.recall.capitalize()}.", 8, colour=_GREY, x=left)
    pdf.ln(1.5)
    _line(pdf, f"Leads of these days: {sum(n for _, n in brief.leads)}", 10, "B", x=left)
    for name, n in brief.leads:
        _line(pdf, f"{n} {name}", 8, x=left)
    _line(pdf, COUNTED, 7, colour=_GREY, x=left)
    pdf.ln(1.5)
    _line(pdf, "How much was observed", 10, "B", x=left)
    for name, share in brief.shares:
        _line(pdf, f"{share} {name}", 8, x=left)
    pdf.ln(1.5)
    _line(pdf, "Next passes expected", 10, "B", x=left)
    _line(pdf, "; ".join(brief.next_passes) or "not known", 8, x=left)


def _chart(pdf: FPDF, brief: Brief) -> None:
    chart = chart_svg(brief)
    if not chart:
        return
    _line(pdf, "Hulls observed at each overpass, with 90 % intervals", 10, "B")
    pdf.set_y(draw_svg(pdf, chart, 14.0, pdf.get_y() + 1, 182.0) + 1)
    x = 14.0
    for kind in CHARTED:
        pdf.set_fill_color(*CLASS_LOOKS[kind].rgb)
        pdf.rect(x, pdf.get_y() + 0.4, 2.2, 2.2, "F")
        pdf.set_text_color(*_INK)
        pdf.set_font(FONT, "", 7)
        pdf.text(x + 3.2, pdf.get_y() + 2.4, CLASS_LOOKS[kind].label)
        x += 42
    pdf.text(x + 8, pdf.get_y() + 2.4, "hatched: says nothing of ships, which is not zero")
    pdf.set_y(pdf.get_y() + 5)


def _passes_pdf(pdf: FPDF, brief: Brief) -> None:
    _line(pdf, "Passes, and what could not be seen", 10, "B")
    for one in brief.passes[-10:]:
        _line(pdf, f"{one.when}: {one.said}", 7.5, colour=_GREY if one.blind else _INK)
    if len(brief.passes) > 10:
        _line(pdf, f"and {len(brief.passes) - 10} earlier ones: see the report", 7.5, colour=_GREY)
    pdf.ln(1.5)


def _zones_pdf(pdf: FPDF, brief: Brief) -> None:
    _line(pdf, "Zones: dry cargo at the newest overpass that saw them", 10, "B")
    for line in brief.zones:
        if pdf.get_y() > 276:
            _line(pdf, "and more: see the page", 7.5, colour=_GREY)
            return
        seen = f"seen at {line.observed} of {line.passes} overpasses"
        _line(pdf, f"{line.zone}: {line.latest}; {seen}", 7.5)
    if brief.more_zones:
        _line(pdf, f"and {brief.more_zones} zones more: see the report", 7.5, colour=_GREY)
