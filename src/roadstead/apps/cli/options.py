"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

From = Annotated[
    str, typer.Option("--from", metavar="DATE", help="First day (or moment), UTC, e.g. 2020-11-01.")
]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")]
Aoi = Annotated[
    Path | None,
    typer.Option(
        "--aoi",
        help="Your own port: polygons with an id or name and a kind, as GeoJSON, KML, GeoPackage or Shapefile.",
    ),
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help="SQLAlchemy URL, e.g. sqlite:///here.sqlite. Default: settings."
    ),
]
Ais = Annotated[
    list[str] | None,
    typer.Option(
        "--ais",
        metavar="FILE",
        help="NMEA, CSV, JSON or Parquet file, archive, folder, pattern (may/*.nmea), or a store made by `ais import`; "
        "several may follow, and it may be given several times.",
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        "--ais-mapping", help="Column mapping (YAML, JSON or TOML) for an AIS table we do not know."
    ),
]
Model = Annotated[str | None, typer.Option("--model", help="Model id or folder. Default: settings.")]
Reception = Annotated[
    Path | None,
    typer.Option(
        help="YAML file that states how well a snapshot source heard; without it a snapshot supports no lead."
    ),
]


class AisCommand(TyperCommand):
    """A command whose ``--ais`` also takes the several files that a shell makes of ``may/*.nmea``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, or that within typer
        """Read the words of the command line."""
        params = self.get_params(ctx)
        valued = {
            name
            for param in params
            if param.param_type_name == "option" and not getattr(param, "is_flag", False)
            for name in param.opts
        }
        needed = sum(param.param_type_name == "argument" for param in params)
        return super().parse_args(ctx, with_ais_repeated(args, valued, needed))


def with_ais_repeated(args: Sequence[str], valued: Collection[str], needed: int) -> list[str]:
    """Return the words of a command line with ``--ais`` before each further file that follows its first.

    Args:
        args: the words.
        valued: options that take a value.
        needed: words of the command's own (a port, a file); the last words are these, as they always were.
    """
    free = list(_free_words(args, valued))
    spare = max(len(free) - needed, 0)
    files = [at for at, follows in free if follows and Path(args[at]).exists()][:spare]
    return [word for at, one in enumerate(args) for word in (["--ais", one] if at in files else [one])]


def _free_words(args: Sequence[str], valued: Collection[str]) -> list[tuple[int, bool]]:
    """Return the places of words that are neither options nor their values, and whether each follows ``--ais FILE``."""
    free: list[tuple[int, bool]] = []
    at, follows = 0, False
    while at < len(args):
        name, has_value, _ = args[at].partition("=")
        if args[at] == "--":
            return free + [(n, False) for n in range(at + 1, len(args))]
        if name.startswith("-") and name != "-":
            follows = name == "--ais"
            at += 1 if has_value or name not in valued else 2
        else:
            free.append((at, follows))
            at += 1
    return free
