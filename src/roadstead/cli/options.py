"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from roadstead.aoi import Port

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


def port_of(name: str, aoi: Path | None) -> Port:
    """Return the port `name`: of the user's own file where given, else of ours.

    Raises:
        PortError: unknown, or the file holds another port.
    """
    from roadstead.aoi import load_port
    from roadstead.errors import PortError

    port = load_port(name if aoi is None else aoi)
    if aoi is not None and port.slug != name:
        raise PortError(f"{aoi}: holds port '{port.slug}', not '{name}'")
    return port
