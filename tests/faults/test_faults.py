"""Every row of docs/faults.md, run anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from roadstead.core.settings import settings
from tests.faults import files
from tests.faults.providers import Providers, three_providers
from tests.faults.run import (
    DESK_HEAD,
    FILES_HEAD,
    document,
    judged,
    line,
    once,
    result_of,
    three_overpasses,
)
from tests.faults.table import ROWS, Row
from tests.integration.stac_servers import has_rustac

pytestmark = pytest.mark.skipif(not has_rustac(), reason="rustac (extra dev) is not installed")
DOCS = Path(__file__).parents[2] / "docs" / "faults.md"
TOUCHED = "testport_s2_20201103T022541"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("faults")
    with three_providers(folder, three_overpasses(folder / "world")) as made:
        yield made


@pytest.fixture(scope="module")
def well(served: Providers, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    found = result_of(once(served, None, tmp_path_factory.mktemp("well"))[1])
    assert found.groupby("overpass_id").size().to_list() == [2, 2, 2]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_is_recovered_from_or_named_and_is_never_zero_ships(
    row: Row, served: Providers, well: pd.DataFrame, tmp_path: Path
) -> None:
    ended, store = once(served, row, tmp_path)
    found = judged(row, ended, store, well)
    assert 0 not in found.detections.values()
    assert found.outcome == row.outcome, found.said
    assert row.says in found.said
    if row.outcome in ("failed", "missing"):
        assert set(found.detections) == set(well["overpass_id"]) - {TOUCHED}, "the others are done"
    assert line(row, found) in DOCS.read_text(encoding="utf-8"), "run python -m tests.faults.run"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("row", files.ROWS, ids=lambda row: row.name)
def test_a_file_is_read_right_or_refused_by_what_is_wrong_with_it(row: files.FileRow, tmp_path: Path) -> None:
    found = files.run(row, tmp_path)
    assert (found.code, found.kept) == (row.code, row.kept), found.said
    assert row.says in found.said
    assert found.kept != "0 hulls"
    assert files.line(row, found) in DOCS.read_text(encoding="utf-8"), "run python -m tests.faults.run"


def test_the_document_holds_these_rows_alone() -> None:
    told = DOCS.read_text(encoding="utf-8")
    servers, others = told.split(FILES_HEAD)
    lines = [text for text in servers.splitlines() if text.startswith("| ") and "| what breaks" not in text]
    kept = [text for text in others.split(DESK_HEAD)[0].splitlines() if text.startswith("| ")]
    assert (len(lines), len(kept)) == (len(ROWS), len(files.ROWS))
    assert told == document(lines, kept)
