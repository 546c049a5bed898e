import pytest

from roadstead.core import schemas
from roadstead.core.errors import TableError
from tests.unit.builders import detection, detections

SCHEMAS = ("SCENES", "DETECTIONS", "POSITIONS", "STATIONS", "VESSELS", "MATCHES", "COUNTS", "QUARANTINE")


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_empty_table_fits_its_own_schema(name: str) -> None:
    schema = getattr(schemas, name)
    assert len(schemas.checked(schemas.empty(schema), schema, name)) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("lat", 91.0), ("lon", -181.0), ("class", "tanker"), ("axis_deg", 180.0), ("length_m", 0.0),
        ("p_barge", -0.1), ("detection_id", None),
    ],
)  # fmt: skip
def test_an_impossible_value_names_its_column_and_row(column: str, value: object) -> None:
    table = detections([detection(0), detection(1, **{column: value})])
    with pytest.raises(TableError, match=rf"{column}.*row 1"):
        schemas.checked(table, schemas.DETECTIONS, "detections")


def test_extra_columns_pass() -> None:
    table = detections([detection()]).assign(note="x")
    assert "note" in schemas.checked(table, schemas.DETECTIONS, "detections")


def test_observed_and_declared_share_what_is_matched_or_ambiguous() -> None:
    both = set(schemas.OBSERVED_PARTS) & set(schemas.DECLARED_PARTS)
    assert both == {"matched", "ambiguous"}
    assert set(schemas.OBSERVED_PARTS) | set(schemas.DECLARED_PARTS) == set(schemas.STATUSES)
