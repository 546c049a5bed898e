"""A fingerprint of everything that an overpass's result is made from, and whether a stored result stands by it.

What has the same fingerprint as what the store holds need not be made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from roadstead.ais import AisData
from roadstead.core.errors import ReadError
from roadstead.core.version import __version__
from roadstead.imagery import Overpass, is_remote
from roadstead.reconcile import AisWindow, cut_ais_window
from roadstead.store import Standing, Store
from roadstead.workflows.fixed_structures import known_structures
from roadstead.workflows.watch_search import WatchRequest


@dataclass(frozen=True)
class OverpassInputs:
    """What the result of one overpass is made from, beside the request."""

    overpass: Overpass
    ais: AisWindow | None
    """The AIS around it; None where no report speaks for it."""
    structures: gpd.GeoDataFrame
    """`schemas.STRUCTURES` known before it."""
    sha256: str
    """Of all of it and of the request (`inputs_sha256`)."""


def gather_inputs(request: WatchRequest, overpass: Overpass, ais: AisData | None) -> OverpassInputs:
    """Cut the AIS window of an overpass, read the structures that the store knows before it, and hash both.

    Args:
        request: port, model, settings and store.
        overpass: as a catalogue lists it.
        ais: of the whole plan; None where no AIS is given.

    Raises:
        StoreError: the store cannot be read.
    """
    window = cut_ais_window(ais, overpass.acquired, request.settings.ais_window_h)
    with Store.open(request.store_url) as store:
        structures = known_structures(store, request.port.slug, overpass)
    sha256 = inputs_sha256(request, overpass, window.ais if window else None, structures)
    return OverpassInputs(overpass, window, structures, sha256)


def inputs_sha256(
    request: WatchRequest, overpass: Overpass, ais: AisData | None, structures: gpd.GeoDataFrame
) -> str:
    """Return the SHA-256 of what `watch.process` works on.

    Args:
        request: port, model and settings.
        overpass: its scenes, by the checksums of their items.
        ais: what lies around the overpass.
        structures: `schemas.STRUCTURES` known before it.
    """
    digest = hashlib.sha256()
    for part in _parts(request, overpass, ais, structures):
        digest.update(part)
    return digest.hexdigest()


def _parts(
    request: WatchRequest, overpass: Overpass, ais: AisData | None, structures: gpd.GeoDataFrame
) -> Iterator[bytes]:
    settings = request.settings
    plain = {
        "version": __version__,
        "model": [request.model.model_id, request.model.sha256, request.model.threshold],
        "settings": [settings.min_visible_fraction, settings.ais_window_h, settings.inference_precision],
        "zones": [[zone.id, zone.kind, zone.polygon.wkb_hex] for zone in request.port.zones],
        "scenes": [
            [
                scene.scene_id,
                scene.item_sha256,
                scene.provider,
                scene.acquired.isoformat(),
                scene.acquired_sigma_s,
            ]
            for scene in overpass.scenes
        ],
        "files": sorted({_file(asset.href) for scene in overpass.scenes for asset in scene.assets.values()}),
        "stated": [repr(one) for one in request.stated],
        "snapshots": None if ais is None else sorted(when.isoformat() for when in ais.snapshot_times),
    }
    yield json.dumps(plain, sort_keys=True).encode()
    if structures["marked_by"].isna().all():  # as it was before analysts marked any
        structures = structures.drop(columns="marked_by")
    yield _rows(pd.DataFrame(structures).assign(geometry=structures.geometry.to_wkb(hex=True)))
    if ais is None:
        return
    heard = set(ais.positions["mmsi"])
    yield _rows(ais.positions)
    yield _rows(ais.vessels[ais.vessels["mmsi"].isin(heard)])
    yield _rows(ais.stations)


def _file(href: str) -> tuple[str, int, int]:
    """Return where a raster lies and, of a local one, its size and when it was last changed."""
    if is_remote(href):
        return href.partition("?")[0], 0, 0
    try:
        status = Path(href.removeprefix("file://")).stat()
    except OSError:
        return href, -1, 0
    return href, status.st_size, status.st_mtime_ns


def _rows(table: pd.DataFrame) -> bytes:
    """Return a hash of each row of a table, whatever its index is."""
    return bytes(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())


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
