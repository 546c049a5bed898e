"""`roadstead ais events`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import options
from roadstead.apps.cli.console import Json, err, optional_range, print_json, print_table
from roadstead.core.settings import settings


def events_command(
    port: Annotated[str, typer.Argument(help="Port name, or the path of its port file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON (RFC 7946) to write.")],
    ais: options.Ais = None,
    ais_mapping: options.Mapping = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")] = None,
    json: Json = False,
) -> None:
    """Write the events that AIS tells around a port: port visits, gaps, loitering, encounters, identity changes.

    A gap is told only where other ships were heard at both its ends. Every event is a lead: it carries its evidence
    and what else would look the same.

    Example: roadstead ais events nampo --ais my-ais.csv -o events.geojson
    """
    from roadstead.core.ports import load_port
    from roadstead.workflows.events import write_events

    place, paths = load_port(port), tuple(ais or (str(settings().home / "ais"),))
    found = write_events(output, place, paths, ais_mapping, optional_range(start, end))
    tally = found["kind"].value_counts()
    if json:
        print_json({"output": str(output), "events": {str(kind): int(n) for kind, n in tally.items()}})
        return
    label = " SIMULATED" if len(found) and bool(found["simulated"].any()) else ""
    print_table(f"Events around {place.slug}{label}", ("event", "n"), [[k, int(v)] for k, v in tally.items()])
    err.print(f"{output}: {len(found)}{label} event(s), leads each.")
