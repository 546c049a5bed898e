"""A draw: cells cut from their scenes, the same for a seed, none twice, and honest about what could not be read."""

from __future__ import annotations

import json
import sqlite3
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.audit import candidates
from roadstead.audit.results import inclusion, weights_of
from roadstead.core.errors import BadInputError, StoreError, UpstreamError, UsageError
from roadstead.imagery import Mosaic
from roadstead.store import AuditCell, Audits, Store
from roadstead.workflows.audit import draw_cells, lossless
from tests.unit.audit import builders as a


def draw(store: Store, cells: int = 8, seed: int = 1) -> tuple[AuditCell, ...]:
    """Draw, and return the cells of this draw."""
    drawn = draw_cells(store, [a.port()], cells, seed, a.NOW)
    return tuple(cell for cell in Audits(store).cells() if cell.draw == drawn.draw.draw)


def places(cells: tuple[AuditCell, ...]) -> list[tuple[str, str, int, int]]:
    return [(cell.zone, cell.overpass_id, cell.col, cell.row) for cell in cells]


def test_the_same_seed_draws_the_same_cells_of_the_same_store(tmp_path: Path, item: Path) -> None:
    found = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        with Store.open(f"sqlite:///{tmp_path / name}.sqlite") as store:
            for number in range(4):
                a.put(store, item, number)
            found.append(draw(store, seed=seed))
    assert places(found[0]) == places(found[1]) != places(found[2])
    assert [cell.second for cell in found[0]] == [cell.second for cell in found[1]]


def test_no_cell_is_drawn_twice_and_in_the_end_none_is_left(store: Store) -> None:
    every = {cell.place for cell in candidates(store, a.port())}
    drawn: list[tuple[str, str, int, int]] = []
    for seed in range(10):
        try:
            drawn += places(draw(store, 20, seed))
        except BadInputError as error:
            assert "left to draw" in str(error)
            break
    assert len(drawn) == len(set(drawn)) == len(every)


def test_a_draw_says_of_how_many_and_how_likely_each_was(store: Store) -> None:
    cells = draw(store, 12)
    every = candidates(store, a.port())
    (made,) = Audits(store).draws()
    strata = {(s["kind"], s["found"]): s for s in made.frame["strata"]}
    for (kind, found), stratum in strata.items():
        own = [cell for cell in cells if (cell.kind, cell.found) == (kind, found)]
        assert stratum["cells"] == sum(cell.stratum == (kind, found) for cell in every)
        assert stratum["drawn"] == len(own) >= 2
        assert all(cell.inclusion == pytest.approx(len(own) / stratum["cells"]) for cell in own)
    assert {found for _, found in strata} == {True, False}, "empty ones too"
    assert sum(cell.second for cell in cells) == 2
    weights = weights_of(cells, [made], {cell.cell for cell in cells})
    assert sum(weights.values()) == pytest.approx(len(every))


def test_a_cell_of_a_second_draw_knows_that_the_first_might_have_taken_it(store: Store, item: Path) -> None:
    first = draw(store, 8)
    a.put(store, item, 7)
    second = draw(store, 8, 2)
    draws = Audits(store).draws()
    by = {(s["kind"], s["found"]): s for s in draws[1].frame["strata"]}
    for cell in second:
        stratum = by[cell.kind, cell.found]
        alone = stratum["drawn"] / stratum["cells"]
        assert cell.inclusion == pytest.approx(alone)
        new = cell.overpass_id == "o7"
        assert inclusion(cell, draws) == pytest.approx(alone) if new else inclusion(cell, draws) > alone
    assert all(inclusion(cell, draws) > cell.inclusion for cell in first)


def test_the_picture_is_the_scene_and_knows_its_place(store: Store, item: Path) -> None:
    taken = a.put(store, item, 0)
    with Mosaic(taken, a.port().grid()) as mosaic:
        for cell in draw(store, 30):
            if cell.overpass_id != "o0":
                continue
            image = Audits(store).image(cell.cell)
            assert image is not None
            pixels = np.asarray(Image.open(BytesIO(image)))
            assert pixels.shape == (cell.height, cell.width, 3)
            for box in a.boxed(cell, a.SHIPS):
                ring = np.array(json.loads(box.pixels))
                col, row = np.floor(ring.mean(0)).astype(int)
                assert pixels[row, col].min() > 200, "the hull is bright where its box is"
            window = mosaic.grid.xy_to_colrow(np.array([[cell.left, cell.top]]))
            assert window == pytest.approx(np.round(window)), "on the port's own pixels"


def test_a_picture_is_kept_without_loss() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(BytesIO(lossless(image)))), image)


def test_a_cell_that_cannot_be_read_is_named_and_the_next_takes_its_place(tmp_path: Path, item: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        for number in range(4):
            a.put(store, item, number)
        with sqlite3.connect(tmp_path / "s.sqlite") as connection:
            connection.execute("UPDATE scenes SET item_href = 'gone.json' WHERE overpass_id IN ('o1', 'o2')")
        connection.close()
        cells = draw(store, 8)
        (made,) = Audits(store).draws()
    assert len(cells) == 8
    assert {cell.overpass_id for cell in cells} <= {"o0", "o3"}
    unread = made.frame["unread"]
    assert {one["overpass_id"] for one in unread} == {"o1", "o2"}
    assert "gone.json" in unread[0]["why"]
    for stratum in made.frame["strata"]:
        own = [c for c in cells if (c.kind, c.found) == (stratum["kind"], stratum["found"])]
        taken = stratum["drawn"] + stratum["unread"]
        assert all(c.inclusion == pytest.approx(taken / stratum["cells"]) for c in own)


def test_where_nothing_can_be_read_nothing_is_drawn(tmp_path: Path, item: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        a.put(store, item)
        with sqlite3.connect(tmp_path / "s.sqlite") as connection:
            connection.execute("UPDATE scenes SET item_href = NULL")
        connection.close()
        with pytest.raises(UpstreamError, match=r"none of .* cells could be read"):
            draw(store)
        assert Audits(store).draws() == ()


def test_what_the_model_gave_is_kept_with_the_cell_and_fixed_structures_are_no_hulls(
    tmp_path: Path, item: Path
) -> None:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        a.put(store, item, found=a.SHIPS[:1], dropped=a.SHIPS[1:2])
        cells = draw(store, 50)
    hulls = [hull for cell in cells for hull in cell.output["hulls"]]
    assert {hull["length_m"] for hull in hulls} == {150.0}
    assert {(cell.output["model_id"], cell.output["model_sha256"]) for cell in cells} == {
        ("test-model", a.MODEL)
    }


@pytest.mark.parametrize(("cells", "seed"), [(0, 1), (5000, 1), (5, -1), (5, 2**31)])
def test_numbers_out_of_range_are_refused(store: Store, cells: int, seed: int) -> None:
    with pytest.raises(UsageError, match="--cells"):
        draw(store, cells, seed)


@pytest.mark.parametrize("table", ["audit_draws", "audit_cells", "audit_answers", "audit_boxes"])
def test_the_database_refuses_to_change_or_delete_a_row(store: Store, tmp_path: Path, table: str) -> None:
    draw(store, 30)
    a.answer_all(store)
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        column = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]  # noqa: S608
        for statement in (
            f"DELETE FROM {table}",  # noqa: S608
            f"UPDATE {table} SET {column} = {column}",  # noqa: S608
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",  # noqa: S608
        ):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                connection.execute(statement)
    connection.close()


def test_a_cell_drawn_before_is_refused_by_the_store(store: Store) -> None:
    draw(store, 4)
    cell = Audits(store).cells()[0]
    row = {name: getattr(cell, name) for name in AuditCell.__dataclass_fields__ if name != "draw"}
    with pytest.raises(StoreError):
        Audits(store).add_draw(9, 1, {}, [{**row, "cell": "other", "image": b""}], a.NOW)
    assert len(Audits(store).draws()) == 1


def test_the_command_draws_tells_and_counts(store: Store, tmp_path: Path) -> None:
    aoi = tmp_path / "aoi.geojson"
    from shapely.geometry import mapping

    features = [
        {
            "type": "Feature",
            "properties": {"port": "nampo", "zone": zone.id, "kind": zone.kind},
            "geometry": mapping(zone.polygon),
        }
        for zone in a.port().zones
    ]
    aoi.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    runner = CliRunner()
    common = ["--store", url]
    words = ["audit", "draw", "nampo", "--cells", "6", "--seed", "4", "--aoi", str(aoi), *common]
    told = json.loads(runner.invoke(app, [*words, "--json"]).stdout)
    assert told["cells"] == 6
    assert told["to_second_reviewer"] == 1
    assert sum(one["drawn"] for one in told["strata"]) == 6
    text = runner.invoke(app, words).stdout
    assert "6 cells to be looked at, 1 of them by two people" in text
    a.answer_all(store)
    progress = json.loads(runner.invoke(app, ["audit", "status", "--json", *common]).stdout)
    assert progress == {
        "draws": 2,
        "ports": [{"port": "nampo", "drawn": 12, "complete": 12, "judged": 12, "needed": 30}],
    }
    assert "12" in runner.invoke(app, ["audit", "status", *common]).stdout
    found = json.loads(runner.invoke(app, ["audit", "results", "--json", *common]).stdout)
    assert found["models"][0]["measured"] is False
    assert found["models"][0]["cells"] == 12
    assert "not measured" in runner.invoke(app, ["audit", "results", *common]).stdout
