"""Saved searches: the items of an ItemCollection, a file of one item a line, or stac-geoparquet.

Sources: STAC API ItemCollection (https://github.com/radiantearth/stac-api-spec/tree/main/fragments/itemcollection),
stac-geoparquet (https://github.com/stac-utils/stac-geoparquet/blob/main/spec/stac-geoparquet-spec.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shapely import wkb
from shapely.errors import ShapelyError
from shapely.geometry import mapping

from roadstead.core.errors import SceneError

Document = dict[str, Any]
LINES = (".ndjson", ".jsonl", ".geojsonl", ".ndgeojson")
TABLES = (".parquet", ".geoparquet")
_TOP = ("id", "type", "stac_version", "stac_extensions", "collection", "links", "assets", "bbox", "geometry")
"""Columns of stac-geoparquet that are members of an item; all others are properties."""


def is_saved(name: str) -> bool:
    """Return whether a path names by its ending a file of many items."""
    return name.lower().endswith((*LINES, *TABLES))


def is_collection(document: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a JSON document is an ItemCollection."""
    return isinstance(document, dict) and document.get("type") == "FeatureCollection"


def saved_items(path: str) -> list[Document]:
    """Return the items in a file whose ending `is_saved` knows.

    Raises:
        SceneError: it holds no items, or a line or row is none; names file, line and what is wrong.
    """
    try:
        found = list(_rows(path) if path.lower().endswith(TABLES) else _lines(path))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise SceneError(f"{path}: cannot be read: {error}") from error
    return _checked(path, found)


def items_of(path: str, collection: Mapping[str, Any]) -> list[Document]:
    """Return the items of an ItemCollection.

    Raises:
        SceneError: it holds none, or something that is none.
    """
    return _checked(path, list(collection.get("features") or ()))


def one_of(path: str, items: list[Document], item_id: str) -> Document:
    """Return the item of an id.

    Raises:
        SceneError: there is none.
    """
    found = next((item for item in items if str(item.get("id")) == item_id), None)
    if found is None:
        raise SceneError(f"{path}: holds no item {item_id}")
    return found


def _checked(path: str, items: list[Any]) -> list[Document]:
    if not items:
        raise SceneError(f"{path}: holds no item")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict) or item.get("type") != "Feature" or "assets" not in item:
            raise SceneError(f"{path}: item {number} is no STAC item: it lacks type Feature or assets")
    return items


def _lines(path: str) -> Iterator[Any]:
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield json.loads(line.lstrip("\x1e"))
                except ValueError as error:
                    raise SceneError(f"{path}: line {number} is not JSON: {error}") from error


def _rows(path: str) -> Iterator[Document]:
    table = pq.read_table(path)
    lacking = [name for name in ("id", "geometry", "assets") if name not in table.column_names]
    if lacking:
        raise SceneError(f"{path}: is no stac-geoparquet: it has no column {', '.join(lacking)}")
    for number, row in enumerate(table.to_pylist(), start=1):
        try:
            yield _item(row)
        except (ShapelyError, ValueError, TypeError) as error:
            raise SceneError(f"{path}: row {number} is no STAC item: {error}") from error


def _item(row: Mapping[str, Any]) -> Document:
    """Return a row as an item: properties are columns of their own, and a struct has every member of any row."""
    held = {name: _plain(value) for name, value in row.items() if value is not None}
    document = {name: held[name] for name in _TOP if name in held}
    geometry = row["geometry"]
    document["geometry"] = mapping(wkb.loads(geometry)) if isinstance(geometry, bytes) else _plain(geometry)
    if isinstance(document.get("bbox"), dict):
        box = document["bbox"]
        document["bbox"] = [box["xmin"], box["ymin"], box["xmax"], box["ymax"]]
    document["properties"] = {name: value for name, value in held.items() if name not in _TOP}
    return {"type": "Feature", "links": [], **document}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a table
    """Return a value as JSON has it, without members that are null."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return None if isinstance(value, float) and math.isnan(value) else value
