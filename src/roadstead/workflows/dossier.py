"""Gather what the store holds of findings, read their images again, and write it all as a dossier."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from roadstead.core.errors import BadInputError, RoadsteadError, StoreError
from roadstead.core.ports import known_ports, load_port
from roadstead.core.settings import settings
from roadstead.core.wording import zone_words
from roadstead.imagery import StoredScene, cut_out, item_sha256, open_stored
from roadstead.publish.dossier import Attached, Chain, Finding, Imagery, dossier_files, write_dossier, zipped
from roadstead.publish.dossier.data import WITHHOLD_ALL
from roadstead.publish.wording import redrawn
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import GENESIS, Attachments, Decision, Decisions, Store, held

_UNREAD = "The scene could not be read again when this was made; the chip is as it was stored."


@dataclass(frozen=True)
class Asked:
    """How a dossier is asked for."""

    withhold: tuple[str, ...] = ()
    """AIS sources that may not be passed on; ``all`` for every one. The store does not know which those are."""
    imagery: bool = True
    """Whether to read the scenes again."""


PLAIN = Asked()


def make_dossier(store: Store, names: Sequence[str], path: Path, asked: Asked = PLAIN) -> list[Path]:
    """Write the dossier of some findings, named by detection id, and return its files, or the one zip.

    Raises:
        BadInputError: the store holds no such detection.
        UsageError: the folder holds something else.
        StoreError: a file cannot be written.
    """
    return write_dossier(
        path, find_findings(store, names, asked), REASONS, CONFLICTS, _parameters(names, asked)
    )


def dossier_zip(store: Store, name: str) -> bytes:
    """Return the dossier of one finding as a zip: the bytes that `make_dossier` writes.

    Raises:
        BadInputError: the store holds no such detection.
    """
    findings = find_findings(store, [name])
    return zipped(dossier_files(findings, REASONS, CONFLICTS, _parameters([name], PLAIN)))


def _parameters(names: Sequence[str], asked: Asked) -> dict[str, Any]:
    return {
        "command": "roadstead dossier",
        "findings": list(dict.fromkeys(names)),
        "withhold_ais": list(asked.withhold),
        "imagery": asked.imagery,
    }


def find_findings(store: Store, names: Sequence[str], asked: Asked = PLAIN) -> list[Finding]:
    """Return what the store holds of detections, in the order asked for, each once.

    Raises:
        BadInputError: the store holds no detection of a name.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, Finding] = {}
    for port in store.ports():
        table = store.detections(port, unfiltered=True, named=wanted)
        for index in table.index:
            hull = table.loc[[index]].reset_index(drop=True)
            found[hull["detection_id"].iloc[0]] = _finding(store, port, hull, asked)
    if missing := [name for name in wanted if name not in found]:
        raise BadInputError(
            f"the store holds no detection {', '.join(missing)}; a finding is named by the detection_id of an export"
        )
    return [found[name] for name in wanted]


def _finding(store: Store, port: str, hull: gpd.GeoDataFrame, asked: Asked) -> Finding:
    row: dict[Any, Any] = hull.to_dict("records")[0]
    tried = store.acquisitions(port)
    made: dict[Any, Any] = tried[tried["overpass_id"] == row["overpass_id"]].to_dict("records")[0]
    moment = pd.Timestamp(made["acquired"]).to_pydatetime()
    around = (moment, moment + timedelta(microseconds=1))
    matches = store.matches(port, *around)
    match = matches[matches["detection_id"] == row["detection_id"]].reset_index(drop=True)
    scenes = store.scenes(port, *around)
    scene = next(iter(scenes[scenes["scene_id"] == row["scene_id"]].to_dict("records")), None)
    told = Decisions(store)
    about = told.of(port, row["detection_id"])
    standing, last = held(about), told.newest(1)
    chain = Chain(last[0].seq, last[0].sha256) if last else Chain(0, GENESIS)
    attached, kept_back = _attached(store, about)
    positions, vessels, withheld = _declared(store, port, around, match, asked.withhold)
    return Finding(
        port=port,
        zone_name=_zone_name(port, row["zone"]),
        detection=hull,
        match=match,
        acquisition=made,
        scene=scene,
        decisions=[_told(one) for one in about],
        drawn="" if standing is None else redrawn(standing).replace("→", "then"),
        chain=chain,
        positions=positions,
        vessels=vessels,
        withheld=withheld,
        chip=store.chips(port, row["overpass_id"]).get(row["detection_id"]),
        imagery=_imagery(scene, row) if asked.imagery else Imagery("The scene was not read again."),
        attached=attached,
        attached_withheld=kept_back,
    )


def _told(one: Decision) -> dict[str, Any]:
    """Return a row of the chain as JSON, and its words; `evidence` stays the text that its hash is over."""
    return {**asdict(one), "decided": one.decided.isoformat(timespec="microseconds"), "said": one.said}


def _attached(store: Store, about: Sequence[Decision]) -> tuple[tuple[Attached, ...], int]:
    """Return the files attached to a finding that may be passed on, and how many may not, of all rows about it.

    Raises:
        StoreError: a file is not what was attached.
    """
    rows = [row for row in about if row.file]
    files, found = Attachments(store), []
    for row in rows:
        said = row.file
        if not said["may_share"]:
            continue
        content = files.content(said["sha256"])
        if content is None or hashlib.sha256(content).hexdigest() != said["sha256"]:
            raise StoreError(f"decision {row.seq}: the file {said['name']!r} is not what was attached")
        words = (said["licence"], said["source"], row.note)
        found.append(
            Attached(row.seq, said["name"], content, said["sha256"], row.user_name, row.decided, *words)
        )
    return tuple(found), len(rows) - len(found)


def _zone_name(port: str, zone: str | None) -> str:
    zones = load_port(port).zones if port in known_ports() else ()
    return zone_words(zone, {known.id: known.name for known in zones})


def _declared(
    store: Store,
    port: str,
    around: tuple[datetime, datetime],
    match: gpd.GeoDataFrame,
    withhold: Collection[str],
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Return positions and static data of the vessels that a match names, and the rows withheld by source."""
    named = {mmsi for row in match.to_dict("records") for mmsi in _named(row)}
    kept, withheld = [], dict[str, int]()
    for table in (store.positions(port, *around), store.vessels(port, *around)):
        own = table[table["mmsi"].isin(named)]
        closed = (
            pd.Series(True, own.index) if WITHHOLD_ALL in withhold else own["source"].isin(list(withhold))
        )
        for source, count in own.loc[closed, "source"].value_counts().items():
            withheld[str(source)] = withheld.get(str(source), 0) + int(count)
        kept.append(own[~closed].reset_index(drop=True))
    return kept[0], kept[1], withheld


def _named(row: Mapping[Any, Any]) -> Iterator[str]:
    yield from (mmsi for mmsi in (row["mmsi"], *row["candidates"].split(",")) if mmsi)


def _imagery(scene: Mapping[Any, Any] | None, hull: Mapping[Any, Any]) -> Imagery:
    """Read the item and the pixels around a hull again; what cannot be read is said, and no error."""
    if scene is None or not scene["item_href"]:
        return Imagery(_UNREAD)
    acquired = pd.Timestamp(scene["acquired"]).to_pydatetime()
    kept = StoredScene(
        scene["scene_id"], scene["item_href"], scene["item_sha256"], acquired, scene["provider"]
    )
    try:
        opened, item = open_stored(kept)
        digest = None if item is None else item_sha256(item)
    except RoadsteadError:
        return Imagery(_UNREAD)
    same = digest is None or digest == scene["item_sha256"]
    note = "Its item is the one that was used." if same else "Its item has changed since it was used."
    try:
        cut = cut_out(opened, hull["lon"], hull["lat"])
    except RoadsteadError:
        return Imagery(
            f"{note} Its pixels could not be read again; the chip is as it was stored.", item, digest
        )
    tags = {"ROADSTEAD_SCENE": str(hull["scene_id"]), "ROADSTEAD_FINDING": str(hull["detection_id"])}
    if hull["simulated"]:
        tags["ROADSTEAD_SIMULATED"] = "SIMULATED: nothing of this was seen in the world"
    bands = ", ".join(cut.bands)
    told = f"pixels.tif holds the digital numbers of {bands} around the hull, as the provider gives them now."
    return Imagery(f"{note} {told}", item, digest, cut.geotiff(tags))


def open_and_make(url: str | None, names: Sequence[str], path: Path, asked: Asked) -> list[Path]:
    """Open the store (default: of the settings) and write a dossier; see `make_dossier`."""
    with Store.open(url or settings().store_url, writes=False) as store:
        return make_dossier(store, names, path, asked)
