"""Reading one raster file: opening with retries, and windows of it on a grid.

A failed read raises `ReadError`; it never gives zeros.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, TypeVar
from urllib.parse import urlparse

import rasterio
import stamina
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError, WindowError
from rasterio.io import DatasetReader

from roadstead.errors import ReadError
from roadstead.imagery.http import gdal_options, is_remote

ATTEMPTS = 3
# rasterio lets some of GDAL's own errors (CPLE_...) through.
_FAILURES = (RasterioError, CPLE_BaseError, WindowError, OSError)
Result = TypeVar("Result")


def raster_drivers() -> tuple[str, ...]:
    """Return the names of GDAL's raster drivers in this install."""
    with rasterio.Env() as env:
        return tuple(sorted(env.drivers()))


@contextmanager
def _environment(href: str, attempt: int = 1) -> Iterator[None]:
    with rasterio.Env(**gdal_options(href, attempt)), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # SceneError says it better
        yield


def _open(href: str, attempt: int, overview: int | None) -> DatasetReader:
    options = {} if overview is None else {"overview_level": overview}
    with _environment(href, attempt):
        return rasterio.open(href, driver=driver_of(href), sharing=False, **options)


def driver_of(href: str) -> str:
    """Return the one GDAL driver to open a raster with, so that an asset can't be a VRT naming other files."""
    return "JP2OpenJPEG" if urlparse(href).path.lower().endswith(".jp2") else "GTiff"


class Raster:
    """One opened raster file; a remote one is opened again, and read again, when a read fails."""

    def __init__(self, href: str, overview: int | None = None) -> None:
        """Open the raster, at a COG overview (0 = the first) where one is asked for.

        Raises:
            ReadError: the raster cannot be opened; names it.
        """
        self.href = href
        self._overview = overview
        self._dataset: DatasetReader | None = None
        self.attempts(lambda dataset: None)

    @property
    def dataset(self) -> DatasetReader:
        """The opened dataset."""
        if self._dataset is None:
            self._dataset = _open(self.href, 1, self._overview)
        return self._dataset

    def attempts(self, read: Callable[[DatasetReader], Result]) -> Result:
        """Run a read, anew on a freshly opened dataset where a remote one fails.

        Raises:
            ReadError: every attempt failed.
        """
        tries = ATTEMPTS if is_remote(self.href) else 1
        try:
            for attempt in stamina.retry_context(
                on=_FAILURES, attempts=tries, timeout=None, wait_initial=0.2, wait_max=5.0
            ):
                with attempt:
                    return self._once(read, attempt.num)
        except _FAILURES as error:
            raise ReadError(f"{self.href}: cannot be read: {_reason(error)}; {_hint(self.href)}") from error
        raise ReadError(f"{self.href}: cannot be read")

    def _once(self, read: Callable[[DatasetReader], Result], number: int) -> Result:
        if number > 1:
            self.close()
            self._dataset = _open(self.href, number, self._overview)
        with _environment(self.href, number):
            return read(self.dataset)

    def close(self) -> None:
        """Close the file."""
        if self._dataset is not None:
            self._dataset.close()
            self._dataset = None

    def __enter__(self) -> Raster:
        """Return itself, opened."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close the file."""
        self.close()
        return False


def _reason(error: BaseException) -> str:
    """Return the innermost message: rasterio's own is often "see previous exception"."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).rstrip(".") or type(error).__name__


def _hint(href: str) -> str:
    return "check the address, or try again later" if "://" in href else "is it a whole GeoTIFF or JPEG 2000?"


def overview_for(href: str, pixel_m: float) -> int | None:
    """Return the coarsest COG overview that is no coarser than ``pixel_m``, or None for full resolution."""
    with Raster(href) as raster:
        dataset = raster.dataset
        if dataset.crs is None or not dataset.crs.is_projected:
            return None
        native = abs(dataset.transform.a)
        factors = dataset.overviews(1)
    fitting = [level for level, factor in enumerate(factors) if native * factor <= pixel_m * 1.001]
    return fitting[-1] if fitting else None
