"""`roadstead ais identify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, err, out, print_json, print_table
from roadstead.core.errors import BadInputError
from roadstead.core.settings import settings
from roadstead.core.time_range import moment

if TYPE_CHECKING:
    from roadstead.ais.identity.identify import Identity

_KINDS = {
    "hit": "hit",
    "one_identifier": "one identifier alone: no hit",
    "similar_name": "similar name: no hit",
    "other_hull": "other IMO number: another hull",
}


def identify_command(
    query: Annotated[str, typer.Argument(metavar="MMSI|IMO|NAME", help="Whom to look for.")],
    ais: console.Ais = None,
    ais_mapping: console.Mapping = None,
    watchlist: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[@DATE]",
            help="List of the UN, EU, OFAC, UK or OpenSanctions, or your own table; DATE: when you retrieved it. "
            "Several allowed.",
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="As of this moment (UTC). Default: the last sighting.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell who a vessel says it is: declared history, flag, IMO check digit, and what watchlists say.

    Lists are evaluated as of the sighting. A hit needs the IMO number or two independent identifiers; a name alone
    is a similar name, never a hit. List status and what was observed are told apart: neither implies the other.

    Example: roadstead ais identify 445111000 --ais my-ais.csv --watchlist eu.csv@2024-05-01
    """
    from roadstead.ais import load_ais
    from roadstead.ais.identity.identify import identify
    from roadstead.ais.identity.watchlist_files import read_watchlist

    lists = [read_watchlist(path) for path in watchlist or ()]
    for one in lists:
        err.print(one.words, markup=False, highlight=False, soft_wrap=True)
    paths = tuple(ais or (str(settings().home / "ais"),))
    found = identify(query, load_ais(paths, mapping=ais_mapping), lists, moment(at, "--at") if at else None)
    if not found:
        raise BadInputError(f"no vessel in this AIS declares {query!r}")
    if json:
        print_json([identity.as_json() for identity in found])
        return
    for identity in found:
        _show(identity, bool(lists))


def _show(identity: Identity, asked: bool) -> None:
    seen = identity.observed
    label = " SIMULATED" if seen["simulated"] else ""
    said = [[name, value] for name, value in identity.declared.items() if value is not None]
    title = f"{identity.mmsi}{label} as of {identity.at:%Y-%m-%d %H:%M} UTC, flag of the MMSI: {identity.flag or '?'}"
    print_table(title, ("declared", "value"), [["changes of static data", len(identity.history)], *said])
    out.print(f"Oddities: {', '.join(identity.oddities) or 'none'}")
    out.print(
        f"Observed: {seen['reports']} reports of {seen['hulls']} hull(s), {seen['first']} to {seen['last']}"
    )
    if not asked:
        out.print("List status: no watchlist given")
    elif not identity.list_status:
        out.print("List status: on none of the lists given")
    for match in identity.list_status:
        older = "; the list is older than the sighting" if match.list_is_older else ""
        out.print(
            f"List status: {match.list_name}, {_KINDS[match.kind]} (by {', '.join(match.basis)}): "
            f"{match.entry.names[0] if match.entry.names else match.entry.imo}, {match.standing.replace('_', ' ')}; "
            f"listed {match.entry.listed or 'date not given'}, delisted {match.entry.delisted or 'no'}, "
            f"retrieved {match.retrieved} ({match.retrieved_from}){older}",
            soft_wrap=True,
        )
