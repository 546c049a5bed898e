"""SIGKILL at random moments, 30 times; and two watches at once."""

from __future__ import annotations

from pathlib import Path

from tests.faults.kill import killed

DOCS = Path(__file__).parents[2] / "docs" / "kills.md"


def test_a_watch_that_is_killed_and_started_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    report = killed(tmp_path, overpasses=5, kills=30, pairs=2, seed=20201103)
    assert report.kills == 30 and report.ends > 0
    assert len(report.moments) >= 3, "kills fell before, between and after overpasses"
    assert (report.different, report.damaged, report.pairs_different) == (0, 0, 0)


def test_the_document_tells_of_no_kill_that_was_not_survived() -> None:
    told = DOCS.read_text(encoding="utf-8")
    assert "| stores that are not that of a watch nobody killed | 0 |" in told
    assert "(`PRAGMA integrity_check`) | 0 |" in told
