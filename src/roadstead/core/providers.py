"""The public catalogues of Sentinel-2, one row each: where to search, and how their pixels are opened.

Rows of the same name under ``[providers]`` in ``roadstead.toml`` take the place of ours; others add to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

Access = Literal["open", "sas", "s3"]


class Provider(BaseModel):
    """One catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: str
    """URL of the STAC API."""
    collection: str
    """Asked of it."""
    assets: tuple[str, ...] = ()
    """What the addresses of its pixels begin with."""
    access: Access = "open"
    """``open``: as they are. ``sas``: with a token that ``sign`` gives without an account, for a while. ``s3``: signed
    with the user's own keys (environment: ``key_variable``, ``secret_variable``)."""
    sign: str = ""
    """Of ``sas``: URL that gives a token for ``{sign}/{account}/{container}``."""
    endpoint: str = ""
    """Of ``s3``: URL of the server."""
    region: str = "default"
    key_variable: str = ""
    secret_variable: str = ""


PROVIDERS: Mapping[str, Provider] = {
    # https://element84.com/earth-search/; a collection of whole reprocessing, offsets in `raster:bands`
    "earth-search": Provider(
        api="https://earth-search.aws.element84.com/v1",
        collection="sentinel-2-c1-l2a",
        assets=("https://e84-earth-search-sentinel-data.s3.us-west-2.amazonaws.com/",),
    ),
    # https://planetarycomputer.microsoft.com/docs/concepts/sas/: unsigned reads are answered with 409
    "planetary-computer": Provider(
        api="https://planetarycomputer.microsoft.com/api/stac/v1",
        collection="sentinel-2-l2a",
        assets=("https://sentinel2l2a01.blob.core.windows.net/",),
        access="sas",
        sign="https://planetarycomputer.microsoft.com/api/sas/v1/token",
    ),
    # https://documentation.dataspace.copernicus.eu/APIs/S3.html: JPEG 2000 over S3; keys are free of charge
    "cdse": Provider(
        api="https://stac.dataspace.copernicus.eu/v1",
        collection="sentinel-2-l2a",
        assets=("s3://eodata/",),
        access="s3",
        endpoint="https://eodata.dataspace.copernicus.eu",
        key_variable="CDSE_S3_ACCESS_KEY",
        secret_variable="CDSE_S3_SECRET_KEY",  # noqa: S106 - the name of a variable
    ),
    # Earlier processings of Earth Search, with offset flags that are checked against pixels
    "earth-search-l2a": Provider(
        api="https://earth-search.aws.element84.com/v1",
        collection="sentinel-2-l2a",
        assets=("https://sentinel-cogs.s3.us-west-2.amazonaws.com/",),
    ),
}
"""In the order in which they are asked where the settings name none; see `settings.Settings.catalog`."""
DEFAULT_ORDER = "earth-search,planetary-computer,cdse"
