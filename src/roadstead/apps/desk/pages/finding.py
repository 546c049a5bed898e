"""The page of one finding, its pictures, and its dossier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from roadstead.apps.desk.access import Analyst, Site, TheSite, Viewer, Visitor
from roadstead.apps.desk.context import choices, declared_by, heard_around, same_place
from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.pages.attach import LICENCES
from roadstead.apps.desk.pages.decide import finding_path, undoable
from roadstead.apps.desk.pages.release import release_card
from roadstead.apps.desk.picture_frames import ChipView, MapView, chip_frame, chip_view, map_view
from roadstead.apps.desk.queue_filters import Asked, Place, asked, place_in, ranked
from roadstead.apps.desk.track_map import chart
from roadstead.imagery.picture_styles import MASK_LOOKS
from roadstead.publish.wording import segment
from roadstead.store import Decision, evidence_of, held
from roadstead.store.release_gate import checksum

router = APIRouter()


@router.get("/finding/{port}/{finding}")
def finding_page(request: Request, site: TheSite, visitor: Viewer, port: str, finding: str) -> Response:
    """Show one finding with all that is known of it."""
    desk = site.desk
    row = desk.leads.one(port, finding)
    told = desk.decisions.of(port, finding)
    queue = asked(request.query_params)
    leads = ranked(desk, queue, visitor.name)
    where = place_in(leads, port, finding)
    standing = held(told)
    common: dict[str, Any] = {
        "told": told,
        "held": standing,
        "queue": queue,
        "where": where,
        **_links(queue, where),
        "did": undoable(site, request.query_params.get("did"), visitor.name),
        "port": port,
        "finding": finding,
        "release": release_card(visitor, told, row, port, finding),
    }
    if row is None:
        return _gone(request, site, visitor, told, common)
    place, heard = same_place(desk, row), heard_around(desk, row)
    chip = _chip(site, row, place.beside, standing)
    where_lies = desk.kept(
        ("map", port, str(row["overpass_id"])),
        lambda: _map(desk, port, row["overpass_id"]),
        leads.table.version,
    )
    return site.page(
        request,
        "finding.html.j2",
        visitor,
        simulated=bool(row["simulated"]),
        row=row,
        chip=chip,
        boxes=_boxes(row, chip),
        mask_looks=MASK_LOOKS,
        choices=choices(row, heard),
        around=place.looks,
        tracks=chart(row, heard),
        files=[one for one in told if one.file],
        licences=LICENCES,
        map=where_lies,
        declared=declared_by(row, heard),
        scenes=place.scenes,
        changed=_changed(row, standing),
        listed=desk.listed.of(leads.table).words((port, finding)),
        seen=checksum(row),
        **common,
    )


def _map(desk: Desk, port: str, overpass_id: str) -> MapView | None:
    """Return the map of an overpass; None where no picture of it is kept."""
    picture = desk.leads.quicklook(port, overpass_id)
    return map_view(*picture) if picture else None


def _gone(
    request: Request, site: Site, visitor: Visitor, told: Sequence[Decision], common: dict[str, Any]
) -> Response:
    """Show what was decided of a finding that a rerun took out of the store."""
    if not told:
        raise HTTPException(404)
    last = told[-1]
    return site.page(
        request, "gone.html.j2", visitor, simulated=last.simulated, last=last, kept=last.seen, **common
    )


def _links(queue: Asked, where: Place) -> dict[str, str | None]:
    fields = dict(queue.fields)
    return {
        name: finding_path(key.port, key.finding, fields) if key else None
        for name, key in (("before", where.before), ("after", where.after), ("undecided", where.undecided))
    }


def _changed(row: Mapping[str, Any], standing: Decision | None) -> list[str]:
    """Return what a rerun made otherwise since the decision."""
    if standing is None:
        return []
    was, now = standing.seen, evidence_of(row)
    named = ("status", "mmsi", "conflicts", "model_id")
    told = [
        f"{name}: {was.get(name) or '–'} → {now[name] or '–'}" for name in named if was.get(name) != now[name]
    ]
    before, after = was.get("hull") or {}, now["hull"] or {}
    if before.get("class") != after.get("class"):
        told.append(f"class: {before.get('class') or '–'} → {after.get('class') or '–'}")
    return told


def _boxes(row: Mapping[str, Any], chip: ChipView | None) -> str:
    """Return the box that stands as the drawing's field holds it: pixels of the cut-out."""
    if chip is None:
        return "[]"
    corners = [[round(x, 2), round(y, 2)] for x, y in chip.corners]
    return json.dumps([{"box": corners, "class": row["hull_class"]}])


def _chip(
    site: Site,
    row: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    standing: Decision | None,
) -> ChipView | None:
    if row["hull_detection_id"] is None:
        return None
    stored = site.desk.leads.chip(row["port"], row["overpass_id"], row["detection_id"])
    if stored is None:
        return None
    frame = chip_frame(stored, row, site.desk.ports.get(row["port"]))
    return chip_view(frame, row, others, standing.box if standing else None)


@router.get("/chip/{port}/{overpass_id}/{detection_id}.webp")
def chip(site: TheSite, visitor: Viewer, port: str, overpass_id: str, detection_id: str) -> Response:
    """Serve the cut-out of a hull."""
    return _picture(site.desk.leads.chip(port, overpass_id, detection_id))


@router.get("/quicklook/{port}/{overpass_id}.webp")
def quicklook(site: TheSite, visitor: Viewer, port: str, overpass_id: str) -> Response:
    """Serve the picture of an overpass."""
    found = site.desk.leads.quicklook(port, overpass_id)
    return _picture(found[0] if found else None)


def _picture(image: bytes | None) -> Response:
    if image is None:
        raise HTTPException(404)
    return Response(image, media_type="image/webp")


@router.get("/dossier/{port}/{finding}.zip")
def dossier(site: TheSite, visitor: Analyst, port: str, finding: str) -> Response:
    """Make the dossier of a finding that has a hull, and give it as one zip; its scenes are read again."""
    desk = site.desk
    row = desk.leads.one(port, finding)
    if row is None or row["hull_detection_id"] is None or desk.dossier is None:
        raise HTTPException(404)
    name = f"roadstead-{segment(finding)}.zip"
    return Response(
        desk.dossier(finding),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
