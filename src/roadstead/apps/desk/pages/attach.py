"""Attaching a file to a finding, and giving it back; what a file is, its bytes say, never the browser."""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Request
from PIL import Image, ImageOps
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Analyst, Form, Site, TheSite, Viewer, words_in
from roadstead.apps.desk.pages.decide import finding_path
from roadstead.core.errors import UsageError
from roadstead.core.turnstile import Turnstile
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
IMAGES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff"}
"""Format as Pillow names it -> media type."""
ENDINGS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF",
    ".pdf": "PDF", ".txt": "TXT", ".geojson": "GEOJSON", ".json": "GEOJSON",
}  # fmt: skip
MOST_PIXELS = 40_000_000
"""An image of 40 million takes 160 MB as it is decoded, and as much again where it has to be turned or converted."""
SHOWN_PX = 1600
_SHRUNK_AS_THEY_ARE = ("RGB", "L", "CMYK", "YCbCr")
_ONE = Turnstile("images are read", at_once=1, waiting=5)
_READER = ThreadPoolExecutor(1, "images")
"""Each thread would keep for itself what memory it was given for an image, and the server has 40."""
QUALITY = 85
LONGEST_NAME = 100
_GEOJSON = (
    "FeatureCollection", "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
    "GeometryCollection",
)  # fmt: skip


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


def safe_name(name: str) -> str:
    """Return a file's name without folders, control characters or what means something to a shell or a page."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in last if c.isprintable())
    stem, dot, ending = kept.strip(" .").rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending[:10]}" or "file"


def read_upload(name: str, content: bytes) -> tuple[str, bytes | None]:
    """Return the media type of a file and, of an image, what pages show of it (WebP).

    Args:
        name: as the browser gives it; its ending says what the file should be.
        content: the file.

    Raises:
        UsageError: it is none of the kinds that are taken, is not what its ending says, or cannot be read.
        BusyError: too many images are read already.
    """
    ending = "." + name.lower().rpartition(".")[2]
    kind = ENDINGS.get(ending)
    if kind in IMAGES:
        return IMAGES[kind], _shown(content, kind)
    if kind == "PDF" and content.startswith(b"%PDF-"):
        return "application/pdf", None
    if kind == "TXT" and _is_text(content):
        return "text/plain; charset=utf-8", None
    if kind == "GEOJSON" and _is_geojson(content):
        return "application/geo+json", None
    if kind is None:
        raise UsageError(f"files that end in {ending[:12]!r} are not taken: {', '.join(sorted(ENDINGS))} are")
    raise UsageError(f"the file ends in {ending} but is none of that kind")


def _shown(content: bytes, kind: str) -> bytes:
    """Return an image as WebP, upright, small enough for a page; nothing but its pixels is kept of it."""
    with _ONE.turn():
        return _READER.submit(_as_webp, content, kind).result()


def _as_webp(content: bytes, kind: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = _small(Image.open(BytesIO(content), formats=[kind]))
    except UsageError:
        raise
    except Exception as error:  # what Pillow raises for broken files is of many kinds
        raise UsageError(f"the file ends as a {kind} image does but cannot be read as one") from error
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def _small(opened: Image.Image) -> Image.Image:
    """Return an image in eight bits a colour, upright, as small as pages show it.

    It is made small before anything else is done with it: each copy of 40 million pixels takes 160 MB.
    """
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise UsageError(f"the image has {width} x {height} pixels: {MOST_PIXELS // 10**6} million at most")
    is_deep = opened.mode.startswith(("I", "F"))
    if is_deep:
        picture = (opened if opened.mode in ("I", "F") else opened.convert("I")).convert("F")
    else:
        picture = opened if opened.mode in _SHRUNK_AS_THEY_ARE else opened.convert("RGB")
    picture.thumbnail((SHOWN_PX, SHOWN_PX))
    upright = ImageOps.exif_transpose(picture)
    return _stretched(upright) if is_deep else upright.convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Return a grey image of any depth in eight bits, from its least to its greatest value."""
    values = np.asarray(image, np.float32)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    scaled = np.nan_to_num((values - low) / max(high - low, 1e-9) * 255)
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _is_geojson(content: bytes) -> bool:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("type") in _GEOJSON
