"""What is released: the list, one finding by its permanent id, replies, retractions, files for the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Form, Posted, Site, TheSite, Viewer, Visitor
from roadstead.apps.desk.pages.release import known_names, release_path
from roadstead.core.errors import UsageError
from roadstead.core.schemas import CLASSES, STATUSES
from roadstead.core.wording import EXPLANATIONS
from roadstead.publish.release.redaction import masked
from roadstead.store import Gate, Release, current_evidence, gate_of, plain_id
from roadstead.workflows.release import Download

router = APIRouter()
MEDIA = {"geojson": "application/geo+json", "csv": "text/csv; charset=utf-8"}
STATES = {
    "released": "released",
    "corrected": "released, corrected since",
    "in_question": "in question",
    "retracted": "retracted",
}
FILTERS = ("port", "state", "class", "status")


@router.get("/released")
def released(request: Request, site: TheSite, visitor: Viewer) -> Response:
    """List what is released, newest first."""
    asked = {name: request.query_params[name] for name in FILTERS if request.query_params.get(name)}
    every = list(reversed(site.desk.releases.all()))
    gates = _gates(site, every)
    told = [(one, *_state(one, gates)) for one in every]
    rows = [
        {"release": one, "state": state, "question": question}
        for one, state, question in told
        if _fits(one, state, asked)
    ]
    return site.page(
        request,
        "released.html.j2",
        visitor,
        simulated=any(one.first.simulated for one, state, _ in told if _fits(one, state, asked)),
        rows=rows,
        total=len(every),
        asked=asked,
        query=urlencode({name: asked[name] for name in ("port", "class", "status") if name in asked}),
        ports=sorted({one.first.port for one in every}),
        statuses=STATUSES,
        states=STATES,
    )


def _fits(one: Release, state: str, asked: Mapping[str, str]) -> bool:
    seen = one.content.seen
    has = {
        "port": one.first.port,
        "state": state,
        "class": (seen.get("hull") or {}).get("class"),
        "status": seen.get("status"),
    }
    return all(has[name] == value for name, value in asked.items())


def _gates(site: Site, releases: Sequence[Release]) -> dict[tuple[str, str], Gate]:
    """Return (port, finding) -> where it stands now."""
    desk, keys = site.desk, list(dict.fromkeys((one.first.port, one.first.finding) for one in releases))
    if not keys:
        return {}
    told, standing = desk.decisions.about(keys), current_evidence(desk.leads, keys)
    return {key: gate_of(told[key], standing.get(key)) for key in keys}


def _state(one: Release, gates: Mapping[tuple[str, str], Gate]) -> tuple[str, str]:
    """Return the state of a release and what speaks against it."""
    gate = gates[one.first.port, one.first.finding]
    out = gate.release is not None and gate.release.id == one.id
    return ("in_question", gate.question) if out and gate.question else (one.state, "")


@router.get("/released/{name}")
def released_one(request: Request, site: TheSite, visitor: Viewer, name: str) -> Response:
    """Show one released finding by its permanent id."""
    return _one(request, site, visitor, name)


def _one(
    request: Request,
    site: Site,
    visitor: Visitor,
    name: str,
    status: int = 200,
    fault: str = "",
    given: Form | None = None,
) -> Response:
    release = _found(site, name)
    if release.id != name:
        return RedirectResponse(f"/released/{release.id}", 303)
    gates = _gates(site, [release])
    state, question = _state(release, gates)
    gate = gates[release.first.port, release.first.finding]
    known = known_names(site)
    return site.page(
        request,
        "released_one.html.j2",
        visitor,
        status,
        simulated=release.first.simulated,
        release=release,
        content=release.content,
        kept=release.content.seen,
        hull=release.hull,
        state=state,
        question=question,
        pending=gate.asked,
        states=STATES,
        explanations=EXPLANATIONS,
        correct_path=release_path(release.first.port, release.first.finding),
        goes_out=masked(release.content.more["summary"], known),
        today=site.desk.clock().date().isoformat(),
        fault=fault,
        given=given or {},
    )


def _found(site: Site, name: str) -> Release:
    try:
        plain_id(name)
    except UsageError as error:
        raise HTTPException(404, str(error)) from error
    found = site.desk.releases.one(name)
    if found is None:
        raise HTTPException(404)
    return found


@router.post("/released/{name}/retract")
def retract(request: Request, site: TheSite, visitor: Analyst, form: Posted, name: str) -> Response:
    """Retract at once, with a reason."""
    try:
        site.desk.releases.retract(name, form.get("words", ""), visitor.name, site.desk.clock())
    except UsageError as error:
        return _one(request, site, visitor, name, 400, str(error), form)
    return RedirectResponse(f"/released/{plain_id(name)}", 303)


@router.post("/released/{name}/reply")
def reply(request: Request, site: TheSite, visitor: Analyst, form: Posted, name: str) -> Response:
    """Enter a reply as it was received."""
    try:
        day = _date(form.get("received", ""))
        text, sender = form.get("text", ""), form.get("sender", "")
        site.desk.releases.reply(name, sender, day, text, visitor.name, site.desk.clock())
    except UsageError as error:
        return _one(request, site, visitor, name, 400, str(error), form)
    return RedirectResponse(f"/released/{plain_id(name)}#replies", 303)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"received: {text!r} is no date; write it like 2026-03-01") from error


@router.get("/export/released.{kind}")
def redacted_file(request: Request, site: TheSite, visitor: Viewer, kind: str) -> Response:
    """Hand out the released findings, redacted."""
    return _file(site, _wanted(kind, request.query_params), f"released.{kind}")


@router.post("/export/unredacted.{kind}")
def unredacted_file(site: TheSite, visitor: Analyst, form: Posted, kind: str) -> Response:
    """Hand out the released findings with identities; the chain says who took them."""
    return _file(site, _wanted(kind, form, visitor.name), f"released-unredacted.{kind}")


def _wanted(kind: str, fields: Mapping[str, Any], user: str | None = None) -> Download:
    if kind not in MEDIA:
        raise HTTPException(404)
    hull_class, status = fields.get("class") or None, fields.get("status") or None
    if (hull_class and hull_class not in CLASSES) or (status and status not in STATUSES):
        raise UsageError("the class or status is none that is known")
    return Download(kind, user, fields.get("port") or None, hull_class, status)


def _file(site: Site, wanted: Download, name: str) -> Response:
    content = site.desk.outside(wanted)
    headers = {"content-disposition": f'attachment; filename="roadstead-{name}"'}
    return Response(content, media_type=MEDIA[wanted.kind], headers=headers)
