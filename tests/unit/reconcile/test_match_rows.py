import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.counting.posterior import interval, poisson_binomial
from roadstead.reconcile.match_rows import carriage_expected


@pytest.mark.parametrize(
    ("length_low_m", "p_barge", "expected"),
    [(60.0, 0.0, "unknown"), (150.0, 0.0, "unknown"), (200.0, 0.0, "yes"), (200.0, 0.5, "unknown")],
)
def test_carriage_is_expected_only_of_hulls_far_above_the_tonnage_limit(
    length_low_m: float, p_barge: float, expected: str
) -> None:
    assert carriage_expected(length_low_m, p_barge) == expected


@given(st.lists(st.floats(0.0, 1.0), max_size=8))
def test_a_count_lies_in_its_interval_and_the_interval_holds_nine_tenths(p: list[float]) -> None:
    mass = poisson_binomial(np.array(p))
    low, high = interval(mass, float(len(p)))
    assert low <= len(p) <= high
    assert mass[int(low) : int(high) + 1].sum() >= 0.9 - 1e-5
