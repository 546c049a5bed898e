"""Reception that a person states, and reception that the image tells."""

from __future__ import annotations

import numpy as np
import pytest

from roadstead.core.errors import AisError
from roadstead.reconcile import StatedReception, read_stated, reconcile
from roadstead.reconcile.reception import p_heard_by_image
from tests.unit.builders import ACQUIRED, detections, header
from tests.unit.reconcile.declarations import ais, hull, offset, report, vessel

STATEMENT = """
sources:
  - source: snapshot.csv
    reception: complete_snapshot
    heard_class_a: 0.98
    heard_class_b: 0.9
    stated_by: the publisher
    because: every station of the authority
"""


def snapshot(n: int) -> list[dict]:
    return [
        report(0, f"4777770{k:02d}", offset(3_000.0 * np.sin(k), 3_000.0 + 900.0 * k), source="snapshot.csv")
        for k in range(n)
    ]


def matches(n: int, **changes):  # noqa: ANN003, ANN201
    reports = snapshot(n)
    declared = ais(
        reports,
        [vessel(r["mmsi"]) for r in reports],
        snapshot_times=frozenset({ACQUIRED}),
    )
    found = reconcile(detections([hull(0, p_vessel=0.99)]), header(), declared, **changes)
    return found[found["detection_id"] == "d0"].iloc[0]


def test_a_snapshot_supports_a_lead_only_where_someone_states_how_well_it_heard(tmp_path) -> None:  # noqa: ANN001
    path = tmp_path / "reception.yaml"
    path.write_text(STATEMENT)
    stated = read_stated(path)
    assert matches(3)["status"] == "no_coverage"
    row = matches(3, stated=stated)
    assert row["status"] == "no_ais_partner"
    assert "reception_stated" in row["reasons"] and row["p_heard_class_a"] == 0.98


def test_a_statement_of_poor_reception_supports_none() -> None:
    poor = StatedReception("snapshot.csv", 0.6, 0.3, "me", "a receiver far off")
    assert matches(3, stated=(poor,))["status"] == "no_coverage"


def test_a_statement_about_another_source_says_nothing() -> None:
    other = StatedReception("other.csv", 0.98, 0.9, "me", "hearsay")
    assert "reception_stated" not in matches(3, stated=(other,))["reasons"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("heard_class_a: 1.98", "heard_class_a"),
        ("reception: perfect", "complete_snapshot"),
        ("stated_by: ''", "stated_by"),
        ("because: ''", "because"),
    ],
)
def test_a_statement_that_cannot_hold_is_refused(tmp_path, change: str, told: str) -> None:  # noqa: ANN001
    name = change.split(":")[0]
    lines = [
        f"    {change}" if line.strip().startswith(f"{name}:") else line for line in STATEMENT.splitlines()
    ]
    path = tmp_path / "reception.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(AisError, match=told):
        read_stated(path)


def test_a_statement_without_a_field_is_refused(tmp_path) -> None:  # noqa: ANN001
    path = tmp_path / "reception.yaml"
    path.write_text("sources:\n  - source: x\n    reception: complete_snapshot\n")
    with pytest.raises(AisError, match="heard_class_a is missing"):
        read_stated(path)
    path.write_text("nothing: here\n")
    with pytest.raises(AisError, match="sources"):
        read_stated(path)


def _image(alone: list[float]) -> np.ndarray:
    n = len(alone)
    return p_heard_by_image(np.zeros((n, 2)), np.full(n, 120.0), np.array(alone), np.ones(n))


def test_the_image_tells_of_reception_from_below() -> None:
    assert _image([1.0] + [0.0] * 9)[0] == pytest.approx(10 / 11)
    assert _image([1.0] + [0.0] * 9 + [1.0] * 9)[0] == pytest.approx(10 / 20)
    assert np.isnan(_image([1.0, 0.0, 0.0])).all()


def test_a_detection_tells_nothing_of_its_own_reception() -> None:
    one, other = _image([0.0] + [0.0] * 9), _image([1.0] + [0.0] * 9)
    assert one[0] == other[0]


def test_hulls_of_another_size_tell_nothing_of_reception() -> None:
    length = np.array([60.0] + [300.0] * 12)
    heard = p_heard_by_image(np.zeros((13, 2)), length, np.zeros(13), np.ones(13))
    assert np.isnan(heard[0]) and heard[1] > 0.9
