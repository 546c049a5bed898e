"""The catalogue as feature collections: pages of the store, through the functions that make the exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import pandera.pandas as pa
import shapely

from roadstead.apps.desk.ogc.query import Feature, FeatureCollection, Page
from roadstead.audit import StatedRecall, with_recall
from roadstead.core.detections_file import to_features
from roadstead.core.leads import LEAD_KINDS, with_lead_kind
from roadstead.core.ports import Port
from roadstead.core.schemas import (
    ACQUISITION_STATES,
    ACQUISITIONS,
    CLASSES,
    COUNTS,
    DETECTIONS,
    MATCHES,
    STATUSES,
    ZONE_KINDS,
    empty,
)
from roadstead.publish.formats.geojson import by_the_rules
from roadstead.publish.formats.layers import counts_by_zone, tracks_table, zones_table
from roadstead.store import Store
from roadstead.store.feature_pages import Extent, FeatureQuery, Features

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TRUTH: Schema = {"type": "boolean"}
_LEAD = "Leads with a probability, never verdicts."
_BLANK = Port("none", ())
_NO_COUNTS = empty(COUNTS).assign(**StatedRecall().columns)


def _or_null(schema: Schema) -> Schema:
    return {**schema, "nullable": True}


def _column(name: str, column: pa.Column) -> Schema:
    kind = str(column.dtype) if column.dtype is not None else "object"
    if name in ("moving", "with_ais", "simulated") or kind.startswith("bool"):
        schema = _TRUTH
    elif kind.startswith("datetime"):
        schema = _TIME
    elif kind.startswith("float"):
        schema = {"type": "number"}
    elif kind.lower().startswith("int"):
        schema = {"type": "integer"}
    else:
        schema = TEXT
    return _or_null(schema) if column.nullable else schema


def _columns(table: pa.DataFrameSchema) -> dict[str, Schema]:
    return {name: _column(name, column) for name, column in table.columns.items() if name != "geometry"}


def _wide_columns() -> Mapping[str, Schema]:
    """Return the properties of `counts_by_zone`: those that tell which zone and overpass, then the numbers."""
    names = counts_by_zone(_NO_COUNTS, _BLANK).columns  # the order of the export
    told = _columns(COUNTS) | {"kind": TEXT, "recall_here": TEXT}
    told |= {name: {"type": "integer"} for name in ("recall_cells", "recall_ships")}
    number = _or_null({"type": "number"})
    return {name: told.get(name, number) for name in names if name != "geometry"}


def _collections() -> Mapping[str, FeatureCollection]:
    port, zone, overpass = ({"port": TEXT}, {"zone": TEXT}, {"overpass_id": TEXT})
    listed = [
        FeatureCollection(
            "detections",
            "Detections",
            f"Hulls that were kept, each with its oriented box. {_LEAD}",
            "Polygon",
            _columns(DETECTIONS),
            {**port, **zone, "class": {**TEXT, "enum": list(CLASSES)}, **overpass},
        ),
        FeatureCollection(
            "matches",
            "Matches",
            "Each detection and each declared vessel that no detection took, with its one status, and the kind of lead "
            f"that it is. {_LEAD}",
            "Point",
            {**_columns(MATCHES), "lead": _or_null({**TEXT, "enum": list(LEAD_KINDS)})},
            {**port, **zone, "status": {**TEXT, "enum": list(STATUSES)}, "mmsi": TEXT, **overpass},
        ),
        FeatureCollection(
            "counts",
            "Counts",
            "Counts of each zone at each overpass with 90 % intervals; null where the zone was not observed, which is "
            "not zero. With what audits say of recall at the port.",
            "MultiPolygon",
            _wide_columns(),
            {**port, **zone, **overpass},
        ),
        FeatureCollection(
            "zones",
            "Zones",
            "The water that is watched: berths, anchorages, fairways and locks.",
            "MultiPolygon",
            {
                **dict.fromkeys(("port", "zone", "kind"), TEXT),
                **dict.fromkeys(("name", "source", "confidence", "note"), _or_null(TEXT)),
            },
            {**port, **zone, "kind": {**TEXT, "enum": list(ZONE_KINDS)}},
        ),
        FeatureCollection(
            "tracks",
            "Tracks",
            "What each vessel declared near an overpass, as one line through its reports; nothing is drawn in between.",
            "LineString",
            {
                "overpass_id": TEXT,
                "mmsi": TEXT,
                "reports": {"type": "integer"},
                "first": _TIME,
                "last": _TIME,
                "ais_class": _or_null(TEXT),
                "source": _or_null(TEXT),
                "simulated": _TRUTH,
            },
            {**port, "mmsi": TEXT, **overpass},
        ),
        FeatureCollection(
            "overpasses",
            "Overpasses",
            "Every overpass that was tried, with its one state and what it was processed with. One that failed says "
            "nothing of ships.",
            "MultiPolygon",
            _columns(ACQUISITIONS),
            {**port, "state": {**TEXT, "enum": list(ACQUISITION_STATES)}, **overpass},
            nullable_geometry=True,
        ),
    ]
    return {one.id: one for one in listed}


COLLECTIONS = _collections()


@dataclass(frozen=True)
class CatalogFeatures:
    """Collections over a store; `apps.desk.ogc.query.FeatureSource`."""

    store: Store
    ports: Mapping[str, Port]
    """Ports whose zones are known."""

    @property
    def collections(self) -> Mapping[str, FeatureCollection]:
        """The collections by id."""
        return COLLECTIONS

    def page(self, collection: str, query: FeatureQuery) -> Page:
        """Return the features asked for."""
        names, table, matched = getattr(self, f"_{collection}")(query)
        found: list[Feature] = to_features(by_the_rules(table))["features"] if len(table) else []
        return Page([{**one, "id": name} for one, name in zip(found, names, strict=True)], matched)

    def one(self, collection: str, feature: str) -> Feature | None:
        """Return a feature by its id; None where there is none."""
        key = _key(collection, feature)
        if key is None:
            return None
        found = self.page(collection, FeatureQuery(equals=key, limit=1)).features
        return found[0] if found and found[0]["id"] == feature else None

    def extent(self, collection: str) -> Extent:
        """Return where and when the features of a collection lie."""
        if collection not in ("zones", "counts"):
            return Features(self.store).extent(collection)
        zones = [zone.polygon for port in self.ports.values() for zone in port.zones]
        bounds = tuple(float(edge) for edge in shapely.total_bounds(zones)) if zones else None
        times = (None, None) if collection == "zones" else Features(self.store).extent("counts")[1:]
        return bounds, *times  # type: ignore[return-value]  # four edges

    def _detections(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        table, matched = Features(self.store).detections(query)
        return _ids(table, "port", "detection_id"), table, matched

    def _matches(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        table, matched = Features(self.store).matches(query)
        return _ids(table, "port", "overpass_id", "row"), with_lead_kind(table.drop(columns="row")), matched

    def _counts(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        zones = self._touched(query)
        rows, matched = Features(self.store).counts(query, zones["zone"].tolist())
        parts = [
            counts_by_zone(with_recall(self.store, str(port), own), self.ports[str(port)])
            for port, own in rows.groupby("port")
        ]
        table = _joined(parts) if parts else counts_by_zone(_NO_COUNTS, _BLANK)
        table = table.sort_values(["port", "overpass_id", "zone"], ignore_index=True)
        return _ids(table, "port", "overpass_id", "zone"), table, matched

    def _zones(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        table = self._touched(query)
        for name, value in query.equals.items():
            table = table[table[name] == value]
        page = table.iloc[query.offset : query.offset + query.limit].reset_index(drop=True)
        return _ids(page, "zone"), page, len(table)

    def _tracks(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        rows, matched = Features(self.store).positions(query)
        parts = [tracks_table(own).assign(port=str(port)) for port, own in rows.groupby("port")]
        table = _joined(parts) if parts else tracks_table(rows).assign(port="")
        return _ids(table, "port", "overpass_id", "mmsi"), table.drop(columns="port"), matched

    def _overpasses(self, query: FeatureQuery) -> tuple[list[str], gpd.GeoDataFrame, int]:
        table, matched = Features(self.store).overpasses(query)
        return _ids(table, "port", "overpass_id"), table, matched

    def _touched(self, query: FeatureQuery) -> gpd.GeoDataFrame:
        """Return the zones of all ports, those that touch the boxes asked for."""
        parts = [zones_table(port) for _, port in sorted(self.ports.items()) if port.zones]
        table = _joined(parts) if parts else zones_table(_BLANK)
        if query.boxes:
            table = table[table.intersects(shapely.union_all([shapely.box(*box) for box in query.boxes]))]
        return table.reset_index(drop=True)


def _ids(table: pd.DataFrame, *columns: str) -> list[str]:
    return table[list(columns)].astype(str).agg(":".join, axis=1).tolist() if len(table) else []


def _key(collection: str, feature: str) -> Mapping[str, str] | None:
    """Return the columns that an id stands for; None where it is none."""
    port, _, rest = feature.partition(":")
    middle, _, last = rest.rpartition(":")
    keys: Mapping[str, dict[str, str]] = {
        "detections": {"port": port, "detection_id": rest},
        "matches": {"port": port, "overpass_id": middle, "row": last},
        "counts": {"port": port, "overpass_id": middle, "zone": last},
        "zones": {"zone": feature},
        "tracks": {"port": port, "overpass_id": middle, "mmsi": last},
        "overpasses": {"port": port, "overpass_id": rest},
    }
    key = keys[collection]
    return key if all(key.values()) else None


def _joined(parts: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs="EPSG:4326")
