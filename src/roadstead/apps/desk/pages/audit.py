"""The audit: cells that are open to a person, one cell without what the model gave, and what the audits say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Posted, Site, TheSite, Viewer, number_in, words_in
from roadstead.apps.desk.box_form import DrawnBox, as_field, drawn_boxes
from roadstead.audit import LEAST_CELLS, is_complete, results
from roadstead.core.schemas import CLASSES
from roadstead.store import AuditAnswer, AuditBox, AuditCell, Audits, OvertakenError

router = APIRouter()
LISTED = 25
Told = Mapping[str, Sequence[AuditAnswer]]
CLASS_NAMES = {name: name.replace("_", " ") for name in (*CLASSES, "cannot_tell", "nothing")}
MOST_BOXES = 200
ZOOM = 4
"""Screen pixels of one pixel of the picture, at first."""


@dataclass(frozen=True)
class Turn:
    """What one person may do with a cell; it tells nothing of others."""

    open: bool
    """May answer it."""
    own: AuditAnswer | None
    """Their newest answer to it."""


def turn_of(cell: AuditCell, told: Sequence[AuditAnswer], user: str) -> Turn:
    """Return what a person may do with a cell, given all answers to it."""
    own = [answer for answer in told if answer.user_name == user]
    full = is_complete(cell, told)
    return Turn(not own and not full, own[-1] if own else None)


def open_cells(cells: Sequence[AuditCell], told: Told, user: str) -> list[AuditCell]:
    """Return the cells that a person may answer, in an order of their own, so that two people seldom meet."""

    def key(cell: AuditCell) -> tuple[int, bytes]:
        return cell.draw, hashlib.sha256(f"{user}\n{cell.cell}".encode()).digest()

    return sorted((c for c in cells if turn_of(c, told.get(c.cell, ()), user).open), key=key)


@router.get("/audit")
def audit_list(request: Request, site: TheSite, visitor: Viewer) -> Response:
    """Show the cells open to the visitor and how far each port is."""
    audits = Audits(site.desk.store)
    cells, told = audits.cells(), audits.answers()
    mine = visitor.name if visitor.may("analyst") else ""
    waiting = open_cells(cells, told, mine) if mine else []
    by_name = {cell.cell: cell for cell in cells}
    own = [[answer for answer in answers if answer.user_name == visitor.name] for answers in told.values()]
    newest_first = sorted((answers[-1] for answers in own if answers), key=lambda answer: -answer.answer)
    answered = [{"cell": by_name[answer.cell], "answer": answer} for answer in newest_first[:LISTED]]
    return site.page(
        request,
        "audit.html.j2",
        visitor,
        simulated=any(cell.simulated for cell in cells),
        waiting=waiting[:LISTED],
        open=len(waiting),
        answered=answered,
        progress=results(site.desk.store).progress,
        draws=len({cell.draw for cell in cells}),
        least=LEAST_CELLS,
        did=request.query_params.get("did") == "1",
    )


@router.get("/audit/results")
def audit_results(request: Request, site: TheSite, visitor: Viewer) -> Response:
    """Show what the audits say of each port and model."""
    found = results(site.desk.store)
    return site.page(
        request,
        "audit_results.html.j2",
        visitor,
        simulated=any(model.simulated for model in found.models),
        found=found,
        least=LEAST_CELLS,
        names=CLASS_NAMES,
    )


def next_cell(site: Site, user: str, but: str) -> AuditCell | None:
    """Return the next cell that a person may answer."""
    audits = Audits(site.desk.store)
    waiting = open_cells(audits.cells(), audits.answers(), user)
    return next((cell for cell in waiting if cell.cell != but), None)


def answer_words(answer: AuditAnswer) -> str:
    """Return an answer in words."""
    if answer.kind != "boxes":
        return {"none": "no ship here", "unjudged": "cannot be judged"}[answer.kind]
    tally: dict[str, Any] = {}
    for box in answer.boxes:
        name = CLASS_NAMES[box.hull_class or "cannot_tell"]
        tally[name] = tally.get(name, 0) + 1
    return ", ".join(f"{n} {name}" for name, n in sorted(tally.items()))


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
