"""Port files in the formats that people draw them in, brought to GeoJSON features in WGS84 longitude/latitude.

GeoJSON (also with the old ``crs`` member), KML and KMZ, GeoPackage, and Shapefile as a file, a folder or a zip. What
a file is, its content tells, in a folder or a zip too: the magic number of a Shapefile, the application id of a
GeoPackage, the root element of a whole KML. Nothing else is handed to GDAL, which finds its driver by content and has
some that read other files of this machine; what another driver opened all the same is not read.
"""

from __future__ import annotations

import json
import lzma
import math
import shutil
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from xml.parsers import expat

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from shapely.errors import ShapelyError

from roadstead.core.errors import PortError
from roadstead.core.geo import WGS84, project

LAYER = "layer"
"""Property that carries the layer (in KML the folder) that a feature lies in."""
READ = "GeoJSON (.geojson), KML (.kml, .kmz), GeoPackage (.gpkg) or Shapefile (.shp, a folder or .zip of it)"
SUFFIXES = (".geojson", ".json", ".kml", ".kmz", ".gpkg", ".shp", ".zip")
"""Endings by which a word is taken for the path of a port file."""
MOST_BYTES = 64 * 2**20
"""A port file is no larger, unpacked; zones drawn by hand take some kilobytes."""
MOST_FEATURES = 10_000
_HEAD_BYTES = 4096
_DATA = (".shp", ".gpkg", ".kml", ".geojson", ".json")
_SIDECARS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""Endings of the files that make one Shapefile."""
_GEOPACKAGES = (b"GPKG", b"GP10", b"GP11")
"""Application ids of SQLite files that are GeoPackages."""
_SHAPEFILE, _GEOPACKAGE, _KML = "ESRI Shapefile", "GPKG", "KML"
_DRIVERS = {_SHAPEFILE: (_SHAPEFILE,), _GEOPACKAGE: (_GEOPACKAGE,), _KML: ("LIBKML", "KML")}
"""Drivers of GDAL that may read a file of each kind."""
_NO_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError)
"""What the standard library raises on a zip that is broken, locked, or packed in a way it does not know."""
_ZONES = "zones"
"""Layer of our own GeoPackages that holds the port; their other layers hold what was found there."""

Raw = dict[str, Any]
"""A GeoJSON object, unchecked."""


def read_collection(path: Path) -> object:
    """Return the GeoJSON document of a port file, in WGS84; its features are unchecked.

    Raises:
        PortError: the file cannot be read, is of a kind that is not read, or is in no CRS that can be told.
    """
    try:
        if path.is_dir():
            return _folder(path)
        return _by_content(path, _head(path))
    except OSError as error:
        raise PortError(f"cannot be read: {error.strerror or error}") from error


def _head(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise PortError("cannot be read: it is no regular file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise PortError(f"is {size / 2**20:.0f} MB; a port file holds zones alone and is smaller than 64 MB")
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _by_content(path: Path, head: bytes) -> object:
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    kind = _kind(path, head)
    return _json(path.read_bytes()) if kind is None else _collection(_vector(path, kind))


def _kind(path: Path, head: bytes) -> str | None:
    """Return the kind of a file that GDAL may read, None for any other.

    Raises:
        PortError: it is a database but no GeoPackage, or no KML as it should be.
    """
    if head.startswith(b"\x00\x00\x27\x0a"):
        return _SHAPEFILE
    if head.startswith(b"SQLite format 3\x00"):
        if head[68:72] not in _GEOPACKAGES:
            raise PortError("cannot be read: it is an SQLite database, but no GeoPackage")
        return _GEOPACKAGE
    if b"\x00" in head or _root(head) != "kml":
        return None
    _check_kml(path.read_bytes())
    return _KML


def _root(head: bytes) -> str:
    """Return the name of the root element, without its prefix; "" where the text does not begin as XML."""
    names: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: names.append(name)
    try:
        parser.Parse(head, False)
    except (expat.ExpatError, ValueError):  # the root may stand before what is wrong
        pass
    return names[0].rpartition(":")[2] if names else ""


def _check_kml(content: bytes) -> None:
    """Check that nothing but one KML document stands in a file: some of GDAL's drivers read on after it.

    Raises:
        PortError: it is no well-formed XML, defines entities, or holds words that another of GDAL's drivers looks for.
    """
    if b"<OGR" in content.upper() or b"\x00" in content:
        raise PortError("is not a port file: it holds more than a KML does (instructions to GDAL)")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_definitions
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:  # ValueError: an encoding that expat does not know
        raise PortError(f"cannot be read: it is no well-formed KML: {error}") from error


def _refuse_definitions(_name: str, _system: str | None, _public: str | None, has_definitions: int) -> None:
    if has_definitions:
        raise PortError("is not a port file: it defines XML entities, which no KML needs")


def _json(content: bytes) -> object:
    """Return a GeoJSON document, brought to WGS84 where its ``crs`` member names another CRS."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PortError("is not UTF-8 text but UTF-16; save it as GeoJSON in UTF-8")
    if _is_binary(content[:_HEAD_BYTES]) or content.lstrip()[:1] == b"<":
        raise PortError(f"is not UTF-8 text or not JSON; a port file is {READ}")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PortError(f"is not UTF-8 text; save it as GeoJSON in UTF-8. A port file is {READ}") from error
    except (ValueError, RecursionError) as error:
        raise PortError(f"is not JSON: {error}. A port file is {READ}") from error
    return in_wgs84(document)


def _is_binary(head: bytes) -> bool:
    return b"\x00" in head


def in_wgs84(document: object) -> object:
    """Return a GeoJSON document whose coordinates are brought from the CRS of its ``crs`` member to WGS84.

    Raises:
        PortError: the member names no CRS that is known.
    """
    if not isinstance(document, dict) or document.get("crs") is None:
        return document
    crs = _crs_of(document["crs"])
    rest = {name: value for name, value in document.items() if name != "crs"}
    features = rest.get("features")
    if crs.equals(CRS.from_user_input(WGS84), ignore_axis_order=True) or not isinstance(features, list):
        return rest
    return {**rest, "features": [_moved(feature, crs) for feature in features]}


def _crs_of(member: object) -> CRS:
    try:
        named = member["properties"]  # type: ignore[index]
        return CRS.from_user_input(named["name"] if "name" in named else f"EPSG:{int(named['code'])}")
    except (CRSError, KeyError, TypeError, ValueError) as error:
        raise PortError(
            f"is not a port file: the 'crs' member is {json.dumps(member)}, which is no CRS that is known: "
            "reproject to EPSG:4326"
        ) from error


def _moved(feature: object, crs: CRS) -> object:
    """Return a feature in WGS84; one whose geometry cannot be read is left to the checks that name it."""
    try:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))  # type: ignore[index]
    except (ShapelyError, KeyError, TypeError, ValueError):
        return feature
    return {**feature, "geometry": _geojson(_lonlat(shape, crs))}  # type: ignore[dict-item]


def _lonlat(shape: shapely.Geometry, crs: CRS) -> shapely.Geometry:
    if crs.is_projected and (np.abs(shapely.get_coordinates(shape)) <= (180.0, 90.0)).all():
        raise PortError(
            f"its coordinates are degrees, but it says that they are in {crs.name}: mend what it says of its CRS, or "
            "reproject to EPSG:4326"
        )
    try:
        return project(shapely.force_2d(shape), crs.to_wkt(), WGS84)
    except (ProjError, CRSError) as error:
        raise PortError(
            f"its CRS ({crs.name}) cannot be brought to WGS84: {error}; reproject to EPSG:4326"
        ) from error


def _geojson(shape: shapely.Geometry | None) -> object:
    return None if shape is None else json.loads(shapely.to_geojson(shape))


def _collection(features: Iterable[Raw]) -> Raw:
    return {"type": "FeatureCollection", "features": list(features)}


def _folder(path: Path) -> object:
    """Read every Shapefile of a folder, each a layer."""
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".shp")
    if not files:
        raise PortError(f"cannot be read: the folder holds no Shapefile; a port file is {READ}")
    return _collection(feature for file in files for feature in _features(file))


def _features(path: Path) -> Iterator[Raw]:
    """Yield the features of a file that a folder or a zip holds, named by it where it is wrong."""
    try:
        kind = _kind(path, _head(path))
        if kind is None:
            raise PortError(f"is of another kind than its name says; a port file is {READ}")
        yield from _vector(path, kind)
    except PortError as error:
        raise PortError(f"holds '{path.name}', and this file {error}") from error


def _zipped(path: Path) -> object:
    """Read what a zip or KMZ holds: all its Shapefiles, or its one file of another kind."""
    try:
        with zipfile.ZipFile(path) as packed:
            infos = [info for info in packed.infolist() if _is_data(info)]
            names = sorted({info.filename for info in infos})
            if sum(info.file_size for info in packed.infolist()) > MOST_BYTES:
                raise PortError("holds more than 64 MB; a port file holds zones alone")
            chosen = _chosen(names)
            if chosen[0].lower().endswith(("json",)):
                return _json(packed.read(chosen[0]))
            with TemporaryDirectory(prefix="roadstead-port-") as folder:
                parts = _parts(packed.namelist())
                return _collection(
                    feature
                    for at, name in enumerate(chosen)
                    for feature in _features(_unpacked(packed, name, parts, Path(folder, str(at))))
                )
    except _NO_ZIP as error:
        raise PortError(f"is a zip that cannot be read: {error}") from error


def _parts(names: Iterable[str]) -> dict[PurePosixPath, set[str]]:
    """Return the members of a zip that make a Shapefile, by its path without an ending."""
    parts: dict[PurePosixPath, set[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() in _SIDECARS:
            parts.setdefault(path.with_suffix(""), set()).add(name)
    return parts


def _unpacked(
    packed: zipfile.ZipFile, name: str, parts: Mapping[PurePosixPath, set[str]], folder: Path
) -> Path:
    """Unpack a member, of a Shapefile all parts, into a new folder: what GDAL reads is what is checked."""
    folder.mkdir()
    path = PurePosixPath(name)
    members = parts.get(path.with_suffix(""), ()) if path.suffix.lower() == ".shp" else (name,)
    for member in members:
        with packed.open(member) as source, (folder / PurePosixPath(member).name).open("wb") as target:
            shutil.copyfileobj(source, target)
    return folder / path.name


def _is_data(info: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(info.filename)
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return not info.is_dir() and not hidden and name.suffix.lower() in _DATA


def _chosen(names: Sequence[str]) -> list[str]:
    """Return the members of a zip to read: of the first kind of `_DATA` that it holds.

    Raises:
        PortError: it holds none, or several files that are no Shapefiles.
    """
    for suffix in _DATA:
        found = sorted(name for name in names if name.lower().endswith(suffix))
        if suffix == ".kml" and "doc.kml" in found:
            return ["doc.kml"]
        if len(found) > 1 and suffix != ".shp":
            raise PortError(f"holds {', '.join(found)}: one file holds one port; unpack it and name the file")
        if found:
            return found
    raise PortError(f"is a zip without a port file in it; a port file is {READ}")


def _vector(path: Path, kind: str) -> Iterator[Raw]:
    """Yield the features of every layer with geometry that GDAL reads from a file of this kind, in WGS84.

    Raises:
        PortError: GDAL cannot read it, or it holds more than `MOST_FEATURES`.
    """
    for layer, table in _layers(path, kind):
        if len(table) > MOST_FEATURES:
            raise PortError(f"layer '{layer}' holds more than {MOST_FEATURES} features")
        yield from _rows(table, layer, kml=kind == _KML)


def _layers(path: Path, kind: str) -> list[tuple[str, Any]]:
    """Return each layer with geometry, or the zones of one of our own GeoPackages, as a GeoDataFrame."""
    import pyogrio  # here: with pandas it takes half a second, and a port in GeoJSON needs neither
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

    try:
        with warnings.catch_warnings():  # what GDAL warns of, the checks of the features name
            warnings.simplefilter("ignore")
            source = _source(path, kind)
            layers = [str(name) for name, shape in pyogrio.list_layers(source) if shape is not None]
            wanted = [_ZONES] if _ZONES in layers else layers
            drivers = {str(pyogrio.read_info(source, layer=name)["driver"]) for name in wanted}
            if not drivers <= set(_DRIVERS[kind]):
                raise PortError(f"cannot be read: GDAL takes it for {', '.join(sorted(drivers))}, not {kind}")
            return [
                (name, pyogrio.read_dataframe(source, layer=name, max_features=MOST_FEATURES + 1))
                for name in wanted
            ]
    except (DataSourceError, DataLayerError, FeatureError, RuntimeError, ValueError) as error:
        raise PortError(f"cannot be read: {' '.join(str(error).split())}") from error


def _source(path: Path, kind: str) -> str:
    """Return what makes GDAL read a file, by the driver of its kind where GDAL has words for that."""
    whole = str(path.absolute())
    return f'GPKG:"{whole}"' if kind == _GEOPACKAGE and '"' not in whole else whole


def _rows(table: Any, layer: str, kml: bool) -> Iterator[Raw]:  # noqa: ANN401 - a GeoDataFrame
    shapes = table.geometry
    crs = None if table.crs is None else CRS.from_user_input(table.crs)
    columns = table.drop(columns=shapes.name)
    if kml:  # the XML id of a placemark, which programs make up, is nobody's zone id
        columns = columns.drop(columns="id", errors="ignore")
    for shape, cells in zip(shapes, columns.to_dict("records"), strict=True):
        known = {name: value for name, value in cells.items() if _is_told(value)}
        moved = shape if shape is None or crs is None else _lonlat(shape, crs)
        yield {"type": "Feature", "properties": {LAYER: layer, **known}, "geometry": _geojson(moved)}


def _is_told(value: object) -> bool:
    """Return whether a cell holds a word or a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or (isinstance(value, str) and bool(value.strip()))
