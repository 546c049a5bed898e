"""What can break, and what becomes of it: run, checked by a test, and written into docs/faults.md.

Each row watches a small port whose two overpasses are listed by two catalogues (`providers`); the first one's server
breaks as the row says. "Recovered" is a store equal to that of a run without fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rasterio.io import MemoryFile

from tests import builders
from tests.faults.proxy import Fault

FIRST = r"S2B_TEST_1/(red|green|blue|nir|scl)\.tif"
"""The first overpass's rasters."""
SEARCH = r"^/stac/search"
Document = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One fault."""

    name: str
    faults: Callable[[], list[Fault]]
    """At the provider that is asked first."""
    outcome: str
    """`recovered`, `from the next catalogue`, `failed`, `not asked` or `missing`; see `docs`."""
    says: str = ""
    """What the user is told, a part of it."""
    alone: bool = False
    """Only this provider is asked."""
    first: str = "earth-search"
    arrange: dict[str, Any] = field(default_factory=dict)


def _repeat(page: Document) -> Document:
    """Point the next page at this one."""
    here = next(link["href"] for link in page["links"] if link["rel"] == "root").rstrip("/")
    body = {"limit": 100, "collections": ["sentinel-2-c1-l2a"]}
    next_page = {"rel": "next", "href": f"{here}/search", "method": "POST", "body": body}
    return {**page, "links": [*(link for link in page["links"] if link["rel"] != "next"), next_page]}


def _stop(page: Document) -> Document:
    return {**page, "features": page["features"][:1], "numberMatched": len(page["features"]), "links": []}


def _omit(page: Document) -> Document:
    kept = [item for item in page["features"] if "20201103" not in item["id"]]
    return {**page, "features": kept, "numberReturned": len(kept), "links": []}


def _damage(page: Document) -> Document:
    broken = [
        {**item, "properties": {**item["properties"], "datetime": None}} if "20201103" in item["id"] else item
        for item in page["features"]
    ]
    return {**page, "features": broken}


def _naming(href: str) -> Callable[[], list[Fault]]:
    """Let the first overpass's item say that its red band lies elsewhere."""

    def change(page: Document) -> Document:
        def lie(item: Document) -> Document:
            return {**item, "assets": {**item["assets"], "red": {**item["assets"]["red"], "href": href}}}

        return {
            **page,
            "features": [lie(item) if "20201103" in item["id"] else item for item in page["features"]],
        }

    return lambda: [Fault(SEARCH, change=change)]


def _self_is(href: str) -> Callable[[], list[Fault]]:
    def change(page: Document) -> Document:
        links = [{"rel": "self", "href": href}]
        return {
            **page,
            "features": [
                {**item, "links": links} if "20201103" in item["id"] else item for item in page["features"]
            ],
        }

    return lambda: [Fault(SEARCH, change=change)]


def _huge() -> list[Fault]:
    """Let the first overpass's red band be 578 bytes that say they are one block of 400,000 x 400,000 pixels."""
    profile = {
        "driver": "GTiff", "width": 400_000, "height": 400_000, "count": 1, "dtype": "uint16", "crs": builders.CRS,
        "transform": builders.grid().transform, "SPARSE_OK": True, "BIGTIFF": "YES", "compress": "deflate",
        "blockysize": 400_000,
    }  # fmt: skip
    with MemoryFile(ext=".tif") as memory:
        memory.open(**profile).close()
        return [Fault(r"S2B_TEST_1/red\.tif", garbage=bytes(memory.read()))]


def _status(status: int, times: int = 2, **headers: str) -> Callable[[], list[Fault]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: [Fault(FIRST, times=times, status=status, headers=named)]


def _always(**what: Any) -> Callable[[], list[Fault]]:
    return lambda: [Fault(FIRST, **what)]


def _some(where: str = FIRST, times: int = 2, **what: Any) -> Callable[[], list[Fault]]:
    return lambda: [Fault(where, times=times, **what)]


RECOVERED, NEXT, FAILED = "recovered", "from the next catalogue", "failed"
ROWS: tuple[Row, ...] = (
    # Pixels, for a while
    Row("403 for two reads", _status(403), RECOVERED),
    Row("409 for two reads", _status(409), RECOVERED),
    Row("429 with Retry-After: 1, twice", _status(429, Retry_After="1"), RECOVERED),
    Row("500 for two reads", _status(500), RECOVERED),
    Row("503 with Retry-After: 1, twice", _status(503, Retry_After="1"), RECOVERED),
    Row("two bodies break off half-way", _some(truncated=True), RECOVERED),
    Row("two answers are shorter than the range asked for", _some(short=True), RECOVERED),
    Row("two connections are reset", _some(reset=True), RECOVERED),
    Row("two answers take 2 s", _some(slow_s=2.0), RECOVERED),
    Row("two answers are an HTML page with status 200", _some(content_type="text/html", no_ranges=True), RECOVERED),
    Row("one answer holds other bytes", _some(times=1, garbage=b"rubbish ", after=1), RECOVERED),
    Row("no byte ranges, small files", _always(no_ranges=True), RECOVERED),
    # Pixels, for good
    Row("403 for good", _always(status=403), NEXT, "HTTP status 403"),
    Row("404 for good", _always(status=404), NEXT, "HTTP status 404"),
    Row("500 for good", _always(status=500), NEXT, "HTTP status 500"),
    Row("every body breaks off", _always(truncated=True), NEXT, "ends before its end"),
    Row("every connection is reset", _always(reset=True), NEXT, "reset"),
    Row("other bytes for good", _always(garbage=b"rubbish "), NEXT, "cannot be read"),
    Row("403 for good, no other catalogue", _always(status=403), FAILED, "HTTP status 403", alone=True),
    Row("404 for good, no other catalogue", _always(status=404), FAILED, "HTTP status 404", alone=True),
    Row("500 for good, no other catalogue", _always(status=500), FAILED, "HTTP status 500", alone=True),
    Row("every body breaks off, no other catalogue", _always(truncated=True), FAILED, "ends before its end",
        alone=True),
    Row("other bytes for good, no other catalogue", _always(garbage=b"rubbish "), FAILED, "cannot be read", alone=True),
    # Signatures
    Row("the token ends while an image is read", lambda: [], RECOVERED, first="planetary-computer",
        arrange={"new_token_after": 6}),
    Row("the token service is down, no other catalogue", lambda: [Fault(r"^/token/", status=503)], FAILED + " all",
        "gives no token", alone=True, first="planetary-computer"),
    Row("no keys for the only catalogue", lambda: [], "no catalogue", "CDSE_S3_ACCESS_KEY", alone=True, first="cdse",
        arrange={"no_keys": True}),
    # The catalogue
    Row("the catalogue answers 503 twice", _some(SEARCH, status=503), RECOVERED),
    Row("the catalogue answers 429 with Retry-After: 1", _some(SEARCH, times=1, status=429,
        headers={"Retry-After": "1"}), RECOVERED),
    Row("the catalogue is down", lambda: [Fault(r"^/stac", status=503)], NEXT, "503"),
    Row("the catalogue is down, no other catalogue", lambda: [Fault(r"^/stac", status=503)], "no catalogue", "503",
        alone=True),
    Row("the catalogue sends HTML", lambda: [Fault(r"^/stac", garbage=b"<html></html>", content_type="text/html")],
    NEXT,
        "cannot be read"),
    Row("pages repeat", lambda: [Fault(SEARCH, change=_repeat)], NEXT, "pages repeat"),
    Row("pages stop before the end", lambda: [Fault(SEARCH, change=_stop)], NEXT, "its pages end after 1"),
    Row("an item is silently left out", lambda: [Fault(SEARCH, change=_omit)], NEXT, "does not list it"),
    Row("an item is silently left out, no other catalogue", lambda: [Fault(SEARCH, change=_omit)], "missing",
        "along its track by earth-search", alone=True),
    Row("an item has lost its datetime, no other catalogue", lambda: [Fault(SEARCH, change=_damage)], FAILED,
    "datetime",
        alone=True),
    # A catalogue that lies
    Row("an item names a file of this machine, no other catalogue", _naming("file:///etc/passwd"), FAILED,
        "only http, https and S3 are read from there", alone=True),
    Row("an item names a path by which GDAL would send a file, no other catalogue",
        _naming("/vsicurl?header_file=/etc/passwd&url=http://192.0.2.1/"), FAILED, "is a path of GDAL's", alone=True),
    Row("an item names a driver of GDAL's, no other catalogue", _naming("GTIFF_RAW:/etc/passwd"), FAILED,
        "only http, https and S3 are read from there", alone=True),
    Row("an item names `ftp://`, no other catalogue", _naming("ftp://192.0.2.1/red.tif"), FAILED,
        "only http, https and S3 are read from there", alone=True),
    Row("an item names an address inside the network, no other catalogue",
        _naming("http://169.254.169.254/latest/meta-data/"), FAILED, "is not on the Internet", alone=True),
    Row("an item says that it lies at `/etc/item.json`, which is then a path of its own server",
        _self_is("/etc/item.json"), RECOVERED, alone=True),
    Row("the server redirects an image into the network, no other catalogue", _always(status=302,
        headers={"Location": "http://169.254.169.254/latest/"}), FAILED, "is not on the Internet", alone=True),
    # Images that would exhaust whoever reads them
    Row("an image of a few bytes says that it is one block of 160 billion pixels, no other catalogue", _huge, FAILED,
        "its blocks of 400000 x 400000 pixels", alone=True),
)  # fmt: skip
