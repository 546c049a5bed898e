"""A hit needs an IMO number or two independent identifiers, as of the sighting; a name alone is never one."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from roadstead.ais import AisData, read_ais
from roadstead.ais.identity.identify import identify
from roadstead.ais.identity.registry import imo_check_digit
from roadstead.ais.identity.watchlist_files import read_watchlist
from roadstead.ais.identity.watchlists import Entry, Identifiers, Watchlist, matches, rank
from roadstead.apps.cli.main import app
from roadstead.core.errors import BadInputError
from tests.unit.ais.messages import BAD_IMO, GOOD_IMO, SHIP, position, voyage, write

OTHER_IMO = "999998" + imo_check_digit("999998")
DAY = date(2020, 11, 3)
ENTRY = Entry(("GREY HERON", "OLD HERON"), GOOD_IMO, str(SHIP), "P7TST", listed=date(2017, 8, 5))


def listed(*entries: Entry, name: str = "list", retrieved: date = date(2020, 12, 1)) -> Watchlist:
    return Watchlist(name, retrieved, "told", entries)


def asked(entry: Entry = ENTRY, at: date = DAY, **said: str) -> list[Any]:
    return matches(Identifiers(**said), [listed(entry)], at)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"imo": GOOD_IMO}, "hit"),
        ({"imo": GOOD_IMO, "name": "BLUE FINCH"}, "hit"),
        ({"mmsi": str(SHIP), "callsign": "P7TST"}, "hit"),
        ({"mmsi": str(SHIP), "name": "M/V Grey Heron"}, "hit"),
        ({"callsign": "p7tst", "name": "OLD-HERON"}, "hit"),
        ({"mmsi": str(SHIP)}, "one_identifier"),
        ({"callsign": "P7TST"}, "one_identifier"),
        ({"name": "GREY HERON"}, "similar_name"),
        ({"name": "GREY HERONS"}, "similar_name"),
        ({"imo": OTHER_IMO, "name": "GREY HERON", "callsign": "P7TST"}, "other_hull"),
    ],
)
def test_what_it_takes_to_be_a_hit(said: dict[str, str], kind: str) -> None:
    (match,) = asked(**said)
    assert match.kind == kind
    assert rank([match]) == (1 if kind == "hit" else 0)


def test_strangers_are_not_matched() -> None:
    assert asked(name="BLUE FINCH", imo=OTHER_IMO) == []
    assert asked(name="GH") == []
    assert asked() == []


def test_an_imo_number_that_fails_its_check_digit_identifies_nobody() -> None:
    assert asked(Entry(("X",), BAD_IMO), imo=BAD_IMO) == []


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_a_name_alone_never_raises_a_rank(name: str, others: list[str]) -> None:
    entries = [Entry((other,)) for other in [*others, name]]
    found = matches(Identifiers(name=name), [listed(*entries)], DAY)
    assert {match.kind for match in found} <= {"similar_name"}
    assert rank(found) == 0


@pytest.mark.parametrize(
    ("at", "delisted", "standing", "hits"),
    [
        (date(2017, 8, 4), None, "not_yet_listed", 0),
        (date(2017, 8, 5), None, "listed", 1),
        (date(2019, 1, 1), date(2018, 6, 1), "delisted", 0),
        (date(2018, 5, 31), date(2018, 6, 1), "listed", 1),
    ],
)
def test_lists_are_read_as_of_the_sighting(at: date, delisted: date | None, standing: str, hits: int) -> None:
    entry = Entry(ENTRY.names, GOOD_IMO, listed=date(2017, 8, 5), delisted=delisted)
    (match,) = asked(entry, at=at, imo=GOOD_IMO)
    assert match.standing == standing
    assert rank([match]) == hits


def test_a_list_older_than_the_sighting_says_so() -> None:
    old = listed(ENTRY, retrieved=date(2018, 1, 1))
    (match,) = matches(Identifiers(imo=GOOD_IMO), [old], DAY)
    assert match.list_is_older
    assert not asked(imo=GOOD_IMO)[0].list_is_older


def test_a_vessel_on_two_lists_ranks_above_one_on_one() -> None:
    found = matches(Identifiers(imo=GOOD_IMO), [listed(ENTRY), listed(ENTRY, name="other")], DAY)
    assert rank(found) == 2
    assert rank([*found, *found]) == 2


# Files

OFAC = (
    '36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Havana"\n'
    f'7001,"GREY HERON","vessel","DPRK4",-0- ,"P7TST","Bulk Carrier",-0- ,-0- ,"North Korea",-0- ,'
    f"\"Vessel Registration Identification IMO {GOOD_IMO}; MMSI {SHIP}; a.k.a. 'OLD HERON'.\"\n"
)
UK = (
    "Report Date: 12-Nov-2024\n"
    "Unique ID,Name 6,Alias,Designation Type,Regime Name,Date Designated,IMO number\n"
    f"DPR0001,GREY HERON,,Ship,DPRK,30/03/2018,{GOOD_IMO}\n"
    "DPR0002,SOME PERSON,,Individual,DPRK,30/03/2018,\n"
)
EU = (
    "recordId,annex,measure,startDate,name,alias,imoNumber,mmsi,reason,notes\n"
    f",XIII.B,Asset freeze,2.3.2016,Grey Heron (Old Heron) (Older Heron),,{GOOD_IMO},,,\n"
)
UN = (
    "Name of vessel,IMO number,Date of designation,Former names\n"
    f"GREY HERON,IMO {GOOD_IMO},30 March 2018,OLD HERON; OLDER HERON\n"
)
OWN = f"name,imo,mmsi,callsign,listed,delisted\nGREY HERON,{GOOD_IMO},{SHIP},P7TST,2017-08-05,2019-01-01\n"


@pytest.mark.parametrize(
    ("text", "listed_on", "names"),
    [
        (OFAC, None, ("GREY HERON", "OLD HERON")),
        (UK, date(2018, 3, 30), ("GREY HERON",)),
        (EU, date(2016, 3, 2), ("Grey Heron", "Old Heron", "Older Heron")),
        (UN, date(2018, 3, 30), ("GREY HERON", "OLD HERON", "OLDER HERON")),
        (OWN, date(2017, 8, 5), ("GREY HERON",)),
    ],
    ids=["ofac", "uk", "eu", "un", "own"],
)
def test_lists_of_every_publisher_are_read(
    tmp_path: Path, text: str, listed_on: date | None, names: tuple[str, ...]
) -> None:
    (tmp_path / "list.csv").write_text(text)
    read = read_watchlist(tmp_path / "list.csv")
    (entry,) = read.entries
    assert (entry.imo, entry.listed, entry.names) == (GOOD_IMO, listed_on, names)
    assert rank(matches(Identifiers(imo=GOOD_IMO), [read], date(2018, 6, 1))) == 1


def test_when_a_list_was_retrieved_is_told_or_in_the_file_or_its_time(tmp_path: Path) -> None:
    path = tmp_path / "uk.csv"
    path.write_text(UK)
    told, dated = read_watchlist(f"{path}@2025-01-02"), read_watchlist(path)
    assert (told.retrieved, told.retrieved_from) == (date(2025, 1, 2), "told")
    assert (dated.retrieved, dated.retrieved_from) == (date(2024, 11, 12), "file")
    path.write_text(OWN)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert (read_watchlist(path).retrieved, read_watchlist(path).retrieved_from) == (
        date(2020, 9, 13),
        "file time",
    )


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "name,imo\n"])
def test_a_file_that_is_no_list_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadInputError, match=r"x\.csv"):
        read_watchlist(tmp_path / "x.csv")
    with pytest.raises(BadInputError, match=r"gone\.csv"):
        read_watchlist(tmp_path / "gone.csv")


@pytest.mark.shared_data
def test_the_eu_list_is_read_whole(shared_data: Path) -> None:
    entries = read_watchlist(shared_data / "reference/eu_2017_1509_dprk_vessels.csv").entries
    assert len(entries) == 75
    assert all(entry.listed for entry in entries)
    assert sum(entry.imo is not None for entry in entries) >= 70


# A vessel


@pytest.fixture
def heard(tmp_path: Path) -> AisData:
    lines = [
        *position(0),
        *voyage(1, shipname="GREY HERON"),
        *voyage(7200, shipname="BLUE FINCH", imo=int(BAD_IMO)),
        *position(7300),
        *position(0, mmsi=SHIP + 1),
    ]
    return read_ais([write(tmp_path / "a.nmea", lines)])


def test_a_vessel_is_found_by_number_imo_and_any_name_it_had(heard: AisData) -> None:
    for query in (str(SHIP), GOOD_IMO, f"IMO {GOOD_IMO}", "grey heron", "M/V BLUE FINCH"):
        (found,) = identify(query, heard)
        assert (found.mmsi, found.flag) == (str(SHIP), "KP")
    assert identify("nobody", heard) == []
    assert identify("999999999", heard) == []


def test_identity_is_that_of_the_moment(heard: AisData) -> None:
    (early,) = identify(str(SHIP), heard, at=datetime(2020, 11, 3, 3, tzinfo=UTC))
    (late,) = identify(str(SHIP), heard)
    assert (early.declared["name"], early.oddities) == ("GREY HERON", ())
    assert late.declared["name"] == "BLUE FINCH"
    assert set(late.oddities) == {"imo_check_digit", "imo_changed", "name_changed"}
    assert (early.observed["reports"], late.observed["reports"]) == (1, 2)


def test_list_status_and_what_was_observed_are_separate(heard: AisData) -> None:
    (with_list,) = identify(str(SHIP), heard, [listed(ENTRY)], datetime(2020, 11, 3, 3, tzinfo=UTC))
    (without,) = identify(str(SHIP), heard, [], datetime(2020, 11, 3, 3, tzinfo=UTC))
    assert with_list.observed == without.observed
    assert with_list.rank == 1
    assert without.list_status == ()
    assert {"list_status", "observed"} <= set(with_list.as_json())


def test_the_command_prints_status_and_observation_apart(tmp_path: Path, heard: AisData) -> None:
    (tmp_path / "own.csv").write_text(OWN)
    call = ["ais", "identify", str(SHIP), "--ais", str(tmp_path / "a.nmea"), "--watchlist"]
    call += [f"{tmp_path / 'own.csv'}@2020-12-01", "--at", "2018-06-01"]
    late = [*call[:-1], "2020-11-03T03:00"]
    done = CliRunner().invoke(app, [*late, "--json"], catch_exceptions=False)
    (told,) = json.loads(done.stdout)
    assert told["list_status"][0]["standing"] == "delisted"
    assert told["rank"] == 0
    shown = CliRunner().invoke(app, late, catch_exceptions=False).stdout
    assert "Observed: 1 reports" in shown
    assert "delisted 2019-01-01" in shown
    for word in ("illegal", "smuggling", "violation", "dark ship"):
        assert word not in shown.lower()
