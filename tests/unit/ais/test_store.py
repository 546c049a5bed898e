"""The Parquet store takes each file once, whole or not at all, and gives back what reading the files gives."""

import json
from pathlib import Path

import pandas as pd
import pytest

from roadstead.ais import import_files, load_ais, read_ais, read_store, write_store
from roadstead.ais.archive import importing
from roadstead.core.errors import AisError, StoreError
from tests.unit.ais.messages import SHIP, at, nmea, position, voyage, write

TABLES = ("positions", "vessels", "stations")
DAY = 86_400


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = [
        line
        for n in range(40)
        for line in (*position(n * 3600, lon=125.2 + n * 0.01), *voyage(n * 3600 + 5, draught=6 + n // 20))
    ]
    base = nmea(0, type=4, mmsi="004451234", lon=125.1, lat=38.6)
    return write(tmp_path / "log.nmea", [*lines, *base, "garbage"])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_store_gives_back_what_reading_the_file_gives(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais")
    stored, read = load_ais([tmp_path / "ais"]), read_ais([log])
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(stored, name), getattr(read, name))


def test_a_summary_says_what_was_kept_and_where_the_rest_is(log: Path, tmp_path: Path) -> None:
    done = import_files([log], tmp_path / "ais")
    assert (done.kept, done.static, done.stations, done.quarantined) == (40, 2, 1, 1)
    refused = pd.read_csv(done.quarantine)
    assert refused[["row", "reason", "content"]].to_numpy().tolist() == [
        [122, "not_an_nmea_sentence", "garbage"]
    ]


def test_positions_lie_by_day_and_keep_the_file_and_line_they_come_from(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais")
    days = sorted(path.name for path in (tmp_path / "ais/positions").iterdir())
    assert days == ["date=2020-11-03", "date=2020-11-04"]
    first = pd.read_parquet(next((tmp_path / "ais/positions/date=2020-11-03/cell=E125N35").glob("*.parquet")))
    assert (first.loc[0, "file"], first.loc[0, "row"]) == (str(log), 1)


def test_importing_a_file_again_changes_nothing_even_under_another_name(log: Path, tmp_path: Path) -> None:
    once = import_files([log], tmp_path / "ais")
    before = contents(tmp_path / "ais")
    copy = tmp_path / "copy.txt"
    copy.write_bytes(log.read_bytes())
    again = import_files([copy], tmp_path / "ais")
    assert contents(tmp_path / "ais") == before
    assert again.already == (str(copy),)
    assert (again.kept, again.quarantined) == (once.kept, once.quarantined)


def test_overlapping_files_give_each_report_once(log: Path, tmp_path: Path) -> None:
    part = write(tmp_path / "part.nmea", log.read_text().splitlines()[:30])
    import_files([log, part], tmp_path / "ais")
    stored = load_ais([tmp_path / "ais"])
    assert stored.duplicates == 10
    pd.testing.assert_frame_equal(stored.positions, read_ais([log]).positions)


def test_a_store_is_read_by_time_and_place(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais")
    early = read_store(tmp_path / "ais", start=at(0), end=at(2 * 3600))
    assert len(early.positions) == 3
    box = read_store(tmp_path / "ais", bbox=(125.19, 38.0, 125.225, 39.0))
    assert len(box.positions) == 3
    assert read_store(tmp_path / "ais", start=at(30 * DAY), end=at(31 * DAY)).positions.empty


def test_a_snapshot_is_still_one_in_the_store(tmp_path: Path) -> None:
    rows = ["mmsi,time,lon,lat", "1,2020-11-03T02:20:00Z,125.2,38.7", "2,2020-11-03T02:20:00Z,125.3,38.7"]
    import_files([write(tmp_path / "ais.csv", rows)], tmp_path / "ais")
    assert load_ais([tmp_path / "ais"]).snapshot_times == {at(0).to_pydatetime()}


def test_files_and_stores_are_loaded_together(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais")
    other = write(tmp_path / "other.nmea", position(0, mmsi=SHIP + 1))
    assert load_ais([tmp_path / "ais", other]).positions["mmsi"].nunique() == 2


def test_a_bad_file_leaves_the_store_as_it_was(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais")
    before = contents(tmp_path / "ais")
    bad = write(tmp_path / "bad.csv", ["a,b", "1,2"])
    with pytest.raises(AisError, match=r"bad\.csv"):
        import_files([bad], tmp_path / "ais")
    assert contents(tmp_path / "ais") == before


def test_an_import_that_is_cut_off_leaves_nothing_behind_and_is_never_read(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other.nmea", position(0, mmsi=SHIP + 1))
    import_files([other], tmp_path / "ais")
    before = contents(tmp_path / "ais")
    monkeypatch.setattr(importing, "quarantine_of", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_files([log], tmp_path / "ais")
    assert contents(tmp_path / "ais") == before
    assert load_ais([tmp_path / "ais"]).positions["mmsi"].unique().tolist() == [str(SHIP + 1)]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_full_disk_is_one_error_and_the_store_stays_as_it_was(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other.nmea", position(0, mmsi=SHIP + 1))
    import_files([other], tmp_path / "ais")
    before = contents(tmp_path / "ais")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "commit", full)
    with pytest.raises(StoreError, match="No space left on device"):
        import_files([log], tmp_path / "ais")
    assert contents(tmp_path / "ais") == before


def test_a_store_that_cannot_be_made_is_a_store_error(log: Path, tmp_path: Path) -> None:
    (tmp_path / "ais").write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        import_files([log], tmp_path / "ais")


def test_a_folder_that_is_no_store_and_an_empty_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(AisError, match="is no AIS store: make one with `roadstead ais import"):
        load_ais([tmp_path / "plain"])
    (tmp_path / "plain/store.json").write_text(json.dumps({}))
    with pytest.raises(AisError, match="nothing was imported"):
        read_store(tmp_path / "plain")


def test_tables_in_memory_are_written_once(log: Path, tmp_path: Path) -> None:
    data = read_ais([log])
    write_store(data, tmp_path / "ais")
    before = contents(tmp_path / "ais")
    write_store(data, tmp_path / "ais")
    assert contents(tmp_path / "ais") == before
    back = read_store(tmp_path / "ais")
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(back, name), getattr(data, name))


def test_another_box_of_the_same_file_is_another_import(log: Path, tmp_path: Path) -> None:
    import_files([log], tmp_path / "ais", within=(125.0, 38.0, 125.3, 39.0))
    few = len(load_ais([tmp_path / "ais"]).positions)
    import_files([log], tmp_path / "ais")
    assert few < len(load_ais([tmp_path / "ais"]).positions) == 40


def test_tracks_are_made_over_all_files_of_the_store(tmp_path: Path) -> None:
    one = write(tmp_path / "one.nmea", [line for n in range(5) for line in position(n * 60, lon=125.2)])
    two = write(tmp_path / "two.nmea", [line for n in range(5) for line in position(n * 60 + 7, lon=127.0)])
    import_files([one, two], tmp_path / "ais")
    assert load_ais([tmp_path / "ais"]).positions["segment"].nunique() == 2
