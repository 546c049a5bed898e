"""A prefect.yaml written by hand: every mistake is one usage error that names the file, the key and the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely
import yaml
from shapely.geometry import box

from flows.deployments import read_deployments
from roadstead.core.errors import UsageError

WATCH = "flows/watch_port.py:watch_port"


@pytest.fixture
def own_port(tmp_path: Path) -> Path:
    zone = {"port": "testport", "zone": "testport/roads", "kind": "anchorage"}
    shape = json.loads(shapely.to_geojson(box(124.84, 38.72, 124.87, 38.74)))
    feature = {"type": "Feature", "properties": zone, "geometry": shape}
    path = tmp_path / "aoi.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def written(folder: Path, *deployments: object) -> Path:
    path = folder / "prefect.yaml"
    path.write_text(yaml.safe_dump({"deployments": list(deployments)}))
    return path


def watch(**changes: Any) -> dict[str, Any]:
    plain = {"name": "one", "entrypoint": WATCH, "parameters": {"port": "nampo"}}
    return {**plain, "schedules": [{"cron": "5 */6 * * *"}], **changes}


def fault(path: Path) -> str:
    with pytest.raises(UsageError) as raised:
        read_deployments(path)
    assert str(raised.value).startswith(f"{path}: ")
    return str(raised.value)


def test_a_file_without_a_mistake_is_read(tmp_path: Path, own_port: Path) -> None:
    given = {"port": "testport", "aoi": str(own_port), "ais": [str(own_port)], "start": "2024-05-01"}
    (one,) = read_deployments(written(tmp_path, watch(parameters=given)))
    assert (one.name, one.flow.name, one.parameters) == ("one", "watch-port", given)
    assert [cron.cron for cron in one.crons] == ["5 */6 * * *"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"schedules": [{"cron": "5 25 * * *"}]},
            ("schedules[0].cron: '5 25 * * *' is no cron", "hour (0-23)"),
        ),
        (
            {"schedules": [{"cron": "5 * * * *", "timezone": "Asia/Pyonyang"}]},
            ("schedules[0].timezone: 'Asia/Pyonyang' is no time zone; did you mean 'Asia/Pyongyang'?",),
        ),
        ({"schedules": [{"corn": "5 * * * *"}]}, ("schedules[0].corn", "did you mean 'cron'?")),
        ({"schedules": {"cron": "5 * * * *"}}, ("schedules: ", "must be a list")),
        ({"schedule": {"cron": "5 * * * *"}}, ("schedule: is no key", "did you mean 'schedules'?")),
        (
            {"parameters": {"port": "nampo", "ais_file": ["/x"]}},
            ("parameters.ais_file: flow 'watch-port' has no",),
        ),
        (
            {"parameters": {"port": "nampo", "catalogue": "x"}},
            ("parameters.catalogue", "did you mean 'catalog'?"),
        ),
        (
            {"parameters": {"port": "nampo", "ais": "/x.csv"}},
            ("parameters.ais: '/x.csv' must be a list: write [/x",),
        ),
        (
            {"parameters": {"port": "nampo", "ais": ["/no/x.csv"]}},
            ("parameters.ais[0]: there is no file", "/no/x.csv"),
        ),
        ({"parameters": {"port": "nampo", "ais": ["/no/*.csv"]}}, ("parameters.ais[0]: there is no file",)),
        (
            {"parameters": {"port": "mine", "aoi": "/no/a.kml"}},
            ("parameters.aoi: there is no file", "/no/a.kml"),
        ),
        (
            {"parameters": {"port": "Nampo"}},
            ("parameters.port: unknown port 'Nampo'; did you mean 'nampo'?",),
        ),
        ({"parameters": {"port": "nampo", "start": "soon"}}, ("parameters.start: 'soon'",)),
        ({"parameters": {"port": 7}}, ("parameters.port: 7",)),
        ({"parameters": {}}, ("parameters.port: is missing",)),
        ({"parameters": ["port"]}, ("parameters: ",)),
        ({"entrypoint": "flows/none.py:none"}, ("entrypoint: flows/none.py:none names no flow", WATCH)),
        ({"entrypoint": "flows/watch_port.py:utc"}, ("entrypoint: ", "is no flow")),
        ({"entrypoint": "watch"}, ("entrypoint: 'watch' names no flow",)),
        ({"name": 7}, ("name: 7",)),
        ({"tags": "watch"}, ("tags: 'watch' must be a list",)),
        ({"concurrency_limit": {"limit": "many"}}, ("concurrency_limit: ", "CANCEL_NEW")),
    ],
)
def test_a_mistake_is_named_with_its_key_and_how_to_mend_it(
    tmp_path: Path, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    message = fault(written(tmp_path, watch(**changes)))
    for word in ("deployments[0]", *words):
        assert word in message
    assert "pydantic.dev" not in message


def test_every_mistake_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path, watch(schedules=[{"cron": "x"}]), "no deployment", watch(name="two", entrypoint="x")
    )
    message = fault(path)
    assert "3 mistakes" in message
    for key in (
        "deployments[0] (one) schedules[0].cron",
        "deployments[1] ",
        "deployments[2] (two) entrypoint",
    ):
        assert key in message


def test_two_deployments_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two of flow 'watch-port' are called 'one'" in fault(written(tmp_path, watch(), watch()))


def test_a_flow_that_is_started_by_hand_may_lack_parameters(tmp_path: Path) -> None:
    by_hand = {"name": "b", "entrypoint": "flows/backfill.py:backfill", "schedules": []}
    assert len(read_deployments(written(tmp_path, by_hand))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "'deployments' must be a list"),
        (b"deployments:\n", "'deployments' must be a list"),
        (b"deployments: nampo\n", "'deployments' must be a list"),
        (b"deployments: [\n", "is not YAML"),
        (b"deployments:\n\t- name: x\n", "is not YAML"),
        (b"\x00\x01\x02", "is not YAML"),
        ("deployments: []".encode("utf-16"), "is not UTF-8 text"),
        (b"[" * 50_000, "is not YAML"),
    ],
)
def test_a_file_that_is_no_list_of_deployments_says_so(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_bytes(content)
    assert words in fault(path)


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml"):
        assert "cannot be read" in fault(path)
