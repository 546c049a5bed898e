"""Who asks, what they may do, and what every page is rendered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import jinja2
from fastapi import Depends, HTTPException, Request
from starlette.responses import HTMLResponse, Response

from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.login.password_check import PasswordCheck
from roadstead.apps.desk.login.security import SESSION_COOKIE, Limiter, Seals, is_loopback
from roadstead.core.errors import UsageError
from roadstead.core.leads import LEAD_WORDS
from roadstead.core.schemas import CLASSES
from roadstead.core.version import __version__
from roadstead.core.wording import chance, known, moment, number, percent, place_words, port_name
from roadstead.publish import wording as words
from roadstead.store import BECAUSE, ROLES

Form = dict[str, str]


class NeedsLoginError(Exception):
    """The page is for people who have logged in."""


@dataclass(frozen=True)
class Visitor:
    """Who looks."""

    name: str
    """Empty where this machine reads without login."""
    role: str
    added: datetime | None = None
    """When this person was let in."""

    def may(self, role: str) -> bool:
        """Whether the visitor has this role or one above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Site:
    """The desk, its seals and its pages."""

    desk: Desk
    seals: Seals
    limiter: Limiter
    pages: jinja2.Environment
    passwords: PasswordCheck

    def page(
        self,
        request: Request,
        template: str,
        visitor: Visitor | None,
        status: int = 200,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        """Render a page."""
        given = {
            "visitor": visitor,
            "csrf": self.seals.form_token(request),
            "version": __version__,
            "simulated": False,
            "here": request.url.path,
            **values,
        }
        return HTMLResponse(self.pages.get_template(template).render(given), status)


def environment(desk: Desk) -> jinja2.Environment:
    """Return the templates with their filters; everything is escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("roadstead.apps.desk"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = "second metres distance degrees likely meaning reasons conflicts flags ship_type segment sentence".split()
    made.filters |= {name: getattr(words, name) for name in own}
    made.filters |= {
        "known": known,
        "moment": moment,
        "port_name": port_name,
        "chance": chance,
        "percent": percent,
        "number": number,
    }
    made.filters["redrawn"] = words.redrawn
    made.globals |= {
        "looks": desk.looks,
        "classes": CLASSES,
        "because": {name: words.BECAUSE_WORDS[name] for name in BECAUSE},
        "kind_words": words.KIND_WORDS,
        "lead_words": LEAD_WORDS,
        "zone_name": desk.zone_name,
        "shares": words.shares,
        "place": place_words,
        "elsewhere": desk.log_in.provider.label if desk.log_in else "",
    }
    return made


def site_of(request: Request) -> Site:
    """Return the site that a request is for."""
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(site_of)]


def address_of(request: Request) -> str:
    """Return the address that asks."""
    return request.client.host if request.client else ""


def visitor_of(request: Request, site: TheSite) -> Visitor | None:
    """Return who asks; None for nobody we know."""
    desk = site.desk
    token = site.seals.token(request, SESSION_COOKIE)
    person = desk.people.of_session(token, desk.clock()) if token else None
    if person is not None:
        return Visitor(person.name, person.role, person.created)
    if desk.open and is_loopback(desk.host) and is_loopback(address_of(request)):
        return Visitor("", "viewer")
    return None


MaybeVisitor = Annotated[Visitor | None, Depends(visitor_of)]


def at_least(role: str) -> Callable[..., Visitor]:
    """Return a dependency that lets in whoever has this role, or one above it."""

    def allowed(visitor: MaybeVisitor) -> Visitor:
        if visitor is None or (not visitor.name and role != "viewer"):
            raise NeedsLoginError
        if not visitor.may(role):
            raise HTTPException(403, f"this is for people with the role {role}; yours is {visitor.role}")
        return visitor

    return allowed


Viewer = Annotated[Visitor, Depends(at_least("viewer"))]
Analyst = Annotated[Visitor, Depends(at_least("analyst"))]
Admin = Annotated[Visitor, Depends(at_least("admin"))]


async def _posted(request: Request, site: TheSite) -> Form:
    """Return the fields of a form that one of our pages posted."""
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "a form is expected")
    form = await request.form(max_files=0, max_fields=50)
    fields = {name: str(value) for name, value in form.items()}
    if not site.seals.is_ours(request, fields.get("csrf", "")):
        raise HTTPException(
            403, "this form is not from a page of this desk, or the page is too old: load it again"
        )
    return fields


Posted = Annotated[Form, Depends(_posted)]


def number_in(form: Form, name: str) -> int:
    """Return a whole number from a form.

    Raises:
        UsageError: it is none.
    """
    text = form.get(name, "")
    if not is_number(text):
        raise UsageError(f"{name}: {text!r} is no number")
    return int(text)


def is_number(text: str) -> bool:
    """Whether text is a whole number that a row of the store may have."""
    return text.isascii() and text.isdigit() and len(text) < 10


def words_in(form: Form, name: str) -> str:
    """Return what somebody wrote into a form, its lines ending as in files."""
    return form.get(name, "").replace("\r\n", "\n").strip()


def root_of(request: Request, site: Site) -> str:
    """Return the address of the desk as browsers know it; names given with --allowed-host lie behind TLS."""
    base = request.base_url
    proxied = base.hostname in site.desk.allowed_hosts
    return f"{'https' if proxied else base.scheme}://{base.netloc}"


def login_path(request: Request) -> str:
    """Return the log-in page that leads back to what was asked for."""
    if request.method != "GET" or request.url.path == "/":
        return "/login"
    query = f"?{request.url.query}" if request.url.query else ""
    return "/login?next=" + quote(request.url.path + query, safe="")


def safe_next(path: str) -> str:
    """Return a path of this desk; the start page for anything else."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours else "/"
