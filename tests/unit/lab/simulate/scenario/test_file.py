"""Scenario files: the built-in ones, and what is said of bad ones."""

import json
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from roadstead.core.errors import BadInputError
from roadstead_lab.simulate.scenario.file import (
    SCHEMA_FILE,
    ScenarioError,
    builtin_scenarios,
    load_scenario,
    scenario_schema,
    scenario_yaml,
)
from roadstead_lab.simulate.scenario.lines import parse_yaml
from roadstead_lab.simulate.scenario.model import Scenario
from roadstead_lab.simulate.small import SMALL_WORLD

Write = Callable[[str], Path]

GOOD = """\
name: mine
title: One ship at Nampo
start: 2020-11-01
days: 3
ports:
  - port: nampo
    entries: W
    fleet:
      - kind: barge
        length_m: [50, 90]
        ships: {call: 1, at_berth: 1}
        behaviours: {honest: 0.5, silent: 0.5}
        berths: [coal-berths]
        anchorages: [roads]
    overpasses:
      - day: 1
        clock: 02:28:31
        platform: sentinel-2a
        relative_orbit: 46
    radar:
      - {day: 2, clock: 09:32:40}
    receivers:
      - source: SIM-MINE
        stations: [[125.39, 38.73]]
  - port: ningbo-zhoushan
    entries: E
    fleet:
      - kind: tanker
        length_m: [90, 140]
        ships: {at_anchor: 2}
        anchorages: [mazhi-anchorage]
routes:
  - kind: direct_run
    loads_at: nampo
    delivers_at: ningbo-zhoushan
    occasions: 2
    hulls: 1
    ship_kind: barge
    length_m: [60, 120]
    flags: [412]
    loading_berths: [coal-berths]
    delivery_anchorages: [mazhi-anchorage]
"""
_REST = GOOD.partition("  - kind: direct_run\n")[2]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a scenario file."""

    def _write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def said_of(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.exit_code == 3
    assert isinstance(caught.value, BadInputError)
    return str(caught.value)


def test_a_good_scenario_is_read_with_its_ports(write: Write) -> None:
    loaded = load_scenario(write(GOOD))
    assert [port.slug for port in loaded.ports] == ["nampo", "ningbo-zhoushan"]
    assert loaded.scenario.start == date(2020, 11, 1)


def test_a_time_of_day_is_no_number_in_base_60(write: Write) -> None:
    (plan,) = load_scenario(write(GOOD)).scenario.ports[0].overpasses
    assert plan.clock == time(2, 28, 31)
    assert parse_yaml("clock: 12:28:31", "noon")[0] == {"clock": "12:28:31"}
    assert yaml.safe_load("12:28:31") == 44911, "the trap of YAML 1.1 that we avoid"


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        # Keys.
        ("        length_m: [50, 90]", "        lenght_m: [50, 90]", 10, "unknown key; did you mean 'length_m'"),
        ("days: 3", "days: 3\ncolour: red", 5, "colour: unknown key"),
        ("    entries: W\n", "    entrys: W\n", 7, "ports[0].entrys: unknown key; did you mean 'entries'"),
        ("title: One ship at Nampo\n", "", 1, "title: is missing"),
        ("        platform: sentinel-2a\n", "", 16, "ports[0].overpasses[0].platform: is missing"),
        ("days: 3", "days: 3\ndays: 4", 5, "'days' stands twice; the first is on line 4"),
        ("        ships: {call: 1, at_berth: 1}", "        ships: {call: 1, call: 2}", 11, "'call' stands twice"),
        # Types.
        ("days: 3", "days: three", 4, "days: 'three' should be a valid integer"),
        ("days: 3", 'days: "3"', 4, "days: '3' should be a valid integer"),
        ("days: 3", "days: 2.5", 4, "days: 2.5 should be a valid integer"),
        ("days: 3", "days: yes", 4, "days: 'yes' should be a valid integer"),
        ("        clock: 02:28:31", "        clock: 8911", 17, "clock: 8911 is no time of day"),
        ("        clock: 02:28:31", "        clock: 25:00", 17, "clock: '25:00' is no time of day"),
        ("        clock: 02:28:31", "        clock: 11:28:31+09:00", 17, "without a time zone"),
        ("start: 2020-11-01", "start: 2020-02-31", 3, "start: '2020-02-31' is no date"),
        ("start: 2020-11-01", "start: 20201101", 3, "start: 20201101 is no date"),
        ("        ships: {call: 1, at_berth: 1}", "        ships: 3", 11, "ships: 3 should be a mapping of keys"),
        ("        length_m: [50, 90]", "        length_m: 90", 10, "length_m: 90 should be a list"),
        ("        length_m: [50, 90]", "        length_m: [50]", 10, "length_m[1]: is missing"),
        ("        length_m: [50, 90]", "        length_m: [50, .inf]", 10, "'.inf' should be a valid number"),
        ("        clock: 02:28:31", "        clock: !clock 02:28:31", 17, "tag !clock does not belong"),
        ("      - kind: barge", "      - kind: barges", 9, "'barges' is none of 'barge', "),
        ("      - source: SIM-MINE", "      - source: MINE", 23, "source: 'MINE' should match"),
        # Rates.
        ("silent: 0.5", "silent: 1.5", 12, "behaviours.silent: 1.5 should be less than or equal to 1"),
        ("silent: 0.5", "silent: -0.5", 12, "behaviours.silent: -0.5 should be greater than or equal to 0"),
        ("silent: 0.5", "silnt: 0.5", 12, "did you mean 'silent'"),
        ("honest: 0.5, silent: 0.5", "honest: 0.0", 12, "behaviours: the shares add up to 0"),
        # What must hold between parts.
        ("        length_m: [50, 90]", "        length_m: [90, 50]", 10, "runs backwards: write [50, 90]"),
        ("        length_m: [50, 90]", "        length_m: [1, 900]", 10, "must lie between 5 and 460"),
        ("ships: {call: 1, at_berth: 1}", "ships: {}", 11, "names no ship"),
        ("ships: {call: 1, at_berth: 1}", "ships: {call: 0}", 11, "names no ship"),
        ("ships: {call: 1, at_berth: 1}", "ships: {through: 1}", 11, "needs two entries; the port has 'W' alone"),
        ("        berths: [coal-berths]\n", "", 11, "ships.at_berth: needs berths"),
        ("berths: [coal-berths]", "berths: [coal-berth]", 13, "no zone 'coal-berth'; its berth zones: coal-berths"),
        ("berths: [coal-berths]", "berths: [roads]", 13, "'roads' is no berth zone but a zone of kind anchorage"),
        ("anchorages: [roads]", "anchorages: [coal-berths]", 14, "'coal-berths' is no anchorage zone"),
        ("  berths: [coal-berths]", "  berths: [coal-berths]\n        hulls: 5", 14, "5 hulls cannot make 1 calls"),
        ("      - kind: barge", "      - tows: 0.2\n        kind: tanker", 9, "a tanker is not towed"),
        ("  - port: nampo", "  - port: nampoo", 6, "unknown port 'nampoo'; did you mean 'nampo'"),
        ("  - port: nampo", "  - aoi: none.geojson\n    port: nampo", 6, "aoi: "),
        ("  - port: ningbo-zhoushan", "  - port: nampo", 25, "'nampo' stands twice"),
        ("    entries: W\n", "    entries: W\n    bounds_xy: [0, 0, 9000, 9000]\n", 8, "holds none of the water of"),
        ("    entries: W\n", "    entries: W\n    bounds_xy: [9000, 0, 0, 9000]\n", 8, "must be xmin, ymin, xmax"),
        ("      - day: 1", "      - day: 3", 16, "day 3 is outside the 3 simulated days (0 to 2)"),
        ("{day: 2, clock: 09:32:40}", "{day: 12, clock: 09:32:40}", 21, "day 12 is outside the 3 simulated days"),
        (
            "{day: 2, clock: 09:32:40}",
            "{day: 2, clock: 09:32:40}\n      - {day: 2, clock: 09:32:40}",
            22,
            "day 2 at 09:32:40 is the moment of another pass too",
        ),
        (
            "    radar:\n",
            "    orbits:\n      - {clock: 02:28:31, relative_orbit: 46, every_days: 1}\n    radar:\n",
            21,
            "day 1 at 02:28:31 is the moment of another pass too",
        ),
        (
            "    radar:\n",
            "    orbits:\n      - {clock: 02:28:30, relative_orbit: 46, first_day: 5, skies: {none: 0}}\n    radar:\n",
            21,
            "the shares add up to 0",
        ),
        ("        stations: [[125.39, 38.73]]\n", "", 23, "a terrestrial receiver needs stations"),
        ("[[125.39, 38.73]]", "[[38.73, 125.39]]", 24, "is not [longitude, latitude]"),
        ("[[125.39, 38.73]]", "[[125.39, 38.73]]\n        outages: [{day: 7, from_hour: 2, hours: 3}]", 25, "day 7 is"),
        (
            "      - source: SIM-MINE\n",
            "      - {source: SIM-MINE, kind: satellite}\n      - source: SIM-MINE\n",
            24,
            "'SIM-MINE' stands twice",
        ),
        ("    entries: W\n", "    entries: W\n    land_xy: [[[0, 0], [1, 1]]]\n", 8, "land_xy[0]: an outline needs"),
        (
            "    entries: W\n",
            "    entries: W\n    structures:\n      - {xy: [[0, 0]], width_m: 9}\n",
            9,
            "structures[0].xy: an axis needs",
        ),
        (
            "    entries: W\n",
            "    bounds_xy: [675000, 4281800, 706000, 4291400]\n",
            13,
            "'coal-berths' lies outside bounds_xy",
        ),
        ("days: 3", "days: 200", 25, "the sun stands -10 degrees high on the last day"),
        # Routes.
        ("    loads_at: nampo", "    loads_at: songnim", 34, "'songnim' is no port of this scenario; it has nampo, "),
        ("    hulls: 1\n", "    hulls: 3\n", 37, "3 hulls cannot make 2 deliveries"),
        ("    length_m: [60, 120]", "    length_m: [120, 60]", 39, "routes[0].length_m: runs backwards"),
        ("    flags: [412]", "    flags: []", 40, "flags: is empty"),
        ("    flags: [412]", "    flags: [12]", 40, "flags[0]: 12 should be greater than or equal to 201"),
        ("    loading_berths: [coal-berths]", "    loading_berths: [quay]", 41, "'nampo' has no zone 'quay'"),
        ("    loading_berths: [coal-berths]\n", "", 34, "loads_at: needs zones there"),
        ("    occasions: 2", "    occasions: 2\n    speed_kn: [9, 6]", 37, "speed_kn: runs backwards"),
        ("    hulls: 1\n", "    hulls: 2000\n", 37, "2,000 hulls, but there are numbers for 1,999"),
        (
            "    hulls: 1\n",
            "    hulls: 1\n    behaviours: {cloned_mmsi: 1}\n",
            38,
            "routes[0].behaviours.cloned_mmsi: a clone takes the MMSI of an honest ship",
        ),
        ("  - kind: direct_run", "  - kind: transfer_at_sea", 37, "hulls: a transfer at sea takes two ships"),
        (
            "  - kind: direct_run\n" + _REST,
            "  - kind: transfer_at_sea\n" + _REST.replace("hulls: 1", "hulls: 5"),
            37,
            "5 hulls cannot make 2 deliveries",
        ),
        (
            "  - kind: direct_run\n" + _REST,
            "  - kind: transfer_at_sea\n"
            + _REST.replace("hulls: 1", "hulls: 2").replace("anchorages: [mazhi-anchorage]", "berths: [beilun-berths]"),
            33,
            "routes[0].delivery_anchorages: a transfer at sea needs anchorages",
        ),
        ("  - kind: direct_run\n" + _REST, ("  - kind: direct_run\n" + _REST) * 11, 32, "11 routes: at most 10"),
        ("  - port: nampo\n", "  - {port: nampo, fleet: []}\n" * 14 + "  - port: nampo\n", 5, "16 ports: at most 15"),
        # Identities.
        (
            "{honest: 0.5, silent: 0.5}",
            "{cloned_mmsi: 0.5, silent: 0.5}",
            12,
            "ports[0].fleet[0].behaviours.cloned_mmsi: a clone takes the MMSI of an honest ship",
        ),
        (
            "{honest: 0.5, silent: 0.5}",
            "{cloned_mmsi: 0.8, honest: 0.2}",
            12,
            "none is dealt out: give honest a share",
        ),
        ("{call: 1, at_berth: 1}", "{call: 1500, at_berth: 500}", 9, "fleet[0]: with this row the fleet has 2,000"),
        (
            "    entries: W\n",
            "    entries: W\n    moored_craft: 1998\n",
            8,
            "ports[0].moored_craft: 1,998 craft and a fleet of 2 hulls, but there are numbers for 1,999: write at most",
        ),
        # Drawings.
        (
            "    entries: W\n",
            "    entries: W\n    land_xy: [[[0, 0], [100, 100], [100, 0], [0, 100]]]\n",
            8,
            "land_xy[0]: is no outline of an area: self-intersection[50 50]",
        ),
        (
            "    entries: W\n",
            "    entries: W\n    structures:\n      - {xy: [[5, 5], [5, 5]], width_m: 9}\n",
            9,
            "structures[0].xy: is no axis: too few points",
        ),
        # Receivers of the other kind.
        (
            "      - source: SIM-MINE\n        stations: [[125.39, 38.73]]\n",
            "      - source: SIM-SAT\n        kind: satellite\n        pass_every_min: 9\n        pass_min: 10\n",
            26,
            "receivers[0].pass_min: a pass of 10 minutes is longer than pass_every_min, 9",
        ),
        (
            "        stations: [[125.39, 38.73]]\n",
            "        kind: satellite\n        stations: [[125.39, 38.73]]\n",
            25,
            "receivers[0].stations: means nothing to a satellite receiver",
        ),
        (
            "        stations: [[125.39, 38.73]]\n",
            "        kind: satellite\n        range_nm: 25\n",
            25,
            "receivers[0].range_nm: means nothing to a satellite receiver",
        ),
        ("[[125.39, 38.73]]\n", "[[125.39, 38.73]]\n        pass_every_min: 90\n", 25, "pass_every_min: means nothing"),
        ("[[125.39, 38.73]]\n", "[[125.39, 38.73]]\n        pass_min: 9\n", 25, "pass_min: means nothing to a "),
        # Passes at one moment.
        ("{day: 2, clock: 09:32:40}", "{day: 1, clock: 02:28:31.5}", 21, "day 1 at 02:28:31 is the moment of"),
        (
            "    entries: E\n",
            "    entries: E\n    radar: [{day: 2, clock: 09:32:40}]\n",
            27,
            "ports[1].radar[0]: day 2 at 09:32:40 is the moment of sentinel-1a at 'nampo' too",
        ),
        (
            "    entries: E\n",
            "    entries: E\n    orbits: [{clock: 02:28:31, relative_orbit: 46, first_day: 1}]\n",
            27,
            "ports[1].orbits[0]: day 1 at 02:28:31 is the moment of sentinel-2a at 'nampo' too",
        ),
    ],
    ids=lambda value: value.strip()[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_a_bad_scenario_is_told_with_its_line_and_field(
    write: Write, old: str, new: str, line: int, told: str
) -> None:
    assert old in GOOD
    path = write(GOOD.replace(old, new, 1))
    said = said_of(path)
    assert f"{path}:{line}: " in said
    assert told in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: direct_run\n" + _REST, "kind: transfer_at_sea\n" + _REST.replace("hulls: 1", "hulls: 4")),
        ("    entries: W\n", "    entries: W\n    moored_craft: 1997\n"),
        ("{honest: 0.5, silent: 0.5}", "{cloned_mmsi: 0.5, honest: 0.5}"),
        (
            "    entries: E\n",
            "    entries: E\n    radar: [{day: 2, clock: 09:32:40, platform: sentinel-1b}]\n",
        ),
        ("  - kind: direct_run\n" + _REST, ("  - kind: direct_run\n" + _REST) * 10),
    ],
    ids=["two hulls a transfer", "last number", "a twin", "another satellite", "ten routes"],
)
def test_what_just_fits_is_read(write: Write, old: str, new: str) -> None:
    assert old in GOOD
    load_scenario(write(GOOD.replace(old, new, 1)))


def test_a_fleet_of_nothing_is_told(write: Write) -> None:
    head, _, tail = GOOD.partition("    fleet:\n")
    path = write(head + "    fleet: []\n" + tail[tail.index("    overpasses:") :])
    assert f"{path}:8: ports[0].fleet: is empty" in said_of(path)


def test_a_scenario_in_which_nobody_looks_is_told(write: Write) -> None:
    head, _, tail = GOOD.partition("    overpasses:\n")
    path = write(head + tail[tail.index("    receivers:") :])
    assert f"{path}:5: ports: no satellite passes" in said_of(path)


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(write: Write) -> None:
    path = write(
        GOOD.replace("days: 3", "days: three")
        .replace("silent: 0.5", "silent: 5")
        .replace("- kind: barge", "- kind: boat")
    )
    lines = [int(told.removeprefix(f"{path}:").partition(":")[0]) for told in said_of(path).splitlines()]
    assert lines == [4, 9, 12]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("name: mine\nports: [1, 2\n", ":3:1: ", "is not YAML: while parsing a flow sequence"),
        ("name: mine\n\tdays: 3\n", ":2:1: ", "indent with spaces"),
        ("name: 'mine\n", ":2:1: ", "quoted scalar"),
        ("name: mine\ntitle: \x07\n", ":2: ", "special characters are not allowed"),
        ("", ": ", "is empty"),
        ("- a\n- b\n", ": ", "holds no mapping"),
        ("name: a\n---\nname: b\n", ":2:1: ", "expected a single document"),
        ("ports: &a\n  - *a\n", ":1: ", "holds itself"),
        ("name: !!python/object/apply:os.system [echo]\n", ":1: ", "should be a valid string"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(write: Write, text: str, place: str, told: str) -> None:
    path = write(text)
    said = said_of(path)
    assert f"{path}{place}" in said
    assert told in said


def test_aliases_that_multiply_are_refused(write: Write) -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdef", "bcdefg", strict=True)]
    assert "repeats too much" in said_of(write("\n".join(rows)))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in said_of(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    assert "is not UTF-8" in said_of(tmp_path / "latin.yaml")


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(
        ScenarioError, match=r"did you mean 'fortnight'\?.*Built in: cloudy-month, dense-anchorage"
    ):
        load_scenario("fortnite")


def test_a_port_of_ones_own_is_found_from_the_scenarios_folder(write: Write) -> None:
    path = write(GOOD.replace("  - port: nampo", "  - aoi: here/port.geojson\n    port: nampo"))
    (path.parent / "here").mkdir()
    from roadstead.core.settings import settings

    (path.parent / "here" / "port.geojson").write_bytes((settings().aoi_dir / "nampo.geojson").read_bytes())
    assert load_scenario(path).ports[0].slug == "nampo"
    path.write_text(path.read_text().replace("port: nampo\n", "port: songnim\n"))
    assert f"{path}:6: ports[0].aoi: " in said_of(path)
    assert "holds port 'nampo', not 'songnim'" in said_of(path)


def test_the_built_in_scenarios_are_the_published_ones() -> None:
    assert builtin_scenarios() == (
        "cloudy-month",
        "dense-anchorage",
        "fortnight",
        "rafted-barges",
        "spoofing",
        "year-2020",
    )


@pytest.mark.parametrize("name", builtin_scenarios())
class TestBuiltIn:
    def test_it_loads_under_its_own_name(self, name: str) -> None:
        assert load_scenario(name).scenario.name == name

    def test_it_fits_the_json_schema(self, name: str) -> None:
        path = SCHEMA_FILE.with_name(f"{name}.yaml")
        document, _ = parse_yaml(path.read_text(encoding="utf-8"), name)
        assert list(Draft202012Validator(scenario_schema()).iter_errors(document)) == []

    def test_it_says_what_it_is_for_and_that_all_is_made_up(self, name: str) -> None:
        first, *rest = SCHEMA_FILE.with_name(f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        assert first == f"# yaml-language-server: $schema={SCHEMA_FILE.name}"
        opening = " ".join(line.removeprefix("#").strip() for line in rest[: rest.index(f"name: {name}")])
        assert "made up" in opening.lower().replace("made-up", "made up")


def test_the_year_claims_nothing_about_the_real_one() -> None:
    year = load_scenario("year-2020").scenario
    occasions = {route.kind: route.occasions for route in year.routes}
    assert (occasions["dprk_delivery"], occasions["direct_run"]) == (400, 155)
    assert (year.mode, year.days) == ("detections", 366)
    assert "never a claim about the real year" in year.title


def test_the_shipped_schema_is_the_one_of_the_code() -> None:
    Draft202012Validator.check_schema(scenario_schema())
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == scenario_schema(), (
        "remake it: roadstead simulate --schema > src/roadstead_lab/simulate/scenario/builtin/scenario.schema.json"
    )


def test_every_field_of_the_schema_that_needs_words_has_them() -> None:
    receiver = scenario_schema()["$defs"]["Receiver"]["properties"]
    assert "longitude/latitude" in receiver["stations"]["description"]
    assert all("description" in part for part in scenario_schema()["$defs"].values())


@pytest.mark.parametrize(
    "scenario", [SMALL_WORLD, *(load_scenario(name).scenario for name in builtin_scenarios())]
)
def test_a_scenario_written_down_reads_back_the_same(scenario: Scenario, tmp_path: Path) -> None:
    from roadstead_lab.simulate.scenario.file import validated

    assert validated(*parse_yaml(scenario_yaml(scenario), "copy")) == scenario


def test_a_late_fault_names_the_line_too(write: Write) -> None:
    path = write(GOOD)
    error = load_scenario(path).error(("ports", 0, "fleet", 0), "no room")
    assert str(error) == f"{path}:9: ports[0].fleet[0]: no room"
