"""One cell of the audit: its picture without anything that the model gave, and the reviewer's answer."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import shapely
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Posted, TheSite, number_in, words_in
from roadstead.apps.desk.drawn_boxes import DrawnBox, as_field, drawn_boxes
from roadstead.apps.desk.pages.audit import answer_words, next_cell, turn_of
from roadstead.audit import is_complete
from roadstead.store import AuditAnswer, AuditBox, AuditCell, Audits, OvertakenError

router = APIRouter()
MOST_BOXES = 200
ZOOM = 4
"""Screen pixels of one pixel of the picture, at first."""


@router.get("/audit/{name}")
def audit_cell(request: Request, site: TheSite, visitor: Analyst, name: str) -> Response:
    """Show a cell to be answered, or the visitor's own answer to it."""
    cell, told = _cell(site, name)
    turn = turn_of(cell, told, visitor.name)
    if not turn.open and turn.own is None:
        raise OvertakenError("this cell has all its answers: go on with the next")
    drawn = [(box.pixels, box.hull_class) for box in turn.own.boxes] if turn.own else []
    full = is_complete(cell, told)
    return site.page(
        request,
        "audit_cell.html.j2",
        visitor,
        simulated=cell.simulated,
        cell=cell,
        own=turn.own,
        own_words=answer_words(turn.own) if turn.own else None,
        others=[(a.user_name, answer_words(a)) for a in _others(told, visitor.name)] if full else [],
        boxes=as_field(drawn),
        outside=outside_path(cell),
        clear=[round(v, 1) for v in shapely.bounds(shapely.transform(cell.area, cell.pixels))],
        most=MOST_BOXES,
        zoom=ZOOM,
    )


def _others(told: Sequence[AuditAnswer], user: str) -> list[AuditAnswer]:
    """Return the newest answer of everybody else."""
    newest = {answer.user_name: answer for answer in told if answer.user_name != user}
    return list(newest.values())


@router.get("/audit/{name}/picture.webp")
def audit_picture(site: TheSite, visitor: Analyst, name: str) -> Response:
    """Serve the picture of a cell: pixels of the scene alone."""
    image = Audits(site.desk.store).image(name)
    if image is None:
        raise HTTPException(404)
    return Response(image, media_type="image/webp")


@router.post("/audit/{name}")
def submit(site: TheSite, visitor: Analyst, form: Posted, name: str) -> Response:
    """Write an answer and show the next cell."""
    cell, _ = _cell(site, name)
    boxes = drawn_boxes(form.get("boxes") or "[]", cell.grid, MOST_BOXES)
    Audits(site.desk.store).submit(
        cell,
        visitor.name,
        form.get("answer", ""),
        [_box(box) for box in boxes],
        site.desk.clock(),
        note=words_in(form, "note"),
        corrects=number_in(form, "corrects") if form.get("corrects") else None,
    )
    following = next_cell(site, visitor.name, name)
    return RedirectResponse(f"/audit/{following.cell}" if following else "/audit?did=1", 303)


def _cell(site: TheSite, name: str) -> tuple[AuditCell, Sequence[AuditAnswer]]:
    audits = Audits(site.desk.store)
    cell = audits.cell(name)
    if cell is None:
        raise HTTPException(404)
    return cell, audits.answers(name).get(name, ())


def _box(box: DrawnBox) -> AuditBox:
    lon, lat = box.centre
    return AuditBox(
        box.hull_class,
        box.length_m,
        box.width_m,
        box.axis_deg,
        lon,
        lat,
        shapely.Polygon(box.lonlat),
        json.dumps(box.pixels.tolist()),
    )


def outside_path(cell: AuditCell) -> str:
    """Return an SVG path over what of the picture is not audited (fill rule evenodd)."""
    frame = shapely.box(0, 0, cell.width, cell.height)
    shape = shapely.transform(cell.area, cell.pixels)
    rest = shapely.difference(frame, shapely.make_valid(shape))
    rings = [ring for part in shapely.get_parts(rest) if part.geom_type == "Polygon" for ring in _rings(part)]
    return " ".join(_line(ring) for ring in rings)


def _rings(part: shapely.Polygon) -> list[np.ndarray]:
    return [np.asarray(ring.coords)[:-1] for ring in (part.exterior, *part.interiors)]


def _line(ring: np.ndarray) -> str:
    return "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z"
