from datetime import UTC, datetime, timedelta

import pytest

from roadstead.core.schemas import ACQUIRED_SOURCES
from roadstead.imagery.stac.acquisition_time import (
    CONTRADICTED_SIGMA_S,
    SIGMA_S,
    datatake,
    product_name,
    resolve_acquired,
)

GRANULE = datetime(2023, 6, 23, 7, 24, 41, 575000, tzinfo=UTC)
EARTH_SEARCH = {
    "s2:datatake_id": "GS2B_20230623T070629_032879_N05.09",
    "s2:datastrip_id": "S2B_OPER_MSI_L2A_DS_2BPS_20230623T101205_S20230623T072412_N05.09",
    "s2:product_uri": "S2B_MSIL2A_20230623T070629_N0509_R106_T39QTA_20230623T101205.SAFE",
}
START = datetime(2023, 6, 23, 7, 6, 29, 24000, tzinfo=UTC)


def test_every_source_of_a_time_has_a_standard_error() -> None:
    assert set(SIGMA_S) == set(ACQUIRED_SOURCES)


def test_an_earth_search_datetime_long_after_the_datatakes_start_is_the_granules() -> None:
    found = resolve_acquired("S2B_39QTA_20230623_0_L2A", GRANULE, EARTH_SEARCH)
    assert (found.time, found.source) == (GRANULE, "granule_sensing")


def test_a_datetime_that_is_the_products_start_gives_way_to_the_datastrips() -> None:
    found = resolve_acquired("x", START, EARTH_SEARCH)
    assert found.source == "datastrip"
    assert found.time == datetime(2023, 6, 23, 7, 24, 12, tzinfo=UTC)
    assert found.sigma_s >= abs((GRANULE - found.time).total_seconds())


def test_a_datetime_that_is_the_products_start_is_no_granule_time() -> None:
    found = resolve_acquired("x", START, {"s2:datatake_id": EARTH_SEARCH["s2:datatake_id"]})
    assert found.source == "datatake_start"
    assert found.sigma_s == SIGMA_S["datatake_start"] > SIGMA_S["datastrip"] > SIGMA_S["granule_sensing"]


def test_a_datetime_of_another_day_than_the_datatake_is_trusted_little() -> None:
    for when in (GRANULE + timedelta(days=5), START - timedelta(minutes=5)):
        found = resolve_acquired("x", when, EARTH_SEARCH)
        assert (found.time, found.source) == (when, "assumed")
        assert found.sigma_s == CONTRADICTED_SIGMA_S


@pytest.mark.parametrize("hours", [-1, 1, 8, 24])
def test_a_datetime_hours_off_its_own_datatake_or_datastrip_is_contradicted(hours: int) -> None:
    off = GRANULE + timedelta(hours=hours)
    strip = {"s2:datastrip_id": EARTH_SEARCH["s2:datastrip_id"]}
    name = "S2B_MSIL2A_20230623T070629_N0509_R106_T39QTA_20230623T101205"
    for item_id, keys in (("x", EARTH_SEARCH), ("x", strip), (name, {})):
        assert resolve_acquired(item_id, GRANULE, keys).sigma_s < CONTRADICTED_SIGMA_S
        assert resolve_acquired(item_id, off, keys).sigma_s == CONTRADICTED_SIGMA_S


def test_a_datetime_half_an_hour_late_contradicts_its_datastrip_though_it_fits_its_datatake() -> None:
    late = GRANULE + timedelta(minutes=31)
    take = {"s2:datatake_id": EARTH_SEARCH["s2:datatake_id"]}
    assert resolve_acquired("x", late, take).source == "granule_sensing"
    assert resolve_acquired("x", late, EARTH_SEARCH).sigma_s == CONTRADICTED_SIGMA_S


def test_a_datastrip_that_began_before_its_datatake_does_not_move_the_time_back() -> None:
    keys = {
        "s2:datatake_id": "GS2B_20230912T133839_034041_N05.09",
        "s2:datastrip_id": "S2B_OPER_MSI_L2A_DS_2BPS_20230912T174059_S20230912T133836_N05.09",
    }
    start = datetime(2023, 9, 12, 13, 38, 39, tzinfo=UTC)
    assert resolve_acquired("x", start, keys).time == start


def test_the_product_name_alone_tells_the_datatakes_start() -> None:
    name = "S2B_MSIL2A_20230623T070629_N0509_R106_T39QTA_20230623T101205"
    assert resolve_acquired(name, START, {}).source == "datatake_start"
    assert resolve_acquired(name, GRANULE, {}).source == "granule_sensing"
    product = product_name(name, {})
    assert product is not None
    assert (product.baseline, product.mgrs_tile) == ("05.09", "39QTA")


def test_a_datatake_is_named_alike_by_its_id_and_by_the_product() -> None:
    by_id = datatake("x", {"s2:datatake_id": EARTH_SEARCH["s2:datatake_id"]})
    by_name = datatake("x", {"s2:product_uri": EARTH_SEARCH["s2:product_uri"]})
    assert by_id is not None
    assert by_name is not None
    assert by_id == ("GS2B_20230623T070629_032879", datetime(2023, 6, 23, 7, 6, 29, tzinfo=UTC))
    assert by_id[0].startswith(by_name[0])


@pytest.mark.parametrize(
    ("note", "source"),
    [
        ("day is real; time of day set to 10:30 local solar time", "assumed"),
        ("product sensing start", "datatake_start"),
        ("granule sensing time", "granule_sensing"),
        ("", "assumed"),
    ],
)
def test_without_sensing_keys_the_note_decides_and_no_note_means_assumed(note: str, source: str) -> None:
    found = resolve_acquired("athens", GRANULE, {"datetime_note": note})
    assert (found.time, found.source, found.sigma_s) == (GRANULE, source, SIGMA_S[source])


def test_an_assumed_time_spans_the_true_passes_over_nampo() -> None:
    passes = [timedelta(minutes=12), timedelta(minutes=32)]  # after 10:30 local solar time
    assert all(offset <= 2 * timedelta(seconds=SIGMA_S["assumed"]) for offset in passes)
