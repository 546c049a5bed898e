"""`roadstead watch` and `roadstead counts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import Progress

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, bar, err, out, print_json, print_table, progress_bar
from roadstead.core.errors import BadInputError
from roadstead.core.settings import settings
from roadstead.core.time_range import time_range

if TYPE_CHECKING:
    import pandas as pd

    from roadstead.imagery import Overpass
    from roadstead.workflows.watch import Watched
    from roadstead.workflows.watch_search import WatchRequest

PortName = Annotated[
    str, typer.Argument(metavar="PORT", help="A port of `roadstead ports`, or one of your own.")
]


def watch_command(
    port: PortName,
    start: console.From,
    end: console.To,
    catalog: Annotated[
        str | None,
        typer.Option(
            help="Catalogues to ask, in order, with commas: earth-search, planetary-computer, cdse, or paths and URLs "
            "of your own. Default: the settings, else those three."
        ),
    ] = None,
    ais: console.Ais = None,
    ais_mapping: console.Mapping = None,
    reception: console.Reception = None,
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
    model: console.Model = None,
    json: Json = False,
) -> None:
    """Search, read, detect, hold against AIS, count and store, for one port and time range.

    Without --ais there are counts only and every detection is `no_coverage`; a result that was held against
    AIS before stays. The same command again changes nothing. A scene that fails is listed as failed, never as
    zero ships (exit code 5).

    Example: roadstead watch nampo --from 2024-05-01 --to 2024-05-31 --ais may.nmea
    """
    from roadstead.workflows.watch import finish, watch
    from roadstead.workflows.watch_search import watch_request
    from roadstead.workflows.watch_summary import summary

    first, last = time_range(start, end)
    request = watch_request(
        port,
        first,
        last,
        aoi=aoi,
        catalog=catalog,
        model=model,
        ais=ais or (),
        ais_mapping=ais_mapping,
        reception=reception,
        store=store,
    )
    try:
        with progress_bar() as bars:
            watched = watch(request, on_overpass=lambda o, i, n: _bar(bars, o, i, n))
    except KeyboardInterrupt:
        err.print("Interrupted: finished overpasses are stored; run the same command again to go on.")
        raise
    document = summary(request, watched)
    print_json(document) if json else _show(request, watched, document)
    finish(bool(watched.done), watched.failures)


def _bar(bars: Progress, overpass: Overpass, index: int, total: int) -> Any:  # noqa: ANN401 - a callback
    return bar(bars, f"{overpass.acquired:%Y-%m-%d %H:%M} ({index + 1}/{total})")


def _show(request: WatchRequest, watched: Watched, document: dict[str, Any]) -> None:
    from roadstead.audit import with_recall
    from roadstead.store import Store

    for name, reason in watched.unasked.items():
        err.print(f"{name} was not asked: {reason}", markup=False)
    for name, reason in watched.elsewhere.items():
        err.print(f"{name} is not from where it is asked for first: {reason}", markup=False)
    if watched.missing:
        err.print(
            f"{len(watched.missing)} passes that the orbits tell of are in no catalogue asked: not observed, "
            "which is not zero ships (`--json` lists them)."
        )
    if not request.ais:
        err.print("No AIS given: counts only; every detection is no_coverage.")
    if watched.without_ais:
        err.print(
            f"The AIS given holds no report near {request.port.slug} around {len(watched.without_ais)} of "
            f"{len(watched.done)} overpasses: there every detection is no_coverage."
        )
    for row in document["overpasses"]:
        if row["state"] == "processed" and row["reason"]:
            err.print(f"{row['overpass_id']}: {row['reason']}. Nothing in it supports a lead.", markup=False)
    if watched.kept:
        err.print(
            f"{len(watched.kept)} overpasses stay as stored: they were held against AIS before, and this run has none "
            "around them."
        )
    if watched.quarantine:
        err.print(f"{watched.quarantined} AIS rows could not be used; they and why: {watched.quarantine}")
    with Store.open(request.store_url) as store:
        counts = store.counts(request.port.slug, request.start, request.end)
        show_counts(request.port.slug, with_recall(store, request.port.slug, counts))
    if document["on_fixed_structures"]:
        err.print(
            f"{document['on_fixed_structures']} findings lie on fixed structures and are left out: "
            "'roadstead export --unfiltered' lists them."
        )
    same = f", {len(watched.unchanged)} of them unchanged since they were stored" if watched.unchanged else ""
    out.print(
        f"{len(watched.done)} overpass(es) done{same}, {document['detections']} detections in the store."
    )


def show_counts(port: str, table: pd.DataFrame) -> None:
    """Print the count table of one port."""
    from roadstead.apps.cli.count_table import count_rows

    label = " (SIMULATED)" if len(table) and bool(table["simulated"].any()) else ""
    columns, rows = count_rows(table)
    print_table(f"{port}{label}: hulls found [90 % interval of hulls that were there]", columns, rows)
    recall_note(table)


def recall_note(table: pd.DataFrame) -> None:
    """Print what counts that carry it (`audit.with_recall`) say of recall."""
    if len(table) and "recall_here" in table:
        out.print(str(table["recall_here"].iloc[0]), highlight=False, soft_wrap=True, markup=False)


def counts_command(
    port: PortName,
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day, UTC.")] = "2015-06-23",
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")] = "2100-01-01",
    by: Annotated[
        Literal["week", "month"] | None,
        typer.Option(help="Mean hulls present a week or month, from the looks there were."),
    ] = None,
    store: console.StoreUrl = None,
    json: Json = False,
) -> None:
    """Print the stored counts of a port: zone, overpass, class, with intervals and parts.

    A zone seen for too small a share says "not observed"; that is never zero. With --by a series over time: the mean
    number of hulls present, whose interval grows where there were few looks.

    Example: roadstead counts nampo --by month
    """
    from roadstead.audit import COLUMNS, with_recall
    from roadstead.counting.series import series, series_rows
    from roadstead.store import Store
    from roadstead.workflows.status import checked_port
    from roadstead.workflows.watch_summary import records

    first, last = time_range(start, end)
    with Store.open(store or settings().store_url, writes=False) as opened:
        checked_port(opened, port)
        table = with_recall(opened, port, opened.counts(port, first, last))
        tried = opened.acquisitions(port, first, last)
        passes = opened.ledger(port, first, last)
    if tried.empty:
        _nothing_of(port)
    for row in tried[tried["state"] == "failed"].itertuples():
        err.print(f"{row.overpass_id} failed, so it has no counts: {row.reason}", markup=False)
    if by is None:
        print_json(records(table)) if json else show_counts(port, table)
        return
    means = series(table, passes, by)
    means = means.assign(**(dict(table[list(COLUMNS)].iloc[0]) if len(table) else {}))
    if json:
        print_json(records(means.assign(period=means["period"].astype(str))))
        return
    label = " (SIMULATED)" if len(means) and bool(means["simulated"].any()) else ""
    print_table(f"{port}{label}: mean hulls present at the hour of a pass", *series_rows(means))
    recall_note(table)


def _nothing_of(port: str) -> None:
    """Raise `BadInputError`: a port that was never watched has no counts, which is not zero."""
    raise BadInputError(
        f"the store holds nothing of '{port}' in this range: run 'roadstead watch {port}' first"
    )
