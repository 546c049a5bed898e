"""What a log-in provider answers, within bounds of size and time: one that is slow or endless stops nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from requests import RequestException, Session

from roadstead.imagery.remote import bounded_answers

MOST_BYTES: Final = 1 << 20
"""Discovery documents and key sets have some kilobytes."""
WITHIN_S: Final = 20.0
"""For one exchange in all, however slowly its bytes drip."""
AT_ONCE: Final = 8
"""Exchanges; each holds a thread of the server."""
Answer = TypeVar("Answer")


class TooManyError(RequestException):
    """As many exchanges are under way as may be."""


class Exchanges:
    """Runs exchanges with a provider."""

    def __init__(self, within_s: float = WITHIN_S, at_once: int = AT_ONCE) -> None:
        """Take how long one may take, and how many there may be at once."""
        self._within_s = within_s
        self._places = threading.BoundedSemaphore(at_once)

    def run(self, exchange: Callable[[], Answer]) -> Answer:
        """Return what an exchange gives.

        One that takes too long is left to itself and keeps its place: time limits of sockets hold between two bytes
        only, and a provider may send one now and then for ever.

        Raises:
            RequestException: it took too long, or too many are under way; or whatever the exchange raises.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyError("too many exchanges are under way")
        done: Future[Answer] = Future()
        threading.Thread(target=self._work, args=(exchange, done), name="oidc", daemon=True).start()
        try:
            return done.result(self._within_s)
        except TimeoutError as error:
            raise RequestException("took too long") from error

    def _work(self, exchange: Callable[[], Answer], done: Future[Answer]) -> None:
        try:
            done.set_result(exchange())
        except BaseException as error:
            done.set_exception(error)
        finally:
            self._places.release()


def bound(session: Session) -> None:
    """Let a session read no more of an answer than `MOST_BYTES`, and no packed answers, whose size nobody knows."""
    bounded_answers.bound(session, MOST_BYTES, WITHIN_S)
