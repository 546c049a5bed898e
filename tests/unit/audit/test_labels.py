"""Audits as labels: the reader of the training data takes them, and what was not audited is not searched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadstead.core.errors import BadInputError
from roadstead.core.geo import lonlat_to_xy
from roadstead.core.schemas import CLASSES
from roadstead.store import Audits, Store
from roadstead.workflows.audit import draw_cells
from roadstead.workflows.labels import audit_features, judged_scenes, without_holes
from roadstead_lab.training.places import read_labels
from roadstead_lab.training.scenes import prepare_scene
from tests.unit.audit import builders as a
from tests.unit.audit.builders import SHIPS

UNTOLD = replace(SHIPS[2], hull_class="cannot_tell")


@pytest.fixture
def features(tmp_path: Path, item: Path) -> tuple[list[dict[str, object]], list[object]]:
    """Return the labels of one scene whose cells are judged but for one, and that one."""
    with Store.open(f"sqlite:///{tmp_path / 'labels.sqlite'}") as store:
        a.put(store, item)
        draw_cells(store, [a.port()], 50, 1, a.NOW)
        cells = Audits(store).cells()
        left_out = next(cell for cell in cells if not a.boxed(cell, SHIPS))
        for cell in cells:
            for user in ("ana", "bob")[: cell.reviewers]:
                if cell.cell == left_out.cell:
                    Audits(store).submit(cell, user, "unjudged", [], a.NOW)
                else:
                    a.answer(store, cell, (*SHIPS[:2], UNTOLD, SHIPS[3]), user)
        (scene,) = judged_scenes(store).items()
        return audit_features(*scene, {"nampo": a.port()}), [left_out]


def test_the_reader_of_the_training_data_takes_them(features: object, tmp_path: Path) -> None:
    made, (left_out,) = features  # type: ignore[misc]
    (tmp_path / "labels").mkdir()
    document = {"type": "FeatureCollection", "features": made}
    (tmp_path / "labels" / "S2A_0.geojson").write_text(json.dumps(document))
    labels = read_labels(tmp_path, "S2A_0")
    uses = [label.use for label in labels]
    assert (uses.count("yes"), uses.count("ignore")) == (3, 1)
    assert {label.class_ for label in labels if label.use == "yes"} == {"bulk_carrier", "barge"}
    assert all(label.required for label in labels if label.use == "yes")
    grid = a.port().grid()
    rgb = np.full((grid.height, grid.width, 3), 30, np.uint8)
    valid = np.ones(rgb.shape[:2], bool)
    scene = prepare_scene("S2A_0", rgb, valid, None, labels)
    assert sorted(CLASSES[k] for k in scene.classes) == ["barge", "bulk_carrier", "bulk_carrier"]
    searched = scene.rgb.any(axis=2)
    for cell in (left_out,):
        col, row = _middle(cell)
        assert not searched[row, col], "what could not be judged was not searched"
    zone = a.port().footprint
    inside = shapely.transform(zone, lambda xy: grid.xy_to_colrow(lonlat_to_xy(xy, grid.crs)))
    share = searched.sum() / inside.area
    assert share == pytest.approx(1.0 - left_out.area.area / zone.area, abs=0.02)


def _middle(cell: object) -> tuple[int, int]:
    point = cell.area.representative_point()  # type: ignore[attr-defined]
    grid = a.port().grid()
    col, row = grid.xy_to_colrow(lonlat_to_xy(np.array([[point.x, point.y]]), grid.crs))[0]
    return int(col), int(row)


def test_they_say_where_they_come_from_and_that_they_are_simulated(features: object) -> None:
    made, _ = features  # type: ignore[misc]
    ships = [one["properties"] for one in made if one["properties"]["use"] != "unsearched"]
    assert all(one["simulated"] and one["audit_cell"] and one["audit_answer"] for one in ships)
    frame = next(one["properties"] for one in made if one["properties"]["use"] == "unsearched")
    assert frame["grid_crs"] == a.port().crs
    rings = [shapely.Polygon(one["geometry"]["coordinates"][0]) for one in made]
    assert all(shapely.is_ccw(ring.exterior) for ring in rings), "RFC 7946"
    assert len({one["properties"]["label_id"] for one in made}) == len(made)


def test_without_the_zones_of_a_port_there_are_no_labels(tmp_path: Path, item: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'labels.sqlite'}") as store:
        a.put(store, item)
        draw_cells(store, [a.port()], 4, 1, a.NOW)
        a.answer_all(store)
        (scene,) = judged_scenes(store).items()
    with pytest.raises(BadInputError, match="--aoi"):
        audit_features(*scene, {})


@given(
    st.lists(
        st.tuples(st.integers(1, 17), st.integers(1, 17), st.integers(1, 4), st.integers(1, 4)), max_size=6
    )
)
def test_polygons_without_holes_make_up_the_one_with_them(holes: list[tuple[int, int, int, int]]) -> None:
    whole = shapely.box(0, 0, 22, 22)
    cut = shapely.union_all([shapely.box(x, y, x + w, y + h) for x, y, w, h in holes])
    rest = shapely.difference(whole, cut)
    parts = [simple for part in shapely.get_parts(rest) for simple in without_holes(part)]
    assert not any(part.interiors for part in parts)
    assert sum(part.area for part in parts) == pytest.approx(rest.area)
    assert shapely.union_all(parts).symmetric_difference(rest).area == pytest.approx(0, abs=1e-9)
