from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roadstead.imagery.stac.acquisition_time import with_sensing_time
from roadstead.imagery.stac.item import open_item
from tests import builders as b

START = {"s2:datatake_id": b.SENSING["s2:datatake_id"]}
SEEN = datetime(2020, 11, 3, 2, 29, 51, 24000, tzinfo=UTC)


def item(folder: Path, metadata: str | None, **properties: Any) -> str:
    path = b.write_item(
        folder,
        "x",
        b.grid(20, 20),
        datetime="2020-11-03T02:25:41.024000Z",
        properties={**START, **properties},
    )
    if metadata is not None:
        document = json.loads(path.read_text())
        document["assets"]["granule-metadata"] = {"href": "./MTD_TL.xml", "type": "application/xml"}
        path.write_text(json.dumps(document))
        (path.parent / "MTD_TL.xml").write_text(metadata)
    return str(path)


def test_the_granules_own_time_takes_the_place_of_the_datatakes_start(tmp_path: Path) -> None:
    text = '<A><SENSING_TIME metadataLevel="Standard">2020-11-03T02:29:51.024Z</SENSING_TIME></A>'
    found = with_sensing_time(open_item(item(tmp_path, text)))
    assert (found.acquired, found.acquired_source) == (SEEN, "granule_sensing")
    assert found.acquired_sigma_s < 10.0


@pytest.mark.parametrize("text", [None, "<A/>", "<SENSING_TIME>yesterday</SENSING_TIME>", ""])
def test_without_it_the_scene_keeps_its_time_and_its_wide_error(tmp_path: Path, text: str | None) -> None:
    scene = open_item(item(tmp_path, text))
    assert with_sensing_time(scene) == scene
    assert scene.acquired_source == "datatake_start" and scene.acquired_sigma_s == 600.0


def test_a_time_that_is_the_granules_already_stays(tmp_path: Path) -> None:
    path = b.write_item(tmp_path, "y", b.grid(20, 20))
    scene = open_item(str(path))
    assert with_sensing_time(scene) is scene and scene.acquired_source == "granule_sensing"
