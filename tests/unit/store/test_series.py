"""The desk adds counts up in the database and the report in memory: both say the same, and of the same passes."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roadstead.counting.series import count_points, series_of
from roadstead.publish.report.write import render_report
from roadstead.publish.wording import passes_of
from roadstead.store import Store
from roadstead.store.series import observed_points
from roadstead.workflows.export import port_brief, port_report
from roadstead.workflows.status import port_status
from tests.unit.apps.desk import builders as r
from tests.unit.publish import builders as e


def test_the_series_of_the_desk_is_that_of_the_report(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        desk = [one for one in observed_points(store, "nampo", None) if one.length_bin == "all"]
        report = count_points(store.counts("nampo"))
        blind = passes_of(store.ledger("nampo")).gaps
    assert len(series_of(desk, blind).points) == len(series_of(report, blind).points) > 0
    assert series_of(desk, blind).gaps == series_of(report, blind).gaps
    for one, other in zip(series_of(desk, blind).points, series_of(report, blind).points, strict=True):
        assert astuple(one) == tuple(
            pytest.approx(value) if isinstance(value, float) else value for value in astuple(other)
        )


def test_desk_report_brief_and_status_tell_of_the_same_passes(tmp_path: Path) -> None:
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        desk = r.Browser(r.desk(store, open=True)).get("/").text
        report = port_report(store, e.port(), start, end)
        status = port_status(store, "nampo")
        brief = port_brief(store, report, start, end)
    words = "1 processed, 1 failed, 1 missing at the provider"
    assert f"<b>3</b><span>passes: {words}</span>" in desk
    page = render_report(e.report_data_of(report, start, end))
    assert f"3 passes: {words}." in page and "None: every pass was processed." not in page
    assert status.overpasses == {"processed": 1, "failed": 1, "missing": 1}
    assert sorted(one.said for one in brief.passes if one.blind) == [
        "failed: asset red: HTTP 403",
        "missing at the provider: in no catalogue asked: x",
    ]
    for text in (desk, page):
        assert "asset red: HTTP 403" in text and "in no catalogue asked: x" in text
