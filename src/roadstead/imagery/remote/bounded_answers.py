"""A server's answer within bounds of size and time: one that is endless, slow or packed small stops nothing else.

Time-outs of sockets hold between two bytes only, and requests reads and unpacks whatever comes.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from requests import RequestException, Response, Session
from requests.exceptions import ConnectionError as BrokenConnection
from urllib3.exceptions import HTTPError

PIECE: Final = 1 << 16
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
"""Content encodings under which few bytes stand for many; S3 also names some that change no byte (aws-chunked)."""


class UnboundedAnswer(RequestException):
    """An answer that is larger, slower or otherwise packed than is read."""


def is_packed(answer: Response) -> bool:
    """Return whether an answer's body is compressed."""
    named = answer.headers.get("Content-Encoding", "").lower().split(",")
    return bool(_PACKED & {name.strip() for name in named})


@contextmanager
def ending_after(within_s: float, end: Callable[[], None]) -> Iterator[threading.Event]:
    """Call ``end`` from another thread unless the block ends in time; the event tells whether it was called.

    Args:
        within_s: seconds from now.
        end: makes the block end, as shutting down the socket that it reads from does.
    """
    late = threading.Event()

    def run() -> None:
        late.set()
        # The block may have ended, and its socket with it, in this moment.
        with suppress(OSError, ValueError, RuntimeError):
            end()

    timer = threading.Timer(within_s, run)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def shut(connected: socket.socket | None) -> None:
    """Let whoever reads from a socket find its end."""
    if connected is not None:
        connected.shutdown(socket.SHUT_RD)


def read_within(answer: Response, most: int, within_s: float, *, unpacked: bool = False) -> bytes:
    """Read the body of an answer that was asked for with ``stream=True``, in pieces.

    Args:
        answer: its body is not read yet.
        most: bytes, as returned.
        within_s: seconds for all of it, however slowly its bytes drip.
        unpacked: a compressed body is unpacked; else it is refused.

    Raises:
        UnboundedAnswer: it has more bytes, takes longer, or is packed; the connection is closed.
        requests.ConnectionError: it breaks off.
    """
    if is_packed(answer) and not unpacked:
        answer.close()
        raise UnboundedAnswer("the answer is packed, which was not asked for")
    body = bytearray()
    with ending_after(within_s, answer.raw.shutdown) as late:
        try:
            for piece in _pieces(answer, unpacked):
                body += piece
                if late.is_set() or len(body) > most:
                    break
        except (HTTPError, OSError, ValueError) as error:
            if not late.is_set():
                raise BrokenConnection(error) from error
    if late.is_set() or len(body) > most:
        answer.close()
        what = f"takes longer than {within_s:g} s" if late.is_set() else f"has more than {_size(most)}"
        raise UnboundedAnswer(f"the answer {what}")
    return bytes(body)


def _pieces(answer: Response, unpacked: bool) -> Iterator[bytes]:
    while piece := answer.raw.read1(PIECE, decode_content=unpacked):
        yield piece


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"


def bound(session: Session, most: int, within_s: float, *, unpacked: bool = False) -> None:
    """Let a session read no more of each answer than `read_within` does; nothing of one that leads elsewhere.

    Raises:
        UnboundedAnswer: by whatever asks through the session.
    """
    if not unpacked:
        session.headers["Accept-Encoding"] = "identity"

    def read(answer: Response, **_: Any) -> Response:  # noqa: ANN401 - as requests calls it
        skip_redirect(answer)
        if not answer.is_redirect:
            body = read_within(answer, most, within_s, unpacked=unpacked)
            answer.raw.close()
            answer.raw = io.BytesIO(body)
        return answer

    session.hooks["response"].append(read)


def skip_redirect(answer: Response, **_: Any) -> Response:  # noqa: ANN401 - as requests calls it
    """Close an answer that leads elsewhere: requests would read it whole first."""
    if answer.is_redirect:
        answer.raw.close()
        answer.raw = io.BytesIO()
    return answer
