"""`roadstead ports`: the ports and zones we know."""

from __future__ import annotations

from typing import Annotated

import typer

from roadstead.apps.cli.console import Json, print_json, print_table


def ports_command(
    port: Annotated[
        str | None, typer.Argument(help="A port, or a port file; all known ports if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """List ports and their zones.

    Zones are drawn by hand from public descriptions and checked against a coast; nothing is surveyed.
    """
    from roadstead.core.ports import known_ports, load_port

    found = [load_port(name) for name in ([port] if port else known_ports())]
    rows = [
        {
            "port": p.slug,
            "zone": z.id,
            "kind": z.kind,
            "name": z.name,
            "confidence": z.confidence,
            "source": z.source,
        }
        for p in found
        for z in p.zones
    ]
    if json:
        print_json(rows)
        return
    for p in found:
        own = [row for row in rows if row["port"] == p.slug]
        print_table(
            p.slug,
            ("zone", "kind", "name", "confidence"),
            [[r["zone"], r["kind"], r["name"], r["confidence"]] for r in own],
        )
