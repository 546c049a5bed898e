"""Everything Roadstead says over HTTP: one STAC session, and GDAL's options for remote rasters."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlparse

from pystac_client.stac_api_io import StacApiIO
from urllib3 import Retry

TIMEOUT_S = 30.0
RETRIES = 3

GDAL_OPTIONS: Mapping[str, str | int] = {
    # A COG is one file: listing its folder costs requests and, on some servers, the whole listing.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    # GDAL keeps decoded blocks, by default in a twentieth of all memory. Two rows of blocks of a whole tile, four
    # bands in blocks of 1024 pixels, are enough that none is decoded twice.
    "GDAL_CACHEMAX": 256 * 1024 * 1024,
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": "26214400",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2",
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_TIMEOUT": "60",
    "GDAL_HTTP_MAX_RETRY": "2",
    "GDAL_HTTP_RETRY_DELAY": "0.5",
}
"""Set with ``rasterio.Env`` around each open and read, never for the process.
Source: https://gdal.org/en/stable/user/configoptions.html"""


def stac_io() -> StacApiIO:
    """Return a STAC reader with time-outs that asks again after 429, 500, 502, 503 and 504."""
    retry = Retry(
        total=RETRIES,
        backoff_factor=0.3,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,
    )
    return StacApiIO(timeout=TIMEOUT_S, max_retries=retry)


def is_remote(href: str) -> bool:
    """Return whether a path or URL is read over the network."""
    return urlparse(href).scheme in ("http", "https", "s3", "gs", "az") or href.startswith("/vsi")


def gdal_options(href: str, attempt: int = 1) -> dict[str, str | int]:
    """Return GDAL's options for reading a raster; a second attempt asks the server anew.

    GDAL keeps failed responses of a URL in a cache of the process, so a retry would read the same failure.
    """
    options = dict(GDAL_OPTIONS)
    if not urlparse(href).query:  # the end of a signed URL is its signature
        options["CPL_VSIL_CURL_ALLOWED_EXTENSIONS"] = ".tif,.tiff,.TIF,.TIFF,.jp2,.JP2"
    if attempt > 1 and href.startswith(("http://", "https://")):
        options["CPL_VSIL_CURL_NON_CACHED"] = f"/vsicurl/{href}"
    return options
