"""Tables to database rows and back, and which rows are meant; no database is touched here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC as UTC_ZONE
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
from PIL import Image
from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.errors import TableError, UsageError
from roadstead.core.geo import Bounds
from roadstead.core.schemas import (
    COUNTS,
    DETECTIONS,
    MATCHES,
    POSITIONS,
    SCENES,
    UTC,
    VESSELS,
    checked,
    empty,
)
from roadstead.core.version import __version__
from roadstead.store import schema
from roadstead.store import schema as model

if TYPE_CHECKING:
    from roadstead.imagery import Overpass


Picture = tuple[np.ndarray, Bounds]
"""uint8 RGB [H, W, 3] in EPSG:4326, north up, and its bounds (west, south, east, north) in degrees."""
Rows = dict[Table, list[dict[str, Any]]]

PICTURE_QUALITY = 85
NOT_OBSERVED = "no zone was seen for the set share: cloud, missing pixels or outside the image"


def table_of(entity: type[model.Base]) -> Table:
    """Return the table of a model class."""
    table = entity.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{entity.__name__} is no plain table")
    return table


def overpass_rows(
    overpass: Overpass,
    port: str,
    header: DetectionsHeader,
    detections: gpd.GeoDataFrame,
    matches: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    positions: pd.DataFrame,
    vessels: pd.DataFrame,
    quicklook: Picture | None,
    chips: Mapping[str, np.ndarray],
    model_sha256: str | None,
    with_ais: bool,
    inputs_sha256: str | None = None,
    tried: str | None = None,
    doubt: str | None = None,
) -> Rows:
    """Return all rows of one overpass by table, parents first.

    Raises:
        TableError: a table breaks its schema or holds rows of another overpass.
    """
    key = {"port": port, "overpass_id": overpass.overpass_id}
    simulated = any(scene.simulated for scene in header.scenes) or bool(matches.get("simulated", False).any())
    evidence = {**key, "simulated": simulated}
    acquisition = {
        **key,
        "acquired": overpass.acquired,
        "acquired_sigma_s": overpass.acquired_sigma_s,
        **_state(counts, doubt),
        "later_failure": None,
        "model_id": header.model_id,
        "model_sha256": model_sha256,
        "threshold": header.threshold,
        "roadstead_version": __version__,
        "simulated": simulated,
        "with_ais": with_ais,
        "stored": datetime.now(UTC_ZONE),
        "inputs_sha256": inputs_sha256,
        "provider": ", ".join(sorted({scene.provider for scene in overpass.scenes})),
        "tried": tried,
    }
    return {
        table_of(model.Acquisition): [acquisition],
        table_of(model.Scene): _rows(scenes_table(overpass, port, header), model.Scene, key),
        table_of(model.Detection): _rows(
            _own(detections, DETECTIONS, "detections", key), model.Detection, key
        ),
        table_of(model.Match): _rows(_own(matches, MATCHES, "matches", key), model.Match, key),
        table_of(model.Count): _rows(_own(counts, COUNTS, "counts", key), model.Count, key),
        table_of(model.Position): _rows(
            _evidence(positions, POSITIONS, "positions"), model.Position, evidence
        ),
        table_of(model.Vessel): _rows(_evidence(vessels, VESSELS, "vessels"), model.Vessel, evidence),
        table_of(model.Quicklook): [{**key, **quicklook_row(quicklook)}] if quicklook else [],
        table_of(model.Chip): [
            {**key, "detection_id": name, "image": packed(chip)} for name, chip in sorted(chips.items())
        ],
    }


def failure_row(port: str, name: str, acquired: datetime | None, reason: str) -> dict[str, Any]:
    """Return the acquisition of an overpass or item that failed; nothing else is known of it."""
    known = {"port": port, "overpass_id": name, "acquired": acquired, "state": "failed", "reason": reason}
    blank = dict.fromkeys(table_of(model.Acquisition).columns.keys())
    return {**blank, **known, "roadstead_version": __version__}


def _state(counts: pd.DataFrame, doubt: str | None = None) -> dict[str, str | None]:
    seen = counts.empty or bool(counts["observed_at_all"].any())
    if seen:
        return {"state": "processed", "reason": doubt}
    return {"state": "not_observed", "reason": NOT_OBSERVED}


def scenes_table(overpass: Overpass, port: str, header: DetectionsHeader) -> gpd.GeoDataFrame:
    """Return `schemas.SCENES` of an overpass with footprint, searched area and visible fractions."""
    searched = {scene.scene_id: scene for scene in header.scenes}
    rows = []
    for scene in overpass.scenes:
        found = searched[scene.scene_id]
        rows.append(
            {name: getattr(scene, name) for name in SCENES.columns if hasattr(scene, name)}
            | {
                "overpass_id": overpass.overpass_id,
                "port": port,
                "cloud": found.cloud,
                "valid_area": found.valid_area,
                "visible_fraction": dict(sorted(found.visible_fraction.items())),
                "geometry": scene.footprint,
            }
        )
    table = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4326")
    table["acquired"] = pd.to_datetime(table["acquired"], utc=True).astype(UTC)
    return checked(_nulls(table), SCENES, "scenes")


def _own(table: pd.DataFrame, schema: pa.DataFrameSchema, name: str, key: Mapping[str, str]) -> pd.DataFrame:
    """Check a table and that all its rows are of this overpass."""
    others = set(checked(table, schema, name)["overpass_id"]) - {key["overpass_id"]}
    if others:
        raise TableError(f"{name}: rows of {', '.join(sorted(others))} given with {key['overpass_id']}")
    return table


def _evidence(table: pd.DataFrame, schema: pa.DataFrameSchema, name: str) -> pd.DataFrame:
    """Check a table and order it by vessel and time; one without columns is an empty one."""
    if table.empty:
        return empty(schema)
    return checked(table, schema, name).sort_values(["mmsi", "time"], kind="stable")


def _rows(table: pd.DataFrame, entity: type[model.Base], key: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table as rows of ``entity``: nulls as None, times to the microsecond, boxes filled in."""
    wanted = table_of(entity).columns.keys()
    frame = table.assign(**{name: value for name, value in key.items() if name in wanted})
    if "west" in wanted:
        frame = frame.assign(**table.geometry.bounds.set_axis(["west", "south", "east", "north"], axis=1))
    if "row" in wanted:
        frame = frame.assign(row=range(len(frame)))
    plain = pd.DataFrame({name: _plain(frame[name]) for name in wanted}, dtype=object)
    return [dict(zip(wanted, row, strict=True)) for row in plain.itertuples(index=False, name=None)]


def _plain(column: Any) -> Any:  # noqa: ANN401 - a Series
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        times = column.dt.floor("us").map(lambda t: None if pd.isna(t) else t.to_pydatetime())
        return times.astype(object).where(column.notna(), None)
    return column.astype(object).where(column.notna(), None)


def quicklook_row(picture: Picture) -> dict[str, Any]:
    """Return a picture as WebP with its bounds in degrees."""
    image, (west, south, east, north) = picture
    return {"image": packed(image), "west": west, "south": south, "east": east, "north": north}


def packed(image: np.ndarray) -> bytes:
    """Return an RGB image [H, W, 3], uint8, as WebP."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=PICTURE_QUALITY)
    return buffer.getvalue()


def unpacked(image: bytes) -> np.ndarray:
    """Return the image [H, W, 3] that `packed` packed."""
    with Image.open(BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB"))


def picture_of(row: Mapping[str, Any]) -> Picture:
    """Return the picture that `quicklook_row` packed."""
    return unpacked(row["image"]), (row["west"], row["south"], row["east"], row["north"])


def frame(rows: Sequence[Mapping[str, Any]], schema: pa.DataFrameSchema, *extra: str) -> pd.DataFrame:
    """Return rows as the table of ``schema`` with its types, and ``extra`` columns after them."""
    names = [*schema.columns, *extra]
    table = pd.DataFrame([[row[name] for name in names] for row in rows], columns=names, dtype=object)
    for name, column in schema.columns.items():
        table[name] = _typed(table[name], column.dtype)
    return table


def geo_frame(rows: Sequence[Mapping[str, Any]], schema: pa.DataFrameSchema, *extra: str) -> gpd.GeoDataFrame:
    """Return rows as a GeoDataFrame in EPSG:4326; see `frame`."""
    return gpd.GeoDataFrame(frame(rows, schema, *extra), geometry="geometry", crs="EPSG:4326")


def _typed(column: Any, dtype: Any) -> Any:  # noqa: ANN401 - a Series and a pandera type
    if dtype is None or str(dtype) == "object":
        return column
    if str(dtype).startswith("datetime"):
        return pd.to_datetime(column, utc=True).astype(UTC)
    return column.astype(str(dtype))


def _nulls(table: Any) -> Any:  # noqa: ANN401 - DataFrame in, the same kind out
    for name in table.select_dtypes(object).columns:
        table[name] = table[name].where(table[name].notna(), None)
    return table


ACQUISITION, SCENE = table_of(schema.Acquisition), table_of(schema.Scene)
AT_ONCE = 500
"""Values that one statement asks for: databases bound how many it may hold."""
_Value = TypeVar("_Value")


def in_parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Yield values in parts that a statement may ask for."""
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))


def is_it(port: str, overpass_id: str) -> ColumnElement[bool]:
    """Mean one acquisition."""
    return (ACQUISITION.c.port == port) & (ACQUISITION.c.overpass_id == overpass_id)


def between(start: datetime | None, end: datetime | None, or_none: bool) -> list[ColumnElement[bool]]:
    """Mean acquisitions in [start, end), with ``or_none`` those of unknown time too."""
    acquired = ACQUISITION.c.acquired
    limits = [acquired >= start] if start else []
    limits += [acquired < end] if end else []
    return [or_(limit, acquired.is_(None)) for limit in limits] if or_none else limits


def touches(table: Table, within: Bounds | None) -> list[ColumnElement[bool]]:
    """Mean rows whose box touches bounds in degrees."""
    if within is None:
        return []
    west, south, east, north = within
    c = table.c
    return [c.west <= east, c.east >= west, c.south <= north, c.north >= south]


def result_stands(connection: Connection, port: str, overpass_id: str) -> bool:
    """Return whether an overpass has a result."""
    chosen = select(ACQUISITION.c.state).where(is_it(port, overpass_id))
    return connection.scalar(chosen) not in (None, "failed")


def replaced(port: str, overpass_id: str, scene_ids: Sequence[str]) -> ColumnElement[bool]:
    """Mean an overpass, those that hold one of its scenes, and scenes listed as failed by themselves."""
    holders = select(SCENE.c.overpass_id).where(SCENE.c.port == port, SCENE.c.scene_id.in_(scene_ids))
    named = ACQUISITION.c.overpass_id.in_([overpass_id, *scene_ids])
    return and_(ACQUISITION.c.port == port, or_(named, ACQUISITION.c.overpass_id.in_(holders)))


def keep_apart(connection: Connection, replaced: ColumnElement[bool], rows: Rows) -> None:
    """Refuse to put a simulated result in the place of a real one, or a real in the place of a simulated."""
    (new,) = rows[ACQUISITION]
    names = {True: "simulated", False: "real"}
    other = ACQUISITION.c.simulated.is_not(None) & (ACQUISITION.c.simulated != new["simulated"])
    standing = connection.scalar(select(ACQUISITION.c.overpass_id).where(replaced, other))
    if standing is not None:
        raise UsageError(
            f"overpass {new['overpass_id']} is {names[new['simulated']]}, and the store holds {standing}, which is "
            f"{names[not new['simulated']]}, in its place: give simulated data a store of its own (--store)"
        )
