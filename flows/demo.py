"""The demo: simulate a fortnight at both ports, run the Prefect flow over it, write demo/.

Everything it shows is simulated and says so. Run it with ``make demo``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

SCENARIO = "fortnight"
SEED = 20201101


def _isolate_prefect(work: Path) -> None:
    """Give this run its own Prefect home and server, before Prefect is imported."""
    os.environ["PREFECT_HOME"] = str(work / "prefect")
    os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.pop("PREFECT_API_URL", None)


def run(out: Path, work: Path) -> list[Path]:
    """Simulate, watch both ports and export; return the files written into ``out``."""
    from flows.watch_port import watch_port
    from roadstead.apps.cli.console import err
    from roadstead.apps.cli.watch import show_counts
    from roadstead.store import Store
    from roadstead.workflows.export import export_ports
    from roadstead_lab.simulate.scenario.file import load_scenario
    from roadstead_lab.simulate.world import simulate

    loaded = load_scenario(SCENARIO)
    ports, scenario = loaded.ports, loaded.scenario
    err.print(f"Simulating {scenario.days} days at {' and '.join(p.slug for p in ports)} (seed {SEED}) ...")
    world = simulate(work / "world", loaded, SEED)
    first = datetime.combine(scenario.start, datetime.min.time(), UTC)
    last = first + timedelta(days=scenario.days)
    store_url = f"sqlite:///{work / 'roadstead.sqlite'}"
    for port in ports:
        err.print(f"Watching {port.slug} ...")
        watch_port(
            port.slug,
            first,
            last,
            str(world.catalog),
            [str(path) for path in world.ais[port.slug]],
            None,
            store_url,
        )
    with Store.open(store_url) as store:
        for port in ports:
            show_counts(port.slug, store.counts(port.slug, first, last))
        made = {
            "Simulation": f"{SCENARIO}, seed {SEED}, {scenario.days} days from {scenario.start}, remade by make demo"
        }
        return export_ports(store, ports, first, last, out, provenance=made)


def _emptied(folder: Path) -> None:
    """Empty a folder that an earlier demo made; refuse any other that holds something."""
    mark = folder / ".roadstead-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        sys.exit(f"{folder} holds files that no demo made: name an empty folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()


def main() -> None:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write (replaced)")
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo"), help="folder for the simulated world and store"
    )
    given = parser.parse_args()
    out, work = given.out.resolve(), given.work.resolve()
    for folder in (out, work):
        _emptied(folder)
    _isolate_prefect(work)
    began = time.monotonic()
    for path in run(out, work):
        sys.stderr.write(f"wrote {path}\n")
    sys.stderr.write(
        f"Simulated data throughout. Done in {time.monotonic() - began:.0f} s. Open {out / 'report.html'}\n"
    )


if __name__ == "__main__":
    main()
