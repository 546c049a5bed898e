"""AIS of a simulated port as files, one a source and format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from roadstead.core.atomic_files import write_text
from roadstead_lab.simulate.ais.csv_file import csv_text
from roadstead_lab.simulate.ais.nmea_file import nmea_text
from roadstead_lab.simulate.ais.received import Received
from roadstead_lab.simulate.traffic.sea import PortWorld

_WRITERS: Mapping[str, Callable[[Received], str]] = {"nmea": nmea_text, "csv": csv_text}


def write_ais(folder: Path, world: PortWorld, heard: Mapping[str, Received]) -> list[Path]:
    """Write what each source of a port heard, in each of its formats, and return the files.

    Both formats carry the source, whose name begins with ``SIM-``: NMEA in each tag block, CSV in the column
    ``Data source type``.

    Args:
        folder: Gets ``PORT-SOURCE.nmea`` and ``PORT-SOURCE.csv``, in lower case; made where absent.
        world: The port.
        heard: Source -> what it heard (`ais.received`).

    Raises:
        StoreError: a file cannot be written.
    """
    paths = []
    for source, what in heard.items():
        for form in what.receiver.formats:
            path = folder / f"{world.scenario.port}-{source.lower()}.{form}"
            write_text(path, _WRITERS[form](what))
            paths.append(path)
    return paths
