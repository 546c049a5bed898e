"""Finding scenes of a port in a STAC API or a static STAC catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pystac
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests import RequestException
from shapely.geometry import box

from roadstead.aoi import Port
from roadstead.errors import CatalogueError, EmptySearchError, SceneError
from roadstead.imagery.http import stac_io
from roadstead.imagery.items import item_datetime, item_footprint, item_id, scene_from_item
from roadstead.imagery.scene import Scene

PAGE = 100
_UNREADABLE = (OSError, RequestException, APIError, ValueError, KeyError, TypeError, pystac.STACError)
Interval = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class SearchResult:
    """What a catalogue holds of a port in a time range."""

    scenes: tuple[Scene, ...]
    """Sorted by time, then id; reprocessings are still in (see `overpasses.group_overpasses`)."""
    rejected: Mapping[str, str]
    """Item id, or address of an item that cannot be read -> why it cannot be used: failed, not empty."""


@dataclass
class _Held:
    """The span of time that a catalogue holds over a port, whatever was asked for."""

    times: list[datetime] = field(default_factory=list)

    def add(self, *times: datetime | None) -> None:
        self.times.extend(time for time in times if time is not None)

    def __str__(self) -> str:
        if not self.times:
            return "it holds nothing over this place"
        return f"what it holds over this place runs from {min(self.times):%Y-%m-%d} to {max(self.times):%Y-%m-%d}"


def search(catalog: str, port: Port, start: datetime, end: datetime, collection: str) -> SearchResult:
    """Find the scenes whose footprint meets a port's zones, acquired in [start, end).

    Args:
        catalog: URL of a STAC API, or path or URL of a static catalogue or collection, which is read whole but
            for child collections whose extent is elsewhere or at another time.
        port: zones to find scenes of.
        start: UTC.
        end: UTC, not included.
        collection: asked of an API; a static catalogue is not asked for one.

    Raises:
        EmptySearchError: nothing there: the port was not observed, which is not zero ships.
        CatalogueError: the catalogue cannot be read.
    """
    held = _Held()
    reader = stac_io()
    root = _root(reader, catalog)
    if "conformsTo" in root:
        documents = _from_api(reader, catalog, port, start, end, collection, held)
    else:
        documents = _from_files(reader, catalog, root, port, start, end, held)
    result = _sorted_out(documents, port, start, end, held)
    if not result.scenes and not result.rejected:
        raise EmptySearchError(
            f"no scene of {port.slug} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC in {catalog}: "
            f"not observed, which is not zero ships; {held}"
        )
    return result


Document = tuple[Mapping[str, Any] | Exception, str]
"""An item's JSON, or why it can't be read; and where it lies."""


def _sorted_out(
    documents: Iterator[Document], port: Port, start: datetime, end: datetime, held: _Held
) -> SearchResult:
    scenes: list[Scene] = []
    rejected: dict[str, str] = {}
    for document, href in documents:
        if isinstance(document, Exception):
            rejected[href] = f"the item cannot be read: {document}"
            continue
        try:
            scene = _wanted(document, href, port, start, end, held)
        except SceneError as error:
            rejected[item_id(document, href)] = str(error)
            continue
        if scene is not None:
            scenes.append(scene)
    return SearchResult(tuple(sorted(scenes, key=lambda s: (s.acquired, s.scene_id))), rejected)


def _wanted(
    document: Mapping[str, Any], href: str, port: Port, start: datetime, end: datetime, held: _Held
) -> Scene | None:
    """Return the scene of an item, None where it is by radar, lies elsewhere or at another time.

    Sensor, place and time are looked at first: an item that isn't asked for can't be at fault.
    """
    if _is_radar(document):
        return None
    if not item_footprint(document).intersects(port.footprint):
        return None
    when = item_datetime(document)
    held.add(when)
    return scene_from_item(document, href) if start <= when < end else None


def _is_radar(document: Mapping[str, Any]) -> bool:
    """Tell a radar product, which may lie in one static catalogue with optical ones, by the STAC SAR extension."""
    properties = document.get("properties")
    return isinstance(properties, Mapping) and "sar:product_type" in properties


def _root(reader: StacApiIO, catalog: str) -> dict[str, Any]:
    try:
        root: dict[str, Any] = reader.read_json(catalog)
    except _UNREADABLE as error:
        raise CatalogueError(f"{catalog}: cannot be read: {error}") from error
    if not isinstance(root, dict) or root.get("type") not in ("Catalog", "Collection"):
        kind = root.get("type") if isinstance(root, dict) else "something else"
        raise CatalogueError(f"{catalog}: is no STAC catalogue but {kind}")
    return root


def _from_api(
    reader: StacApiIO,
    url: str,
    port: Port,
    start: datetime,
    end: datetime,
    collection: str,
    held: _Held,
) -> Iterator[Document]:
    try:
        client = Client.open(url, stac_io=reader)
        held.add(*_interval(_collection(client, collection)))
        found = client.search(
            collections=[collection], bbox=list(port.bounds), datetime=(start, end), limit=PAGE
        )
        for document in found.items_as_dicts():
            yield document, _self_href(document) or url
    except _UNREADABLE as error:
        raise CatalogueError(f"{url}: collection {collection} cannot be searched: {error}") from error


def _collection(client: Client, name: str) -> dict[str, Any]:
    found = client.get_collection(name)
    if found is None:
        raise ValueError("the server gives no such collection")
    document: dict[str, Any] = found.to_dict()
    return document


def _self_href(document: Mapping[str, Any]) -> str | None:
    links = document.get("links", ())
    return next((str(link["href"]) for link in links if link.get("rel") == "self"), None)


def _from_files(
    reader: StacApiIO,
    href: str,
    root: Mapping[str, Any],
    port: Port,
    start: datetime,
    end: datetime,
    held: _Held,
) -> Iterator[Document]:
    """Walk a static catalogue depth first, one file at a time; yield every item that may be asked for."""
    todo: list[tuple[str, Mapping[str, Any]]] = [(href, root)]
    seen = {href}
    while todo:
        place, node = todo.pop()
        try:
            wanted = _may_hold(node, port, start, end, held)
            items, children = _links(node, place, "item"), _links(node, place, "child")
        except (*_UNREADABLE, AttributeError) as error:
            raise CatalogueError(f"{place}: its extent or a link is damaged: {error!r}") from error
        if not wanted:
            continue
        for item in items:
            yield _document(reader, item), item
        for child in children:
            if child not in seen:
                seen.add(child)
                todo.append((child, _root(reader, child)))


def _document(reader: StacApiIO, href: str) -> Mapping[str, Any] | Exception:
    try:
        document: Mapping[str, Any] = reader.read_json(href)
    except _UNREADABLE as error:
        return error
    return document if isinstance(document, dict) else ValueError("is no JSON object")


def _links(node: Mapping[str, Any], place: str, rel: str) -> list[str]:
    links = node.get("links", ())
    return [
        pystac.utils.make_absolute_href(str(link["href"]), place) for link in links if link.get("rel") == rel
    ]


def _may_hold(node: Mapping[str, Any], port: Port, start: datetime, end: datetime, held: _Held) -> bool:
    """Return whether a catalogue's extent, where it states one, meets the port and the time range."""
    boxes = node.get("extent", {}).get("spatial", {}).get("bbox", [])
    corners = [(b[0], b[1], b[len(b) // 2], b[len(b) // 2 + 1]) for b in boxes if len(b) in (4, 6)]
    if corners and not any(box(*b).intersects(port.footprint) for b in corners):
        return False
    first, last = _interval(node)
    early, late = last is not None and last < start, first is not None and first >= end
    if early or late:
        held.add(first, last)
    return not (early or late)


def _interval(node: Mapping[str, Any]) -> Interval:
    """Return the temporal extent of a collection, None for open or unstated ends."""
    intervals = node.get("extent", {}).get("temporal", {}).get("interval") or [[None, None]]
    first, last = (None if text is None else datetime.fromisoformat(text) for text in intervals[0][:2])
    return _utc(first), _utc(last)


def _utc(when: datetime | None) -> datetime | None:
    return when if when is None or when.tzinfo else when.replace(tzinfo=UTC)
