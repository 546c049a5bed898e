"""The examples and the README's lines of Python, run on one small world."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import roadstead
from roadstead.core.settings import settings
from roadstead.imagery import write_cog
from tests.worlds import FRAME, World, make_world, water_with_ships

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
Run = Callable[..., str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "my.sqlite"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs an example in this process and gives back what it printed."""

    def example(name: str, *words: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        return capsys.readouterr().out

    return example


def test_a_chip_becomes_geojson_of_both_its_ships(run: Run, tmp_path: Path) -> None:
    dn = np.stack(list(water_with_ships().values()))
    chip = tmp_path / "chip.tif"
    write_cog(chip, (dn - 1000).clip(1).astype(np.uint16), FRAME, band_names=["red", "green", "blue", "nir"])
    said = run("chip_to_geojson.py", chip, "2020-11-03T02:29:51Z", tmp_path / "hulls.geojson")
    assert f"2 hulls: {tmp_path / 'hulls.geojson'}" in said
    document = json.loads((tmp_path / "hulls.geojson").read_text())
    assert len(document["features"]) == 2
    assert document["roadstead"]["scenes"][0]["acquired"] == "2020-11-03T02:29:51Z"


def test_a_port_of_ones_own_is_searched_and_counted(run: Run, world: World) -> None:
    said = run("your_own_port.py", world.aoi, "2020-11-01", "2020-11-09", world.catalog)
    assert "testport: testport/roads" in said
    assert "2 overpasses listed" in said
    assert re.search(r"testport/roads  all: 2 \[\d+-\d+\]", said)


def test_coverage_says_in_how_many_hours_silence_means_something(run: Run, world: World) -> None:
    said = run("ais_coverage_first.py", world.aoi, world.ais)
    supported, hours = re.findall(r"class_a: silence means something in (\d+) of (\d+) zone-hours", said)[0]
    assert 0 < int(supported) < int(hours)
    assert re.search(r"class_b: silence means something in 0 of", said)
    assert "no_neighbours" in said


def test_a_count_series_becomes_an_svg_with_a_point_an_overpass(
    run: Run, world: World, database: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "counts.svg"
    days = ("2020-11-01", "2020-11-09")
    said = run("count_series_to_plot.py", world.aoi, *days, database, picture, world.catalog)
    assert "2 overpasses done, 0 failed" in said
    drawn = ET.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - our own
    titles = [title.text or "" for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
    for day in ("2020-11-03", "2020-11-08"):
        assert sum(day in title and "dry cargo" in title for title in titles) == 1, titles


def test_a_hull_without_a_partner_becomes_a_dossier(
    run: Run, world: World, database: Path, tmp_path: Path
) -> None:
    words = (
        world.aoi,
        "2020-11-03",
        "2020-11-03",
        world.ais,
        database,
        tmp_path / "finding.zip",
        world.catalog,
    )
    said = run("finding_to_dossier.py", *words)
    (name,) = re.findall(r"^([0-9a-f]{20}): 0\.\d\d, because ", said, flags=re.MULTILINE)
    with zipfile.ZipFile(tmp_path / "finding.zip") as archive:
        assert any(name in member and member.endswith("dossier.html") for member in archive.namelist())


def test_the_lines_of_python_in_the_readme_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = python_of("README.md")
    assert lines == python_of("docs/python.md")
    mine = {
        '"nampo"': repr(str(world.aoi)),
        "may.nmea.gz": str(world.ais),
        "2024-05-01": "2020-11-01",
        "2024-05-03": "2020-11-03",
    }
    for theirs, ours in mine.items():
        assert theirs in lines
        lines = lines.replace(theirs, ours)
    monkeypatch.setenv("ROADSTEAD_CATALOG", str(world.catalog))
    settings.cache_clear()
    made: dict[str, object] = {}
    exec(compile(lines, "README.md", "exec"), made)  # noqa: S102 - our own
    assert sorted(made["matches"]["status"]) == ["matched", "no_ais_partner"]  # type: ignore[index]


def test_counts_without_ais_leave_unknown_what_was_declared(world: World) -> None:
    port = roadstead.load_port(world.aoi)
    hulls = roadstead.detect(world.items[0], port)
    counts = roadstead.count(hulls, roadstead.reconcile_ais(hulls, None, port), port)
    whole = counts[(counts["class"] == "all") & (counts["length_bin"] == "all")].set_index("quantity")[
        "value"
    ]
    assert whole["observed"] == whole["no_coverage"] == 2
    assert whole[["declared", "unseen", "not_visible"]].isna().all()


def test_detect_takes_paths_or_overpasses_and_never_nothing(world: World) -> None:
    port = roadstead.load_port(world.aoi)
    plan = roadstead.search(port, "2020-11-03", "2020-11-03", catalog=str(world.catalog))
    for given in ([], [world.items[0], plan.overpasses[0]]):
        with pytest.raises(roadstead.RoadsteadError, match="give one or more scenes"):
            roadstead.detect(given)  # type: ignore[arg-type]


def test_a_search_that_finds_nothing_is_no_empty_answer(world: World) -> None:
    port = roadstead.load_port(world.aoi)
    with pytest.raises(roadstead.RoadsteadError, match="not observed"):
        roadstead.search(port, "2021-01-01", "2021-01-02", catalog=str(world.catalog))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_uses_the_public_names_and_is_listed(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    ours = [node for node in imported if isinstance(node, ast.ImportFrom) and node.module == "roadstead"]
    assert ours and {alias.name for alias in ours[0].names} <= set(roadstead.__all__)
    others = {ast.unparse(node) for node in imported} - {ast.unparse(ours[0])}
    assert others <= {"import sys", "from pathlib import Path"}
    assert f"({example.name})" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")


def test_there_are_five_examples_and_each_is_run_here() -> None:
    assert len(EXAMPLES) == 5
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'run("{example.name}"' in text for example in EXAMPLES)


def python_of(page: str) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(block)
