"""Connections that ask for nothing, ask for ever, or take no answer: the desk goes on, and its log stays small."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from roadstead.apps.desk import ReviewServer, review_app
from roadstead.apps.desk.server import FewComplaints, Patience
from roadstead.store import Store
from tests.unit.apps.desk import builders as r

HALF = b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
TAKEN = b"POST /taken HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_BODY = TAKEN + b"Content-Length: 4\r\n\r\nx"
MANY = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, int(sys.argv[3])))
held = [socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) for _ in range(1200)]
for one in held:
    try:
        one.sendall(b"GET / HTTP/1.1\\r\\nX-Half: ")
    except ConnectionError:
        pass
print("held", flush=True)
sys.stdin.read()
"""
"""Opens 1,200 connections and sends half a request through each."""


@contextmanager
def served(app: FastAPI, patience: Patience) -> Iterator[str]:
    server = ReviewServer(app, "127.0.0.1", 0, patience)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


@pytest.fixture
def app() -> FastAPI:
    """Return an application that answers at once, and one that answers with more than a socket holds."""
    made = FastAPI()
    made.state.ended = threading.Event()

    @made.get("/")
    async def here() -> Response:
        return PlainTextResponse("here")

    @made.get("/large")
    async def large() -> Response:
        return StreamingResponse(endless(made.state.ended))

    @made.post("/taken")
    async def taken(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    return made


async def endless(ended: threading.Event) -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"x" * 1_000_000
            await asyncio.sleep(0)
    finally:
        ended.set()


def answer_of(one: socket.socket) -> str:
    """Return what the server answers to one request, ``here``."""
    told = b""
    while not told.endswith(b"here"):
        piece = one.recv(4000)
        assert piece, told
        told += piece
    return told.decode()


def opened(stack: ExitStack, address: str, sent: bytes = b"") -> socket.socket:
    there = urlsplit(address)
    made = stack.enter_context(socket.create_connection((there.hostname, there.port), timeout=10))
    made.sendall(sent)
    return made


def ended_after_s(one: socket.socket, drip: bytes = b"") -> float:
    """Return how long the server let a connection be, while a byte of ``drip`` goes there now and then."""
    began = time.monotonic()
    one.settimeout(0.05)
    while time.monotonic() - began < 10:
        try:
            if one.recv(1000) == b"":
                break
        except TimeoutError:
            pass
        except ConnectionError:
            break
        try:
            one.sendall(drip)
        except ConnectionError:
            break
    return time.monotonic() - began


@contextmanager
def few_files(most: int) -> Iterator[int]:
    """Let this process open so many files, and give how many another may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_twelve_hundred_half_sent_requests_stop_nobody_and_are_not_written_down(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """The process may hold 1000 files, fewer than there are connections, as most processes may."""
    with few_files(1000) as hard, served(app, Patience(head_s=60)) as address:
        there = urlsplit(address)
        words = [sys.executable, "-c", MANY, str(there.hostname), str(there.port), str(hard)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as many:
            assert many.stdout is not None and many.stdout.readline() == "held\n"
            for _ in range(3):
                assert httpx2.get(address, timeout=5).text == "here"
            many.communicate("", timeout=20)
    assert sum(len(line) for line in caplog.text.splitlines() if "httpx2" not in line) < 5_000


@pytest.mark.parametrize("sent", [b"", HALF, b"\r\n"], ids=["nothing", "half", "an empty line"])
def test_a_head_that_does_not_come_ends_its_connection_however_slowly_it_drips(
    app: FastAPI, sent: bytes
) -> None:
    with served(app, Patience(head_s=0.4)) as address, ExitStack() as stack:
        assert ended_after_s(opened(stack, address, sent), drip=b"a" if sent else b"") < 5


def test_the_head_of_a_second_request_has_no_longer(app: FastAPI) -> None:
    with served(app, Patience(head_s=0.4)) as address, ExitStack() as stack:
        one = opened(stack, address, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer_of(one)
        time.sleep(0.8)
        one.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer_of(one), "a connection may rest between two requests"
        one.sendall(HALF)
        assert ended_after_s(one, drip=b"a") < 5


def test_a_body_that_does_not_come_ends_its_connection_and_nothing_is_written_of_it(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = review_app(r.desk(store))
    with served(desk, Patience(body_s=0.4)) as address, ExitStack() as stack:
        silent = opened(stack, address, BODY + b"Content-Length: 1000\r\n\r\nname=")
        dripping = opened(stack, address, BODY + b"Content-Length: 1000\r\n\r\nname=")
        assert ended_after_s(dripping, drip=b"a") < 5
        assert ended_after_s(silent) < 5
        assert httpx2.get(f"{address}/login").status_code == 200
    assert capfd.readouterr().err == ""


def test_a_body_that_comes_in_time_is_taken(app: FastAPI) -> None:
    with served(app, Patience(head_s=0.3, body_s=20)) as address, ExitStack() as stack:
        one = opened(
            stack,
            address,
            b"POST /taken HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n",
        )
        for _ in range(4):
            time.sleep(0.15)
            one.sendall(b"x")
        told = b""
        while piece := one.recv(4000):
            told += piece
        assert told.startswith(b"HTTP/1.1 200") and told.endswith(b"4")


def test_a_client_that_takes_no_answer_is_let_go(app: FastAPI) -> None:
    with served(app, Patience(write_s=0.4)) as address, ExitStack() as stack:
        opened(stack, address, b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert app.state.ended.wait(10)


def test_a_form_has_less_time_than_an_upload(app: FastAPI) -> None:
    with served(app, Patience(body_s=0.3, upload_s=20)) as address, ExitStack() as stack:
        upload = opened(stack, address, TAKEN + b"Connection: close\r\nContent-Length: 65537\r\n\r\n")
        assert ended_after_s(opened(stack, address, HALF_BODY)) < 5
        upload.sendall(b"x" * 65537)
        told = b""
        while piece := upload.recv(4000):
            told += piece
        assert told.endswith(b"65537")


def test_where_every_connection_is_being_answered_a_further_one_is_told_to_come_again(app: FastAPI) -> None:
    with served(app, Patience(connections=3)) as address, ExitStack() as stack:
        for _ in range(3):
            one = opened(stack, address, b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert one.recv(1), "the answer has begun"
        answer = httpx2.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_half_sent_bodies_make_room_the_oldest_first(app: FastAPI) -> None:
    with served(app, Patience(connections=3)) as address, ExitStack() as stack:
        held = [opened(stack, address, HALF_BODY) for _ in range(3)]
        time.sleep(0.3)
        assert httpx2.get(address).text == "here"
        assert ended_after_s(held[0]) < 5
        held[2].sendall(b"xxx")
        assert b"200 OK" in held[2].recv(1000)


@pytest.mark.parametrize(("many", "one"), [("body", "head"), ("head", "body")])
def test_who_fills_the_desk_ends_none_but_their_own(app: FastAPI, many: str, one: str) -> None:
    half = {"body": HALF_BODY, "head": HALF}
    rest = {"body": b"xxx", "head": b"a\r\n\r\n"}
    with served(app, Patience(connections=4)) as address, ExitStack() as stack:
        alone = opened(stack, address, half[one])
        filling = [opened(stack, address, half[many]) for _ in range(3)]
        time.sleep(0.3)
        assert httpx2.get(address).text == "here"
        assert ended_after_s(filling[0]) < 5
        alone.sendall(rest[one])
        assert alone.recv(1000).startswith(b"HTTP/1.1 ")


def test_a_desk_full_of_half_sent_log_ins_lets_people_log_in(store: Store) -> None:
    half = BODY + b"Content-Length: 10\r\n\r\nx"
    desk = review_app(r.desk(store))
    with served(desk, Patience()) as address, ExitStack() as stack:
        for _ in range(Patience().connections):
            opened(stack, address, half)
        assert httpx2.get(f"{address}/login").status_code == 200


def test_a_resting_connection_makes_room_for_one_that_asks(app: FastAPI) -> None:
    with served(app, Patience(connections=2)) as address, ExitStack() as stack:
        for _ in range(2):
            one = opened(stack, address, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert answer_of(one)
        assert httpx2.get(address).text == "here"


def test_one_complaint_is_written_a_few_times_a_minute_and_then_counted() -> None:
    few = FewComplaints(most=3, within_s=0.2)

    def complain(words: str) -> logging.LogRecord:
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, words, (), None)

    assert [few.filter(complain("out of files")) for _ in range(10)] == [True] * 3 + [False] * 7
    assert few.filter(complain("something else"))
    time.sleep(0.25)
    later = complain("out of files")
    assert few.filter(later)
    assert later.getMessage() == "out of files (7 more of this kind were not written)"


def test_complaints_of_two_faults_are_both_written() -> None:
    few = FewComplaints(most=1)

    def complain(fault: type[Exception]) -> logging.LogRecord:
        try:
            raise fault
        except Exception:
            return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "x", (), sys.exc_info())

    assert few.filter(complain(KeyError)) and few.filter(complain(ValueError))
    assert not few.filter(complain(KeyError))
