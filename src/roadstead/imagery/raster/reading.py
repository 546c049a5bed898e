"""Reading one raster file: bounds on its size, opening with retries, and windows of it on a grid.

A failed read raises `ReadError`; it never gives zeros. How large a raster may be is checked by its header, before any
pixel is read: a file of a few kilobytes can say that it holds 160 billion pixels, or blocks of gigabytes, and would
keep a port busy for ever or take all memory.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import urlparse

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError, WindowError
from rasterio.io import DatasetReader

from roadstead.core.errors import ReadError, SceneError
from roadstead.imagery.remote.address_rules import AddressError, is_remote, local_path
from roadstead.imagery.remote.range_files import RemoteFiles
from roadstead.imagery.scene import BandAsset

# rasterio lets some of GDAL's own errors (CPLE_...) through.
_FAILURES = (RasterioError, CPLE_BaseError, WindowError, OSError)
Result = TypeVar("Result")

GDAL_OPTIONS: Mapping[str, str | int] = {
    # A COG is one file: listing its folder costs requests and, on some servers, the whole listing.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    # GDAL keeps decoded blocks, by default in a twentieth of all memory. Two rows of blocks of a whole tile, four
    # bands in blocks of 1024 pixels, are enough that none is decoded twice.
    "GDAL_CACHEMAX": 256 * 1024 * 1024,
    # GDAL's own HTTP reader is never used; a file that names an address for GDAL to fetch finds it closed.
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    # What lies beside a file under another name is not looked for.
    "GDAL_PAM_ENABLED": "NO",
}
"""Set with ``rasterio.Env`` around each open and read, never for the process.
Source: https://gdal.org/en/stable/user/configoptions.html"""
MOST_BLOCK_BYTES = 256 * 1024 * 1024
"""Of one block as it is decoded: a whole tile of 10980 x 10980 pixels of 16 bits in one strip has 241 MB."""
MOST_BLOCKS = 16_000_000
"""GDAL keeps 16 bytes of each; a tile in blocks of 16 x 16 pixels has half a million."""
MOST_BANDS = 512
MOST_PIXELS = 1_000_000_000
"""Of one raster that are read for one frame, and of a frame: a whole tile has 0.12 billion."""
NAMES_FILES = ("OVERVIEWS", "ProxyOverviewRequest", "GEOLOCATION")
"""Metadata domains by which a file names others that GDAL then opens, of any kind and wherever they lie.
Source: GDAL 3.10, gcore/gdaldefaultoverviews.cpp and alg/gdalgeoloc.cpp."""


def raster_drivers() -> tuple[str, ...]:
    """Return the names of GDAL's raster drivers in this install."""
    with rasterio.Env() as env:
        return tuple(sorted(env.drivers()))


@contextmanager
def _environment() -> Iterator[None]:
    with rasterio.Env(**GDAL_OPTIONS), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # SceneError says it better
        yield


def driver_of(href: str) -> str:
    """Return the one GDAL driver to open a raster with, so that an asset can't be a VRT naming other files."""
    return "JP2OpenJPEG" if urlparse(href).path.lower().endswith(".jp2") else "GTiff"


class Raster:
    """One opened raster file; a remote one whose bytes make no sense is fetched and read once more."""

    def __init__(self, href: str, home: str | None = None, overview: int | None = None) -> None:
        """Open the raster, at a COG overview (0 = the first) where one is asked for.

        Args:
            href: Path or URL.
            home: ``host:port`` of the catalogue that names it; None for what files of this machine name.
            overview: Number of the overview.

        Raises:
            AddressError: it lies where nothing is read for its catalogue.
            SceneError: the file is built to exhaust whoever reads it, or names other files.
            ReadError: the raster cannot be opened; names it.
        """
        self.href, self._home = href, home
        self._overview = overview
        self._dataset: DatasetReader | None = None
        self._files: RemoteFiles | None = None
        self.attempts(lambda dataset: None)

    @classmethod
    def of(cls, asset: BandAsset, overview: int | None = None) -> Raster:
        """Open the raster that a band lies in; see `Raster`."""
        return cls(asset.href, asset.home, overview)

    @property
    def dataset(self) -> DatasetReader:
        """The opened dataset."""
        if self._dataset is None:
            self._dataset = self._open()
        return self._dataset

    def _open(self) -> DatasetReader:
        if is_remote(self.href):
            self._files = RemoteFiles(self.href, self._home)
        elif self._home is not None:
            raise AddressError(f"{self.href}: is a path of this machine, and its catalogue is read over HTTP")
        whole = self._opened({})
        try:
            check_structure(whole, self._shown)
        except SceneError:
            whole.close()
            raise
        if self._overview is None:
            return whole
        # An overview is opened only after the file was looked at: it may name another file as its overviews.
        whole.close()
        level = self._opened({"overview_level": self._overview})
        check_structure(level, self._shown)
        return level

    def _opened(self, options: dict[str, Any]) -> DatasetReader:
        name = self.href if self._files is not None else local_path(self.href)
        if self._files is not None:
            options = {**options, "opener": self._files}
        with _environment():
            return rasterio.open(name, driver=driver_of(name), sharing=False, **options)

    @property
    def _shown(self) -> str:
        return self.href.partition("?")[0] if is_remote(self.href) else self.href

    def attempts(self, read: Callable[[DatasetReader], Result]) -> Result:
        """Run a read, once more on fresh bytes where a remote raster cannot be decoded.

        Raises:
            ReadError: it failed.
        """
        try:
            return self._once(read)
        except _FAILURES as error:
            if self._files is None:
                raise self._said(error) from error
            self._forget()
        try:
            return self._once(read)
        except _FAILURES as error:
            said = self._said(error)
            self._forget()
            raise said from error

    def _forget(self) -> None:
        """Close, and drop the bytes that could not be decoded, so that none of them is read again."""
        if self._files is not None:
            self._files.forget()
        self.close()

    def _once(self, read: Callable[[DatasetReader], Result]) -> Result:
        """Read; bytes that could not be had come before what GDAL made of their lack."""
        try:
            with _environment():
                result = read(self.dataset)
        except _FAILURES as error:
            self._raise_failure(error)
            raise
        self._raise_failure(None)
        return result

    def _raise_failure(self, cause: BaseException | None) -> None:
        failure = self._files.failure if self._files is not None else None
        if failure is not None:
            self.close()  # GDAL may keep blocks made of what was not there
            raise failure from cause

    def _said(self, error: BaseException) -> ReadError:
        return ReadError(f"{self._shown}: cannot be read: {_reason(error)}; {_hint(self.href)}")

    def close(self) -> None:
        """Close the file."""
        if self._dataset is not None:
            self._dataset.close()
            self._dataset = None
        self._files = None

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
    words = re.sub(r"/vsiriopener_[0-9a-f]+/", "", str(error))
    return words.rstrip(".") or type(error).__name__


def _hint(href: str) -> str:
    return (
        "check the address, or try again later" if is_remote(href) else "is it a whole GeoTIFF or JPEG 2000?"
    )


def overview_for(asset: BandAsset, pixel_m: float) -> int | None:
    """Return the coarsest COG overview that is no coarser than ``pixel_m``, or None for full resolution."""
    with Raster.of(asset) as raster:
        dataset = raster.dataset
        if dataset.crs is None or not dataset.crs.is_projected:
            return None
        native = abs(dataset.transform.a)
        factors = dataset.overviews(1)
    fitting = [level for level, factor in enumerate(factors) if native * factor <= pixel_m * 1.001]
    return fitting[-1] if fitting else None


def check_structure(dataset: DatasetReader, name: str) -> None:
    """Check that a raster can be read within bounds and stands alone.

    Raises:
        SceneError: its blocks are too large or too many, it has too many bands, or it names other files.
    """
    for domain in NAMES_FILES:
        if dataset.tags(ns=domain):
            raise SceneError(
                f"{name}: names other files ({domain}), which are not read; write it anew without them"
            )
    if dataset.count > MOST_BANDS:
        raise SceneError(f"{name}: has {dataset.count} bands, and more than {MOST_BANDS} are not read")
    high, wide = dataset.block_shapes[0]
    together = dataset.count if str(dataset.interleaving or "").lower().endswith("pixel") else 1
    size = high * wide * np.dtype(dataset.dtypes[0]).itemsize * together
    if size > MOST_BLOCK_BYTES:
        raise SceneError(
            f"{name}: its blocks of {wide} x {high} pixels take {size / 1e6:,.0f} MB each, and more than "
            f"{MOST_BLOCK_BYTES / 1e6:.0f} MB are not read; write it as a Cloud Optimized GeoTIFF"
        )
    blocks = math.ceil(dataset.height / high) * math.ceil(dataset.width / wide)
    if blocks > MOST_BLOCKS:
        raise SceneError(
            f"{name}: has {blocks:,} blocks of {wide} x {high} pixels, and more than {MOST_BLOCKS:,} "
            "are not read; write it as a Cloud Optimized GeoTIFF"
        )


def check_pixels(count: float, name: str) -> None:
    """Check that no more pixels are read for one frame than a machine reads in a minute.

    Raises:
        SceneError: it is more than `MOST_PIXELS`.
    """
    if not count <= MOST_PIXELS:
        raise SceneError(
            f"{name}: {count:,.0f} pixels would have to be read, and more than {MOST_PIXELS:,} are not; "
            "cut out the port, or write it with larger pixels"
        )


def check_thinned(dataset: DatasetReader, side_px: int, name: str) -> None:
    """Check that a view of a whole raster of so many pixels a side is read from its overviews, or is small.

    Raises:
        SceneError: more than `MOST_PIXELS` would be read for it.
    """
    step = max(dataset.width, dataset.height) / side_px
    fitting = [factor for factor in dataset.overviews(1) if factor <= step]
    check_pixels(dataset.width * dataset.height / max([1, *fitting]) ** 2, name)
