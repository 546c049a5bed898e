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
    model: options.Model = None,
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
