"""`roadstead detect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import options
from roadstead.apps.cli.console import bar, err, progress_bar
from roadstead.core.errors import PartialError, UsageError
from roadstead.core.settings import settings
from roadstead.core.time_range import moment


def detect_command(
    scenes: Annotated[
        list[str],
        typer.Argument(metavar="SCENE...", help="STAC item (path or URL) or GeoTIFF; many at once."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON to write.")],
    aoi: Annotated[
        Path | None,
        typer.Option("--aoi", help="Search the zones of this port file alone, not the whole image."),
    ] = None,
    acquired: Annotated[
        str | None, typer.Option(help="Acquisition time, UTC, for GeoTIFFs that do not carry it.")
    ] = None,
    unfiltered: Annotated[
        bool, typer.Option("--unfiltered", help="Also write what was dropped, with `dropped_because`.")
    ] = False,
    model: options.Model = None,
) -> None:
    """Find barges, bulk carriers and other vessels in images; write oriented boxes as GeoJSON.

    GeoTIFF bands are taken by description, or in the order red, green, blue, nir; 8-bit bands are taken as
    true colour. Without a scale tag other integers are reflectance x 10000 and floats are reflectance. The
    file says what was searched, also where nothing was found.

    Example: roadstead detect item.json chip.tif -o detections.geojson
    """
    from roadstead.core.atomic_files import refuse_special
    from roadstead.core.detections_file import write_detections
    from roadstead.core.ports import load_port
    from roadstead.detection import load_model
    from roadstead.workflows.detect import detect_scenes

    refuse_special(output)
    if output.resolve() in {Path(scene).resolve() for scene in scenes}:
        raise UsageError(f"--output {output} is also an input; name another file")
    port = load_port(aoi) if aoi else None
    when = moment(acquired, "--acquired") if acquired else None
    loaded = load_model(model or settings().model_id)
    with progress_bar() as bars:
        table, header = detect_scenes(
            scenes,
            loaded,
            port,
            acquired=when,
            unfiltered=unfiltered,
            on_scene=lambda label, index, total: bar(bars, f"{Path(label).name} ({index + 1}/{total})"),
        )
    write_detections(output, table, header)
    label = " SIMULATED" if any(scene.simulated for scene in header.scenes) else ""
    err.print(f"{output}: {len(table)} detections in {len(header.scenes)}{label} scene(s).")
    if header.failures:
        raise PartialError(header.failures)
