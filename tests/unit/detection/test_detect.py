from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from roadstead.core.errors import ReadError
from roadstead.core.geo import Window, lonlat_to_xy
from roadstead.core.schemas import DETECTIONS, checked
from roadstead.core.settings import DEFAULT_MODEL_ID, settings
from roadstead.detection import Model, detect_mosaic, load_model
from roadstead.imagery import Mosaic, group_overpasses, open_item
from tests import builders
from tests.unit.detection.worlds import ACQUIRED, Lamp, Picture, lamps, picture, scene
from tests.worlds import FRAME, HEADING_DEG, HEARD, LENGTH_M, SILENT, lonlat_of, water_with_ships

LOWERS = {"land_share": 0.6, "logit": 2.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return lamps(tmp_path_factory.mktemp("lamps"), context=LOWERS)


@pytest.fixture(scope="module")
def untiled(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The same network, looking at 512 pixels at once."""
    return lamps(tmp_path_factory.mktemp("untiled"), tile_px=512, context=LOWERS)


def found(image: Picture, model: Model, **options: object) -> gpd.GeoDataFrame:
    table = detect_mosaic(image, model, overpass=image.overpass, **options)  # type: ignore[arg-type]
    return checked(table, DETECTIONS, "detections")


def places(table: gpd.GeoDataFrame) -> list[tuple[int, int]]:
    """Return (col, row) of the detections in the frame of the test images."""
    colrow = builders.grid().xy_to_colrow(lonlat_to_xy(table[["lon", "lat"]].to_numpy(), builders.CRS))
    return sorted((int(c), int(r)) for c, r in np.floor(colrow + 1e-6))


def reasons_by_place(table: gpd.GeoDataFrame) -> dict[tuple[int, int], str | None]:
    """Return why the box at each (col, row) was dropped; of a box that two tiles see, not that one is double."""
    double = table["dropped_because"] == "duplicate"
    rows = [*table.index[double], *table.index[~double]]
    return {places(table.loc[[k]])[0]: table.loc[k, "dropped_because"] for k in rows}


def test_each_hull_is_found_once_with_what_the_scene_says_of_it(model: Model) -> None:
    image = picture(400, 300, [Lamp(50, 60), Lamp(200, 150), Lamp(390, 290)])
    table = found(image, model)
    assert places(table) == [(50, 60), (200, 150), (390, 290)]
    row = table.iloc[0]
    assert row["scene_id"] == "S2B_TEST" and row["overpass_id"] == image.overpass.overpass_id
    assert row["acquired"] == ACQUIRED and row["simulated"] and row["model_id"] == "lamps"
    assert row["class"] == "bulk_carrier" and row["p_vessel"] == pytest.approx(0.9, abs=1e-5)
    assert row["zone"] is None and row["port"] is None and row["dropped_because"] is None


def test_open_water_gives_an_empty_table_and_not_an_error(model: Model) -> None:
    table = found(picture(200, 200), model)
    assert len(table) == 0 and table.crs.to_epsg() == 4326
    assert len(found(picture(200, 200), model, unfiltered=True)) == 0


def test_an_image_smaller_than_a_tile_is_searched_to_its_edges(model: Model) -> None:
    image = picture(70, 40, [Lamp(0, 0), Lamp(69, 39)])
    assert places(found(image, model)) == [(0, 0), (69, 39)]


@hypothesis_settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.builds(
            Lamp,
            col=st.integers(0, 511),
            row=st.integers(0, 511),
            length_px=st.floats(3, 40),
            score=st.floats(0.1, 1.0),
            angle=st.floats(0, 3.1),
        ),
        max_size=60,
    )
)
def test_tiled_output_equals_untiled_output(model: Model, untiled: Model, lit: list[Lamp]) -> None:
    land = np.zeros((512, 512), np.float32)
    land[100:400, 150:] = 0.3
    image = picture(512, 512, lit, nir=land)
    tiled, whole = found(image, model), found(image, untiled)
    assert tiled["detection_id"].tolist() == whole["detection_id"].tolist()
    assert np.allclose(
        tiled[["lon", "lat", "axis_deg", "length_m"]], whole[["lon", "lat", "axis_deg", "length_m"]]
    )


def test_asking_for_all_boxes_changes_none_of_the_kept_and_says_why_the_others_were_dropped(
    model: Model,
) -> None:
    valid = np.ones((300, 400), bool)
    valid[:, :40] = False
    cloud = np.zeros((300, 400), bool)
    cloud[250:] = True
    lit = [
        Lamp(200, 100),
        Lamp(201, 101, score=0.7),
        Lamp(100, 100, score=0.2),
        Lamp(20, 100),
        Lamp(200, 280),
        Lamp(300, 200),
        Lamp(120, 200, score=0.04),
    ]
    image = picture(400, 300, lit, valid=valid, cloud=cloud)
    zones = {"z": builders.area(image.grid, 0, 0, 280, 300)}
    kept, everything = found(image, model, zones=zones), found(image, model, zones=zones, unfiltered=True)
    assert places(kept) == [(200, 100)]
    still = everything[everything["dropped_because"].isna()]
    assert still["detection_id"].tolist() == kept["detection_id"].tolist()
    assert reasons_by_place(everything) == {
        (200, 100): None,
        (201, 101): "duplicate",
        (100, 100): "below_threshold",
        (20, 100): "no_data",
        (200, 280): "cloud",
        (300, 200): "outside_zones",  # in a tile that answers for zone water too
    }


def test_with_zones_only_hulls_centred_in_them_are_kept_and_know_their_zone(model: Model) -> None:
    image = picture(400, 300, [Lamp(99, 50), Lamp(100, 120), Lamp(300, 200)])
    port = builders.port(image.grid, west=(0, 0, 100, 300), east=(250, 150, 350, 250))
    table = found(image, model, zones={z.id: z.polygon for z in port.zones}, port=port)
    assert places(table) == [(99, 50), (300, 200)]
    assert dict(zip(table["lon"].rank(), table["zone"], strict=True)) == {
        1: "testport/west",
        2: "testport/east",
    }
    assert set(table["port"]) == {"testport"}


def test_the_better_of_two_boxes_of_one_hull_says_on_which_side_of_a_zone_border_it_lies(
    model: Model,
) -> None:
    def inside(score: float) -> gpd.GeoDataFrame:
        image = picture(300, 300, [Lamp(99, 50, score=score), Lamp(100, 50, score=0.8)])
        return found(image, model, zones={"z": builders.area(image.grid, 0, 0, 100, 300)})

    assert places(inside(0.9)) == [(99, 50)]
    assert places(inside(0.7)) == []


def test_without_zones_every_valid_pixel_is_searched_but_the_port_still_names_zones(model: Model) -> None:
    image = picture(400, 300, [Lamp(50, 50), Lamp(300, 200)])
    port = builders.port(image.grid, west=(0, 0, 100, 300))
    table = found(image, model, port=port)
    assert places(table) == [(50, 50), (300, 200)]
    assert set(table["zone"]) == {"testport/west", None}


def test_tiles_that_answer_for_no_zone_water_are_not_even_read(model: Model) -> None:
    image = picture(1000, 1000, [Lamp(950, 950)])
    found(image, model, zones={"z": builders.area(image.grid, 10, 10, 40, 40)})
    assert [(w.col, w.row, w.width, w.height) for w in image.windows] == [(0, 0, 160, 160)]


def test_no_zone_in_the_image_finds_nothing_and_reads_nothing(model: Model) -> None:
    image = picture(200, 200, [Lamp(100, 100)])
    assert len(found(image, model, zones={})) == 0
    assert image.windows == []


def test_a_hull_takes_scene_time_and_simulation_from_the_pixel_at_its_centre(model: Model) -> None:
    index = np.zeros((200, 300), np.int16)
    index[:, 150:] = 1
    scenes = (scene("S2B_WEST"), scene("S2B_EAST", minutes=2.0, simulated=False))
    image = picture(300, 200, [Lamp(100, 100), Lamp(200, 100)], scene_index=index, scenes=scenes)
    table = found(image, model).sort_values("lon")
    assert table["scene_id"].tolist() == ["S2B_WEST", "S2B_EAST"]
    assert (table["acquired"].diff().dt.total_seconds().iloc[1], table["acquired_sigma_s"].iloc[1]) == (
        120.0,
        3.0,
    )
    assert table["simulated"].tolist() == [True, False]


def test_a_box_centred_on_no_data_names_the_scene_that_imaged_its_other_half(model: Model) -> None:
    valid = np.ones((200, 300), bool)
    valid[:, :100] = False
    image = picture(
        300, 200, [Lamp(98, 50, angle=0.0)], valid=valid, scene_index=np.ones((200, 300), np.int16),
        scenes=(scene("S2B_WEST"), scene("S2B_EAST")),
    )  # fmt: skip
    (row,) = found(image, model, unfiltered=True).to_dict("records")
    assert (row["scene_id"], row["dropped_because"], row["flags"]) == ("S2B_EAST", "no_data", "at_edge")


def test_a_rerun_gives_the_same_ids_and_another_scene_or_model_others(model: Model, tmp_path: Path) -> None:
    lit = [Lamp(50, 60), Lamp(120, 150)]
    first = found(picture(300, 300, lit), model)["detection_id"]
    again = found(picture(300, 300, [*lit, Lamp(250, 250, score=0.95)]), model)["detection_id"]
    assert set(first) < set(again)
    other_scene = found(picture(300, 300, lit, scenes=(scene("S2A_OTHER"),)), model)["detection_id"]
    other_model = found(picture(300, 300, lit), lamps(tmp_path, model_id="lamps-2"))["detection_id"]
    assert not set(first) & (set(other_scene) | set(other_model))


@pytest.mark.parametrize("row", [1, 290])
def test_a_failed_read_fails_the_scene_whenever_it_comes(model: Model, row: int) -> None:
    image = picture(300, 600, [Lamp(50, 60)], breaks_at_row=row)
    with pytest.raises(ReadError, match=r"red\.tif"):
        found(image, model)


def test_progress_counts_every_tile_up_to_the_last(model: Model) -> None:
    seen: list[tuple[int, int]] = []
    valid = np.zeros((600, 600), bool)
    valid[:200] = True
    found(picture(600, 600, valid=valid), model, progress=lambda done, total: seen.append((done, total)))
    totals = {total for _, total in seen}
    assert totals == {36} and seen[-1] == (36, 36)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_blocks_are_read_one_ahead_and_no_block_holds_the_whole_image(model: Model) -> None:
    image = picture(1200, 1200)
    found(image, model)
    assert max(w.width * w.height for w in image.windows) < 0.2 * 1200 * 1200


@pytest.fixture(scope="module")
def shipped() -> Model:
    return load_model(DEFAULT_MODEL_ID, settings().models_dir)


def test_the_shipped_model_finds_hulls_drawn_on_water(
    shipped: Model, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    item = builders.write_item(tmp_path, "S2B_DRAWN", FRAME, water_with_ships())
    (overpass,) = group_overpasses([open_item(str(item))], None)
    with Mosaic(overpass) as mosaic:
        table = checked(detect_mosaic(mosaic, shipped, overpass=overpass), DETECTIONS, "detections")
    record_property("found", table[["length_m", "axis_deg", "p_vessel"]].to_dict("records"))
    for place in (HEARD, SILENT):
        off_m = np.hypot(
            *(
                lonlat_to_xy(table[["lon", "lat"]].to_numpy(), FRAME.crs)
                - lonlat_to_xy(np.array([lonlat_of(place)]), FRAME.crs)
            ).T
        )
        here = table[off_m < 50.0]
        assert len(here) == 1
        assert abs(here["length_m"].iloc[0] - LENGTH_M) < 60.0
        assert abs(here["axis_deg"].iloc[0] - HEADING_DEG) < 12.0
    assert len(table) == 2


@pytest.mark.shared_data
def test_the_shipped_model_finds_the_same_ships_wherever_the_tiles_fall(
    shipped: Model, shared_data: Path
) -> None:
    name = "vancouver_T10UDV_20190317T191121"
    (item,) = (shared_data / "stac").glob(f"*/{name}/{name}.json")
    (overpass,) = group_overpasses([open_item(str(item))], None)
    with Mosaic(overpass) as mosaic:
        whole = detect_mosaic(mosaic, shipped, overpass=overpass, unfiltered=True)
        grid = mosaic.grid
    moved = grid.crop(Window(137, 61, grid.width - 137, grid.height - 61))
    with Mosaic(overpass, moved) as mosaic:
        other = detect_mosaic(mosaic, shipped, overpass=overpass, unfiltered=True)
        inside = mosaic.grid
    assert inside.width < grid.width
    firm = whole[whole["dropped_because"].isna() & (whole["p_vessel"] > 0.45)].to_crs(grid.crs)
    again = other[other["dropped_because"].isin([None, "below_threshold"])].to_crs(grid.crs)
    left, bottom, right, top = inside.bounds_xy
    firm = firm.cx[left + 400 : right, bottom : top - 400]
    distance = np.array([again.geometry.centroid.distance(c).min() for c in firm.geometry.centroid])
    assert len(firm) > 10
    assert (distance < 20.0).all()
