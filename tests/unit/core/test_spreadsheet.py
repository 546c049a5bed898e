"""Text is opened by a spreadsheet as it was written, and read back as it was."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roadstead.core.atomic_files import BOM, cell_of_text, csv_text, text_of_cell


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+8613", "-7", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1"),
        *("412000001", "007712340", "9074729", "1E5", "123e4567", "412000001,413000002", "1 000", "50 %"),
        *("3-4", "2024/5", "12:30", "1.2.2024", "MAY 1", "mar1", "12 DEC 2024", "TRUE"),
    ],
)
def test_text_that_a_spreadsheet_takes_for_something_else_begins_with_an_apostrophe(text: str) -> None:
    assert cell_of_text(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HAI LONG 7",
        "nampo/coal-berths",
        "'T HOEKJE",
        "D-412",
        "1A",
        "MAYA 1",
        "B7C1",
        "2024-05-03T02:20:31Z",
    ],
)
def test_text_that_a_spreadsheet_leaves_alone_stays_as_it_is(text: str) -> None:
    assert cell_of_text(text) == text == text_of_cell(text)


@given(st.text())
@example("'=1")
@example("''412000001")
@example("'T HOEKJE")
def test_every_text_comes_back(text: str) -> None:
    assert text_of_cell(cell_of_text(text)) == text


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    table = pd.DataFrame(
        {
            "lon": [-122.3, None],
            "mmsi": ["012345678", None],
            "when": pd.to_datetime(["2024-05-03", None], utc=True),
        }
    )
    text = csv_text(table.assign(simulated=True))
    assert text.startswith(BOM)
    assert list(csv.reader(io.StringIO(text.removeprefix(BOM)))) == [
        ["lon", "mmsi", "when", "simulated"],
        ["-122.3", "'012345678", "2024-05-03T00:00:00.000000Z", "true"],
        ["", "", "", "true"],
    ]
