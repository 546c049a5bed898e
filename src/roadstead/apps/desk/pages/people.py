"""The list of people, for admins."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Admin, Posted, Site, TheSite, Visitor
from roadstead.core.errors import UsageError
from roadstead.store import hashed

router = APIRouter()


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
