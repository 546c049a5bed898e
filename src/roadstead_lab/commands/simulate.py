"""`roadstead simulate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from roadstead.apps.cli.console import Json, err, print_json, print_table, progress_bar
from roadstead.core.errors import UsageError

if TYPE_CHECKING:
    from roadstead_lab.simulate.world import Progress, SimulatedWorld


def simulate_command(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="A name of --list, or a YAML file of your own.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder to write; an earlier simulation is replaced."
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=2**31 - 1,
            help="Chance: the same seed gives the same bytes in any folder.",
        ),
    ] = 0,
    mode: Annotated[
        Literal["images", "detections"] | None,
        typer.Option(
            help="Pixels, or detections drawn from the detector's published errors. Default: the scenario's."
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the built-in scenarios.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of a scenario file.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a world whose truth is known: images, AIS and the truth of both, all labelled SIMULATED.

    DIR gets `catalog.json` (a STAC catalogue for `watch --catalog`), `ais/` (for `--ais`), `truth/` and, with
    `--mode detections`, `detections/PORT.geojson` (for `reconcile`). Nothing that detects or reconciles may read
    `truth/`. For a scenario of your own start from a copy of a built-in one; errors name the line.

    Example: roadstead simulate fortnight -o world --seed 7
    """
    if schema:
        from roadstead_lab.simulate.scenario.file import scenario_schema

        print_json(scenario_schema())
    elif list_:
        _list(json)
    elif scenario is None or output is None:
        raise UsageError(
            "give a scenario and a folder: roadstead simulate fortnight -o world (or --list, --schema)"
        )
    else:
        _simulate(scenario, output, seed, mode, json)


def _list(json: bool) -> None:
    from roadstead_lab.simulate.scenario.file import builtin_scenarios, load_scenario

    names = ("scenario", "title", "start", "days", "ports", "mode")
    found = [load_scenario(name).scenario for name in builtin_scenarios()]
    rows = [
        (s.name, s.title, s.start.isoformat(), s.days, ", ".join(part.port for part in s.ports), s.mode)
        for s in found
    ]
    if json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table("Built-in scenarios (all SIMULATED)", names, rows)


def _simulate(
    name: str, output: Path, seed: int, mode: Literal["images", "detections"] | None, json: bool
) -> None:
    from roadstead_lab.simulate.files import refuse_foreign
    from roadstead_lab.simulate.scenario.file import load_scenario

    loaded = load_scenario(name)
    refuse_foreign(output)
    from roadstead_lab.simulate.world import simulate

    with _progress() as progress:
        world = simulate(output, loaded, seed, mode, progress)
    document = _document(world, loaded.scenario.name, seed)
    if json:
        print_json(document)
        return
    rows = [[port, *numbers.values()] for port, numbers in world.numbers.items()]
    columns = ("port", *next(iter(world.numbers.values())))
    print_table(f"SIMULATED {loaded.scenario.name}, seed {seed}: {output}", columns, rows)
    err.print(f"Read {output / 'README.txt'} first. Everything in {output} is made up.", markup=False)


def _document(world: SimulatedWorld, name: str, seed: int) -> dict[str, Any]:
    return {
        "simulated": True,
        "scenario": name,
        "seed": seed,
        "mode": "detections" if world.catalog is None else "images",
        "catalog": str(world.catalog) if world.catalog else None,
        "ais": {port: [str(path) for path in paths] for port, paths in world.ais.items()},
        "detections": {port: str(path) for port, path in world.detections.items()},
        "truth": str(world.truth),
        "ports": world.numbers,
    }


@contextmanager
def _progress() -> Iterator[Progress]:
    with progress_bar() as bars:
        task = bars.add_task("placing ships", total=None)
        yield lambda what, done, total: bars.update(
            task, description=what, completed=done, total=total or None
        )
