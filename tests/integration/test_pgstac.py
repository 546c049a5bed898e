"""A STAC API as catalogues run it: stac-fastapi-pgstac on PostgreSQL, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roadstead.imagery import Pass, SearchResult, Source, group_overpasses, lists_passes, search
from tests import builders as b
from tests.integration.postgres import lacking, postgres
from tests.integration.stac_servers import _answers, _wait_until, free_port

PYTHON = Path(__file__).parents[2] / ".venv-pgstac" / "bin" / "python"
WHY = lacking() or ("" if PYTHON.exists() else "make setup-pgstac was not run")
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "none")

FRAME = b.grid(60, 50)
PORT = b.port(FRAME, "nampo")
COLLECTION = "sentinel-2-c1-l2a"
MANY = 250
"""Items: three pages of a hundred."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pgstac")
    (folder / "items.ndjson").write_text("\n".join(json.dumps(item) for item in _items(folder)))
    extent = {
        "spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]},
    }
    collection = {
        "type": "Collection", "stac_version": "1.0.0", "id": COLLECTION, "description": "made by a test",
        "license": "proprietary", "links": [], "extent": extent,
    }  # fmt: skip
    (folder / "collections.ndjson").write_text(json.dumps(collection))
    with postgres(tmp_path_factory.mktemp("postgres") / "server") as server:
        server.create("stac")
        environment = {**os.environ, **server.environment, "PGDATABASE": "stac"}
        _pypgstac(environment, "migrate")
        for kind in ("collections", "items"):
            _pypgstac(environment, "load", kind, str(folder / f"{kind}.ndjson"), "--method", "insert")
        port = free_port()
        words = [
            str(PYTHON),
            "-m",
            "uvicorn",
            "stac_fastapi.pgstac.app:create_app",
            "--factory",
            "--port",
            str(port),
            "--log-level",
            "error",
        ]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        try:
            _wait_until(lambda: _answers(f"http://127.0.0.1:{port}/"), 60.0)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _pypgstac(environment: dict[str, str], *words: str) -> None:
    script = PYTHON.with_name("pypgstac")
    subprocess.run([str(PYTHON), str(script), *words], env=environment, check=True, capture_output=True)


def _items(folder: Path) -> Iterator[dict[str, object]]:
    path = b.write_item(folder, "first", FRAME)
    document = json.loads(path.read_text())
    for asset in document["assets"].values():
        asset["href"] = f"https://pixels.example/{asset['href'].removeprefix('./')}"
    for number in range(MANY):
        when = datetime(2020, 11, 3, 2, 29, 51, tzinfo=UTC) - timedelta(days=5 * number)
        letter = "BA"[number % 2]
        properties = {
            **document["properties"], "datetime": when.isoformat(), "platform": f"sentinel-2{letter.lower()}",
            "s2:datatake_id": f"GS2{letter}_{when - timedelta(minutes=4):%Y%m%dT%H%M%S}_{number:06}_N05.00",
        }  # fmt: skip
        yield {
            **document,
            "id": f"item-{number:03}",
            "properties": properties,
            "links": [],
            "collection": COLLECTION,
        }


def _search(api: str, start: datetime, end: datetime) -> SearchResult:
    return search(api, PORT, start, end, COLLECTION)


def test_every_item_of_several_pages_is_found_once(api: str) -> None:
    found = _search(api, datetime(2015, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    assert len({scene.scene_id for scene in found.scenes}) == len(found.scenes) == MANY
    assert len(group_overpasses(found.scenes, PORT)) == MANY
    assert not found.rejected


def test_a_range_gives_its_items_alone_and_the_sightings_around_it(api: str) -> None:
    start = datetime(2020, 10, 1, tzinfo=UTC)
    found = search(api, PORT, start, start + timedelta(days=20), COLLECTION, reach=timedelta(days=40))
    assert len(found.scenes) == 4
    assert len(found.sightings) > 12


def test_a_pass_is_looked_for_along_its_track(api: str) -> None:
    when = datetime(2020, 11, 3, 2, 29, 51, tzinfo=UTC)
    asked = [("sentinel-2b", when), ("sentinel-2a", when), ("sentinel-2b", when + timedelta(days=400))]
    passes = [Pass(platform, expected, frozenset()) for platform, expected in asked]
    assert lists_passes(Source("pgstac", api, COLLECTION), PORT, passes) == [True, False, False]
