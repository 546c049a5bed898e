"""A static STAC catalogue of a port's detections: one item an overpass, self-contained, links relative.

STAC 1.1 with the Processing extension (https://github.com/stac-extensions/processing). The model that found the hulls
is an item of its own with the Machine Learning Model extension (https://github.com/stac-extensions/mlm), with its
weights.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from roadstead.core.atomic_files import replacing
from roadstead.core.detections_file import write_json
from roadstead.core.leads import with_lead_kind
from roadstead.core.version import __version__
from roadstead.publish.formats.geojson import by_the_rules, write_placed
from roadstead.publish.formats.layers import is_simulated
from roadstead.publish.report.data import PortReport
from roadstead.publish.wording import LEAD, check_words

STAC_VERSION = "1.1.0"
PROCESSING = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
_LINEAGE = (
    "Hulls found in optical images by a trained detector and held against AIS declarations. A hull is a lead with a "
    "probability, never a verdict."
)
_NOT_OBSERVED = "Not observed: too little of any zone was seen. This is not zero."
_MODEL_KEYS = ("type", "stac_version", "stac_extensions", "id", "geometry", "properties", "assets")
_GEOJSON = "application/geo+json"


@dataclass(frozen=True)
class _Link:
    rel: str
    href: str
    type: str = "application/json"
    title: str | None = None

    @property
    def json(self) -> dict[str, str]:
        title = {"title": self.title} if self.title else {}
        return {"rel": self.rel, "href": self.href, "type": self.type, **title}


def write_stac(folder: Path, report: PortReport, models: Mapping[str, Path]) -> list[Path]:
    """Write ``<port>-stac/`` and return its files, ``catalog.json`` first; the same input gives the same bytes.

    Overpasses that failed have no item: nothing was seen in them. Those that were not observed have one that says so.

    Args:
        folder: made where missing.
        report: tables of a port, filtered or not.
        models: model id -> folder of its ``model.json`` and weights; other models are named, not linked.

    Raises:
        StoreError: a file cannot be written.
    """
    root = folder / f"{report.port.slug}-stac"
    seen = report.acquisitions[report.acquisitions["state"] != "failed"].to_dict("records")
    used = [name for name in sorted({row["model_id"] for row in seen if row["model_id"]}) if name in models]
    written = [file for name in used for file in _write_model(root, name, models[name])]
    layers = {"detections": report.detections, "matches": with_lead_kind(report.matches)}
    parts = {kind: _by_overpass(by_the_rules(table)) for kind, table in layers.items()}
    items = [
        _write_item(
            root,
            report,
            row,
            {kind: parts[kind].get(row["overpass_id"], table[:0]) for kind, table in layers.items()},
            used,
        )
        for row in seen
    ]
    for item, files in items:
        written += [*files, _put(root / _item_path(item["id"]), item)]
    collection = root / "detections" / "collection.json"
    written.insert(0, _put(collection, _collection(report, [item for item, _ in items], used)))
    written.insert(0, _put(root / "catalog.json", _catalog(report, used)))
    return written


def _by_overpass(table: gpd.GeoDataFrame) -> dict[Any, gpd.GeoDataFrame]:
    return {name: part for name, part in table.groupby("overpass_id", sort=False)}


def _item_path(name: str) -> Path:
    return Path("detections") / name / f"{name}.json"


def _put(path: Path, document: Mapping[str, Any]) -> Path:
    check_words(json.dumps(document, ensure_ascii=False))
    write_json(path, document)
    return path


def _catalog(report: PortReport, models: Sequence[str]) -> dict[str, Any]:
    links = [
        _Link("root", "./catalog.json"),
        _Link("child", "./detections/collection.json", title="Detections"),
    ]
    links += [_Link("item", f"./models/{name}/{name}.json", _GEOJSON, f"Model {name}") for name in models]
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": f"roadstead-{report.port.slug}",
        "title": f"Roadstead: {report.name}",
        "description": f"{_simulated(report)}What Roadstead found at {report.name}. {LEAD}",
        "links": [link.json for link in links],
    }


def _simulated(report: PortReport) -> str:
    return "SIMULATED. " if is_simulated(report.acquisitions, report.scenes) else ""


def _collection(
    report: PortReport, items: Sequence[Mapping[str, Any]], models: Sequence[str]
) -> dict[str, Any]:
    times = sorted(item["properties"]["datetime"] for item in items)
    bounds = [item["bbox"] for item in items] or [list(report.port.bounds)]
    whole = [
        min(b[0] for b in bounds),
        min(b[1] for b in bounds),
        max(b[2] for b in bounds),
        max(b[3] for b in bounds),
    ]
    links = [_Link("root", "../catalog.json"), _Link("parent", "../catalog.json")]
    links += [_Link("item", f"./{item['id']}/{item['id']}.json", _GEOJSON) for item in items]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": f"roadstead-{report.port.slug}-detections",
        "title": f"Hulls found at {report.name}",
        "description": f"{_simulated(report)}One item an overpass. {_LINEAGE}",
        "license": "other",
        "keywords": ["ships", "AIS", "detections", report.port.slug],
        "providers": [{"name": "Roadstead", "roles": ["processor"]}],
        "extent": {
            "spatial": {"bbox": [whole]},
            "temporal": {"interval": [[times[0], times[-1]] if times else [None, None]]},
        },
        "summaries": {"roadstead:model_id": list(models)} if models else {},
        "links": [link.json for link in links],
    }


def _write_item(
    root: Path,
    report: PortReport,
    row: Mapping[Any, Any],
    of: Mapping[str, gpd.GeoDataFrame],
    models: Sequence[str],
) -> tuple[dict[str, Any], list[Path]]:
    """Write the assets of one overpass and return its item and their paths."""
    name, at = row["overpass_id"], root / "detections" / row["overpass_id"]
    files = [write_placed(table, at / f"{kind}.geojson") for kind, table in of.items()]
    scenes = report.scenes[report.scenes["overpass_id"] == name]
    place = _footprint(report, scenes)
    item = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [PROCESSING, FILE],
        "id": name,
        "collection": f"roadstead-{report.port.slug}-detections",
        "geometry": shapely.geometry.mapping(place),
        "bbox": [float(value) for value in place.bounds],
        "properties": _properties(row, scenes, {kind: len(table) for kind, table in of.items()}, models),
        "assets": {kind: _asset(kind, path) for kind, path in zip(of, files, strict=True)},
        "links": [link.json for link in _links(row, scenes, models)],
    }
    return item, files


def _footprint(report: PortReport, scenes: gpd.GeoDataFrame) -> BaseGeometry:
    """Return what the images cover, RFC 7946; the port's zones where the store does not know."""
    place = shapely.union_all(scenes.geometry.to_numpy()) if len(scenes) else report.port.footprint
    (placed,) = by_the_rules(gpd.GeoDataFrame(geometry=[place], crs="EPSG:4326")).geometry
    return shapely.geometry.shape(placed)


def _properties(
    row: Mapping[Any, Any], scenes: gpd.GeoDataFrame, rows: Mapping[str, int], models: Sequence[str]
) -> dict[str, Any]:
    observed = row["state"] == "processed"
    told: dict[str, Any] = {
        "datetime": _time(row["acquired"]),
        "title": f"{'SIMULATED: ' if row['simulated'] else ''}hulls found in {row['overpass_id']}",
        "description": _LINEAGE if observed else _NOT_OBSERVED,
        "processing:lineage": _LINEAGE,
        "processing:software": {"roadstead": row["roadstead_version"] or __version__},
        "roadstead:state": row["state"],
        "roadstead:simulated": bool(row["simulated"]),
        "roadstead:with_ais": bool(row["with_ais"]),
        "roadstead:model_id": row["model_id"],
        "roadstead:model_sha256": row["model_sha256"],
        "roadstead:threshold": None if pd.isna(row["threshold"]) else float(row["threshold"]),
        "roadstead:scenes": list(scenes["scene_id"]),
        "roadstead:processing_baselines": sorted(set(scenes["processing_baseline"].dropna())),
        **{f"roadstead:{kind}": count for kind, count in rows.items()},
    }
    platforms = sorted({str(name).lower() for name in scenes["platform"].dropna()})
    if len(platforms) == 1:
        told["platform"] = platforms[0]
    if not pd.isna(row["stored"]):
        told["processing:datetime"] = _time(row["stored"])
    if row["model_id"] in models:
        expression = f"../../models/{row['model_id']}/{row['model_id']}.json"
        told["processing:expression"] = {"format": "stac-mlm", "expression": expression}
    return {name: value for name, value in told.items() if value is not None or name == "datetime"}


def _time(value: Any) -> str:  # noqa: ANN401 - a pandas time
    return pd.Timestamp(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _links(row: Mapping[Any, Any], scenes: gpd.GeoDataFrame, models: Sequence[str]) -> list[_Link]:
    links = [_Link("root", "../../catalog.json"), _Link("parent", "../collection.json")]
    links.append(_Link("collection", "../collection.json"))
    if row["model_id"] in models:
        href = f"../../models/{row['model_id']}/{row['model_id']}.json"
        links.append(_Link("processing-expression", href, _GEOJSON, "The model"))
    # A path on the disk of who made this says nothing to others; product ids stand in the properties.
    public = [
        href for href in scenes["item_href"].dropna() if urlparse(str(href)).scheme in ("http", "https")
    ]
    return links + [_Link("derived_from", str(href), _GEOJSON, "The image") for href in public]


def _asset(kind: str, path: Path) -> dict[str, Any]:
    return {
        "href": f"./{path.name}",
        "type": _GEOJSON,
        "title": {"detections": "Hulls found", "matches": "Hulls and declared vessels held together"}[kind],
        "roles": ["data"],
        "file:size": path.stat().st_size,
        "file:checksum": checksum(path),
    }


def checksum(path: Path) -> str:
    """Return a file's SHA-256 as a multihash, as the File extension wants it."""
    with path.open("rb") as file:
        return f"1220{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _write_model(root: Path, name: str, folder: Path) -> list[Path]:
    """Write the model's item beside a copy of its weights."""
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    item = {key: document[key] for key in _MODEL_KEYS if key in document}
    copied = []
    for asset in item["assets"].values():
        path = root / "models" / name / Path(asset["href"]).name
        with replacing(path) as temporary:
            shutil.copyfile(folder / asset["href"], temporary)
        asset["href"] = f"./{path.name}"
        if "mlm:model" in asset.get("roles", ()):
            asset.setdefault("mlm:artifact_type", "ONNX")
        copied.append(path)
    item["links"] = [
        _Link("root", "../../catalog.json").json,
        _Link("parent", "../../catalog.json").json,
    ]
    return [*copied, _put(root / "models" / name / f"{name}.json", item)]
