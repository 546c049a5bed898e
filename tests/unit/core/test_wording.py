from __future__ import annotations

from datetime import UTC, datetime

import pytest

from roadstead.core.wording import days_words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((2020, 11, 8), (2020, 11, 15), "8 November to 14 November 2020"),
        ((2020, 12, 28), (2021, 1, 4), "28 December 2020 to 3 January 2021"),
        ((2020, 12, 25), (2021, 1, 1), "25 December to 31 December 2020"),
        ((2020, 11, 3), (2020, 11, 3), "3 November to 3 November 2020"),
    ],
)
def test_a_range_is_named_by_its_first_and_last_day(
    start: tuple[int, int, int], end: tuple[int, int, int], words: str
) -> None:
    assert days_words(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC)) == words
