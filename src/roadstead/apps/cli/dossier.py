"""`roadstead dossier`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import options
from roadstead.apps.cli.console import Json, err, print_json


def dossier_command(
    findings: Annotated[
        list[str], typer.Argument(metavar="FINDING...", help="Detection ids, as in any export.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A new folder, or a file that ends in .zip.")
    ],
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            "--withhold-ais",
            metavar="SOURCE",
            help="Leave out the rows of an AIS source that may not be passed on; `all` for every source.",
        ),
    ] = None,
    imagery: Annotated[
        bool, typer.Option("--imagery/--no-imagery", help="Read the scenes again for their pixels and items.")
    ] = True,
    store: options.StoreUrl = None,
    json: Json = False,
) -> None:
    """Write all that is known of findings so that others can check it: page, PDF, pixels, AIS, reasons, checksums.

    Example: roadstead dossier 0a1b2c3d4e5f60718293 -o finding.zip
    """
    from roadstead.workflows.dossier import Asked, open_and_make

    written = open_and_make(store, findings, output, Asked(tuple(withhold or ()), imagery))
    if json:
        print_json([str(path) for path in written])
        return
    for path in written:
        err.print(str(path))
