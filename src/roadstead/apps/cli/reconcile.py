"""`roadstead reconcile`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import options
from roadstead.apps.cli.console import Json, err, print_json, print_table
from roadstead.core.settings import settings


def reconcile_command(
    detections: Annotated[Path, typer.Argument(help="GeoJSON made by `roadstead detect`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON of matches to write.")],
    ais: options.Ais = None,
    ais_mapping: options.Mapping = None,
    reception: options.Reception = None,
    json: Json = False,
) -> None:
    """Hold detections against AIS: one feature per detection and per declared vessel left over.

    Statuses: matched, ambiguous, no_ais_partner, unseen, no_coverage, not_visible; each with a probability
    and reasons. They are leads, never verdicts: no_ais_partner does not say that a ship had to transmit.

    Example: roadstead reconcile detections.geojson --ais may.nmea -o matches.geojson
    """
    from roadstead.workflows.reconcile import quarantine_path, reconcile_file

    held = reconcile_file(detections, tuple(ais or ()), output, ais_mapping, settings(), reception)
    matches = held.matches
    if ais and set(matches["reasons"]) <= {"no_ais_in_window"}:
        err.print("The AIS given holds no report near these scenes: every detection is no_coverage.")
    for overpass, doubt in held.doubts.items():
        err.print(f"{overpass}: {doubt.words}. Nothing in it supports a lead.", markup=False)
    tally = matches["status"].value_counts()
    if json:
        print_json(
            {
                "output": str(output),
                "statuses": {k: int(v) for k, v in tally.items()},
                "fits": {name: asdict(found) for name, found in held.alignments.items()},
                "doubts": {name: doubt.words for name, doubt in held.doubts.items()},
            }
        )
        return
    label = " SIMULATED" if bool(matches["simulated"].any()) else ""
    print_table(
        f"Detections and declarations{label}", ("status", "n"), [[k, int(v)] for k, v in tally.items()]
    )
    err.print(f"{output}: {len(matches)}{label} row(s).")
    if quarantine_path(output).exists():
        err.print(f"AIS rows that could not be used, with reasons: {quarantine_path(output)}")
