from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from roadstead.imagery import Scene, group_overpasses
from tests import builders as b

WHEN = datetime(2020, 11, 3, 2, 29, 51, tzinfo=UTC)
PORT = b.port(b.grid(), "nampo")
HERE = box(124.8, 38.6, 124.9, 38.7)
BESIDE = box(124.89, 38.6, 125.0, 38.7)
FAR = box(125.5, 38.6, 125.6, 38.7)


def _scene(name: str, **changes: Any) -> Scene:
    values = {
        "platform": "sentinel-2b",
        "sensor": "s2",
        "acquired": WHEN,
        "acquired_source": "granule_sensing",
        "acquired_sigma_s": 8.0,
        "provider": "test",
        "item_href": None,
        "processing_baseline": None,
        "datatake": None,
        "footprint": HERE,
        "assets": {},
    }
    return Scene(scene_id=name, **{**values, **changes})


def _names(*scenes: Scene, port: Any = PORT) -> list[list[str]]:
    return [[scene.scene_id for scene in overpass.scenes] for overpass in group_overpasses(scenes, port)]


def test_two_tiles_of_one_datatake_are_one_overpass() -> None:
    take = "GS2B_20201103T022541_019132"
    a = _scene("a", datatake=take, mgrs_tile="51SXC")
    c = _scene("c", datatake=take, mgrs_tile="51SYC", footprint=BESIDE, acquired=WHEN + timedelta(minutes=12))
    assert _names(a, c) == [["a", "c"]]


def test_another_datatake_is_another_overpass_even_minutes_later() -> None:
    a = _scene("a", datatake="GS2B_20201103T022541_019132")
    c = _scene("c", datatake="GS2A_20201103T022841_028040", acquired=WHEN + timedelta(minutes=3))
    assert _names(a, c) == [["a"], ["c"]]


def test_without_a_datatake_ten_minutes_and_the_platform_family_decide() -> None:
    a, late = _scene("a"), _scene("late", footprint=BESIDE, acquired=WHEN + timedelta(minutes=9))
    assert _names(a, late) == [["a", "late"]]
    later = _scene("later", footprint=BESIDE, acquired=WHEN + timedelta(minutes=11))
    assert _names(a, later) == [["a"], ["later"]]
    other = _scene("other", platform="landsat-8", footprint=BESIDE)
    assert len(_names(a, other)) == 2
    family = _scene("family", platform="Sentinel-2A", footprint=BESIDE)
    assert _names(a, family) == [["a", "family"]]


def test_scattered_scenes_are_one_overpass_over_a_port_and_several_without_one() -> None:
    scenes = _scene("a"), _scene("b", footprint=BESIDE), _scene("far", footprint=FAR)
    assert _names(*scenes) == [["a", "b", "far"]]
    assert _names(*scenes, port=None) == [["a", "b"], ["far"]]


def test_of_reprocessings_the_highest_baseline_is_kept_then_the_latest() -> None:
    take = "GS2B_20201103T022541_019132"
    both = {"datatake": take, "mgrs_tile": "51SXC"}
    old = _scene("old", processing_baseline="02.14", processed=WHEN + timedelta(days=900), **both)
    new = _scene("new", processing_baseline="05.00", processed=WHEN + timedelta(days=800), **both)
    again = _scene("again", processing_baseline="05.00", processed=WHEN + timedelta(days=850), **both)
    assert _names(old, new, again) == [["again"]]


def test_reprocessings_are_known_by_their_frame_where_no_tile_is_named() -> None:
    nearly = box(124.8005, 38.6, 124.9, 38.7)
    a, c = (
        _scene("a", processing_baseline="02.14"),
        _scene("c", processing_baseline="05.00", footprint=nearly),
    )
    assert _names(a, c) == [["c"]]


def test_a_tile_cut_by_two_datastrips_keeps_both_parts() -> None:
    both = {"datatake": "GS2B_20201103T022541_019132", "mgrs_tile": "51SXC"}
    north, south = box(124.8, 38.65, 124.9, 38.7), box(124.8, 38.6, 124.9, 38.66)
    assert _names(_scene("n", footprint=north, **both), _scene("s", footprint=south, **both)) == [["n", "s"]]


def test_a_scene_given_twice_is_read_once() -> None:
    assert _names(_scene("a"), _scene("a")) == [["a"]]


def test_an_overpass_id_is_port_sensor_and_datatake_start() -> None:
    take = "GS2B_20201103T022541_019132"
    (one,) = group_overpasses([_scene("a", datatake=take)], PORT)
    assert one.overpass_id == "nampo_s2_20201103T022541"
    (more,) = group_overpasses(
        [_scene("a", datatake=take), _scene("0", datatake=take, footprint=BESIDE, acquired=WHEN)], PORT
    )
    assert more.overpass_id == one.overpass_id


def test_without_a_datatake_the_earliest_second_names_the_overpass() -> None:
    scenes = [_scene("b", footprint=BESIDE, acquired=WHEN + timedelta(seconds=14)), _scene("a")]
    (found,) = group_overpasses(scenes, PORT)
    assert (found.overpass_id, found.acquired) == ("nampo_s2_20201103T022951", WHEN)


def test_chips_of_one_second_without_a_port_have_ids_of_their_own() -> None:
    found = group_overpasses([_scene("chip 1"), _scene("chip 2", footprint=FAR)], None)
    assert [o.overpass_id for o in found] == ["chip-1_s2_20201103T022951", "chip-2_s2_20201103T022951"]


def test_the_worst_known_time_is_the_overpasses() -> None:
    scenes = [_scene("a"), _scene("b", footprint=BESIDE, acquired_sigma_s=600.0)]
    assert group_overpasses(scenes, PORT)[0].acquired_sigma_s == 600.0


@given(st.permutations(range(6)))
def test_the_order_of_the_scenes_does_not_matter(order: list[int]) -> None:
    scenes = [
        _scene("a"),
        _scene("b", footprint=BESIDE),
        _scene("c", processing_baseline="05.00"),
        _scene("d", acquired=WHEN + timedelta(days=5)),
        _scene("e", acquired=WHEN + timedelta(minutes=15), footprint=FAR),
        _scene("f", acquired=WHEN + timedelta(minutes=8), footprint=FAR),
    ]
    assert group_overpasses([scenes[i] for i in order], PORT) == group_overpasses(scenes, PORT)


def test_nothing_gives_nothing() -> None:
    assert group_overpasses([], PORT) == []
