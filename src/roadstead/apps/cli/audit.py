"""`roadstead audit`: cells drawn at random, how far they are, and what they say of recall."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, err, out, print_json, print_table
from roadstead.core.errors import BadInputError
from roadstead.core.settings import settings

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How many ships are missed at a port: cells drawn at random, boxed by people in `roadstead review`.",
)


@app.command("draw")
def draw(
    ports: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PORT]...", help="Ports; all that the store holds if left out."),
    ] = None,
    cells: Annotated[int, typer.Option("--cells", help="Cells at each port.")] = 40,
    seed: Annotated[
        int, typer.Option("--seed", help="Of the random order; the same gives the same cells.")
    ] = 0,
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
    json: Json = False,
) -> None:
    """Draw cells (a square of a zone at an overpass) that people look at without seeing what the model found.

    Strata are port, kind of zone, and whether anything was found. No cell is drawn twice. The scenes are read again
    for the pictures; a cell that cannot be read is named and the next in the random order takes its place.

    Example: roadstead audit draw nampo --cells 40 --seed 1
    """
    from roadstead.store import Store
    from roadstead.workflows.audit import draw_cells, draw_document, ports_to_draw, stratum_rows

    with Store.open(store or settings().store_url) as opened:
        drawn = draw_cells(opened, ports_to_draw(opened, ports or (), aoi), cells, seed, datetime.now(UTC))
    if json:
        print_json(draw_document(drawn))
        return
    columns = ("port", "zones", "cells", "drawn", "inclusion probability", "could not be read")
    print_table(
        f"Draw {drawn.draw.draw}, seed {seed}", columns, list(stratum_rows(drawn.draw.frame["strata"]))
    )
    empty = [one for one in drawn.draw.frame["strata"] if not one["drawn"]]
    if empty:
        err.print(
            f"{len(empty)} kinds of place are in no sample: draw more cells, or results leave them out."
        )
    for one in drawn.draw.frame["unread"][:5]:
        err.print(f"{one['zone']} at {one['overpass_id']} could not be read: {one['why']}", markup=False)
    out.print(
        f"{drawn.cells} cells to be looked at, {drawn.seconds} of them by two people: roadstead review, Audit."
    )


@app.command("status")
def status(store: console.StoreUrl = None, json: Json = False) -> None:
    """Print how many cells of each port are drawn, answered in full, and could be judged."""
    from roadstead.audit import LEAST_CELLS, results
    from roadstead.store import Audits, Store

    with Store.open(store or settings().store_url, writes=False) as opened:
        progress, draws = results(opened).progress, Audits(opened).draws()
    rows = [
        [port, n["drawn"], n["complete"], n["complete"] - n["unjudged"], LEAST_CELLS]
        for port, n in progress.items()
    ]
    columns = ("port", "drawn", "answered in full", "judged", "needed")
    if json:
        documents = [
            dict(zip(("port", "drawn", "complete", "judged", "needed"), row, strict=True)) for row in rows
        ]
        print_json({"draws": len(draws), "ports": documents})
        return
    print_table(f"Audit: {len(draws)} {'draw' if len(draws) == 1 else 'draws'}", columns, rows)


@app.command("results")
def results_command(store: console.StoreUrl = None, json: Json = False) -> None:
    """Print recall, precision, bias of counts and agreement of reviewers by port and model, each with n and 95 %."""
    from roadstead.audit import results
    from roadstead.store import Store
    from roadstead.workflows.audit import agreement_rows, result_rows, results_document

    with Store.open(store or settings().store_url, writes=False) as opened:
        found = results(opened)
    if json:
        print_json(results_document(found))
        return
    columns = (
        "port",
        "model",
        "cells",
        "ships",
        "recall [95 %]",
        "precision [95 %]",
        "found less boxed a cell [95 %]",
    )
    print_table("Audit results", columns, list(result_rows(found)))
    if found.agreements:
        named = ("port", "cells", "kappa: any ship", "boxes", "kappa: class")
        print_table("Two reviewers", named, list(agreement_rows(found)))
    out.print("Of ships of 45 m or more in cells drawn at random. Decisions about leads are not in it.")


@app.command("labels")
def labels(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A .geojson file for all, or a folder for one file a scene."),
    ],
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
) -> None:
    """Write what was boxed as labels for training; the audited cells are searched ground, all else is not."""
    from roadstead.core.ports import read_port
    from roadstead.store import Store
    from roadstead.workflows.labels import write_audit_labels

    with Store.open(store or settings().store_url, writes=False) as opened:
        own = () if aoi is None else (read_port(aoi),)
        written, cells, boxes = write_audit_labels(opened, output, own)
    if not cells:
        raise BadInputError("no cell was judged, so there is no label")
    for path in written:
        err.print(str(path))
    err.print(f"{boxes} boxes in {cells} cells")
