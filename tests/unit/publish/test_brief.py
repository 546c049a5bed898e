"""The weekly brief: one page a port, with intervals, gaps and leads, that accuses nobody."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from roadstead.publish import Brief, Quicklook, brief_html, brief_of, write_brief
from roadstead.publish.brief.compose import COUNTED, WORDS
from roadstead.publish.brief.pdf import brief_pdf
from tests.unit.builders import ACQUIRED
from tests.unit.publish import builders as e
from tests.unit.store.builders import OVERPASS_ID

START, END = ACQUIRED - timedelta(days=3), ACQUIRED + timedelta(days=4)


@pytest.fixture
def brief() -> Brief:
    image = np.full((60, 120, 3), (30, 48, 60), np.uint8)
    report = replace(
        e.port_report(), quicklooks={OVERPASS_ID: Quicklook(image, (125.19, 38.64, 125.44, 38.76))}
    )
    return brief_of(report, START, END, [END + timedelta(days=1)])


def test_its_title_names_the_last_day_and_its_picture_shows_every_hull(brief: Brief) -> None:
    last = END - timedelta(microseconds=1)
    assert brief.title.endswith(f" to {last.day} {last:%B %Y}")
    own = e.port_report().matches
    hulls = own[(own["overpass_id"] == OVERPASS_ID) & own["detection_id"].notna()]
    assert len(brief.marks) == len(hulls) and "no_coverage" in {status for *_, status in brief.marks}


def test_every_count_comes_with_its_interval(brief: Brief) -> None:
    assert brief.totals
    for _, words in brief.totals:
        assert words == "not observed" or re.fullmatch(r"[\d.]+ \[[\d.]+–[\d.]+\]", words)
    page = brief_html(brief)
    for name, words in brief.totals:
        assert f"{name}: <b>{words}</b>" in page


def test_its_counts_say_what_is_known_of_recall(brief: Brief) -> None:
    assert "recall here not measured" in brief_html(brief)
    report = e.port_report()
    words = "recall here 0.91 [0.85–0.95, 95 %], n = 34 audited cells with 120 ships of 45 m or more"
    told = brief_of(replace(report, counts=report.counts.assign(recall_here=words)), START, END)
    assert words in brief_html(told)


def test_what_could_not_be_seen_is_said_and_never_zero(brief: Brief) -> None:
    blind = [one for one in brief.passes if one.blind]
    assert blind and all("[" not in one.said for one in blind)
    assert len(brief.passes) == len(e.port_report().ledger)
    assert dict(brief.shares)["passes that say something of ships"] == (
        f"{len(brief.passes) - len(blind)} of {len(brief.passes)}"
    )
    unseen = [line for line in brief.zones if line.observed == 0]
    assert all(line.latest == "not observed" for line in unseen)


def test_the_page_says_that_it_is_simulated_and_that_leads_are_no_verdicts(brief: Brief) -> None:
    page = brief_html(brief)
    assert "SIMULATED DATA" in page and WORDS in page and COUNTED in page.replace("&#39;", "'")
    assert "SIMULATED" not in brief_html(replace(brief, simulated=False))
    assert "<style" not in brief_html(brief, "/quicklook/x.webp") and "data:" not in brief_html(
        brief, "/q.webp"
    )


def test_the_files_are_the_same_again_and_the_paper_is_one_page(brief: Brief, tmp_path: Path) -> None:
    written = write_brief(tmp_path, "nampo", brief)
    assert [path.name for path in written] == ["nampo-brief.html", "nampo-brief.pdf"]
    assert brief_pdf(brief) == written[1].read_bytes()
    assert written[1].read_bytes().count(b"/Type /Page\n") == 1
    streams = re.findall(rb"stream\n(.*?)\nendstream", written[1].read_bytes(), re.DOTALL)
    text = zlib.decompress(streams[0]).decode("latin-1")
    for words in (
        "SIMULATED DATA",
        "Leads of these days",
        "Next passes expected",
        "never verdicts",
        "not zero",
    ):
        assert words in text, words


def test_a_week_without_any_observed_pass_says_so(tmp_path: Path) -> None:
    report = e.port_report()
    nothing = replace(
        report,
        acquisitions=report.acquisitions[report.acquisitions["state"] == "failed"],
        ledger=report.ledger[report.ledger["state"] == "failed"],
        counts=report.counts.iloc[:0],
        matches=report.matches.iloc[:0],
        detections=report.detections.iloc[:0],
    )
    brief = brief_of(nothing, START, END)
    assert "That is not zero" in brief_html(brief)
    assert not brief.totals and brief.next_passes == []
    assert len(brief_pdf(brief)) > 500
