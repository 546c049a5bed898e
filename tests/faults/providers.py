"""One small world behind three providers, its items in each one's true shape.

Shapes by the items that Earth Search v1 (sentinel-2-c1-l2a), Planetary Computer (sentinel-2-l2a) and the Copernicus
Data Space (sentinel-2-l2a) publish: ids, times, keys, offsets, platforms and where SENSING_TIME is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rasterio

from roadstead.core.settings import settings
from roadstead.imagery.remote import range_files, signing
from tests.faults.proxy import Proxy, proxy
from tests.integration.stac_servers import file_server, stac_api
from tests.worlds import World, make_world

TOKEN = "made-up-token"  # noqa: S105 - of a test server
KEY = "made-up-key"
SHAPES = ("earth-search", "planetary-computer", "cdse")
MTD_TL = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd">
  <n1:General_Info>
    <L1C_TILE_ID metadataLevel="Brief">S2B_OPER_MSI_L1C_TL_TEST</L1C_TILE_ID>
    <DATASTRIP_ID metadataLevel="Standard">S2B_OPER_MSI_L2A_DS_TEST</DATASTRIP_ID>
    <SENSING_TIME metadataLevel="Standard">{time}</SENSING_TIME>
  </n1:General_Info>
</n1:Level-2A_Tile_ID>
"""


@dataclass(frozen=True)
class Providers:
    """The proxies in front of the three, and how to name them in the settings."""

    world: World
    proxies: Mapping[str, Proxy]
    rows: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that asks these three."""
        return {
            "ROADSTEAD_PROVIDERS": json.dumps(self.rows),
            "ROADSTEAD_CATALOG": ",".join(SHAPES),
            "CDSE_S3_ACCESS_KEY": KEY,
            "CDSE_S3_SECRET_KEY": "made-up-secret",
        }


@contextmanager
def three_providers(folder: Path, world: World | None = None) -> Iterator[Providers]:
    """Serve a world by three providers at once."""
    made = world or make_world(folder / "world")
    with ExitStack() as stack:
        proxies = {name: stack.enter_context(_provider(name, made, folder)) for name in SHAPES}
        yield Providers(made, proxies, {name: _row(name, one.url) for name, one in proxies.items()})


@contextmanager
def in_process(served: Providers, home: Path) -> Iterator[None]:
    """Make this process ask these providers, with nothing kept from before."""
    changed = {**served.environment, "ROADSTEAD_HOME": str(home)}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    _forget()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        _forget()


def _forget() -> None:
    settings.cache_clear()
    signing._made.cache_clear()
    range_files._versions.clear()


def _row(name: str, url: str) -> dict[str, Any]:
    row: dict[str, Any] = {"api": f"{url}/stac", "collection": COLLECTIONS[name], "assets": [f"{url}/"]}
    if name == "planetary-computer":
        row |= {"access": "sas", "sign": f"{url}/token"}
    if name == "cdse":
        row |= {
            "assets": ["s3://eodata/"], "access": "s3", "endpoint": url,
            "key_variable": "CDSE_S3_ACCESS_KEY", "secret_variable": "CDSE_S3_SECRET_KEY",
        }  # fmt: skip
    return row


COLLECTIONS = {
    "earth-search": "sentinel-2-c1-l2a",
    "planetary-computer": "sentinel-2-l2a",
    "cdse": "sentinel-2-l2a",
}


@contextmanager
def _provider(name: str, world: World, folder: Path) -> Iterator[Proxy]:
    place = folder / name
    settings_of = {"planetary-computer": {"token": TOKEN}, "cdse": {"key": KEY}}.get(name, {})
    with file_server(folder) as files, proxy(files.url, **settings_of) as front:
        items = [_shaped(name, item, folder, place, front.url) for item in world.items]
        collection = {
            "type": "Collection", "stac_version": "1.0.0", "id": COLLECTIONS[name], "description": "made by a test",
            "license": "proprietary", "links": [],
            "extent": {
                "spatial": {"bbox": [[-180, -90, 180, 90]]},
                "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]},
            },
        }  # fmt: skip
        (place / "collection.json").write_text(json.dumps(collection), encoding="utf-8")
        with stac_api(place, items, None) as api:
            front.stac = api
            yield front


def _shaped(name: str, source: Path, folder: Path, place: Path, url: str) -> Path:
    """Write one item in a provider's shape; return its path."""
    item = json.loads(source.read_text(encoding="utf-8"))
    here = source.parent.relative_to(folder).as_posix()
    seen = datetime.fromisoformat(item["properties"]["datetime"])
    take, _, orbit = str(item["properties"]["s2:datatake_id"])[: -len("_N05.00")].rpartition("_")
    facts = {
        "seen": seen, "take": f"{take}_{orbit}", "start": datetime.strptime(take[5:],
        "%Y%m%dT%H%M%S").replace(tzinfo=UTC), "platform": item["properties"]["platform"], "tile":
        item["properties"]["grid:code"].removeprefix("MGRS-"), "url": url, "here": here, "scl": "scl" in item["assets"],
    }  # fmt: skip
    (source.parent / "MTD_TL.xml").write_text(MTD_TL.format(time=_iso(seen)), encoding="utf-8")
    if name == "cdse":
        _as_jp2(source.parent)
    shape = {"earth-search": _earth_search, "planetary-computer": _planetary_computer, "cdse": _cdse}[name](
        facts
    )
    document = {**item, **shape, "collection": COLLECTIONS[name], "links": []}
    path = place / f"{document['id']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _product(facts: Mapping[str, Any], baseline: str = "0500") -> str:
    sat = facts["take"][1:4]
    return f"{sat}_MSIL2A_{facts['start']:%Y%m%dT%H%M%S}_N{baseline}_R046_T{facts['tile']}_20201104T010101"


def _earth_search(facts: Mapping[str, Any]) -> dict[str, Any]:
    meta = {"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}
    assets = {
        band: {
            "href": f"{facts['url']}/{facts['here']}/{band}.tif",
            "type": "image/tiff",
            "raster:bands": [meta],
        }
        for band in ("red", "green", "blue", "nir")
    }
    if facts["scl"]:
        assets["scl"] = {"href": f"{facts['url']}/{facts['here']}/scl.tif", "type": "image/tiff"}
    return {
        "id": f"{facts['take'][1:4]}_T{facts['tile']}_{facts['seen']:%Y%m%dT%H%M%S}_L2A",
        "properties": {
            "datetime": _iso(facts["seen"]), "platform": facts["platform"], "grid:code": f"MGRS-{facts['tile']}",
            "s2:datatake_id": f"{facts['take']}_N05.00", "s2:processing_baseline": "05.00",
            "s2:product_uri": f"{_product(facts)}.SAFE",
        },
        "assets": assets,
    }  # fmt: skip


def _planetary_computer(facts: Mapping[str, Any]) -> dict[str, Any]:
    files = {
        "B04": "red",
        "B03": "green",
        "B02": "blue",
        "B08": "nir",
        **({"SCL": "scl"} if facts["scl"] else {}),
    }
    assets = {
        key: {"href": f"{facts['url']}/{facts['here']}/{name}.tif", "type": "image/tiff; application=geotiff"}
        for key, name in files.items()
    }
    assets["granule-metadata"] = {
        "href": f"{facts['url']}/{facts['here']}/MTD_TL.xml",
        "type": "application/xml",
    }
    return {
        "id": _product(facts).replace("_N0500", ""),
        "properties": {
            "datetime": _iso(facts["start"] + timedelta(milliseconds=24)), "platform": facts["platform"].title(),
            "s2:mgrs_tile": facts["tile"], "s2:datatake_id": f"{facts['take']}_N05.00", "s2:processing_baseline":
            "05.00", "s2:product_uri": f"{_product(facts)}.SAFE",
        },
        "assets": assets,
    }  # fmt: skip


def _cdse(facts: Mapping[str, Any]) -> dict[str, Any]:
    files = {"B04_10m": "red", "B03_10m": "green", "B02_10m": "blue", "B08_10m": "nir"}
    files |= {"SCL_20m": "scl"} if facts["scl"] else {}
    band = {"raster:scale": 0.0001, "raster:offset": -0.1}
    assets: dict[str, Any] = {
        key: {
            "href": f"s3://eodata/{facts['here']}/{name}.jp2", "type": "image/jp2", "nodata": 0,
            **({} if key.startswith("SCL") else {"bands": [{"name": key[:3], **band}]}),
        }
        for key, name in files.items()
    }  # fmt: skip
    assets["granule_metadata"] = {
        "href": f"s3://eodata/{facts['here']}/MTD_TL.xml",
        "type": "application/xml",
    }
    return {
        "id": _product(facts),
        "properties": {
            "datetime": _iso(facts["start"] + timedelta(milliseconds=24)), "platform": facts["platform"],
            "grid:code": f"MGRS-{facts['tile']}", "eopf:datatake_id": f"{facts['take']}_N05.00",
            "processing:version": "05.00",
        },
        "assets": assets,
    }  # fmt: skip


def _as_jp2(folder: Path) -> None:
    """Write lossless JPEG 2000 beside each GeoTIFF."""
    for tiff in sorted(folder.glob("*.tif")):
        with rasterio.open(tiff) as source:
            profile = {
                "driver": "JP2OpenJPEG", "width": source.width, "height": source.height, "count": source.count,
                "dtype": source.dtypes[0], "crs": source.crs, "transform": source.transform,
                "QUALITY": "100", "REVERSIBLE": "YES",
            }  # fmt: skip
            with rasterio.open(tiff.with_suffix(".jp2"), "w", **profile) as out:
                out.write(source.read())
