from __future__ import annotations

from datetime import UTC, datetime, timedelta

from roadstead.imagery.scene import Sighting
from roadstead.imagery.stac.orbits import Pass, covers, expected_passes

FIRST = datetime(2020, 11, 3, 2, 29, 51, tzinfo=UTC)
LONG_AFTER = datetime(2022, 1, 1, tzinfo=UTC)


def seen(*days: float, platform: str = "sentinel-2b", tile: str | None = "51SXC") -> list[Sighting]:
    return [Sighting(platform, FIRST + timedelta(days=day), tile) for day in days]


def days(found: list[Pass]) -> list[int]:
    return [round((one.expected - FIRST) / timedelta(days=1)) for one in found]


def passes(sightings: list[Sighting], first: int, last: int, now: datetime = LONG_AFTER) -> list[Pass]:
    return expected_passes(sightings, FIRST + timedelta(days=first), FIRST + timedelta(days=last), now)


def test_a_pass_between_two_that_were_seen_took_place() -> None:
    found = passes(seen(0, 20), 0, 21)
    assert days(found) == [0, 10, 20]
    assert all(one.platform == "sentinel-2b" and one.tiles == {"51SXC"} for one in found)


def test_passes_are_told_of_two_cycles_beyond_what_was_seen_and_no_further() -> None:
    assert days(passes(seen(0, 10), -60, 90)) == [-20, -10, 0, 10, 20, 30]


def test_one_sighting_alone_tells_of_nothing() -> None:
    assert passes(seen(0), -60, 60) == []
    assert passes(seen(0, 0), -60, 60) == []


def test_two_satellites_and_two_relative_orbits_are_series_of_their_own() -> None:
    other_orbit = [
        Sighting("sentinel-2b", s.acquired + timedelta(days=3, minutes=11), "51SXC") for s in seen(0, 20)
    ]
    other = seen(5, 25, platform="sentinel-2a")
    assert days(passes(seen(0, 20) + other_orbit + other, 0, 26)) == [0, 3, 5, 10, 13, 15, 20, 23, 25]


def test_a_long_silence_is_not_filled_with_passes() -> None:
    assert days(passes(seen(0, 10, 100, 110), 0, 111)) == [0, 10, 100, 110], (
        "the satellite may have been moved"
    )


def test_times_of_one_series_may_be_datatake_starts_or_the_granules() -> None:
    mixed = [*seen(0), Sighting("sentinel-2b", FIRST + timedelta(days=20, minutes=-17), "51SXC")]
    assert days(passes(mixed, 0, 21)) == [0, 10, 20]


def test_a_pass_of_today_may_not_be_listed_yet() -> None:
    now = FIRST + timedelta(days=20, hours=5)
    assert days(passes(seen(0, 10), 0, 25, now)) == [0, 10]
    assert days(passes(seen(0, 10), 0, 25, now + timedelta(days=1))) == [0, 10, 20]
    assert days(passes(seen(0, 10, 20), 0, 25, now)) == [0, 10, 20], "listed, however young"


def test_an_image_covers_the_pass_it_is_of() -> None:
    (one, *_) = passes(seen(0, 10), 0, 1)
    assert covers(one, "Sentinel-2B", FIRST - timedelta(minutes=4))
    assert not covers(one, "sentinel-2a", FIRST)
    assert not covers(one, "sentinel-2b", FIRST + timedelta(days=5))
