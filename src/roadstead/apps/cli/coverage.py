"""`roadstead ais coverage`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import options
from roadstead.apps.cli.console import Json, err, optional_range, print_json, print_table
from roadstead.core.settings import settings


def coverage_command(
    port: Annotated[str, typer.Argument(help="Port name, or the path of its port file.")],
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")] = None,
    ais: options.Ais = None,
    ais_mapping: options.Mapping = None,
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
    from roadstead.workflows.coverage import WHY, coverage, span_of, thinning_of
    from roadstead.workflows.coverage_plot import write_plot
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
