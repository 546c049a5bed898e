"""`roadstead ais`: `import`, `sources`, `coverage` and `events`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, bar, err, optional_range, print_json, print_table, progress_bar
from roadstead.core.errors import UsageError
from roadstead.core.settings import settings

if TYPE_CHECKING:
    from roadstead.ais import ImportSummary, Source
    from roadstead.ais.data import Box


Store = Annotated[
    Path | None,
    typer.Option("--ais-store", help="Folder of the Parquet store. Default: under ROADSTEAD_HOME."),
]


def store_folder(given: Path | None) -> Path:
    """Return the store's folder."""
    return given or settings().home / "ais"


def import_command(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="NMEA, CSV, JSON or Parquet (also .gz, .zst, .bz2, .xz, zip, tar), a folder or a quoted pattern; - is "
            "standard input.",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Live NMEA: tcp://host:port (we connect) or udp://host:port."),
    ] = None,
    listen_s: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help="Listen so long. Default: until Ctrl-C.")
    ] = None,
    store: Store = None,
    ais_mapping: console.Mapping = None,
    port: Annotated[
        list[str] | None, typer.Option(help="Keep only what lies near this port; several allowed.")
    ] = None,
    aoi: Annotated[
        list[Path] | None,
        typer.Option("--aoi", help="Keep only what lies near your own port (a port file); several allowed."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source of these files.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence or contract.")] = None,
    redistribute: Annotated[
        bool | None,
        typer.Option("--redistribute/--no-redistribute", help="Whether its reports may be passed on."),
    ] = None,
    thinning_s: Annotated[
        float | None,
        typer.Option("--thinning-s", help="It passes on one report of a ship in so many seconds; 0: all."),
    ] = None,
    receiver: Annotated[
        str, typer.Option(help="How it hears: terrestrial, satellite, mixed or unknown.")
    ] = "unknown",
    json: Json = False,
) -> None:
    """Read AIS files or a live feed into a Parquet store that --ais takes.

    Understood without a mapping: NMEA with tag blocks, and the tables that docs/ais.md lists. Rows that cannot
    be used go to a quarantine file with file, row, field and reason; rows out of reach are counted; nothing is
    lost. Memory stays flat however large a file is. Importing a file again changes nothing.

    Example: roadstead ais import may.nmea.gz --port nampo --source my-receiver --receiver terrestrial
    """
    from roadstead.ais import Source, import_files

    terms = Source(source, licence, redistribute, thinning_s, receiver)  # type: ignore[arg-type]  # it checks
    boxes = reach(port or (), aoi or ())
    folder = store_folder(store)
    if bool(files) == bool(listen):
        raise UsageError("give files to read (- is standard input), or --listen URL")
    if listen:
        done = _listened(listen, folder, boxes, terms, listen_s)
    else:
        with progress_bar() as bars:
            moved = bar(bars, "reading")
            done = import_files(
                files or (), folder, mapping=ais_mapping, source=terms, within=boxes, progress=moved
            )
    _tell(folder, done, json)


def _listened(
    url: str, folder: Path, boxes: Sequence[Box] | None, terms: Source, seconds: float | None
) -> ImportSummary:
    from roadstead.ais.archive.listen import listen
    from roadstead.ais.data import Window

    with progress_bar() as bars:
        moved = bar(bars, f"lines heard from {url}")
        return listen(
            url,
            folder,
            Window(boxes),
            terms,
            float("inf") if seconds is None else seconds,
            heard=lambda lines: moved(lines, None),
        )


def reach(ports: Sequence[str], aois: Sequence[Path]) -> tuple[Box, ...] | None:
    """Return the boxes within reach of some ports; None, everything, where none is named."""
    from roadstead.core.ports import load_port
    from roadstead.workflows.load_ais import widened

    named: list[str | Path] = [*ports, *aois]
    found = tuple(widened(load_port(port).bounds) for port in named)
    return found or None


def _tell(folder: Path, done: ImportSummary, json: bool) -> None:
    tally = done.tally
    if json:
        counted = {name: getattr(done, name) for name in done.__dataclass_fields__ if name != "tally"}
        print_json({**counted, "rows": tally.as_json()})
        return
    print_table(
        f"Rows read: {tally.read}",
        ("what became of them", "rows"),
        [[part.name.replace("_", " "), getattr(tally, part.name)] for part in fields(tally)],
    )
    if done.notes:
        noted = ", ".join(f"{name} {count}" for name, count in sorted(done.notes.items()))
        err.print(f"Kept, but note (docs/ais.md says what each means): {noted}")
    err.print(f"{folder}: {tally.kept} of {tally.read} rows kept.")
    for name, words in done.left_out.items():
        err.print(f"Left out: {name} is {words}", markup=False, soft_wrap=True)
    if done.already:
        err.print(f"Already there, nothing changed: {', '.join(done.already)}")
    if done.quarantined:
        err.print(f"Quarantined rows and fields, with reasons: {done.quarantine}")


def sources_command(store: Store = None, json: Json = False) -> None:
    """List the sources of a store: their terms, what was imported, and from when to when.

    Example: roadstead ais sources
    """
    from roadstead.ais.archive.store import sources_of

    listed = sources_of(store_folder(store))
    if json:
        print_json(listed)
        return
    names = (
        "source",
        "licence",
        "redistribute",
        "thinning_s",
        "receiver",
        "imports",
        "kept",
        "first",
        "last",
    )
    print_table("Sources", names, [[_said(row[name]) for name in names] for row in listed])


def _said(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not said" if value is None else value


def coverage_command(
    port: Annotated[str, typer.Argument(help="Port name, or the path of its port file.")],
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")] = None,
    ais: console.Ais = None,
    ais_mapping: console.Mapping = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it: .html or .png.")] = None,
    json: Json = False,
) -> None:
    """Say in how many hours your AIS could support a statement about silence at a port, and why not in others.

    Silence means something only where a transmitting hull would very probably have been heard (P >= 0.9, from the
    other vessels heard around). Without --from and --to, the hours that the AIS covers. Without --ais, the store.

    Example: roadstead ais coverage nampo --from 2024-05-01 --to 2024-05-31 --ais my-ais.csv --plot may.html
    """
    from roadstead.ais import load_ais
    from roadstead.core.ports import load_port
    from roadstead.workflows.coverage import WHY, coverage, span_of, thinning_of, write_plot
    from roadstead.workflows.load_ais import load_around, widened

    place, paths = load_port(port), tuple(ais or (str(settings().home / "ais"),))
    hours = settings().ais_window_h
    span = optional_range(start, end)
    if span is None:
        heard = load_ais(paths, mapping=ais_mapping, within=widened(place.bounds))
        first, last = span_of(heard)
    else:
        first, last = span
        heard = load_around(paths, ais_mapping, place.bounds, [first, last], hours)
    found = coverage(heard, place, first, last, hours, thinning_of(paths))
    if plot is not None:
        write_plot(found, plot)
    told = found.summary()
    if json:
        rows = found.hours.astype({"p_heard": object}).where(found.hours.notna(), None)
        print_json({**told, "from": first, "to": last, "hours": rows.to_dict("records")})
        return
    label = " SIMULATED" if found.simulated else ""
    for name in ("a", "b"):
        part = told[f"class_{name}"]
        share = "-" if part["share"] is None else f"{part['share']:.1%}"
        lines = [["silence can be spoken of (P(heard) >= 0.9)", part["supported"], share]]
        lines += [
            [f"{why}: {WHY[why]}", n, f"{n / part['zone_hours']:.1%}"] for why, n in part["reasons"].items()
        ]
        title = f"{found.port}{label}, Class {name.upper()}: {part['zone_hours']} zone-hours"
        print_table(title, ("what", "zone-hours", "share"), lines)
    if plot is not None:
        err.print(f"{plot}: written.")


def events_command(
    port: Annotated[str, typer.Argument(help="Port name, or the path of its port file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoJSON (RFC 7946) to write.")],
    ais: console.Ais = None,
    ais_mapping: console.Mapping = None,
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
