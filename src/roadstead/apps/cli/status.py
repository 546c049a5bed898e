"""`roadstead status`, `ports` and `doctor`: how ports are, which there are, and how the install is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, out, print_json, print_table
from roadstead.core.leads import LEAD_WORDS
from roadstead.core.settings import settings

if TYPE_CHECKING:
    from roadstead.workflows.status import PortStatus


def status_command(
    port: Annotated[
        str | None,
        typer.Argument(metavar="[PORT]", help="A port, one of your own too; all known if left out."),
    ] = None,
    store: console.StoreUrl = None,
    json: Json = False,
) -> None:
    """Say how each port is doing: newest overpasses, what failed and why, leads by kind, how late results come.

    "Unobserved" counts the days since the last processed overpass: in that time ships were not seen, which does
    not mean that there were none. Exit code 0 whatever the status of a known port is; `/metrics` of `roadstead serve`
    is for alerts.

    Example: roadstead status nampo
    """
    from roadstead.core.ports import known_ports
    from roadstead.store import Store
    from roadstead.workflows.status import checked_port, port_status

    with Store.open(store or settings().store_url, writes=False) as opened:
        names = [checked_port(opened, port)] if port else sorted({*known_ports(), *opened.ports()})
        found = [port_status(opened, name) for name in names]
    if json:
        print_json([status.document() for status in found])
        return
    columns = (
        "port",
        "last overpass",
        "last processed",
        "unobserved",
        "passes",
        "leads",
        "lag p50 / p90",
        "next pass",
    )
    print_table("roadstead status (UTC)", columns, [_row(status) for status in found])
    for status in found:
        for failure in status.failures:
            stands = "; an earlier result stands" if failure.result_stands else ""
            out.print(
                f"{status.port} {_when(failure.acquired)} {failure.overpass_id} failed: {failure.reason}{stands}",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
        if status.failed > len(status.failures):
            out.print(f"{status.port}: {status.failed} failed in all", markup=False)


def _row(status: PortStatus) -> list[str]:
    days = status.unobserved_days
    lag = (
        f"{_lag(status.lag.p50_h)} / {_lag(status.lag.p90_h)} (n {status.lag.n})"
        if status.lag
        else "not known"
    )
    return [
        status.port + (" (SIMULATED)" if status.simulated else ""),
        _when(status.last_seen),
        _when(status.last_processed),
        "never watched" if days is None else f"{days:.1f} days",
        ", ".join(f"{n} {state}" for state, n in status.overpasses.items()) or "none",
        ", ".join(f"{n} {LEAD_WORDS[kind]}" for kind, n in status.leads.items() if n) or "none",
        lag,
        _when(status.next_expected, "not known"),
    ]


def _when(time: datetime | None, none: str = "never") -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else none


def _lag(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 72.0 else f"{hours / 24.0:.1f} days"


def doctor_command(json: Json = False) -> None:
    """Check the install and say how to mend what is wrong (exit code 3 if anything is).

    Checked: Python, the weights' sha256, the inference runtime, the port files, GDAL's formats, Prefect's
    server, the store, free disk space.
    """
    from roadstead.workflows.doctor import run_checks

    checks = run_checks(settings())
    if json:
        print_json([asdict(check) for check in checks])
    else:
        print_table(
            "roadstead doctor",
            ("check", "", "found"),
            [[c.name, "ok" if c.ok else "WRONG", c.detail] for c in checks],
        )
        for check in checks:
            if not check.ok:
                out.print(f"{check.name}: {check.mend}", markup=False)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)


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
