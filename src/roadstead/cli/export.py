"""`roadstead export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.cli import options
from roadstead.cli.console import Json, err, print_json, time_range
from roadstead.settings import settings


def export_command(
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="A port of `roadstead ports`, or the one in --aoi.")
    ],
    start: options.From,
    end: options.To,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="geojson, gpkg or report; all if left out.")
    ] = None,
    unfiltered: Annotated[
        bool,
        typer.Option(
            "--unfiltered",
            help="GeoJSON and GeoPackage also hold what was dropped as a fixed structure, with `dropped_because`.",
        ),
    ] = False,
    aoi: options.Aoi = None,
    store: options.StoreUrl = None,
    json: Json = False,
) -> None:
    """Write what the store holds as GeoJSON (WGS84), GeoPackage (UTM, styled for QGIS) and an HTML report.

    Example: roadstead export nampo --from 2024-05-01 --to 2024-05-31 -o out
    """
    from roadstead.aoi import named_port
    from roadstead.catalog import Store
    from roadstead.jobs.export import FORMATS, export_ports

    first, last = time_range(start, end)
    with Store.open(store or settings().store_url) as opened:
        written = export_ports(
            opened,
            [named_port(port, aoi)],
            first,
            last,
            output,
            tuple(formats or FORMATS),
            unfiltered=unfiltered,
        )
    if json:
        print_json([str(path) for path in written])
        return
    for path in written:
        err.print(str(path))
