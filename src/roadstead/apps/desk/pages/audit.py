"""The audit's list: cells that are open to a person, how far each port is, and what the audits say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from roadstead.apps.desk.access import Site, TheSite, Viewer
from roadstead.audit import LEAST_CELLS, is_complete, results
from roadstead.core.schemas import CLASSES
from roadstead.store import AuditAnswer, AuditCell, Audits

router = APIRouter()
LISTED = 25
Told = Mapping[str, Sequence[AuditAnswer]]
CLASS_NAMES = {name: name.replace("_", " ") for name in (*CLASSES, "cannot_tell", "nothing")}


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
