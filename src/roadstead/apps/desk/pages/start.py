"""The start page, the queue, precision, the chain of decisions, and the list of people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Admin, Posted, Site, TheSite, Viewer, Visitor
from roadstead.apps.desk.pages.decide import undoable
from roadstead.apps.desk.pages.overview import SHOWN, overviews
from roadstead.apps.desk.queue_filters import DECIDED, SORT_WORDS, asked, ranked
from roadstead.audit import stated_recall
from roadstead.audit.precision import lead_shares, precisions
from roadstead.core.errors import UsageError
from roadstead.publish.wording import code_choices
from roadstead.store import hashed, held
from roadstead.store.release_gate import checksum

router = APIRouter()
ON_A_PAGE = 25
LOG_ROWS = 100
Number = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/")
def overview(request: Request, site: TheSite, visitor: Viewer) -> Response:
    """Show every port."""
    desk = site.desk
    since = desk.people.visit_before(visitor.name) if visitor.name else None
    ports = overviews(desk, since)
    others = desk.decisions.since(since, visitor.name) if since else None
    return site.page(
        request,
        "overview.html.j2",
        visitor,
        simulated=any(port.simulated for port in ports),
        ports=ports,
        since=since,
        others=others,
        shown=SHOWN,
    )


@router.get("/brief/{port}")
def brief(request: Request, site: TheSite, visitor: Viewer, port: str, to: str | None = None) -> Response:
    """Show the week up to a day, or to now, on one page that can be printed."""
    desk = site.desk
    if port not in desk.store.ports():
        raise HTTPException(404)
    day = asked({"to": to}).filter.end if to else None
    end = day or desk.clock()
    recall = stated_recall(desk.store, port).words
    text = desk.kept(("brief", port, f"{end:%Y-%m-%dT%H}", recall), lambda: desk.brief(port, end))
    times = desk.store.ledger(port)["acquired"].dropna() if text is None else ()
    return site.page(
        request,
        "brief.html.j2",
        visitor,
        simulated="SIMULATED" in (text or ""),
        port=port,
        to=to or f"{end:%Y-%m-%d}",
        newest=f"{max(times):%Y-%m-%d}" if len(times) else "",
        text=None if text is None else Markup(text),  # noqa: S704 - a template of ours made it, escaped
    )


@router.get("/leads")
def leads(request: Request, site: TheSite, visitor: Viewer, page: Number = 1, at: Number = 0) -> Response:
    """Show the queue."""
    desk, queue = site.desk, asked(request.query_params)
    found = ranked(desk, queue, visitor.name)
    since = found.since
    shown = queue.shown(found)
    last = max(1, -(-len(shown) // ON_A_PAGE))
    number = min(max(page, 1), last)
    part = [found.key(place) for place in shown[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]]
    rows, on_lists = desk.leads.rows(part), desk.listed.of(found.table)
    told = desk.decisions.about([(row["port"], row["finding"]) for row in rows])
    return site.page(
        request,
        "leads.html.j2",
        visitor,
        simulated=any(row["simulated"] for row in rows),
        queue=queue,
        rows=[
            {
                **row,
                "seen": checksum(row),
                "held": held(about),
                "after": about[-1].seq if about else 0,
                "listed": on_lists.words((row["port"], row["finding"])),
                "new": since is not None and row["stored"] is not None and row["stored"] >= since,
            }
            for row in rows
            for about in [told[row["port"], row["finding"]]]
        ],
        total=len(found),
        listed=len(shown),
        undecided=len(found.undecided),
        page=number,
        pages=last,
        at=min(at, max(0, len(rows) - 1)),
        ports=desk.store.ports(),
        zones=found.table.zones(queue.filter.port),
        codes=code_choices(),
        decided_choices=DECIDED,
        sort_choices=SORT_WORDS,
        did=undoable(site, request.query_params.get("did"), visitor.name),
    )


@router.get("/precision")
def precision(request: Request, site: TheSite, visitor: Viewer) -> Response:
    """Show how often what was found held."""
    standing = site.desk.judgements.standing()
    return site.page(
        request,
        "precision.html.j2",
        visitor,
        simulated=any(row.simulated for row in standing),
        models=precisions(standing),
        leads=lead_shares(standing),
        n=len(standing),
    )


@router.get("/log")
def log(request: Request, site: TheSite, visitor: Viewer, before: Number | None = None) -> Response:
    """Show the chain, newest row first, and its head."""
    rows = site.desk.decisions.newest(LOG_ROWS, before)
    head = site.desk.decisions.newest(1)
    return site.page(
        request,
        "log.html.j2",
        visitor,
        simulated=any(row.simulated for row in rows),
        rows=rows,
        head=head[0] if head else None,
        older=rows[-1].seq if rows and rows[-1].seq > 1 else None,
    )


@router.get("/people")
def people_page(request: Request, site: TheSite, visitor: Admin) -> Response:
    """List the people."""
    return _page(request, site, visitor)


@router.post("/people/add")
def add(request: Request, site: TheSite, visitor: Admin, form: Posted) -> Response:
    """Add a person."""
    try:
        password = hashed(form.get("password", ""))
        site.desk.people.add(form.get("name", ""), form.get("role", ""), password, site.desk.clock())
    except UsageError as error:
        return _page(request, site, visitor, 400, str(error))
    return RedirectResponse("/people", 303)


@router.post("/people/disable")
def disable(request: Request, site: TheSite, visitor: Admin, form: Posted) -> Response:
    """Shut a person out."""
    try:
        site.desk.people.disable(form.get("name", ""))
    except UsageError as error:
        return _page(request, site, visitor, 400, str(error))
    return RedirectResponse("/people", 303)


def _page(request: Request, site: Site, visitor: Visitor, status: int = 200, fault: str = "") -> Response:
    return site.page(request, "people.html.j2", visitor, status, people=site.desk.people.all(), fault=fault)
