"""What the desk gives to take along: the dossier of a finding."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from roadstead.apps.desk.access import Analyst, TheSite
from roadstead.publish.wording import segment

router = APIRouter()


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
