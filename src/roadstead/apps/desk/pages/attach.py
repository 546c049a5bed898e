"""Attaching a file to a finding, and giving it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Form, Site, TheSite, Viewer, words_in
from roadstead.apps.desk.pages.decide import finding_path
from roadstead.apps.desk.uploads import read_upload, safe_name
from roadstead.core.errors import UsageError
from roadstead.store import Attachment, Decision, evidence_of
from roadstead.store.attachments import MOST_BYTES

router = APIRouter()
LICENCES = (
    "Own work, may be passed on",
    "Own work, not to be passed on",
    "CC0 1.0",
    "CC BY 4.0",
    "CC BY-SA 4.0",
    "CC BY-NC 4.0",
    "ODbL 1.0",
    "Copernicus Sentinel data (free, with attribution)",
    "Public domain",
    "Licensed to us alone, not to be passed on",
)


@dataclass(frozen=True)
class Upload:
    """What a form with a file holds."""

    fields: Form
    name: str
    content: bytes


async def _uploaded(request: Request, site: TheSite, visitor: Analyst) -> Upload:
    """Return the fields and the one file of a form of ours; who may not decide is shut out before it is read."""
    if request.headers.get("content-type", "").split(";")[0] != "multipart/form-data":
        raise HTTPException(415, "a form with a file is expected")
    async with request.form(max_files=1, max_fields=20, max_part_size=16 * 1024) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not site.seals.is_ours(request, fields.get("csrf", "")):
            raise HTTPException(
                403, "this form is not from a page of this desk, or the page is too old: load it again"
            )
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise UsageError("choose a file")
        content = await file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise HTTPException(413, f"the file is larger than {MOST_BYTES >> 20} MB")
        return Upload(fields, file.filename, content)


Uploaded = Annotated[Upload, Depends(_uploaded)]


@router.post("/finding/{port}/{finding}/attach")
def attach(
    request: Request, site: TheSite, visitor: Analyst, upload: Uploaded, port: str, finding: str
) -> Response:
    """Keep a file with a finding, and show the finding."""
    form = upload.fields
    row = site.desk.leads.one(port, finding)
    if row is None:
        raise HTTPException(404)
    name = safe_name(upload.name)
    media_type, shown = read_upload(name, upload.content)
    attachment = Attachment(
        name=name,
        media_type=media_type,
        content=upload.content,
        shown=shown,
        licence=form.get("licence", "").strip(),
        may_share=form.get("may_share") == "yes",
        source=form.get("source", "").strip(),
        note=words_in(form, "note"),
    )
    site.desk.attachments.add(
        attachment,
        port=port,
        overpass_id=row["overpass_id"],
        finding=finding,
        evidence=evidence_of(row),
        simulated=bool(row["simulated"]),
        user=visitor.name,
        now=site.desk.clock(),
    )
    return RedirectResponse(f"{finding_path(port, finding, {})}#files", 303)


def _row(site: Site, seq: int) -> Decision:
    row = site.desk.decisions.one(seq) if 0 < seq < 10**9 else None
    if row is None or not row.file:
        raise HTTPException(404)
    return row


@router.get("/file/{seq}/shown.webp")
def shown(site: TheSite, visitor: Viewer, seq: int) -> Response:
    """Serve an attached image as it was made anew for pages."""
    image = site.desk.attachments.shown(_row(site, seq))
    if image is None:
        raise HTTPException(404)
    return Response(image, media_type="image/webp")


@router.get("/file/{seq}")
def download(site: TheSite, visitor: Viewer, seq: int) -> Response:
    """Give an attached file back, to be saved and never shown in place."""
    said = _row(site, seq).file
    content = site.desk.attachments.content(said["sha256"])
    if content is None:
        raise HTTPException(404)
    disposition = f"attachment; filename*=UTF-8''{quote(said['name'], safe='')}"
    return Response(content, media_type=said["media_type"], headers={"Content-Disposition": disposition})
