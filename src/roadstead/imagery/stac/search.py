"""Finding scenes of a port in a STAC API or a static STAC catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pystac
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests import RequestException
from shapely.geometry import box

from roadstead.core.errors import CatalogueError, EmptySearchError, SceneError
from roadstead.core.ports import Port
from roadstead.core.settings import Settings
from roadstead.imagery.remote.address_rules import AddressError, home_of, is_remote, resolve_href
from roadstead.imagery.remote.session import stac_io, told
from roadstead.imagery.remote.signing import lacks_keys, needs_keys
from roadstead.imagery.scene import Scene, Sighting
from roadstead.imagery.stac.item import (
    item_address,
    item_datetime,
    item_footprint,
    item_id,
    located,
    scene_from_item,
    sighting_of,
)
from roadstead.imagery.stac.orbits import Pass
from roadstead.imagery.stac.saved_search import is_collection, is_saved, saved_items

PAGE = 100
MOST_PAGES = 10_000
"""Of one search: a million items."""
_UNREADABLE = (OSError, RequestException, APIError, ValueError, KeyError, TypeError, pystac.STACError)
Interval = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Source:
    """One catalogue to ask."""

    name: str
    """Of the provider, or the path or URL."""
    href: str
    collection: str
    lacks: str = ""
    """Which keys are missing without which its pixels cannot be read; then it is not asked."""


def sources(settings: Settings, catalog: str | None = None) -> tuple[Source, ...]:
    """Return the catalogues to ask, in order: ``catalog`` or the settings' list, with commas."""
    named = [name.strip() for name in (catalog or settings.catalog).split(",") if name.strip()]
    found = []
    for name in named:
        row = settings.providers.get(name)
        href = row.api if row else name
        collection = row.collection if row else _collection_at(settings, href)
        lacks = needs_keys(name, row) if row is not None and lacks_keys(row) else ""
        found.append(Source(name, href, collection, lacks))
    return tuple(found)


def _collection_at(settings: Settings, href: str) -> str:
    """Return the collection of the provider whose API an address is, else that of the settings."""
    rows = settings.providers.values()
    return next(
        (row.collection for row in rows if row.api.rstrip("/") == href.rstrip("/")), settings.collection
    )


@dataclass(frozen=True)
class SearchResult:
    """What a catalogue holds of a port in a time range."""

    scenes: tuple[Scene, ...]
    """Sorted by time, then id; reprocessings are still in (see `overpasses.group_overpasses`)."""
    rejected: Mapping[str, str]
    """Item id, or address of an item that cannot be read -> why it cannot be used: failed, not empty."""
    sightings: tuple[Sighting, ...] = ()
    """What was listed within ``reach`` of the range, those of the range too."""


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


def search(
    catalog: str,
    port: Port,
    start: datetime,
    end: datetime,
    collection: str,
    margin: timedelta = timedelta(0),
    reach: timedelta = timedelta(0),
) -> SearchResult:
    """Find the scenes whose footprint meets a port's zones, acquired in [start, end) or within ``margin`` of it.

    Args:
        catalog: URL of a STAC API, or path or URL of a static catalogue or collection, which is read whole but
            for child collections whose extent is elsewhere or at another time; or a saved search (`saved_search`).
        port: zones to find scenes of.
        start: UTC.
        end: UTC, not included.
        collection: asked of an API; a static catalogue is not asked for one.
        margin: so far before and after the range scenes are taken too.
        reach: so far beyond those, what is listed is noted (`SearchResult.sightings`).

    Raises:
        EmptySearchError: nothing there: the port was not observed, which is not zero ships.
        CatalogueError: the catalogue cannot be read.
    """
    held = _Held()
    catalog = located(catalog)
    reader = stac_io(catalog, home_of(catalog))
    root = _saved(catalog) if is_saved(catalog) and not is_remote(catalog) else _root(reader, catalog)
    first, last = start - margin - reach, end + margin + reach
    if is_collection(root):
        documents = _from_saved(catalog, root)
    elif "conformsTo" in root:
        documents = _from_api(reader, catalog, port, first, last, collection, held)
    else:
        documents = _from_files(reader, catalog, root, port, first, last, held)
    result = _sorted_out(documents, catalog, port, start - margin, end + margin, reach, held)
    if not result.scenes and not result.rejected:
        raise EmptySearchError(
            f"no scene of {port.slug} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC in {catalog}: "
            f"not observed, which is not zero ships; {held}"
        )
    return result


Document = tuple[Mapping[str, Any] | Exception, str]
"""An item's JSON, or why it can't be read; and where it lies, as its catalogue says."""


def _sorted_out(
    documents: Iterator[Document],
    catalog: str,
    port: Port,
    start: datetime,
    end: datetime,
    reach: timedelta,
    held: _Held,
) -> SearchResult:
    home = home_of(catalog)
    scenes: list[Scene] = []
    sightings: list[Sighting] = []
    rejected: dict[str, str] = {}
    for document, href in documents:
        if isinstance(document, Exception):
            rejected[href] = f"the item cannot be read: {document}"
            continue
        try:
            when = _when(document, port)
            held.add(when)
            if when is None or not start - reach <= when < end + reach:
                continue
            sighting = sighting_of(document, when)
            sightings += [sighting] if sighting else []
            if start <= when < end:
                scenes.append(scene_from_item(document, resolve_href(href, catalog, home), home))
        except SceneError as error:
            rejected[item_id(document, href)] = str(error)
    return SearchResult(
        tuple(sorted(scenes, key=lambda s: (s.acquired, s.scene_id))), rejected, tuple(sightings)
    )


def _when(document: Mapping[str, Any], port: Port) -> datetime | None:
    """Return the time of an item, None where it is by radar or lies elsewhere.

    Sensor, place and time are looked at first: an item that isn't asked for can't be at fault.
    """
    if _is_radar(document) or not item_footprint(document).intersects(port.footprint):
        return None
    return item_datetime(document)


def _is_radar(document: Mapping[str, Any]) -> bool:
    """Tell a radar product, which may lie in one static catalogue with optical ones, by the STAC SAR extension."""
    properties = document.get("properties")
    return isinstance(properties, Mapping) and "sar:product_type" in properties


def _root(reader: StacApiIO, catalog: str) -> dict[str, Any]:
    try:
        root: dict[str, Any] = reader.read_json(catalog)
    except _UNREADABLE as error:
        raise CatalogueError(f"{catalog}: cannot be read: {told(error)}") from error
    if not isinstance(root, dict) or root.get("type") not in ("Catalog", "Collection", "FeatureCollection"):
        kind = root.get("type") if isinstance(root, dict) else "something else"
        raise CatalogueError(f"{catalog}: is no STAC catalogue but {kind}")
    return root


def _saved(path: str) -> dict[str, Any]:
    """Return a saved search of many lines or rows as an ItemCollection."""
    try:
        return {"type": "FeatureCollection", "features": saved_items(path)}
    except SceneError as error:
        raise CatalogueError(str(error)) from error


def _from_saved(path: str, collection: Mapping[str, Any]) -> Iterator[Document]:
    for document in collection.get("features") or ():
        if isinstance(document, dict):
            yield document, item_address(path, document)
        else:
            yield ValueError("is no JSON object"), path


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
        for document in _each_once(found.pages_as_dicts()):
            yield document, _self_href(document) or url
    except _UNREADABLE as error:
        raise CatalogueError(f"{url}: collection {collection} cannot be searched: {told(error)}") from error


def _each_once(pages: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the items of all pages, each once.

    Raises:
        ValueError: pages repeat, do not end, or end before all that matched was given: what is missing then is not
            known.
    """
    seen: set[str] = set()
    matched: int | None = None
    for number, page in enumerate(pages, 1):
        if number > MOST_PAGES:
            raise ValueError(f"it has more than {MOST_PAGES} pages, which are not followed to their end")
        features = page.get("features") or []
        stated = page.get("numberMatched", (page.get("context") or {}).get("matched"))
        matched = int(stated) if stated is not None else matched
        fresh = {item_id(item, None): item for item in features if item_id(item, None) not in seen}
        if features and not fresh:
            raise ValueError(f"its pages repeat after {len(seen)} items")
        seen |= set(fresh)
        yield from fresh.values()
    if matched is not None and len(seen) < matched:
        raise ValueError(f"it says that {matched} items match, and its pages end after {len(seen)}")


ALONG_DEG = (4.0, 8.0)
"""Longitude and latitude either side of a port in which images of the same pass are looked for: 3.5 minutes of
orbit."""
ALONG = timedelta(minutes=20)
"""Either side of the time a pass is expected at: a datatake's start can lie so far before the granule."""


def lists_passes(source: Source, port: Port, passes: Sequence[Pass]) -> list[bool] | None:
    """Return of each pass whether an API lists any image of it around a port; None for what is no API.

    Raises:
        CatalogueError: it cannot be read.
    """
    reader = stac_io(source.href, home_of(source.href))
    if is_saved(source.href) or "conformsTo" not in _root(reader, source.href):
        return None
    west, south, east, north = port.bounds
    wide = [west - ALONG_DEG[0], south - ALONG_DEG[1], east + ALONG_DEG[0], north + ALONG_DEG[1]]
    try:
        client = Client.open(source.href, stac_io=reader)
        return [_lists(client, source.collection, wide, one) for one in passes]
    except _UNREADABLE as error:
        raise CatalogueError(f"{source.name}: cannot be searched: {told(error)}") from error


def _lists(client: Client, collection: str, wide: list[float], one: Pass) -> bool:
    around = (one.expected - ALONG, one.expected + ALONG)
    found = client.search(collections=[collection], bbox=wide, datetime=around, limit=PAGE, max_items=PAGE)
    listed = (item.get("properties", {}).get("platform") for item in found.items_as_dicts())
    return one.platform in {str(name).lower() for name in listed}


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
    home = home_of(href)
    todo = [href]
    seen = {href}
    while todo:
        place = todo.pop()
        node = root if place == href else _root(reader, place)
        try:
            wanted = _may_hold(node, port, start, end, held)
            items, children = _links(node, "item"), _links(node, "child")
        except (*_UNREADABLE, AttributeError) as error:
            raise CatalogueError(f"{place}: its extent or a link is damaged: {error!r}") from error
        if not wanted:
            continue
        for item in items:
            yield _linked(reader, item, place, home)
        for link in children:
            child = _child(link, place, home)
            if child not in seen:
                seen.add(child)
                todo.append(child)


def _document(reader: StacApiIO, href: str) -> Mapping[str, Any] | Exception:
    try:
        document: Mapping[str, Any] = reader.read_json(href)
    except _UNREADABLE as error:
        return error
    return document if isinstance(document, dict) else ValueError("is no JSON object")


def _linked(reader: StacApiIO, link: str, place: str, home: str | None) -> Document:
    try:
        href = resolve_href(link, place, home)
    except AddressError as error:
        return error, link
    return _document(reader, href), href


def _child(link: str, place: str, home: str | None) -> str:
    """Return where a child lies; one that is not read may hold what is asked for, so the catalogue is not whole."""
    try:
        return resolve_href(link, place, home)
    except AddressError as error:
        raise CatalogueError(f"{place}: a child of it cannot be read: {error}") from error


def _links(node: Mapping[str, Any], rel: str) -> list[str]:
    return [str(link["href"]) for link in node.get("links", ()) if link.get("rel") == rel]


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
