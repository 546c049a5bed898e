"""An import streams, counts every row, keeps what is in reach, and is whole or not at all."""

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.ais_import import imported, write_day
from roadstead.ais import Source, import_files, load_ais, read_ais, read_store
from roadstead.ais.archive import importing, store_writer
from roadstead.ais.archive.store import sources_of
from roadstead.ais.readers import csv
from roadstead.core.errors import AisError, UsageError
from tests.unit.ais.messages import SHIP, at, nmea, position, voyage, write

BOX = (125.0, 38.0, 126.0, 39.0)
HEADER = "mmsi,time,lon,lat,sog_kn,name,source"


def row(n: int = 0, **changes: Any) -> str:
    known = {
        "mmsi": SHIP,
        "time": at(60 * n).isoformat(),
        "lon": 125.2 + n * 1e-3,
        "lat": 38.7,
        "sog_kn": 8.0,
        "name": "GREY HERON",
        "source": "r1",
    }
    return ",".join(str({**known, **changes}[name]) for name in HEADER.split(","))


def mixed() -> list[str]:
    """Two good rows, one again, one from another receiver, one elsewhere, two that cannot be used, a blank line."""
    return [
        HEADER,
        row(0),
        row(1),
        row(1),
        row(1, time=at(61).isoformat(), source="r2"),
        row(2, lon=10.0),
        row(3, mmsi="ship"),
        "",
        row(4, lat=95.0, name=""),
        row(5).replace(",8.0", ""),
    ]


def test_every_row_is_kept_repeated_out_of_reach_or_quarantined(tmp_path: Path) -> None:
    done = import_files([write(tmp_path / "a.csv", mixed())], tmp_path / "ais", within=BOX)
    tally = done.tally
    assert (tally.kept, tally.duplicates, tally.out_of_reach, tally.quarantined) == (2, 2, 1, 3)
    assert tally.read == 8
    refused = pd.read_csv(done.quarantine)
    assert refused[["row", "field", "reason"]].to_numpy().tolist() == [
        [10, "line", "wrong_number_of_columns"],
        [7, "mmsi", "mmsi_invalid"],
        [9, "lat", "lat_out_of_range"],
    ]
    assert len(read_store(tmp_path / "ais").positions) == 2


def test_a_row_whose_place_is_refused_but_that_declares_something_is_kept_for_that(tmp_path: Path) -> None:
    done = import_files([write(tmp_path / "a.csv", [HEADER, row(0), row(1, lat=95.0)])], tmp_path / "ais")
    assert (done.tally.positions, done.tally.static, done.tally.quarantined) == (1, 1, 0)
    assert done.quarantined == 1


def test_messages_of_other_kinds_and_other_instruments_are_counted_too(tmp_path: Path) -> None:
    gps = "$GPGGA,1*00"
    other = nmea(3, type=8, dac=1, fid=11, data=b"\x00\x01")
    log = write(tmp_path / "a.nmea", [*position(0), gps, "# a comment", *other, *voyage(5), "junk"])
    tally = import_files([log], tmp_path / "ais").tally
    assert (tally.positions, tally.static, tally.passed_over, tally.quarantined) == (1, 1, 2, 1)
    assert tally.read == 5


def test_several_boxes_keep_what_lies_in_any(tmp_path: Path) -> None:
    rows = [HEADER, row(0), row(1, lon=10.0), row(2, lon=50.0)]
    done = import_files([write(tmp_path / "a.csv", rows)], tmp_path / "ais", within=[BOX, (9, 38, 11, 39)])
    assert (done.tally.kept, done.tally.out_of_reach) == (2, 1)
    near = read_store(tmp_path / "ais", bbox=(9.5, 38.0, 10.5, 39.0))
    assert list(near.positions["lon"]) == [10.0]


def test_a_store_is_partitioned_by_day_and_cell_on_every_side_of_the_globe(tmp_path: Path) -> None:
    places = [(125.2, 38.7), (-0.5, -0.5), (179.99, 89.99), (-180.0, -90.0), (180.0, 90.0)]
    rows = [row(n, lon=lon, lat=lat) for n, (lon, lat) in enumerate(places)]
    import_files([write(tmp_path / "a.csv", [HEADER, *rows])], tmp_path / "ais")
    cells = sorted(path.name for path in (tmp_path / "ais/positions/date=2020-11-03").iterdir())
    assert cells == ["cell=E125N35", "cell=E175N85", "cell=W005S05", "cell=W180S90"]
    for lon, lat in places:
        box = (lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005)
        assert len(read_store(tmp_path / "ais", bbox=box).positions) >= 1


def test_many_cells_are_written_with_few_files_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_writer, "MOST_OPEN", 2)
    monkeypatch.setattr(store_writer, "FLUSH_ROWS", 40)
    monkeypatch.setattr(csv, "BLOCK_BYTES", 2_000)
    chance = random.Random(1)
    rows = [row(n, mmsi=SHIP + n, lon=chance.uniform(-170, 170)) for n in range(400)]
    path = write(tmp_path / "a.csv", [HEADER, *rows])
    import_files([path], tmp_path / "ais")
    pd.testing.assert_frame_equal(read_store(tmp_path / "ais").positions, read_ais([path]).positions)


@pytest.mark.parametrize("size", [80, 333, 4096])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_where_blocks_end_and_how_lines_end_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, ending: str
) -> None:
    lines = [
        *mixed(),
        *(row(n, name=f'"HERON, {n}"') for n in range(6, 40, 3)),
        *(row(n) for n in range(40, 90)),
    ]
    whole = read_ais([write(tmp_path / "a.csv", lines)])
    monkeypatch.setattr(csv, "BLOCK_BYTES", size)
    (tmp_path / "a.csv").write_bytes(ending.join(lines).encode())
    parts = read_ais([tmp_path / "a.csv"])
    for name in ("positions", "vessels", "quarantine"):
        by = ["row"] if name == "quarantine" else ["mmsi", "time"]
        one, other = (getattr(data, name).sort_values(by, ignore_index=True) for data in (parts, whole))
        pd.testing.assert_frame_equal(one, other)
    assert parts.duplicates == whole.duplicates


def test_one_junk_number_spoils_no_other_row(tmp_path: Path) -> None:
    rows = [row(n) for n in range(30)]
    rows[7] = row(7, sog_kn="fast", lon=" 125.2071 ")
    data = read_ais([write(tmp_path / "a.csv", [HEADER, *rows])])
    assert len(data.positions) == 30
    assert data.positions["sog_kn"].isna().sum() == 1
    assert data.positions["lon"][7] == 125.2071


def test_standard_input_is_imported_and_known_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = gzip.compress("\n".join(mixed()).encode())
    for again in (False, True):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(_Pipe(content)))
        done = import_files(["-"], tmp_path / "ais", within=BOX)
        assert done.tally.kept == 2
        assert bool(done.already) is again
    assert len(list((tmp_path / "ais/files").iterdir())) == 1


class _Pipe(io.BufferedReader):
    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))  # type: ignore[arg-type]

    def seekable(self) -> bool:
        return False


def test_a_killed_import_is_never_seen_and_the_next_one_clears_it_away(tmp_path: Path) -> None:
    rows = [row(n % 1000, mmsi=SHIP + n // 1000) for n in range(60_000)]
    path = write(tmp_path / "a.csv", [HEADER, *rows])
    import_files([write(tmp_path / "b.csv", [HEADER, row(0)])], tmp_path / "ais")
    before = sorted(p for p in (tmp_path / "ais").rglob("*") if p.is_file())
    script = (
        "import sys, os, signal\n"
        "from roadstead.ais import import_files; from roadstead.ais.archive import importing\n"
        "def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)\n"
        "importing.commit = die\n"
        "from roadstead.ais.archive import store_writer; from roadstead.ais.readers import csv as tabular\n"
        "store_writer.FLUSH_ROWS = 5000; tabular.BLOCK_BYTES = 200_000\n"
        f"import_files([{str(path)!r}], {str(tmp_path / 'ais')!r})\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list((tmp_path / "ais").rglob(".*.part"))
    assert len(load_ais([tmp_path / "ais"]).positions) == 1
    import_files([write(tmp_path / "b.csv", [HEADER, row(0)])], tmp_path / "ais")
    assert sorted(p for p in (tmp_path / "ais").rglob("*") if p.is_file()) == before
    import_files([path], tmp_path / "ais")
    assert read_store(tmp_path / "ais").positions["mmsi"].nunique() == 60


def test_memory_of_what_vessels_declared_grows_with_the_fleet_and_not_with_the_file(tmp_path: Path) -> None:
    lines = [line for n in range(3000) for line in (*voyage(n, mmsi=SHIP + n % 5), *_halves(n))]
    done = import_files([write(tmp_path / "a.nmea", lines)], tmp_path / "ais")
    assert done.static == 5 + 2
    assert done.tally.static == 9000


def _halves(n: int) -> list[str]:
    barge = {"type": 24, "mmsi": SHIP + 99}
    return [
        *nmea(n, **barge, partno=0, shipname="SMALL BARGE"),
        *nmea(
            n,
            **barge,
            partno=1,
            ship_type=70,
            callsign="BTST1",
            to_bow=40,
            to_stern=12,
            to_port=4,
            to_starboard=5,
        ),
    ]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for rows in (350_000, 700_000):
        write_day(tmp_path / "day.csv", rows)
        done = imported(tmp_path / "day.csv", tmp_path / f"ais-{rows}")
        assert done["read"] == rows
        peaks.append(done["peak_mb"])
    assert peaks[1] < 1.15 * peaks[0]


# Sources


def test_a_source_and_its_terms_are_kept_beside_the_reports(tmp_path: Path) -> None:
    terms = Source("harbour-mast", "CC BY 4.0", True, 60.0, "terrestrial")
    import_files([write(tmp_path / "a.csv", [HEADER, row(0)])], tmp_path / "ais", source=terms)
    import_files([write(tmp_path / "b.csv", [HEADER, row(1)])], tmp_path / "ais")
    ours, unknown = sorted(sources_of(tmp_path / "ais"), key=lambda s: s["source"] != "harbour-mast")
    assert ours == {
        "source": "harbour-mast",
        "licence": "CC BY 4.0",
        "redistribute": True,
        "thinning_s": 60.0,
        "receiver": "terrestrial",
        "imports": 1,
        "kept": 1,
        "first": "2020-11-03T02:20:00+00:00",
        "last": "2020-11-03T02:20:00+00:00",
    }
    assert (unknown["source"], unknown["licence"], unknown["redistribute"], unknown["receiver"]) == (
        "b.csv",
        None,
        None,
        "unknown",
    )
    assert list(read_store(tmp_path / "ais").positions["source"]) == ["harbour-mast", "r1"]


def test_terms_that_are_told_later_are_taken_without_importing_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [HEADER, row(0)])
    import_files([path], tmp_path / "ais", source=Source("mast"))
    done = import_files([path], tmp_path / "ais", source=Source("mast", licence="contract 7"))
    assert done.already == (str(path),)
    (listed,) = sources_of(tmp_path / "ais")
    assert (listed["licence"], listed["imports"]) == ("contract 7", 1)
    import_files([path], tmp_path / "ais", source=Source("mast"))
    assert sources_of(tmp_path / "ais")[0]["licence"] == "contract 7"


@pytest.mark.parametrize(
    "wrong", [{"thinning_s": -1.0}, {"thinning_s": float("nan")}, {"receiver": "balloon"}]
)
def test_terms_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Source(**wrong)


def test_a_store_of_an_earlier_version_is_still_read(tmp_path: Path) -> None:
    import_files([write(tmp_path / "a.csv", [HEADER, row(0), row(1)])], tmp_path / "ais")
    record = next((tmp_path / "ais/files").iterdir())
    old = {
        k: v for k, v in json.loads(record.read_text()).items() if k not in ("rows", "about", "first", "last")
    }
    record.write_text(json.dumps(old))
    for path in list((tmp_path / "ais").rglob("*.parquet")):
        up = path.parent.parent if path.parent.name.startswith("cell=") else path.parent
        path.rename(up / f"{old['key']}.parquet")
    near = read_store(tmp_path / "ais", bbox=BOX, start=at(0), end=at(3600))
    assert len(near.positions) == 2
    assert sources_of(tmp_path / "ais")[0]["receiver"] == "unknown"


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have something happen between the moment a file is hashed and the moment it is read."""
    real = importing.reading_of

    def after(*given: Any) -> Any:
        happens()
        return real(*given)

    monkeypatch.setattr(importing, "reading_of", after)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_of_a_file_that_grows_what_it_held_is_stored_under_the_checksum_of_just_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    file, two = tmp_path / "log.csv", "\n".join([HEADER, row(0), row(1), ""]).encode()
    file.write_bytes(pack(two))
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: file.write_bytes(file.read_bytes() + pack(f"{row(2)}\n".encode())))
        first = import_files([file], tmp_path / "store")
    assert first.kept == 2
    assert len(read_store(tmp_path / "store").positions) == 2
    still = tmp_path / "still.csv"
    still.write_bytes(pack(two))
    assert import_files([still], tmp_path / "store").already, "the same bytes are the same import"
    grown = import_files([file], tmp_path / "store")
    assert (grown.kept, grown.already) == (3, ())


def test_a_file_that_is_written_over_while_it_is_read_is_refused_and_nothing_of_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log.csv"
    write(file, [HEADER, row(0), row(1)])
    meanwhile(monkeypatch, lambda: write(file, [HEADER, row(0, lon=125.9), row(1)]))
    with pytest.raises(AisError, match=r"log\.csv was changed while it was read: import it again"):
        import_files([file], tmp_path / "store")
    assert not list((tmp_path / "store").glob("files/*.json"))
    assert not list((tmp_path / "store").rglob("*.parquet"))


def test_a_file_cut_off_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a log is that is rotated in its place."""
    file = tmp_path / "log.csv"
    write(file, [HEADER, row(0), row(1)])
    meanwhile(monkeypatch, lambda: write(file, [HEADER, row(0)]))
    with pytest.raises(AisError, match="was changed while it was read"):
        import_files([file], tmp_path / "store")


def test_a_file_put_in_the_place_of_the_one_that_is_read_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "log.csv", tmp_path / "other.csv"
    write(file, [HEADER, row(0), row(1)])
    write(other, [HEADER, row(2), row(3), row(4)])
    meanwhile(monkeypatch, lambda: other.replace(file))
    assert import_files([file], tmp_path / "store").kept == 2
