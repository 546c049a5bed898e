"""The flow `backfill`: a long time range of one port in windows, each a watch of its own.

It may be stopped at any moment and run again: what the store holds already is passed over. Only one window is
held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect import flow
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows import artifacts
from flows.parent import follow_serve
from flows.steps import STEPS, failed
from flows.watch_port import utc
from roadstead.core.errors import CatalogueError, EmptySearchError, RoadsteadError, UsageError
from roadstead.imagery import Overpass
from roadstead.workflows import watch as job
from roadstead.workflows.watch_search import watch_request

Window = tuple[datetime, datetime]


def windows(
    start: datetime, end: datetime, days: int, order: Literal["newest", "oldest"]
) -> Iterator[Window]:
    """Yield [start, end) pieces of at most ``days`` days that cover the range without overlap.

    Raises:
        UsageError: the range is empty or ``days`` is not positive.
    """
    if end <= start or days < 1:
        raise UsageError(f"backfill from {start} to {end} in windows of {days} days: nothing to do")
    length = timedelta(days=days)
    number = -(-(end - start) // length)
    for index in range(number) if order == "oldest" else reversed(range(number)):
        first = start + index * length
        yield first, min(first + length, end)


class _Progress:
    """Share of the time range that is done, as a progress artifact; forwarded after every overpass."""

    def __init__(self, port: str, start: datetime, end: datetime, number: int) -> None:
        words = f"Backfill of {port}, {start:%Y-%m-%d} to {end:%Y-%m-%d}"
        self._artifact: UUID = create_progress_artifact(0.0, key=f"backfill-{port}", description=words)  # type: ignore[assignment]
        self._words, self._number, self._window = words, number, 0

    def on_overpass(self, overpass: Overpass, index: int, total: int) -> None:
        """Note that the overpass with this index of its window begins."""
        self._show(self._window + index / total, f"now {overpass.acquired:%Y-%m-%d} ({overpass.overpass_id})")

    def window_done(self) -> None:
        """Note that one more window is done."""
        self._window += 1
        self._show(self._window, f"{self._window} of {self._number} windows done")

    def _show(self, done: float, words: str) -> None:
        percent = min(100.0, 100.0 * done / self._number)
        update_progress_artifact(self._artifact, percent, description=f"{self._words}: {words}")


@flow(name="backfill", flow_run_name="backfill {port}")
def backfill(
    port: str,
    start: datetime,
    end: datetime,
    window_days: int = 30,
    order: Literal["newest", "oldest"] = "oldest",
    catalog: str | None = None,
    ais: list[str] | None = None,
    aoi: Path | None = None,
    store: str | None = None,
) -> dict[str, Any]:
    """Watch one port over a long time range, window after window.

    A window that the catalogue lists nothing for is not observed; a window or overpass that fails is named at the
    end, and the same backfill again does only what is not done yet. Fixed structures are learnt from earlier
    overpasses, so the newest first needs a second run before they are left out everywhere.

    Returns:
        Port, range, how many windows and overpasses were done, how many windows held nothing.
    """
    follow_serve()
    done, empty, failures = 0, 0, dict[str, str]()
    try:
        start, end = utc(start), utc(end)
        pieces = list(windows(start, end, window_days, order))
        progress = _Progress(port, start, end, len(pieces))
        whole = watch_request(port, start, end, aoi=aoi, catalog=catalog, ais=ais or (), store=store)
        for first, last in pieces:
            request = replace(whole, start=first, end=last)
            try:
                watched = job.watch(request, STEPS, progress.on_overpass)
                done += len(watched.done)
                failures.update(watched.failures)
            except EmptySearchError:
                empty += 1
            except CatalogueError as error:
                failures[f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"] = str(error)
            progress.window_done()
        artifacts.tell_failures(port, failures)
        _finish(port, start, end, done, failures)
    except RoadsteadError as error:
        return failed(error)  # type: ignore[return-value]  # Prefect raises it for the caller
    document = {"port": port, "from": start.isoformat(), "to": end.isoformat()}
    return document | {"windows": len(pieces), "windows_with_nothing": empty, "overpasses": done}


def _finish(port: str, start: datetime, end: datetime, done: int, failures: dict[str, str]) -> None:
    job.finish(done > 0, failures)
    if not done:
        raise EmptySearchError(
            f"nothing of {port} from {start:%Y-%m-%d} to {end:%Y-%m-%d}: not observed, which is not zero ships"
        )
