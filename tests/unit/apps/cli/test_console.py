from datetime import UTC, datetime

import pytest

from roadstead.core.errors import UsageError
from roadstead.core.time_range import time_range


@pytest.mark.parametrize("end", ["2020-11-08", "20201108"])
def test_an_end_given_as_a_day_includes_that_day(end: str) -> None:
    assert time_range("2020-11-08", end) == (
        datetime(2020, 11, 8, tzinfo=UTC),
        datetime(2020, 11, 9, tzinfo=UTC),
    )


def test_an_end_given_as_a_moment_is_that_moment() -> None:
    assert time_range("2020-11-08", "2020-11-08T02:30Z")[1] == datetime(2020, 11, 8, 2, 30, tzinfo=UTC)


def test_a_moment_in_another_zone_is_brought_to_utc() -> None:
    assert time_range("2020-11-08T09:00+09:00", "2020-11-09")[0] == datetime(2020, 11, 8, tzinfo=UTC)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="before"):
        time_range("2020-11-08", "2020-11-07")
