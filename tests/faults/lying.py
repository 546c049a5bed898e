"""A catalogue that lies: its documents name whatever would send files of this machine or reach into its network."""

from __future__ import annotations

import ctypes
import json
import os
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import rasterio

from tests import builders
from tests.worlds import FRAME, water_with_ships

CANARY = "canary-of-this-machine"
"""Stands in each file that must not be read; found in a request, it was sent."""
COLLECTION = "sentinel-2-c1-l2a"
Document = dict[str, Any]


@dataclass
class Server:
    """A server that notes all that it is asked."""

    url: str = ""
    seen: list[str] = field(default_factory=list)
    """Method, path, headers and body of each request."""
    documents: dict[str, Any] = field(default_factory=dict)
    """Path -> JSON, bytes, or ``("redirect", URL)``."""


class _Handler(BaseHTTPRequestHandler):
    server_state: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server_state.seen.append(f"{self.command} {self.path}\n{self.headers}\n{body!r}")
        found = self.server_state.documents.get(urlsplit(self.path).path)
        if isinstance(found, tuple):
            self.send_response(302)
            self.send_header("Location", found[1])
            content = b""
        else:
            self.send_response(404 if found is None else 200)
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            kind = "image/tiff" if isinstance(found, bytes) else "application/json"
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = _answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def server(address: str = "127.0.0.1") -> Iterator[Server]:
    """Run a server in threads."""
    made = Server()
    http = ThreadingHTTPServer((address, 0), type("Handler", (_Handler,), {"server_state": made}))
    http.daemon_threads = True
    made.url = f"http://{address}:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        http.shutdown()
        http.server_close()
        thread.join(timeout=10)


class Opened:
    """Linux's own word (inotify) on who opens files of a folder, be it Python or GDAL."""

    _IN_OPEN = 0x20

    def __init__(self, folder: Path) -> None:
        """Begin to watch."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK)
        if self._fd < 0 or self._libc.inotify_add_watch(self._fd, os.fsencode(folder), self._IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def names(self) -> list[str]:
        """Return the files opened since the last call."""
        try:
            told = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(told):
            size = struct.unpack_from("iIII", told, at)[3]
            found.append(told[at + 16 : at + 16 + size].rstrip(b"\0").decode())
            at += 16 + size
        return found

    def close(self) -> None:
        """Stop watching."""
        os.close(self._fd)


@dataclass
class Scene:
    """The liar, those that must not be asked, and the files that must not be opened."""

    liar: Server
    others: tuple[Server, ...]
    """On another port, and at another address of this machine."""
    secrets: Path
    """Folder of a raster with ships, an item of it, and a text."""
    opened: Opened

    def leaks(self) -> list[str]:
        """Return what was asked of others, opened, or sent of the files of this machine."""
        asked = [line for other in self.others for line in other.seen]
        sent = [line for line in self.liar.seen if CANARY in line]
        return [*asked, *sent, *self.opened.names()]


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Make the files and run the servers."""
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    builders.write_item(secrets, "item", FRAME, water_with_ships())
    for path in (secrets / "item").iterdir():
        path.rename(secrets / path.name)
    (secrets / "secret.txt").write_text(f"X-Secret: {CANARY}\n", encoding="utf-8")
    with ExitStack() as stack:
        liar = stack.enter_context(server())
        others = (stack.enter_context(server()), stack.enter_context(server("127.0.0.2")))
        for band in ("red", "green", "blue", "nir"):
            content = (secrets / f"{band}.tif").read_bytes()
            for one in (liar, *others):
                one.documents[f"/{band}.tif"] = content
        opened = Opened(secrets)
        stack.callback(opened.close)
        yield Scene(liar, others, secrets, opened)


def hrefs(made: Scene) -> Mapping[str, str]:
    """Return kinds of addresses that an asset may be said to lie at, each of which must not be read."""
    other, second = made.others
    port, secret, tif = urlsplit(other.url).port, f"{made.secrets}/secret.txt", f"{made.secrets}/red.tif"
    place = made.liar.url.removeprefix("http://")
    header = f"/vsicurl?header_file={quote(secret)}&url={quote(other.url + '/red.tif', safe='')}"
    made.liar.documents |= _documents(made, header)
    return {
        "vsicurl with a file as headers": header,
        "vsicurl": f"/vsicurl/{other.url}/red.tif",
        "vsicurl, upper case": f"/VSICURL/{other.url}/red.tif",
        "vsicurl, encoded": f"/%76sicurl/{other.url}/red.tif",
        "vsicurl behind a dot": f"/./vsicurl/{other.url}/red.tif",
        "vsicurl behind slashes": f"//vsicurl/{other.url}/red.tif",
        "vsigzip of a file": f"/vsigzip/{tif}",
        "vsisubfile": f"/vsisubfile/0_100000,{tif}",
        "vsizip over vsicurl": f"/vsizip//vsicurl/{other.url}/red.zip/red.tif",
        "vsitar": f"/vsitar/{tif}",
        "vsicached": f"/vsicached?chunk_size=1000&file={tif}",
        "file, three slashes": f"file://{tif}",
        "file, one slash": f"file:{tif}",
        "file at localhost": f"file://localhost{tif}",
        "file, upper case": f"FILE://{tif}",
        "GTIFF_DIR": f"GTIFF_DIR:1:{tif}",
        "GTIFF_RAW": f"GTIFF_RAW:{tif}",
        "NETCDF": f'NETCDF:"{tif}":red',
        "HDF5": f'HDF5:"{tif}"://red',
        "VRT as text": f"<VRTDataset><SourceFilename>{tif}</SourceFilename></VRTDataset>",
        "vrt:": f"vrt://{tif}?bands=1",
        "DERIVED_SUBDATASET": f"DERIVED_SUBDATASET:AMPLITUDE:{tif}",
        "WMS": f"WMS:{other.url}/?LAYERS=x",
        "PG": f"PG:host=127.0.0.1 port={port} dbname=x",
        "zip: of rasterio": f"zip://{tif}!red.tif",
        "jar:": f"jar:file://{tif}!/",
        "ftp": f"ftp://127.0.0.1:{port}/red.tif",
        "gs": "gs://bucket/red.tif",
        "an S3 server that is not known": "s3://bucket/red.tif",
        "data": "data:image/tiff;base64,AAAA",
        "javascript": "javascript:alert(1)",
        "another port": f"{other.url}/red.tif",
        "another address": f"{second.url}/red.tif",
        "localhost": f"http://localhost:{port}/red.tif",
        "localhost with a dot": f"http://localhost.:{port}/red.tif",
        "a decimal number": f"http://2130706433:{port}/red.tif",
        "an octal number": f"http://0177.0.0.1:{port}/red.tif",
        "a hexadecimal number": f"http://0x7f000001:{port}/red.tif",
        "a short form": f"http://127.1:{port}/red.tif",
        "a dot behind": f"http://127.0.0.1.:{port}/red.tif",
        "IPv6 loopback": f"http://[::1]:{port}/red.tif",
        "IPv4 in IPv6": f"http://[::ffff:127.0.0.1]:{port}/red.tif",
        "all addresses": f"http://0.0.0.0:{port}/red.tif",
        "link-local": "http://169.254.169.254/latest/meta-data/red.tif",
        "private": "http://10.0.0.1/red.tif",
        "full-width digits": f"http://１２７.0.0.1:{port}/red.tif",
        "encoded host": f"http://127%2e0%2e0%2e1:{port}/red.tif",
        "a user's name": f"http://{place}@127.0.0.1:{port}/red.tif",
        "a backslash": f"http://{place}\\@127.0.0.1:{port}/red.tif",
        "two slashes": f"//127.0.0.1:{port}/red.tif",
        "a redirect to another port": f"{made.liar.url}/away.tif",
        "a redirect to localhost": f"{made.liar.url}/localhost.tif",
        "a redirect to a file": f"{made.liar.url}/to-file.tif",
        "a redirect by way of itself": f"{made.liar.url}/twice.tif",
        "a VRT named .tif": f"{made.liar.url}/vrt.tif",
        "a VRT named .jp2": f"{made.liar.url}/vrt.jp2",
        "a VRT without an ending": f"{made.liar.url}/vrt",
        "a GeoTIFF that names its overviews": f"{made.liar.url}/overviews.tif",
        "a GeoTIFF that names a file as its overviews": f"{made.liar.url}/file-overviews.tif",
        "a path of a file": tif,
        "a path upwards": "../" * 12 + tif.lstrip("/"),
    }  # fmt: skip


def _documents(made: Scene, header: str) -> Document:
    other = made.others[0].url
    local = other.replace("127.0.0.1", "localhost")
    vrt = f"""<VRTDataset rasterXSize="{FRAME.width}" rasterYSize="{FRAME.height}">
      <VRTRasterBand dataType="UInt16" band="1">
      <SimpleSource><SourceFilename>{made.secrets}/red.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>
      </VRTRasterBand></VRTDataset>""".encode()
    return {
        "/away.tif": ("redirect", f"{other}/red.tif"),
        "/localhost.tif": ("redirect", f"{local}/red.tif"),
        "/to-file.tif": ("redirect", f"file://{made.secrets}/red.tif"),
        "/twice.tif": ("redirect", f"{made.liar.url}/away.tif"),
        "/vrt.tif": vrt,
        "/vrt.jp2": vrt,
        "/vrt": vrt,
        "/overviews.tif": _naming(made.secrets.parent / "overviews.tif", header),
        "/file-overviews.tif": _naming(made.secrets.parent / "file.tif", f"{made.secrets}/red.tif"),
    }


def _naming(path: Path, overviews: str) -> bytes:
    """Return a GeoTIFF with ships that names another file as its overviews."""
    builders.write_tiff(path, water_with_ships()["red"][None], transform=FRAME.transform, nodata=0)
    with rasterio.open(path, "r+") as out:
        out.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=overviews)
    return path.read_bytes()


def item(made: Scene, name: str, day: str, **changes: Any) -> Document:
    """Return an honest item of the liar's, or one with other assets by key."""
    document: Document = json.loads((made.secrets / "item.json").read_text(encoding="utf-8"))
    made.opened.names()  # the test itself
    assets = {
        key: {**asset, "href": f"{made.liar.url}/{key}.tif"} for key, asset in document["assets"].items()
    }
    for key, href in changes.items():
        assets[key.replace("_", "-")] = {**assets.get(key, {}), "href": href}
    properties = {"datetime": f"{day}T02:29:51.500000Z", "platform": "sentinel-2b"}
    return {**document, "id": name, "properties": properties, "assets": assets, "links": []}


def put_catalogue(made: Scene, items: Mapping[str, Document], *links: Document) -> str:
    """Serve a static catalogue of items, path -> item, with further links; return its URL."""
    made.liar.documents |= items
    made.liar.documents["/catalog.json"] = {
        "type": "Catalog", "stac_version": "1.0.0", "id": "lying", "description": "made by a test",
        "links": [*({"rel": "item", "href": f".{path}"} for path in items), *links],
    }  # fmt: skip
    return f"{made.liar.url}/catalog.json"


def put_api(
    made: Scene, items: list[Document], change: Callable[[str, Document], Document] = lambda _, page: page
) -> str:
    """Serve a STAC API of items whose documents (``root``, ``collection``, ``page``) may be changed; return its URL."""
    url = f"{made.liar.url}/api"
    root = {
        "type": "Catalog", "stac_version": "1.0.0", "id": "lying", "description": "made by a test",
        "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search",
                       "https://api.stacspec.org/v1.0.0/collections"],
        "links": [{"rel": "self", "href": url}, {"rel": "root", "href": url},
                  {"rel": "data", "href": f"{url}/collections"},
                  {"rel": "search", "href": f"{url}/search", "method": "GET", "type": "application/geo+json"},
                  {"rel": "search", "href": f"{url}/search", "method": "POST", "type": "application/geo+json"}],
    }  # fmt: skip
    collection = {
        "type": "Collection", "stac_version": "1.0.0", "id": COLLECTION, "description": "made by a test",
        "license": "proprietary", "links": [{"rel": "self", "href": f"{url}/collections/{COLLECTION}"}],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                   "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]}},
    }  # fmt: skip
    page = {"type": "FeatureCollection", "features": items, "links": []}
    made.liar.documents |= {
        "/api": change("root", root),
        f"/api/collections/{COLLECTION}": change("collection", collection),
        "/api/search": change("page", page),
    }
    return url
