"""What does not pass in free text, and what may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.publish.release.redaction import MASK, Known, masked

KNOWN = Known.of(["SEA STAR", "BQXY", "412000001", "Ō MARU", "AB", None, "BLUE-WHALE 7"])


@pytest.mark.parametrize(
    "text",
    [
        "412000001", "412 000 001", "412-000-001", "412.000.001", "(412)000001", "IMO9074729", "IMO 907 4729",
        "４１２０００００１", "412\u200b000001", "412\u00a0000\u00a0001", "١٢٣٤٥٦٧", "38.7163",
        "125,30125", "38°42'58\"N",
        "125° 18.5' E", "-38.716", "SEA STAR", "Sea-Star", "seastar", "S E A S T A R", "sea\nstar", "ＳＥＡ ＳＴＡＲ",
        "bqxy", "o maru", "Ō Maru", "BLUE WHALE7", "Sea\u00adStar", "Sea_Star",
    ],
)  # fmt: skip
def test_identities_and_exact_places_do_not_pass(text: str) -> None:
    for around in ("{}", "the {}, seen", "a“{}”b", "x: {}."):
        shown = masked(around.format(text), KNOWN)
        assert MASK in shown
        assert not any(
            part in shown for part in ("412", "9074", "7163", "30125", "BQXY", "STAR", "tar", "aru")
        )


@pytest.mark.parametrize(
    "text",
    [
        "A hull of about 150 m [140 – 160 m] lay in the roads on 2026-03-01 at 02:25 UTC.",
        "Near 38.72 N 125.30 E, 95 % sure; see page 1234.",
        "The sea was calm and a star was out.",
        "AB is too short to be looked for.",
    ],
)
def test_other_words_pass(text: str) -> None:
    assert masked(text, KNOWN) == text


def test_a_number_that_only_looks_like_a_date_is_masked() -> None:
    assert MASK in masked("4120-00-01", KNOWN)
    assert MASK in masked("2026-99-99", KNOWN)


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["412000001", "412 000 001", "9074729"]))
def test_no_number_passes_whatever_stands_around_it(before: str, after: str, number: str) -> None:
    shown = masked(f"{before} {number} {after}", KNOWN)
    assert number not in shown


def test_a_hundred_thousand_names_are_looked_for_at_once() -> None:
    known = Known.of(f"NAME {index}" for index in range(100_000))
    assert masked("seen beside Name 77777 and NAME88888", known) == f"seen beside {MASK} and {MASK}"
