"""The flow `export-findings`: what `roadstead export` writes, for the last days, into a dated folder."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.parent import follow_serve
from flows.served import FILES_URL
from flows.steps import failed
from roadstead.core.errors import BadInputError, RoadsteadError, StoreError
from roadstead.core.ports import known_ports, named_port
from roadstead.core.settings import settings
from roadstead.store import Store
from roadstead.workflows.export import export_ports, week_briefs

UNFINISHED = ".unfinished-"
"""Folders that begin so are remains of a run that was killed; the next run removes them."""


@flow(name="export-findings", flow_run_name="export")
def export_findings(
    ports: list[str] | None = None,
    days: int = 30,
    keep: int = 30,
    aoi: Path | None = None,
    store: str | None = None,
    folder: Path | None = None,
) -> list[str]:
    """Write GeoJSON, GeoPackages and the report of the last days, and briefs of the last week, into ``exports/DATE``.

    The folder appears whole or not at all, and a second export of a day takes the place of the first. Only the
    newest ``keep`` dated folders stay. Ports of which the store holds nothing are passed over.

    Returns:
        The files.
    """
    follow_serve()
    base = settings()
    now = datetime.now(UTC)
    root = folder or base.home / "exports"
    try:
        with Store.open(store or base.store_url, writes=False) as opened:
            wanted = [named_port(name, aoi) for name in ports or known_ports(base.aoi_dir)]
            held = [
                p for p in wanted if not opened.acquisitions(p.slug, now - timedelta(days=days), now).empty
            ]
            if not held:
                names = ", ".join(port.slug for port in wanted)
                raise BadInputError(
                    f"the store holds nothing of {names} in the last {days} days: nothing to export"
                )
            final = root / f"{now:%Y-%m-%d}"
            temporary = root / f"{UNFINISHED}{now:%Y-%m-%dT%H%M%S%f}"
            _sweep(root)
            written = export_ports(opened, held, now - timedelta(days=days), now, temporary)
            written += week_briefs(opened, held, now, temporary)
        _put(temporary, final)
        _forget_oldest(root, keep)
    except RoadsteadError as error:
        return failed(error)  # type: ignore[return-value]  # Prefect raises it for the caller
    files = [final / path.relative_to(temporary) for path in written]
    _artifact(final, files, [port.slug for port in held], days)
    return [str(path) for path in files]


def _put(temporary: Path, final: Path) -> None:
    """Rename a finished folder into its place; an earlier one of the same day goes first aside, then away."""
    aside = final.parent / f"{UNFINISHED}{final.name}-before"
    try:
        if final.exists():
            final.rename(aside)
        temporary.rename(final)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{final}: cannot be written: {error.strerror or error}") from error


def _sweep(root: Path) -> None:
    for left in root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _forget_oldest(root: Path, keep: int) -> None:
    dated = sorted(path for path in root.glob("????-??-??") if path.is_dir())
    for old in dated[: max(0, len(dated) - max(1, keep))]:
        shutil.rmtree(old, ignore_errors=True)


def _artifact(final: Path, files: list[Path], ports: list[str], days: int) -> None:
    address = os.environ.get(FILES_URL)
    lines = [f"# Findings of {', '.join(ports)}, the last {days} days", f"Folder: `{final}`"]
    for path in files:
        name = path.relative_to(final)
        lines.append(f"- [{name}]({address}/{final.name}/{name})" if address else f"- `{name}`")
    lines.append("\nLeads with a probability, never verdicts.")
    create_markdown_artifact(
        key="export-findings", markdown="\n".join(lines), description=f"Files in {final}"
    )
