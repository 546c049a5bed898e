"""`roadstead simulate`: what it prints, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from roadstead.apps.cli.main import main
from roadstead_lab.simulate.scenario.file import scenario_schema, scenario_yaml
from roadstead_lab.simulate.small import SMALL_WORLD, small_port

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command and return its exit code and what it printed."""

    def _run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["roadstead", "simulate", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, " ".join(printed.err.split())

    return _run


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """Return the small port's scenario as a file, its port beside it."""
    features = [
        {
            "type": "Feature",
            "properties": {"port": "small-port", "zone": zone.id, "kind": zone.kind},
            "geometry": zone.polygon.__geo_interface__,
        }
        for zone in small_port().zones
    ]
    (tmp_path / "small-port.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    path = tmp_path / "small.yaml"
    path.write_text(scenario_yaml(SMALL_WORLD))
    return path


def test_a_world_is_made_and_summed_up_as_simulated(run: Run, small_file: Path, tmp_path: Path) -> None:
    code, out, err = run(small_file, "-o", tmp_path / "world", "--seed", 3)
    assert code == 0
    assert "SIMULATED small, seed 3" in out
    assert "optical scenes" in out
    assert "Everything in" in err
    assert (tmp_path / "world" / "catalog.json").exists()


def test_the_summary_can_be_had_as_json(run: Run, small_file: Path, tmp_path: Path) -> None:
    code, out, _ = run(small_file, "-o", tmp_path / "world", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["simulated"] is True
    assert (told["scenario"], told["seed"], told["mode"]) == ("small", 0, "images")
    assert told["ports"]["small-port"]["optical scenes"] == 4
    assert all(Path(path).exists() for path in (told["catalog"], told["truth"], *told["ais"]["small-port"]))


def test_the_built_in_scenarios_are_listed(run: Run) -> None:
    code, out, _ = run("--list")
    assert code == 0
    assert "fortnight" in out
    assert "year-2020" in out
    code, out, _ = run("--list", "--json")
    assert {row["scenario"]: row["mode"] for row in json.loads(out)}["year-2020"] == "detections"


def test_the_schema_is_printed(run: Run) -> None:
    code, out, _ = run("--schema")
    assert (code, json.loads(out)) == (0, scenario_schema())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "give a scenario and a folder"),
        (("fortnight",), 2, "give a scenario and a folder"),
        (("fortnight", "-o", "world", "--seed", "-1"), 2, "equal to 0"),
        (("fortnight", "-o", "world", "--mode", "pixels"), 2, "pixels"),
        (("fortnite", "-o", "world"), 3, "did you mean 'fortnight'"),
        (("none.yaml", "-o", "world"), 3, "none.yaml: cannot be read"),
    ],
)
def test_a_wrong_call_ends_with_its_published_code(
    run: Run, words: tuple[str, ...], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(*words)
    assert ended == code
    assert told in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_bad_scenario_is_told_with_its_line(run: Run, small_file: Path, tmp_path: Path) -> None:
    small_file.write_text(small_file.read_text().replace("days: 3", "dayz: 3"))
    code, _, err = run(small_file, "-o", tmp_path / "world")
    assert code == 3
    assert f"{small_file}:4: dayz: unknown key; did you mean 'days'?" in err
    assert not (tmp_path / "world").exists()


def test_a_folder_of_other_files_is_refused(run: Run, small_file: Path, tmp_path: Path) -> None:
    code, _, err = run(small_file, "-o", tmp_path)
    assert code == 2
    assert "holds files that no simulation made" in err
    assert small_file.exists()
