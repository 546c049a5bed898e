"""Import of AIS: rows a second, NMEA beside pyais, and peak memory on growing files.

``python -m benchmarks.ais_import`` prints the table; ``--million N`` sets the largest file of the memory test
(20 by default). The files are made up: 5,000 ships of which 250 lie within reach of Nampo, in the Danish layout.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

BOX = (124.7, 38.2, 125.9, 39.2)
SHIPS, NEAR = 5_000, 250
CHUNK = 250_000
GOAL, MUST = 1_000_000, 300_000
"""Rows of CSV a second on two cores."""
NMEA_GOAL, NMEA_MUST = 1.2, 1.5
"""Time of our reading and cleaning over that of decoding with pyais alone."""


def write_day(path: Path, rows: int) -> None:
    """Write a made-up day in the columns of the Danish Maritime Authority."""
    chance = np.random.default_rng(7)
    lon = np.where(
        np.arange(SHIPS) < NEAR, chance.uniform(125.0, 125.6, SHIPS), chance.uniform(0, 120, SHIPS)
    )
    lat = np.where(np.arange(SHIPS) < NEAR, chance.uniform(38.4, 38.9, SHIPS), chance.uniform(-60, 60, SHIPS))
    with path.open("wb") as out:
        for begun in range(0, rows, CHUNK):
            n = min(CHUNK, rows - begun)
            seconds = np.sort(chance.uniform(begun, begun + n, n)) / rows * 86_399
            table = pa.Table.from_pandas(_day_part(chance, seconds, lon, lat), preserve_index=False)
            header = ",".join(table.column_names).encode() + b"\n"
            out.write(header if begun == 0 else b"")
            arrow_csv.write_csv(
                table, out, arrow_csv.WriteOptions(include_header=False, quoting_style="none")
            )


_CLOCK = pd.date_range("2024-05-01", periods=86_400, freq="s").strftime("%d/%m/%Y %H:%M:%S").to_numpy()


def _day_part(
    chance: np.random.Generator, seconds: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> pd.DataFrame:
    n = len(seconds)
    ship = chance.integers(0, SHIPS, n)
    unknown = np.full(n, "Undefined")
    columns = {
        "# Timestamp": _CLOCK[seconds.astype(int)],
        "Type of mobile": np.where(ship % 4 == 0, "Class B", "Class A"),
        "MMSI": 412_000_000 + ship,
        "Latitude": (lat[ship] + chance.normal(0, 0.005, n)).round(6),
        "Longitude": (lon[ship] + chance.normal(0, 0.005, n)).round(6),
        "Navigational status": np.where(ship % 3 == 0, "At anchor", "Under way using engine"),
        "ROT": 0.0,
        "SOG": chance.uniform(0, 15, n).round(1),
        "COG": chance.uniform(0, 359, n).round(1),
        "Heading": chance.integers(0, 360, n),
        "IMO": "Unknown",
        "Callsign": np.char.add("C", ship.astype(str)),
        "Name": np.char.add("SIMULATED ", ship.astype(str)),
        "Ship type": "Cargo",
        "Cargo type": unknown,
        "Width": 20,
        "Length": 150,
        "Type of position fixing device": unknown,
        "Draught": 8.1,
        "Destination": "NAMPO",
        "ETA": "",
        "Data source type": "AIS",
        **dict(zip("ABCD", (120, 30, 8, 12), strict=True)),
    }
    return pd.DataFrame(columns)


_CHILD = """
import json, resource, sys, time
from roadstead.ais import import_files
used = resource.getrusage(resource.RUSAGE_SELF)
started = used.ru_utime + used.ru_stime
began = time.perf_counter()
done = import_files([sys.argv[1]], sys.argv[2], within=json.loads(sys.argv[3]))
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"read": done.tally.read, "kept": done.tally.kept, "seconds": seconds,
    "cpu_s": used.ru_utime + used.ru_stime - started, "peak_mb": used.ru_maxrss / 1024}))
"""


def imported(path: Path, store: Path, box: tuple[float, ...] | None = BOX) -> dict[str, float]:
    """Import a file in a process of its own; return rows, seconds and peak memory (MB)."""
    told = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", _CHILD, str(path), str(store), json.dumps(box)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found


def nmea_lines(messages: int = 60_000) -> list[bytes]:
    """Return a made-up log: 9 position reports to one static report, 20 messages a second."""
    from pyais import encode_dict
    from pyais.messages import TagBlock

    lines = []
    for n in range(messages):
        said = {
            "mmsi": 412_000_000 + n % 500,
            "type": 1,
            "lon": 125 + n % 997 / 1000,
            "lat": 38.5 + n % 89 / 200,
        }
        said |= {"speed": n % 150 / 10, "course": n % 360, "heading": n % 360, "status": 0}
        if n % 10 == 9:
            said = {"mmsi": said["mmsi"], "type": 5, "shipname": f"SIMULATED {n % 500}", "ship_type": 70}
        tag = TagBlock.create_str(receiver_timestamp=1_714_521_600 + n // 20, source_station="r1")
        body, check = tag.split("*")
        for sentence in encode_dict(said, talker_id="AI", seq_id=n % 10):
            lines.append(f"\\{body}*{check.zfill(2)}\\{sentence}\n".encode())
    return lines


def nmea_ratio(lines: list[bytes], rounds: int = 5) -> tuple[float, float]:
    """Return seconds a message of pyais alone, and of our reading and cleaning over it: the best of some rounds."""
    import gc

    from pyais.stream import BinaryIOStream

    from roadstead.ais.clean import clean
    from roadstead.ais.data import Window
    from roadstead.ais.readers.nmea import read_nmea

    theirs, ours, messages = [], [], 0
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        messages = sum(1 for message in BinaryIOStream(io.BytesIO(b"".join(lines))) if message.decode())
        theirs.append(time.process_time() - began)
        gc.collect()
        began = time.process_time()
        for batch in read_nmea(lines):
            clean(batch, "benchmark", Window())
        ours.append(time.process_time() - began)
    return min(theirs) / messages, min(ours) / min(theirs)


def growing(folder: Path, largest: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield rows and figures of imports of ever larger files."""
    for rows in sorted({1_000_000, 5_000_000, largest}):
        if rows <= largest:
            path = folder / "day.csv"
            write_day(path, rows)
            yield rows, imported(path, folder / f"store-{rows}")
            path.unlink()


def main(million: float = 2.0) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("rows of CSV   rows/s      rows per CPU second   peak memory")
        rates = []
        for rows, done in growing(folder, int(million * 1e6)):
            rates.append(rows / done["seconds"])
            each = rows / done["cpu_s"]
            print(f"{rows:>11,}   {rates[-1]:>9,.0f}   {each:>19,.0f}   {done['peak_mb']:>8.0f} MB", end="")
            print(f" ({done['kept']:,.0f} rows kept)", flush=True)
        print(
            f"best {max(rates):,.0f} rows/s (goal {GOAL:,}, must {MUST:,} on two cores that do nothing else)"
        )
        write_day(folder / "all.csv", 1_000_000)
        done = imported(folder / "all.csv", folder / "all", None)
        print(f"everything kept: {done['read'] / done['seconds']:,.0f} rows/s, peak {done['peak_mb']:.0f} MB")
    each, ratio = nmea_ratio(nmea_lines())
    print(f"NMEA: pyais alone {each * 1e6:.1f} us a message; read and cleaned in {ratio:.2f} x that ", end="")
    print(f"(goal {NMEA_GOAL}, must {NMEA_MUST})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--million", type=float, default=20.0)
    main(parser.parse_args().million)
