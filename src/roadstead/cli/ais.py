"""`roadstead ais import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.cli import options
from roadstead.cli.console import Json, bar, err, print_json, progress_bar
from roadstead.settings import settings


def import_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="NMEA (also .gz), CSV or Parquet.")],
    store: Annotated[
        Path | None,
        typer.Option("--ais-store", help="Folder of the Parquet store. Default: under ROADSTEAD_HOME."),
    ] = None,
    ais_mapping: options.Mapping = None,
    port: Annotated[str | None, typer.Option(help="Keep only what lies near this port.")] = None,
    json: Json = False,
) -> None:
    """Read AIS files into a Parquet store that --ais takes.

    Understood without a mapping: NMEA with tag blocks, CSV of the Danish Maritime Authority and of
    MarineCadastre, and a plain CSV with our own column names. Rows that cannot be used go to a quarantine
    file with file, row, field and reason; nothing is lost. Importing a file again changes nothing.

    Example: roadstead ais import may.nmea.gz --port nampo
    """
    from roadstead.ais import import_files

    folder = store or settings().home / "ais"
    within = _near(port) if port else None
    with progress_bar() as bars:
        done = import_files(files, folder, mapping=ais_mapping, within=within, progress=bar(bars, "reading"))
    if json:
        print_json({name: getattr(done, name) for name in done.__dataclass_fields__})
        return
    err.print(f"{folder}: {done.kept} position reports kept, {done.quarantined} rows quarantined.")
    if done.quarantined:
        err.print(f"Quarantined rows with reasons: {done.quarantine}")


def _near(port: str) -> tuple[float, float, float, float]:
    from roadstead.aoi import load_port
    from roadstead.jobs.declared import widened

    return widened(load_port(port).bounds)
