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
        list[str] | None,
        typer.Option(
            "--format",
            help="geojson, gpkg, report (these three if left out), qgis, geoparquet, flatgeobuf, csv, kmz, stac, cue, "
            "brief (one page, HTML and PDF); may be given several times.",
        ),
    ] = None,
    zones: Annotated[
        list[str] | None, typer.Option("--zone", help="Only this zone; may be given several times.")
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Only hulls that look most like this class.")
    ] = None,
    statuses: Annotated[
        list[str] | None, typer.Option("--status", help="Only this status, e.g. no_ais_partner.")
    ] = None,
    min_probability: Annotated[
        float, typer.Option("--min-probability", help="Least probability of a hull and of a match, 0 to 1.")
    ] = 0.0,
    unfiltered: Annotated[
        bool,
        typer.Option(
            "--unfiltered",
            help="All but the report also hold what was dropped as a fixed structure, with `dropped_because`.",
        ),
    ] = False,
    aoi: options.Aoi = None,
    store: options.StoreUrl = None,
    json: Json = False,
) -> None:
    """Write what the store holds as files that GIS, spreadsheets, browsers and archives open.

    Example: roadstead export nampo --from 2024-05-01 --to 2024-05-31 -o out --status no_ais_partner
    """
    from roadstead.aoi import named_port
    from roadstead.catalog import Store
    from roadstead.export import Filters
    from roadstead.jobs.export import DEFAULT_FORMATS, export_ports

    first, last = time_range(start, end)
    filters = Filters(tuple(zones or ()), tuple(classes or ()), tuple(statuses or ()), min_probability)
    with Store.open(store or settings().store_url) as opened:
        written = export_ports(
            opened,
            [named_port(port, aoi)],
            first,
            last,
            output,
            tuple(formats or DEFAULT_FORMATS),
            unfiltered=unfiltered,
            filters=filters,
        )
    if json:
        print_json([str(path) for path in written])
        return
    for path in written:
        err.print(str(path))
