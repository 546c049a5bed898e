"""Routes of pictures: map tiles of an overpass and squares around a place. Paths are closed: no address is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, cast, get_args

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from roadstead.apps.desk.access import Viewer
from roadstead.apps.desk.overpass_pictures import SHALLOWEST, GoneError, Imagery, Made, PictureError
from roadstead.apps.desk.picture_frames import unpacked_quicklook
from roadstead.core.errors import SceneError
from roadstead.imagery.map_tiles import DEEPEST, quicklook_pixel_m
from roadstead.imagery.picture_styles import LookName

router = APIRouter()
AGAIN_S = 60
PRIVATE = "private, no-cache"
"""The browser may keep it, and asks each time whether it still may: who has logged out sees nothing."""
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,7})")


def _imagery(request: Request) -> Imagery:
    made: Imagery = request.app.state.imagery
    return made


TheImagery = Annotated[Imagery, Depends(_imagery)]


def tile_place(z: str, x: str, y: str) -> tuple[int, int, int]:
    """Return the numbers of a tile; 404 where there is no such tile."""
    if not all(_NUMBER.fullmatch(text) for text in (z, x, y)):
        raise HTTPException(404)
    zoom, col, row = int(z), int(x), int(y)
    if zoom > DEEPEST or col >= 2**zoom or row >= 2**zoom:
        raise HTTPException(404)
    return zoom, col, row


def _look(name: str) -> LookName:
    if name not in get_args(LookName):
        raise HTTPException(404)
    return cast("LookName", name)


def unchanged(request: Request, etag: str) -> Response | None:
    """Return 304 where the browser holds what an etag stands for."""
    held = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    same = etag in held
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": PRIVATE}) if same else None


@router.get("/tiles/{port}/{overpass_id}/about.json")
async def about(imagery: TheImagery, visitor: Viewer, port: str, overpass_id: str) -> Response:
    """Say which pictures of an overpass can be shown, and what they are made of."""
    try:
        stored = await run_in_threadpool(_stored, imagery, port, overpass_id)
    except GoneError as error:
        raise HTTPException(404) from error
    try:
        again = await imagery.soon(port, overpass_id, lambda: imagery.again(port, overpass_id))
    except PictureError as error:
        return JSONResponse({**stored, "looks": [], "why": str(error), "changed": False})
    return JSONResponse({**stored, "looks": again.looks, "why": None, "changed": again.changed})


def _stored(imagery: Imagery, port: str, overpass_id: str) -> dict[str, object]:
    imagery.stamp(port, overpass_id)
    found = imagery.desk.leads.quicklook(port, overpass_id)
    scenes = imagery.desk.leads.scenes(port, overpass_id)
    if not scenes:
        raise GoneError
    return {
        "stored": found is not None,
        "bounds": found[1] if found else None,
        "extent": [
            *(min(row[side] for row in scenes) for side in ("west", "south")),
            *(max(row[side] for row in scenes) for side in ("east", "north")),
        ],
        "stored_pixel_m": (
            round(quicklook_pixel_m(unpacked_quicklook(found[0]), found[1]), 1) if found else None
        ),
        "cloud_known": all(row["cloud"] == "known" for row in scenes),
    }


@router.get("/tiles/{port}/{overpass_id}/stored/{z}/{x}/{y}.webp")
def stored_tile(
    request: Request,
    imagery: TheImagery,
    visitor: Viewer,
    port: str,
    overpass_id: str,
    z: str,
    x: str,
    y: str,
) -> Response:
    """Serve a map tile of the picture in the store."""
    place = tile_place(z, x, y)
    try:
        etag = imagery.etag(imagery.stamp(port, overpass_id), request.url.path)
        return unchanged(request, etag) or _webp(imagery.stored_tile(port, overpass_id, *place), etag)
    except GoneError as error:
        raise HTTPException(404) from error


@router.get("/tiles/{port}/{overpass_id}/{look}/{z}/{x}/{y}.webp")
async def picture_tile(
    request: Request,
    imagery: TheImagery,
    visitor: Viewer,
    port: str,
    overpass_id: str,
    look: str,
    z: str,
    x: str,
    y: str,
) -> Response:
    """Serve a map tile of an overpass, read from its scenes."""
    place, name = tile_place(z, x, y), _look(look)
    if place[0] < SHALLOWEST:
        raise HTTPException(404)
    return await _served(request, imagery, lambda: imagery.tile(port, overpass_id, name, *place))


@router.get("/window/{port}/{overpass_id}/{look}/{finding}.webp")
async def window(
    request: Request,
    imagery: TheImagery,
    visitor: Viewer,
    port: str,
    overpass_id: str,
    look: str,
    finding: str,
) -> Response:
    """Serve the 640 m around a finding's place on the pixels of an overpass, its own or another of the port."""
    name = _look(look)
    return await _served(request, imagery, lambda: imagery.window(port, overpass_id, name, finding))


async def _served(request: Request, imagery: Imagery, find: Callable[[], Made]) -> Response:
    """Serve a picture, or 304 where the browser holds it; the tag changes when the overpass is stored anew.

    One that cannot be read is said in words: never an empty one.
    """

    def looked_up() -> tuple[Made, str, bytes | None]:
        what = find()
        etag = imagery.etag(imagery.stamp(what.port, what.overpass_id), what.place, request.url.path)
        return what, etag, imagery.held(what)

    try:
        what, etag, image = await run_in_threadpool(looked_up)
        if same := unchanged(request, etag):
            return same
        if image is None:
            image = await imagery.soon(what.port, what.overpass_id, lambda: imagery.made(what))
    except (GoneError, SceneError) as error:
        raise HTTPException(404) from error
    except PictureError as error:
        return PlainTextResponse(str(error), 503, headers={"Retry-After": str(AGAIN_S)})
    if not image:
        raise HTTPException(404)
    return _webp(image, etag)


def _webp(image: bytes, etag: str) -> Response:
    return Response(image, media_type="image/webp", headers={"ETag": etag, "Cache-Control": PRIVATE})
