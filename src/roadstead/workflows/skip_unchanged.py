"""Whether the result that the store holds of an overpass is reused as it is."""

from __future__ import annotations

from typing import Literal

from roadstead.core.errors import ReadError
from roadstead.imagery import Overpass
from roadstead.store import Standing, Store
from roadstead.workflows.fingerprint import OverpassInputs
from roadstead.workflows.watch_plan import WatchRequest


def reuse_reason(request: WatchRequest, inputs: OverpassInputs) -> Literal["better", "unchanged"] | None:
    """Return why a stored result is reused; None where there is none, or it is to be made anew.

    ``better``: it says more than could be said now. ``unchanged``: all that it was made from is as it was; that a later
    attempt failed is forgotten then.

    Args:
        request: port, model, settings and store.
        inputs: what a new result would be made from.

    Raises:
        ReadError: the stored result used more scenes than can be used now.
    """
    port, overpass = request.port.slug, inputs.overpass
    with Store.open(request.store_url) as store:
        standing = store.standing(port, overpass.overpass_id, {scene.scene_id for scene in overpass.scenes})
        if standing is None:
            return None
        if _is_better(standing, overpass, inputs.ais is not None):
            return "better"
        if standing.inputs_sha256 is None or standing.overpass_id != overpass.overpass_id:
            return None
        if standing.inputs_sha256 != inputs.sha256:
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
