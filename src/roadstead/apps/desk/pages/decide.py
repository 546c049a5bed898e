"""Decisions and what takes them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Form, Posted, Site, TheSite, is_number, number_in, words_in
from roadstead.apps.desk.box_form import drawn_box
from roadstead.apps.desk.picture_frames import chip_frame, chip_view
from roadstead.apps.desk.queue_filters import asked, place_in, ranked
from roadstead.core.errors import UsageError
from roadstead.store import OvertakenError, Verdict, evidence_of, held
from roadstead.store.decisions import DECIDE_NOTHING
from roadstead.store.release_gate import checksum

router = APIRouter()


@router.post("/finding/{port}/{finding}/decide")
def decide(
    request: Request, site: TheSite, visitor: Analyst, form: Posted, port: str, finding: str
) -> Response:
    """Write a decision and go on to the next undecided lead of the queue."""
    desk = site.desk
    row = as_seen(site, form, port, finding)
    queue = asked(dict(parse_qsl(form.get("back", ""))))
    after, at = number_in(form, "after"), number_in(form, "at") if "at" in form else 0
    kind, _, because = form.get("kind", "").partition(":")
    verdict = Verdict(
        kind=kind,
        port=port,
        overpass_id=row["overpass_id"],
        finding=finding,
        evidence=evidence_of(row),
        simulated=bool(row["simulated"]),
        hull_class=form.get("hull_class") or None,
        linked_mmsi=form.get("linked_mmsi", "").strip() or form.get("linked_known") or None,
        because=because or None,
        note=words_in(form, "note"),
        geometry=_drawn(site, row, form) if kind == "corrected" and form.get("boxes") else None,
    )
    made = desk.decisions.add(verdict, visitor.name, desk.clock(), after=after)
    told = {**queue.fields, "did": str(made.seq)}
    if form.get("from") == "queue":
        page = form.get("page", "")
        told |= {"at": str(at)} | ({"page": page} if page.isascii() and page.isdigit() else {})
        return RedirectResponse(f"/leads?{urlencode(told)}", 303)
    following = place_in(ranked(desk, queue, visitor.name), port, finding).undecided
    if following is None:
        return RedirectResponse(f"/leads?{urlencode(told)}", 303)
    return RedirectResponse(finding_path(following.port, following.finding, told), 303)


def as_seen(site: Site, form: Form, port: str, finding: str) -> Mapping[str, Any]:
    """Return the finding that a form is about, as whoever sends it saw it.

    Raises:
        HTTPException: there is none.
        OvertakenError: it was made anew since.
    """
    row = site.desk.leads.one(port, finding)
    if row is None:
        raise HTTPException(404)
    if checksum(row) != form.get("seen"):
        raise OvertakenError(
            "the finding was made anew while you looked at it: load it again; nothing was written"
        )
    return row


def _drawn(site: Site, row: Mapping[str, Any], form: Form) -> str | None:
    """Return the box that stands after a correction: as drawn now, else as drawn before; None: as found."""
    chip = site.desk.leads.chip(row["port"], row["overpass_id"], row["hull_detection_id"])
    if chip is None:
        raise UsageError("no cut-out is kept of this finding, so no box can be drawn")
    frame = chip_frame(chip, row, site.desk.ports.get(row["port"]))
    standing = held(site.desk.decisions.of(row["port"], row["finding"]))
    view = chip_view(frame, row, (), standing.box if standing else None)
    return drawn_box(form["boxes"], frame, view.corners) or (standing.geometry if standing else None)


@router.post("/undo")
def undo(request: Request, site: TheSite, visitor: Analyst, form: Posted) -> Response:
    """Take a decision back, and show its finding."""
    taken = site.desk.decisions.undo(
        number_in(form, "seq"), visitor.name, site.desk.clock(), others=visitor.may("admin")
    )
    queue = asked(dict(parse_qsl(form.get("back", ""))))
    return RedirectResponse(finding_path(taken.port, taken.finding, dict(queue.fields)), 303)


def finding_path(port: str, finding: str, fields: dict[str, str]) -> str:
    """Return the address of a finding that leads through a queue."""
    query = f"?{urlencode(fields)}" if fields else ""
    return f"/finding/{quote(port, safe='')}/{quote(finding, safe='')}{query}"


def undoable(site: Site, seq: str | None, name: str) -> int | None:
    """Return the number of a decision of this person that a page offers to take back; None for any other."""
    if not (seq and is_number(seq)):
        return None
    row = site.desk.decisions.one(int(seq))
    return row.seq if row is not None and row.user_name == name and row.kind not in DECIDE_NOTHING else None
