"""10,000 damaged inputs: nothing crashes, and every row is kept, counted, or in the quarantine with a reason.

Most are files of our own with bytes flipped, cut, doubled, moved or put in; where the real data is beside the
checkout, real logs are damaged too. Hypothesis makes up the rest.
"""

import gzip
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roadstead.ais import import_files, read_store
from roadstead.ais.data import Tally, Window
from roadstead.ais.read import Reading, batches_of
from roadstead.ais.readers.nmea import LINE
from roadstead.ais.reasons import reason_of
from roadstead.core.errors import AisError
from tests.unit.ais.messages import SHIP, T0, nmea, position, voyage
from tests.unit.ais.test_csv import CADASTRE_NEW, CADASTRE_NEW_ROW, DMA, DMA_ROW, OWN, OWN_ROW

INPUTS = 10_000
"""Damaged records and files in all; `test_the_inputs_are_ten_thousand` adds them up."""
NMEA_RECORDS, TABLE_RECORDS, FILES, ARCHIVES = 5_000, 4_500, 300, 200
PACK = 100
"""Damaged records in one file, a whole one after each: it must survive its neighbours."""
BOX = (125.0, 38.0, 125.205, 39.0)

NMEA = "\n".join(
    [
        *position(0),
        *voyage(1),
        *nmea(2, type=18, mmsi=SHIP + 1, lon=125.1, lat=38.6, speed=3.0, course=10.0, heading=511),
        *nmea(3, type=24, mmsi=SHIP + 1, partno=0, shipname="SMALL BARGE"),
        *nmea(4, type=4, mmsi="004451234", lon=125.1, lat=38.6),
        *nmea(5, type=27, mmsi=SHIP + 2, lon=125.1, lat=38.6, speed=8, course=90, status=0),
        f"{position(None)[0]},r003669945,{T0 + 7}",
        "$GPGGA,1*00",
        "# comment",
    ]
).encode()
TABLES = tuple(
    "\n".join([header, row, row.replace("125.2", "125.3"), row.replace("38.7", "38.8"), row]).encode()
    for header, row in ((DMA, DMA_ROW), (CADASTRE_NEW, CADASTRE_NEW_ROW), (OWN, OWN_ROW))
)
TELLING = b'\x00\xff"\r\n,;|*!$\\0189.-+eE@\xc3\x28\xe2\x82'
"""Bytes that mean something to a reader, or break it."""


def mangled(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to six wounds."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.choice((1, 2, 5, 40, 400))]
            case 2:
                data[at:at] = bytes(chance.choice(TELLING) for _ in range(chance.randint(1, 4)))
            case 3:
                piece = data[at : at + chance.randint(1, 60)]
                data[at:at] = piece * chance.randint(1, 3)
            case 4:
                there = chance.randrange(len(data) + 1)
                data[there:there] = data[at : at + 20]
            case _:
                data[at:at] = str(
                    chance.choice((0, -1, 181, 91, 1e99, 999999999, "nan", "inf", "=1+1"))
                ).encode()
    return bytes(data)


@dataclass(frozen=True)
class Read:
    """What became of one input."""

    tally: Tally
    kept: set[int]
    """Lines of which something was kept."""
    refused: set[int]
    reasons: set[str]


def read(content: bytes, window: Window | None = None) -> Read | None:
    """Read an input; None where it is refused as a whole, with an error that names it."""
    path = Path("fuzzed")
    raw = cast(BinaryIO, io.BufferedReader(io.BytesIO(content)))  # type: ignore[arg-type]
    reading = Reading(path, window or Window(), batches=batches_of(path, None, raw))
    kept: set[int] = set()
    faults = []
    try:
        for done in reading:
            for table in (done.positions, done.static, done.stations):
                kept |= set(table["row"])
            faults += done.faults
    except AisError as error:
        assert "fuzzed" in str(error)
        return None
    return Read(reading.tally, kept, {fault.row for fault in faults}, {fault.reason for fault in faults})


def check(found: Read) -> None:
    """Check what holds of every input."""
    tally = found.tally
    for reason in found.reasons:
        reason_of(reason)
    assert all(part >= 0 for part in (tally.kept, tally.duplicates, tally.quarantined, tally.passed_over))
    assert len(found.refused) >= (1 if tally.quarantined else 0)


def inputs(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(count):
        yield mangled(content, chance)


def test_the_inputs_are_ten_thousand() -> None:
    assert NMEA_RECORDS + TABLE_RECORDS + FILES + ARCHIVES == INPUTS


def packs(records: list[bytes], whole: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield files of damaged records, each followed by the same whole one."""
    chance = random.Random(seed)
    for _ in range(count // PACK):
        yield b"".join(mangled(chance.choice(records), chance) + b"\n" + whole + b"\n" for _ in range(PACK))


def test_damaged_sentences_are_told_and_harm_no_other() -> None:
    whole = position(50, mmsi=SHIP + 9)[0].encode()
    for content in packs(NMEA.splitlines(), whole, NMEA_RECORDS, 1):
        found = read(content)
        assert found is not None
        check(found)
        units, parts = sentences(content)
        assert units - parts <= found.tally.read <= units
        rows = {n for n, line in enumerate(io.BytesIO(content), 1) if line.strip() == whole}
        assert len(rows) == PACK
        assert found.tally.positions + found.tally.duplicates >= PACK
        assert found.tally.quarantined > PACK // 4


@pytest.mark.parametrize("which", range(3))
def test_damaged_rows_are_told_and_harm_no_other(which: int) -> None:
    header, row = TABLES[which].splitlines()[:2]
    whole = row.replace(b"445111000", b"445111999")
    for n, content in enumerate(packs([row], whole, TABLE_RECORDS // 3, 2 + which)):
        found = read(header + b"\n" + content, Window(BOX) if n % 2 else None)
        assert found is not None
        check(found)
        accounted(found, header + b"\n" + content)
        assert found.tally.positions + found.tally.duplicates >= PACK
        assert found.tally.quarantined > PACK // 8


def accounted(found: Read, content: bytes) -> None:
    """Check that every row of a table is kept, in the quarantine, or counted."""
    rows = filled_rows(content)
    if rows is not None:
        assert found.tally.read == rows
    silent = found.tally.read - len(found.kept | found.refused)
    assert silent <= found.tally.duplicates + found.tally.out_of_reach + found.tally.passed_over


def test_damaged_files_are_read_or_refused_by_name() -> None:
    refused = 0
    for seed, content in enumerate((NMEA, *TABLES)):
        for damaged in inputs(content, FILES // 4, seed):
            found = read(damaged)
            if found is None:
                refused += 1
                continue
            check(found)
            if seed:
                accounted(found, damaged)
    assert refused < FILES / 2


def sentences(content: bytes) -> tuple[int, int]:
    """Return how many sentences and other lines there are, and how many of them are parts of longer messages."""
    units = parts = 0
    for line in io.BytesIO(content):
        found = [sentence for _, sentence, _ in LINE.findall(line)]
        bare = line.strip()
        units += len(found) if found else int(bool(bare) and not bare.startswith(b"#"))
        parts += sum(not sentence[6:].startswith(b",1,1,") for sentence in found)
    return units, parts


def filled_rows(content: bytes) -> int | None:
    """Count the lines with something on them below the header; None where the file may be in another encoding."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\x00" in text:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return sum(bool(line.strip()) for line in lines[1:])


def test_damaged_archives_are_read_or_refused() -> None:
    for kind, content in enumerate(inputs(gzip.compress(TABLES[0]), ARCHIVES, 9)):
        found = read(content if kind % 3 else gzip.compress(content))
        if found is not None:
            check(found)


cells = st.one_of(
    st.sampled_from(
        [
            "",
            "0",
            "181",
            "91",
            "-200",
            "1e400",
            "nan",
            "inf",
            "445111000",
            "2020-11-03T02:20:00Z",
            '"',
            "None",
        ]
    ),
    st.floats(allow_nan=True).map(str),
    st.integers().map(str),
    st.text(max_size=8),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(cells, min_size=1, max_size=len(OWN.split(",")) + 2), max_size=12))
def test_made_up_cells_are_read_or_refused(rows: list[list[str]]) -> None:
    content = "\n".join([OWN, OWN_ROW, *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
    found = read(content)
    if found is not None:
        check(found)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@example(b"\xfe\xff")
@example(b"\xef\xbb\xbf")
@given(st.binary(max_size=400))
def test_made_up_bytes_are_read_or_refused(content: bytes) -> None:
    for data in (content, NMEA + b"\n" + content, TABLES[2] + b"\n" + content):
        found = read(data)
        if found is not None:
            check(found)


@pytest.mark.parametrize("content", [NMEA, *TABLES], ids=["nmea", "danish", "marinecadastre", "own"])
def test_what_an_import_prints_adds_up_to_the_file_and_its_quarantine(tmp_path: Path, content: bytes) -> None:
    chance = random.Random(11)
    for n in range(8):
        (tmp_path / f"{n}.txt").write_bytes(mangled(content, chance))
        try:
            done = import_files([tmp_path / f"{n}.txt"], tmp_path / f"ais{n}", within=BOX)
        except AisError:
            continue
        tally = done.tally
        assert (
            tally.read
            == tally.kept + tally.duplicates + tally.out_of_reach + tally.quarantined + tally.passed_over
        )
        entries = pd.read_csv(done.quarantine, dtype=str, keep_default_na=False) if done.quarantined else []
        assert len(entries) == done.quarantined >= tally.quarantined
        stored = read_store(tmp_path / f"ais{n}")
        assert len(stored.positions) + len(stored.quarantine) + len(stored.stations) <= tally.kept


@pytest.mark.shared_data
def test_damaged_real_logs_lose_no_sentence_without_a_reason(shared_data: Path) -> None:
    for seed, path in enumerate(sorted((shared_data / "ais/nmea").glob("*.nmea"))):
        content = path.read_bytes()[:4_000]
        for damaged in inputs(content, 15, seed):
            found = read(damaged)
            if found is not None:
                check(found)
                units, parts = sentences(damaged)
                assert units - parts <= found.tally.read <= units
