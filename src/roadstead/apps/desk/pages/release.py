"""From reviewed to released: asking, releasing by a second person, sending back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Form, Posted, Site, TheSite, Viewer, Visitor, number_in
from roadstead.apps.desk.pages.decide import as_seen, finding_path
from roadstead.core.errors import UsageError
from roadstead.core.wording import EXPLANATIONS
from roadstead.publish.release.redaction import Known, masked
from roadstead.store import Asking, Decision, Gate, OvertakenError, evidence_of, gate_of
from roadstead.store.release_gate import checksum

router = APIRouter()


@dataclass(frozen=True)
class Card:
    """What the page of a finding shows of its way to the outside."""

    gate: Gate
    path: str
    """Page on which it is asked for and answered."""
    refusal: str
    """Why this visitor may not release what is asked for."""


def release_card(
    visitor: Visitor, told: Sequence[Decision], row: Mapping[str, Any] | None, port: str, finding: str
) -> Card:
    """Return where a finding stands; ``row`` is None where a rerun took it away."""
    gate = gate_of(told, None if row is None else evidence_of(row))
    refusal = (
        gate.refusal(visitor.name, visitor.added) if visitor.may("analyst") else "analysts and admins release"
    )
    return Card(gate, release_path(port, finding), refusal)


def release_path(port: str, finding: str) -> str:
    """Return the page on which release is asked for and answered."""
    return f"/finding/{quote(port, safe='')}/{quote(finding, safe='')}/release"


@router.get("/finding/{port}/{finding}/release")
def release_page(request: Request, site: TheSite, visitor: Viewer, port: str, finding: str) -> Response:
    """Show the request, or the form that asks."""
    return _page(request, site, visitor, port, finding)


@router.post("/finding/{port}/{finding}/release/ask")
def ask(request: Request, site: TheSite, visitor: Analyst, form: Posted, port: str, finding: str) -> Response:
    """Ask for release, or for a correction of what is out."""
    row = as_seen(site, form, port, finding)
    asking = Asking(
        port=port,
        overpass_id=row["overpass_id"],
        finding=finding,
        evidence=evidence_of(row),
        simulated=bool(row["simulated"]),
        acknowledged=frozenset(name[4:] for name in form if name.startswith("ack.")),
        considered={key: (form.get(f"said.{key}", ""), form.get(f"why.{key}", "")) for key in EXPLANATIONS},
        summary=form.get("summary", ""),
        corrects=form.get("corrects") or None,
        changed=form.get("changed", ""),
    )
    try:
        site.desk.releases.ask(asking, visitor.name, site.desk.clock(), after=number_in(form, "after"))
    except OvertakenError:
        raise
    except UsageError as error:
        return _page(request, site, visitor, port, finding, 400, str(error), form)
    return RedirectResponse(finding_path(port, finding, {}) + "#release", 303)


@router.post("/finding/{port}/{finding}/release/release")
def release(site: TheSite, visitor: Analyst, form: Posted, port: str, finding: str) -> Response:
    """Release what another person asked for."""
    desk = site.desk
    row = desk.leads.one(port, finding)
    evidence = None if row is None else evidence_of(row)
    made = desk.releases.release(
        port, finding, evidence, visitor.name, desk.clock(), asked=number_in(form, "asked")
    )
    return RedirectResponse(f"/released/{made.id}", 303)


@router.post("/finding/{port}/{finding}/release/send-back")
def send_back(
    request: Request, site: TheSite, visitor: Analyst, form: Posted, port: str, finding: str
) -> Response:
    """Send a request back with words."""
    words, asked = form.get("words", ""), number_in(form, "asked")
    try:
        site.desk.releases.send_back(port, finding, words, visitor.name, site.desk.clock(), asked=asked)
    except OvertakenError:
        raise
    except UsageError as error:
        return _page(request, site, visitor, port, finding, 400, str(error), form)
    return RedirectResponse(finding_path(port, finding, {}) + "#release", 303)


def known_names(site: Site) -> Known:
    """Return what is masked in text that goes out."""
    return Known.of(site.desk.releases.names())


def _page(
    request: Request,
    site: Site,
    visitor: Visitor,
    port: str,
    finding: str,
    status: int = 200,
    fault: str = "",
    given: Form | None = None,
) -> Response:
    desk = site.desk
    row = desk.leads.one(port, finding)
    told = desk.decisions.of(port, finding)
    if row is None and not told:
        raise HTTPException(404)
    card = release_card(visitor, told, row, port, finding)
    request_row = card.gate.asked or card.gate.lapsed
    return site.page(
        request,
        "release_page.html.j2",
        visitor,
        status,
        simulated=bool(row["simulated"]) if row is not None else told[-1].simulated,
        row=row,
        card=card,
        gate=card.gate,
        port=port,
        finding=finding,
        back=finding_path(port, finding, {}),
        seen=None if row is None else checksum(row),
        after=told[-1].seq if told else 0,
        asked=request_row,
        goes_out=None if request_row is None else masked(request_row.more["summary"], known_names(site)),
        explanations=EXPLANATIONS,
        fault=fault,
        given=given or {},
    )
