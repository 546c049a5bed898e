from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roadstead.core.geo import distance_m
from roadstead.counting.series import count_points
from roadstead.publish import Quicklook, write_report
from roadstead.publish.report import render_report
from roadstead.publish.report.data import data_uri, local_map, quicklook_px
from roadstead.publish.report.rows import count_tables, declared_of, leads, percent, report_series
from tests.unit.builders import ACQUIRED, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b
from tests.unit.store.test_trouble import run_limited


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(e.report_data())


def visible_text(html: str) -> str:
    """Return what a reader sees: no scripts, styles or tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


def test_the_report_names_no_other_host_to_load_from(html: str) -> None:
    loads = re.findall(
        r"""<[^>]+\b(?:src|href)\s*=\s*["']?([^"'\s>]+)""", re.sub(r"(?s)<script\b.*?</script>", "", html)
    )
    assert loads
    assert all(load.startswith(("data:", "#")) for load in loads)
    assert "default-src 'none'" in html


def test_it_speaks_of_leads_and_never_of_verdicts(html: str) -> None:
    text = visible_text(html).lower()
    assert "lead with a probability , never a verdict" in text
    for word in ("dark ship", "illegal", "violation", "smuggling", "suspicious", "evad"):
        assert word not in text


def test_a_simulation_says_so_loudly_and_real_data_does_not(html: str) -> None:
    assert visible_text(html).count("SIMULATED DATA") == 1
    assert html.count("Nampo: SIMULATED DATA") == 2, "map and chart carry it too: they get cut out"
    true = render_report(
        e.report_data(
            acquisitions=e.real(e.acquisitions()),
            scenes=e.real(e.scenes()),
            detections=e.real(e.hulls()),
            matches=e.real(e.matches()),
            counts=e.real(e.counts()),
        )
    )
    assert "SIMULATED" not in visible_text(true)
    assert "Copernicus Sentinel" in visible_text(true)


def test_nothing_is_claimed_to_be_surveyed(html: str) -> None:
    assert "Nothing here is surveyed" in visible_text(html)


def test_leads_are_the_unmatched_the_conflicting_and_the_unseen_likeliest_first() -> None:
    found = leads(e.port_report(), e.report_data())
    assert [(lead.status, lead.probability) for lead in found] == [
        ("matched", pytest.approx(0.93 * 0.9)),
        ("unseen", 0.82),
        ("no_ais_partner", pytest.approx(0.71 * 0.9)),
    ]
    assert found[0].conflicts == ("Declared length and seen length differ.",)
    assert found[2].chip is not None


def test_a_lead_tells_its_reasons_in_words_and_how_well_ais_was_heard(html: str) -> None:
    text = visible_text(html)
    assert "No vessel heard by this source fits. The hull may carry no AIS." in text
    assert "Chance that a Class A transmitter here would have been heard: 97 %" in text
    assert "If it is a vessel, chance that no vessel heard fits: 71 %" in text
    assert "clear no detection" in text, "a code without words is shown as it is"


def test_a_zone_not_observed_shows_no_number() -> None:
    newest, seen = count_tables(e.port_report())
    assert not any(zone.observed or zone.tallies for zone in newest.zones)
    assert [zone.observed for zone in seen.zones] == [True, False]
    assert seen.seen == "1 of 2 zones observed"


def test_a_count_shows_the_parts_that_add_up_to_it(html: str) -> None:
    _, bulk_observed, _, all_observed, all_declared = count_tables(e.port_report())[1].zones[0].tallies
    assert (bulk_observed.value, bulk_observed.interval) == ("2", "1–3")
    assert bulk_observed.parts == "1 no AIS partner + 1 AIS cannot tell"
    assert all_observed.value == "3"
    assert (all_declared.value, all_declared.parts) == ("2", "1 matched + 1 not seen")
    assert "This is not zero" in visible_text(html)


def test_failed_and_unobserved_overpasses_are_listed_with_reasons(html: str) -> None:
    text = visible_text(html)
    assert re.search(rf"{e.FAILED} failed asset red: HTTP 403", text)
    assert re.search(rf"{e.BLIND} too little seen cloud", text)
    assert "missing at the provider in no catalogue asked: x" in text
    assert "4 passes: 1 processed, 1 too little seen, 1 failed, 1 missing at the provider" in text


def test_provenance_names_model_checksum_threshold_scenes_and_seed(html: str) -> None:
    text = visible_text(html)
    assert re.search(r"test-model , sha256 a{64} , score threshold 0\.4", text)
    assert "S2A_TEST" in text
    assert re.search(r"Seed 7", text)


def test_without_ais_the_report_says_that_there_are_counts_only() -> None:
    unknown = b.matches([{"detection_id": f"d{i}"} for i in range(3)])
    without = e.acquisitions().assign(with_ais=False)
    text = visible_text(render_report(e.report_data(matches=unknown, acquisitions=without)))
    assert "No AIS report lay around these overpasses" in text


def test_with_ais_and_no_row_to_match_the_report_does_not_say_that_there_was_none() -> None:
    text = visible_text(render_report(e.report_data(matches=b.matches([]), detections=detections([]))))
    assert "No AIS report lay" not in text


def test_a_port_where_nothing_was_found_has_a_report() -> None:
    nothing = {
        "detections": detections([]),
        "matches": b.matches([]),
        "counts": e.counts()[:0],
        "acquisitions": e.acquisitions()[1:2],
        "scenes": e.scenes()[:0],
        "vessels": b.vessels()[:0],
        "coast": None,
        "quicklooks": {},
        "chips": {},
    }
    text = visible_text(render_report(e.report_data(**nothing)))
    assert "No overpass gave counts" in text
    assert "asset red: HTTP 403" in text


def test_names_from_ais_cannot_run_as_code() -> None:
    evil = b.vessels().assign(name="</script><img src=x onerror=alert(1)>")
    html = render_report(e.report_data(vessels=evil))
    assert "<img src=x" not in html
    assert "&lt;/script&gt;&lt;img" in html


def test_series_add_up_over_the_zones_seen_and_say_how_many() -> None:
    dry = {point.overpass_id: point for point in count_points(e.counts()) if point.hull_class == "dry_cargo"}
    seen = dry[e.SEEN]
    assert (seen.value, seen.low, seen.high, seen.zones_seen, seen.zones) == (3.0, 2.0, 4.0, 1, 2)
    assert seen.words == "3 [2–4], 1 of 2 zones seen"
    assert dry[e.BLIND].value is None and dry[e.BLIND].words == "not observed", "never zero"


def test_gaps_in_a_series_are_named() -> None:
    known = ["failed", "too little seen", "missing at the provider"]
    assert [gap.why for gap in report_series(e.port_report()).gaps] == known
    assert [gap.why for gap in report_series(e.port_report(), e.ROADS).gaps] == known
    assert [gap.why for gap in report_series(e.port_report(), e.QUAY).gaps] == ["not observed", *known]


def test_a_vessel_is_described_by_what_it_had_declared_by_then() -> None:
    history = pd.concat(
        [
            b.vessels().assign(time=pd.Timestamp(ACQUIRED - timedelta(days=3)), name="OLD"),
            b.vessels().assign(time=pd.Timestamp(ACQUIRED + timedelta(days=3)), name="NEW"),
        ],
        ignore_index=True,
    )
    told = declared_of(history, "412000001", pd.Timestamp(ACQUIRED))
    assert told is not None
    assert told["name"] == "OLD"
    earlier = declared_of(history, "412000001", pd.Timestamp(ACQUIRED - timedelta(days=9)))
    assert earlier is not None
    assert earlier["name"] == "OLD"
    assert declared_of(history, "999999999", None) is None


@pytest.mark.parametrize(
    ("share", "words"), [(0.5, "50 %"), (0.997, "over 99 %"), (1.0, "100 %"), (0.0, "0 %")]
)
def test_a_probability_is_never_rounded_up_to_certainty(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize("lat", [0.0, 29.9, 38.7, 60.0])
def test_the_map_is_true_to_scale(lat: float) -> None:
    where = local_map((125.0, lat - 0.2, 126.0, lat + 0.2))
    for step in ((0.1, 0.0), (0.0, 0.1)):
        end = np.array([[125.5 + step[0], lat + step[1]]])
        km = float(np.hypot(*where.km(end)[0]))
        assert km == pytest.approx(distance_m(np.array([[125.5, lat]]), end)[0] / 1000.0, rel=2e-3)


def test_pictures_are_made_small_enough_to_mail() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 1500, 3), np.uint8)
    assert len(data_uri(noise, 1100)) < 1_500_000
    assert data_uri(noise[:10, :10], 1100).startswith("data:image/webp;base64,")


def test_many_pictures_share_the_room_of_sixteen() -> None:
    assert quicklook_px(2) == quicklook_px(16) == 1100
    assert quicklook_px(64) == 550


def test_a_picture_must_be_8_bit_rgb() -> None:
    with pytest.raises(ValueError, match="uint8"):
        Quicklook(np.zeros((4, 4, 3)), (0, 0, 1, 1))


def test_a_full_disk_leaves_the_earlier_report(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("earlier")
    said = run_limited(
        f"""
        from pathlib import Path
        from roadstead.core.errors import StoreError
        from roadstead.publish import write_report
        from tests.unit.publish.builders import report_data
        limit(200_000)
        try:
            write_report(Path({str(path)!r}), report_data())
        except StoreError as error:
            print(error)
        """
    )
    assert "report.html: cannot be written" in said
    assert path.read_text() == "earlier"
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


def test_a_report_is_one_file(tmp_path: Path) -> None:
    path = write_report(tmp_path / "out" / "report.html", e.report_data())
    assert [found.name for found in path.parent.iterdir()] == ["report.html"]
    assert path.stat().st_size < 3_000_000
