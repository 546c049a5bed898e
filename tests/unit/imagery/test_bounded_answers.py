"""Servers whose answers have no end, come a byte at a time, or are packed so that few bytes stand for many."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import stamina
from requests import Session

from roadstead.core.errors import CatalogueError
from roadstead.imagery import search
from roadstead.imagery.remote import bounded_answers, range_request
from roadstead.imagery.remote import session as sessions
from roadstead.imagery.remote.range_request import Part, PartError, fetch
from roadstead.imagery.remote.signing import Open
from roadstead.imagery.stac import search as search_module
from roadstead.imagery.stac.item import read_json
from tests import builders as b

FRAME = b.grid(30, 20)
PORT = b.port(FRAME, "nampo", roads=(0, 0, 30, 20))
NOVEMBER = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 12, 1, tzinfo=UTC)
SIZE = 1000
SHORT_S = 0.4
Handler = BaseHTTPRequestHandler


@contextmanager
def answering(answer: Callable[[Handler], None]) -> Iterator[str]:
    """Run a server that answers as told; give its address. What it still sends when the test ends is cut."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                answer(self)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.socket.close()


def head(handler: Handler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def part_head(handler: Handler, **headers: str) -> None:
    head(handler, 206, Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}", **headers)


def endless(handler: Handler) -> None:
    while True:
        handler.wfile.write(bytes(1 << 16))


def dripping(handler: Handler, piece: bytes = b" ") -> None:
    gone = threading.Event()
    while not gone.wait(SHORT_S / 20):
        handler.wfile.write(piece)
        handler.wfile.flush()


def send_json(handler: Handler, document: object, **headers: str) -> None:
    body = json.dumps(document).encode()
    head(handler, 200, Content_Type="application/json", Content_Length=str(len(body)), **headers)
    handler.wfile.write(body)


def fetched(url: str) -> Part:
    with stamina.set_testing(True):
        return fetch(Open(), f"{url}/red.tif", 0, SIZE, urlsplit(url).netloc)


def test_a_range_that_does_not_end_is_read_to_its_own_size() -> None:
    def answer(handler: Handler) -> None:
        part_head(handler)
        endless(handler)

    with answering(answer) as url, pytest.raises(PartError, match="has more than 1000 bytes"):
        fetched(url)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, GZIP"])
@pytest.mark.parametrize("status", [200, 206])
def test_a_packed_range_is_refused_unread(status: int, encoding: str) -> None:
    asked: list[str] = []
    body = gzip.compress(bytes(SIZE))

    def answer(handler: Handler) -> None:
        asked.append(handler.path)
        told = {"Content_Encoding": encoding, "Content_Length": str(len(body))}
        if status == 200:
            head(handler, 200, **told)
        else:
            part_head(handler, **told)
        handler.wfile.write(body)

    with answering(answer) as url, pytest.raises(PartError, match="packed") as raised:
        fetched(url)
    assert not raised.value.again
    assert len(asked) == 1


def test_an_encoding_that_changes_no_byte_is_read() -> None:
    """S3 keeps that of the upload."""

    def answer(handler: Handler) -> None:
        part_head(handler, Content_Encoding="aws-chunked", Content_Length=str(SIZE))
        handler.wfile.write(bytes(SIZE))

    with answering(answer) as url:
        assert fetched(url).body == bytes(SIZE)


def body_drips(handler: Handler) -> None:
    part_head(handler, Content_Length=str(SIZE))
    dripping(handler)


def size_of_a_chunk_drips(handler: Handler) -> None:
    part_head(handler, Transfer_Encoding="chunked")
    dripping(handler, b"0")


@pytest.mark.parametrize("answer", [body_drips, size_of_a_chunk_drips])
def test_a_range_that_drips_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Handler], None]
) -> None:
    monkeypatch.setattr(range_request, "START_S", SHORT_S)
    with answering(answer) as url, pytest.raises(PartError, match="takes longer than"):
        fetched(url)


def test_a_head_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "HEAD_S", SHORT_S)

    def answer(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 206 Partial Content\r\nX-Filler: ")
        dripping(handler)

    with answering(answer) as url, pytest.raises(PartError):
        fetched(url)


def test_nothing_is_read_of_an_answer_that_leads_elsewhere_or_is_asked_for_again() -> None:
    visits = count()

    def answer(handler: Handler) -> None:
        number = next(visits)
        if number == 0:
            head(handler, 503)
            endless(handler)
        elif number == 1:
            head(handler, 302, Location="/there.json")
            endless(handler)
        send_json(handler, {"path": handler.path})

    with answering(answer) as url:
        assert read_json(f"{url}/item.json", urlsplit(url).netloc) == {"path": "/there.json"}


def test_a_document_is_bound_by_what_it_has_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "DOCUMENT_BYTES", 1 << 20)
    body = gzip.compress(json.dumps({"id": " " * (1 << 24)}).encode())
    assert len(body) < 1 << 20

    def answer(handler: Handler) -> None:
        head(handler, 200, Content_Encoding="gzip", Content_Length=str(len(body)))
        handler.wfile.write(body)

    with answering(answer) as url, pytest.raises(CatalogueError, match=r"item\.json.* has more than 1 MiB"):
        read_json(f"{url}/item.json", urlsplit(url).netloc)


def test_a_packed_document_within_bounds_is_read() -> None:
    document = {"id": "x" * 300_000}
    body = gzip.compress(json.dumps(document).encode())

    def answer(handler: Handler) -> None:
        head(handler, 200, Content_Encoding="gzip", Content_Length=str(len(body)))
        handler.wfile.write(body)

    with answering(answer) as url:
        assert read_json(f"{url}/item.json", urlsplit(url).netloc) == document


def test_a_document_that_drips_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "DOCUMENT_S", SHORT_S)

    def answer(handler: Handler) -> None:
        head(handler, 200)
        dripping(handler)

    with answering(answer) as url, pytest.raises(CatalogueError, match=r"takes longer than 0\.4 s"):
        read_json(f"{url}/item.json", urlsplit(url).netloc)


def test_a_document_that_breaks_off_is_no_shorter_document() -> None:
    def answer(handler: Handler) -> None:
        head(handler, 200, Content_Length="100")
        handler.wfile.write(b'{"id": "x"}')

    with answering(answer) as url, pytest.raises(CatalogueError, match="cannot be read"):
        read_json(f"{url}/item.json", urlsplit(url).netloc)


def test_a_catalogue_that_names_a_new_child_each_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_DOCUMENTS", 20)
    visits = count()

    def answer(handler: Handler) -> None:
        links = [{"rel": "child", "href": f"./{next(visits)}.json"}]
        send_json(handler, {"type": "Catalog", "id": "c", "links": links})

    with answering(answer) as url, pytest.raises(CatalogueError, match="more than 20 documents"):
        search(f"{url}/catalog.json", PORT, *NOVEMBER, "sentinel-2-l2a")
    assert next(visits) == 20


def test_items_of_a_catalogue_count_as_documents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sessions, "MOST_DOCUMENTS", 3)
    items = [b.write_item(tmp_path, f"item {number}", FRAME) for number in range(3)]
    with pytest.raises(CatalogueError, match="more than 3 documents"):
        search(str(b.write_catalog(tmp_path, items)), PORT, *NOVEMBER, "sentinel-2-l2a")


def test_a_search_whose_pages_do_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "MOST_PAGES", 5)
    pages = ({"features": [{"id": str(number)}]} for number in count())
    with pytest.raises(ValueError, match="more than 5 pages"):
        list(search_module._each_once(pages))


def test_a_session_of_the_log_in_is_bound_by_the_same_rule() -> None:
    def answer(handler: Handler) -> None:
        head(handler, 200)
        endless(handler)

    with answering(answer) as url, Session() as session:
        bounded_answers.bound(session, SIZE, 5.0)
        with pytest.raises(bounded_answers.UnboundedAnswer, match="more than 1000 bytes"):
            session.get(url)
