"""`roadstead detect` and `roadstead reconcile`: one stage alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, bar, err, print_json, print_table, progress_bar
from roadstead.core.errors import PartialError, UsageError
from roadstead.core.settings import settings
from roadstead.core.time_range import moment


def detect_command(
    scenes: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENE...",
            help="STAC item (path or URL), saved search, SAFE folder or zip, GeoTIFF, PNG or JPEG; many at once.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON to write.")],
    aoi: Annotated[
        Path | None,
        typer.Option("--aoi", help="Search the zones of this port file alone, not the whole image."),
    ] = None,
    acquired: Annotated[
        str | None, typer.Option(help="Acquisition time, UTC, for rasters that do not carry it.")
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(metavar="NAME=N,...", help="Which band is which, e.g. red=4,green=3,blue=2,nir=8."),
    ] = None,
    crs: Annotated[
        str | None, typer.Option(metavar="CRS", help="CRS of a PNG's or JPEG's world file, e.g. EPSG:32651.")
    ] = None,
    unfiltered: Annotated[
        bool, typer.Option("--unfiltered", help="Also write what was dropped, with `dropped_because`.")
    ] = False,
    model: console.Model = None,
) -> None:
    """Find barges, bulk carriers and other vessels in images; write oriented boxes as GeoJSON.

    Bands of a raster are taken by description, by colour, or in the order red, green, blue, nir where its water
    looks like it; else `--bands` names them. 8-bit bands are taken as true colour. Without a scale tag other
    integers are reflectance x 10000 and floats are reflectance. An image in which no ship could have shown fails
    with the reason. The file says what was searched, also where nothing was found.

    Example: roadstead detect item.json chip.tif -o detections.geojson
    """
    from roadstead.core.atomic_files import refuse_special
    from roadstead.core.detections_file import write_detections
    from roadstead.core.ports import load_port
    from roadstead.detection import load_model
    from roadstead.imagery import RasterHints
    from roadstead.workflows.detect import detect_scenes

    refuse_special(output)
    if output.resolve() in {Path(scene).resolve() for scene in scenes}:
        raise UsageError(f"--output {output} is also an input; name another file")
    port = load_port(aoi) if aoi else None
    hints = RasterHints(
        moment(acquired, "--acquired") if acquired else None,
        _bands(bands) if bands is not None else None,
        crs,
    )
    loaded = load_model(model or settings().model_id)
    with progress_bar() as bars:
        table, header = detect_scenes(
            scenes,
            loaded,
            port,
            hints=hints,
            unfiltered=unfiltered,
            on_scene=lambda label, index, total: bar(bars, f"{Path(label).name} ({index + 1}/{total})"),
        )
    write_detections(output, table, header)
    label = " SIMULATED" if any(scene.simulated for scene in header.scenes) else ""
    err.print(f"{output}: {len(table)} detections in {len(header.scenes)}{label} scene(s).")
    if header.failures:
        raise PartialError(header.failures)


def _bands(text: str) -> dict[str, int]:
    """Read ``red=4,green=3`` as band -> number.

    Raises:
        UsageError: a part of it is no band of ours or no number.
    """
    from roadstead.imagery import BANDS

    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.partition("="))
        if name not in BANDS or not number.isdecimal():
            raise UsageError(
                f"--bands {text!r}: {part.strip()!r} is none of {', '.join(BANDS)} with a number; write "
                "red=4,green=3,blue=2,nir=8"
            )
        found[name] = int(number)
    return found


def reconcile_command(
    detections: Annotated[Path, typer.Argument(help="GeoJSON made by `roadstead detect`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON of matches to write.")],
    ais: console.Ais = None,
    ais_mapping: console.Mapping = None,
    reception: console.Reception = None,
    json: Json = False,
) -> None:
    """Hold detections against AIS: one feature per detection and per declared vessel left over.

    Statuses: matched, ambiguous, no_ais_partner, unseen, no_coverage, not_visible; each with a probability
    and reasons. They are leads, never verdicts: no_ais_partner does not say that a ship had to transmit.

    Example: roadstead reconcile detections.geojson --ais may.nmea -o matches.geojson
    """
    from roadstead.workflows.detect import quarantine_path, reconcile_file

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
