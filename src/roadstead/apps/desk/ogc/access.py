"""Who may read the OGC API: a session of the pages, or HTTP Basic, which QGIS and GDAL speak."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from roadstead.apps.desk.access import MaybeVisitor, Site, TheSite, Visitor, address_of
from roadstead.apps.desk.login.password_check import LogIn

REALM = 'Basic realm="Roadstead", charset="UTF-8"'


def _reader(request: Request, site: TheSite, visitor: MaybeVisitor) -> Visitor:
    """Return who reads: a session, this machine under --open, or a name and password of HTTP Basic."""
    given = request.headers.get("authorization", "")
    if not given and visitor is not None:
        return visitor
    name, password = _basic(given)
    return _known(request, site, name, password)


Reader = Annotated[Visitor, Depends(_reader)]


def _basic(header: str) -> tuple[str, str]:
    """Return name and password (RFC 7617)."""
    scheme, _, coded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError(coded)
    except (ValueError, binascii.Error) as error:
        raise _refused("log in with name and password (HTTP Basic)") from error
    return name, password


def _known(request: Request, site: Site, name: str, password: str) -> Visitor:
    key = name.strip().lower()
    found = site.passwords.check(LogIn(key, password, address_of(request)), site.desk.clock())
    if found.wait_s:
        raise HTTPException(
            429, "too many wrong tries for this name or from this address", {"Retry-After": str(found.wait_s)}
        )
    if not found.right:
        raise _refused("name or password is wrong")
    return Visitor(key, "viewer")


def _refused(words: str) -> HTTPException:
    return HTTPException(401, words, {"WWW-Authenticate": REALM})
