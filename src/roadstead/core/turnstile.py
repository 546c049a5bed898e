"""Work that takes much memory or time: few at once, few waiting, and the others are told to come again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from roadstead.core.errors import BusyError


class Turnstile:
    """Lets a bounded number of threads do something at once and a bounded number wait for it.

    Whoever waits holds a thread of the server, which has 40: without a bound on them a few costly requests would keep
    every page from being served.
    """

    def __init__(self, what: str, at_once: int, waiting: int) -> None:
        """Name the work, how many do it at once, and how many more may wait."""
        self._what = what
        self._inside = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn.

        Raises:
            BusyError: too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError(f"too many {self._what} at once: try again in a few seconds")
        try:
            with self._inside:
                yield
        finally:
            self._places.release()
