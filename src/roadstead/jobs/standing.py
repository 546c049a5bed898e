"""Whether the result that the store holds of an overpass is to stand as it is."""

from __future__ import annotations

from roadstead.ais import AisData
from roadstead.catalog import Standing, Store
from roadstead.errors import ReadError
from roadstead.imagery import Overpass
from roadstead.jobs.inputs import inputs_sha256
from roadstead.jobs.plan import WatchRequest
from roadstead.jobs.structures import known_structures


def standing_of(request: WatchRequest, overpass: Overpass) -> Standing | None:
    """Return the stored result of an overpass; None where there is none."""
    scenes = {scene.scene_id for scene in overpass.scenes}
    with Store.open(request.store_url) as store:
        return store.standing(request.port.slug, overpass.overpass_id, scenes)


def is_better(standing: Standing, overpass: Overpass, heard: bool) -> bool:
    """Return whether a stored result is to stand.

    It does where it was held against AIS and this run has none around the overpass, and where the scenes come from
    another catalogue this time, because the first could not be asked, and say no more than those did.

    Raises:
        ReadError: the stored result used more scenes than can be used now.
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


def is_unchanged(request: WatchRequest, overpass: Overpass, near: AisData | None, standing: Standing) -> bool:
    """Return whether a result was made from just what there is now; ``near``: the AIS around the overpass."""
    if standing.inputs_sha256 is None or standing.overpass_id != overpass.overpass_id:
        return False
    with Store.open(request.store_url) as store:
        structures = known_structures(store, request.port.slug, overpass)
    return inputs_sha256(request, overpass, near, structures) == standing.inputs_sha256
