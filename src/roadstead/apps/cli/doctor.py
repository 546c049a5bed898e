"""`roadstead doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from roadstead.apps.cli.console import Json, out, print_json, print_table
from roadstead.core.settings import settings


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
