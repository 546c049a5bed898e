"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

From = Annotated[
    str, typer.Option("--from", metavar="DATE", help="First day (or moment), UTC, e.g. 2020-11-01.")
]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")]
Aoi = Annotated[
    Path | None,
    typer.Option("--aoi", help="GeoJSON of your own port: polygons with `port`, `zone` and `kind`."),
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help="SQLAlchemy URL, e.g. sqlite:///here.sqlite. Default: settings."
    ),
]
Ais = Annotated[
    list[str] | None,
    typer.Option(
        "--ais",
        metavar="FILE",
        help="NMEA, CSV or Parquet file, or a store made by `ais import`; may be given several times.",
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        "--ais-mapping", help="Column mapping (YAML, JSON or TOML) for an AIS table we do not know."
    ),
]
Model = Annotated[str | None, typer.Option("--model", help="Model id or folder. Default: settings.")]
Reception = Annotated[
    Path | None,
    typer.Option(
        help="YAML file that states how well a snapshot source heard; without it a snapshot supports no lead."
    ),
]
