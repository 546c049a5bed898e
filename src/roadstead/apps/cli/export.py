"""`roadstead export` and `roadstead dossier`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, err, optional_range, print_json
from roadstead.core.errors import UsageError
from roadstead.core.settings import settings
from roadstead.core.time_range import time_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roadstead.core.ports import Port
    from roadstead.publish import Filters
    from roadstead.store import Store
    from roadstead.workflows.release import Taker


MOST_NAMED = 20
"""Files of one folder that are named each."""


def export_command(
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="A port of `roadstead ports`, or the one in --aoi.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day (or moment), UTC. Needed without --released."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Last day, included, UTC. Needed without --released."),
    ] = None,
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
    released: Annotated[
        bool,
        typer.Option(
            "--released",
            help="For the outside: findings that two people released, without identities, places to 0.01 degree, "
            "images at least 7 days old. geojson, gpkg and csv if no format is named; also geoparquet.",
        ),
    ] = False,
    unredacted: Annotated[
        bool,
        typer.Option("--unredacted", help="With --released: identities and exact places too; written down."),
    ] = False,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --unredacted: the analyst or admin who takes it.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="With --user: read the password from standard input.")
    ] = False,
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
    json: Json = False,
) -> None:
    """Write what the store holds as files that GIS, spreadsheets, browsers and archives open.

    Example: roadstead export nampo --from 2024-05-01 --to 2024-05-31 -o out --status no_ais_partner
    """
    from roadstead.core.ports import named_port
    from roadstead.publish import Filters
    from roadstead.store import Store
    from roadstead.workflows.export import DEFAULT_FORMATS, export_ports

    filters = Filters(tuple(zones or ()), tuple(classes or ()), tuple(statuses or ()), min_probability)
    if (unredacted or user or password_stdin) and not released:
        raise UsageError(
            "--unredacted, --user and --password-stdin go with --released; a working export holds everything"
        )
    if unredacted != bool(user):
        raise UsageError("--unredacted needs --user NAME, and --user goes with --unredacted")
    if released:
        if unfiltered:
            raise UsageError("--unfiltered is not for --released: what was dropped is never released")
        with Store.open(store or settings().store_url, writes=False) as opened:
            _released(
                opened,
                named_port(port, aoi),
                output,
                formats,
                optional_range(start, end),
                filters,
                _taker(opened, user, password_stdin),
                json,
            )
        return
    if start is None or end is None:
        raise UsageError("give --from and --to, the days of the overpasses")
    first, last = time_range(start, end)
    with Store.open(store or settings().store_url, writes=False) as opened:
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
    _say(written)


def _taker(store: Store, user: str | None, from_stdin: bool) -> Taker | None:
    """Return who takes identities out, after their password; None where nobody does."""
    from roadstead.workflows.release import Taker, identified

    if user is None:
        return None
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt(f"Password of {user}", hide_input=True, err=True)
    return Taker(identified(store, user, password).name, "command line")


def _released(
    store: Store,
    port: Port,
    output: Path,
    formats: list[str] | None,
    between: tuple[datetime, datetime] | None,
    filters: Filters,
    taker: Taker | None,
    json: bool,
) -> None:
    from roadstead.workflows.release import DEFAULT_FORMATS, export_released, told_of

    written = export_released(
        store,
        port,
        output,
        tuple(formats or DEFAULT_FORMATS),
        now=datetime.now(UTC),
        between=between,
        filters=filters,
        taker=taker,
        ais_store=settings().home / "ais",
    )
    if json:
        print_json([str(path) for path in written.files])
        return
    _say(written.files)
    err.print(told_of(written))


def _say(written: Iterable[Path]) -> None:
    """Name what was written; of a folder with many files, the folder and how many."""
    by_folder: dict[Path, list[Path]] = {}
    for path in written:
        by_folder.setdefault(path.parent, []).append(path)
    for folder, paths in by_folder.items():
        if len(paths) > MOST_NAMED:
            err.print(f"{folder}/ ({len(paths)} files)", markup=False, soft_wrap=True)
        else:
            err.print("\n".join(map(str, paths)), markup=False, soft_wrap=True)


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
    store: console.StoreUrl = None,
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
