"""Whether the result that the store holds of an overpass is to stand as it is."""

from __future__ import annotations

from typing import Literal

from roadstead.ais import AisData
from roadstead.core.errors import ReadError
from roadstead.imagery import Overpass
from roadstead.store import Standing, Store
from roadstead.workflows.fingerprint import inputs_sha256
from roadstead.workflows.fixed_structures import known_structures
from roadstead.workflows.watch_plan import WatchRequest


def why_it_stands(
    request: WatchRequest, overpass: Overpass, near: AisData | None
) -> Literal["better", "unchanged"] | None:
    """Return why a stored result is to stand; None where there is none, or it is to be made anew.

    ``better``: it says more than could be said now. ``unchanged``: all that it was made from is as it was; that a later
    attempt failed is forgotten then.

    Args:
        request: port, model, settings and store.
        overpass: as the catalogues list it now.
        near: the AIS around it.

    Raises:
        ReadError: the stored result used more scenes than can be used now.
    """
    port = request.port.slug
    with Store.open(request.store_url) as store:
        standing = store.standing(port, overpass.overpass_id, {scene.scene_id for scene in overpass.scenes})
        if standing is None:
            return None
        if _is_better(standing, overpass, near is not None):
            return "better"
        if standing.inputs_sha256 is None or standing.overpass_id != overpass.overpass_id:
            return None
        if standing.inputs_sha256 != inputs_sha256(
            request, overpass, near, known_structures(store, port, overpass)
        ):
            return None
        store.still_stands(port, overpass.overpass_id)
        return "unchanged"


def _is_better(standing: Standing, overpass: Overpass, heard: bool) -> bool:
    """Return whether a stored result says more than could be said now.

    It was held against AIS and this run has none around the overpass; or the scenes come from another catalogue this
    time, because the first could not be asked, and say no more than those did.
    """
    scenes = {scene.scene_id for scene in overpass.scenes}
    if standing.scene_ids > scenes:
        missing = ", ".join(sorted(standing.scene_ids - scenes))
        raise ReadError(
            f"the stored result also used {missing}, which cannot be used now; that result stands"
        )
    if standing.with_ais and not heard:
        return True
    second_choice = bool(overpass.tried) and not standing.scene_ids & scenes
    return second_choice and len(standing.scene_ids) >= len(scenes) and standing.with_ais == heard
