"""What audits say of recall, by ships whose truth is known."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.apps.desk.ogc.features import CatalogFeatures
from roadstead.audit import LEAST_CELLS, results, stated_recall, with_recall
from roadstead.audit.results import ModelResult, worked_out
from roadstead.core.errors import UsageError
from roadstead.publish import ReportData, counts_by_zone
from roadstead.publish.report.write import render_report
from roadstead.store import AuditBox, AuditCell, Audits, Decisions, OvertakenError, Store, Verdict, newest
from roadstead.store.feature_pages import FeatureQuery
from roadstead.workflows.audit import draw_cells
from roadstead.workflows.export import port_report, week_brief, week_briefs
from tests.unit.audit import builders as a
from tests.unit.audit.builders import SHIPS, Seen

MISSED = Seen(180, 250, 120)
INVENTED = Seen(400, 380, 100)


def filled(
    tmp_path: Path, item: Path, found: tuple[Seen, ...], overpasses: int = 6, cells: int = 200
) -> Store:
    """Return a store whose cells are all drawn, of a model that found these hulls."""
    store = Store.open(f"sqlite:///{tmp_path / 'results.sqlite'}")
    for number in range(overpasses):
        a.put(store, item, number, found)
    draw_cells(store, [a.port()], cells, 1, a.NOW)
    return store


def only(store: Store) -> ModelResult:
    (model,) = results(store).models
    return model


def test_where_every_cell_is_drawn_recall_and_precision_are_those_of_the_model(
    tmp_path: Path, item: Path
) -> None:
    with filled(tmp_path, item, (*SHIPS, INVENTED)) as store:
        a.answer_all(store, (*SHIPS, MISSED))
        model = only(store)
    assert model.ships == 6 * 5
    assert model.recall.value == pytest.approx(4 / 5)
    assert model.precision.value == pytest.approx(4 / 5)
    assert model.bias["all"].value == pytest.approx(0)
    assert model.bias["bulk_carrier"].value == pytest.approx(0)
    assert model.confusion["barge"]["barge"] == 6
    assert model.confusion["bulk_carrier"] == {
        "barge": 0,
        "bulk_carrier": 12,
        "other_vessel": 0,
        "nothing": 6,
    }
    assert model.confusion["nothing"]["bulk_carrier"] == 6
    assert model.by_length["130-170"].value == 1.0
    assert model.by_length["90-130"].value == pytest.approx(0.5)
    assert "60-90" not in model.by_length, "six ships are too few"
    assert model.reviewers == 2


def test_a_sample_of_few_cells_weighs_back_to_all_of_them(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, (*SHIPS, INVENTED), overpasses=12, cells=60) as store:
        a.answer_all(store, (*SHIPS, MISSED))
        model = only(store)
    assert model.recall.low is not None
    assert model.recall.high is not None
    assert model.recall.low < 0.8 < model.recall.high
    assert model.cells == 60


def test_a_ship_on_the_edge_of_its_cell_is_found_once(tmp_path: Path, item: Path) -> None:
    grid = a.port().grid()
    left = grid.xy_to_colrow(a.FRAME.colrow_to_xy(a.SHIPS[0].corners)).mean(0)[0] - a.SHIPS[0].col
    edge = Seen(224 - left + 0.4, 200)
    seen = replace(edge, col=edge.col - 1.0)  # the reviewer has it on the other side of the edge
    with filled(tmp_path, item, (edge,), overpasses=1) as store:
        a.answer_all(store, (seen,))
        model = only(store)
    assert (model.ships, model.recall.value) == (1, 1.0)
    assert model.precision.value == 1.0


def test_ships_under_45_m_need_not_be_found_nor_are_such_hulls_false(tmp_path: Path, item: Path) -> None:
    small = Seen(200, 200, 30)
    with filled(tmp_path, item, (SHIPS[0], small), overpasses=1) as store:
        a.answer_all(store, (SHIPS[0], Seen(250, 120, 40)))
        model = only(store)
    assert (model.ships, model.recall.value, model.precision.value) == (1, 1.0, 1.0)


def test_what_the_reviewer_cannot_tell_is_a_ship_all_the_same(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS[:1], overpasses=1) as store:
        a.answer_all(store, (replace(SHIPS[0], hull_class="cannot_tell"),))
        model = only(store)
    assert model.recall.value == 1.0
    assert model.confusion["cannot_tell"]["bulk_carrier"] == 1


def test_decisions_about_leads_never_enter_recall(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, (*SHIPS, INVENTED)) as store:
        a.answer_all(store, (*SHIPS, MISSED))
        before = worked_out(store)
        for number, finding in enumerate(("o0-0", "o1-1", "o2-4")):
            kind, because = ("rejected", "no_vessel") if number else ("accepted", None)
            verdict = Verdict(kind, "nampo", f"o{number}", finding, {"hull": None}, True, because=because)
            Decisions(store).add(verdict, "ana", a.NOW, after=0)
        assert worked_out(store) == before


def test_recall_at_a_port_is_told_from_30_judged_cells_on(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS, overpasses=8) as store:
        assert stated_recall(store, "nampo").words == "recall here not measured: 0 of 30 cells audited"
        cells = Audits(store).cells()
        assert len(cells) > LEAST_CELLS
        single = sorted(cells, key=lambda cell: cell.second)
        for number, cell in enumerate(single[: LEAST_CELLS + 1]):
            assert not cell.second
            if number == 0:
                Audits(store).submit(cell, "ana", "unjudged", [], a.NOW)
                continue
            told = stated_recall(store, "nampo")
            assert not told.measured
            assert told.words == f"recall here not measured: {number - 1} of 30 cells audited"
            a.answer(store, cell)
        told = stated_recall(store, "nampo")
    assert told.measured
    assert told.recall == 1.0
    assert told.words.startswith("recall here 1.00 [0.")
    assert f"n = 30 audited cells with {told.ships} ships" in told.words


def test_every_count_carries_what_is_known_of_recall(tmp_path: Path, item: Path) -> None:
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    words = "recall here not measured: 0 of 30 cells audited"
    with filled(tmp_path, item, SHIPS) as store:
        report = port_report(store, a.port(), a.ACQUIRED.replace(year=2020), a.NOW, pictures=False)
        layer = counts_by_zone(report.counts, report.port)
        assert set(layer["recall_here"]) == {words}
        assert layer["recall"].isna().all()
        html = render_report(ReportData((report,), a.ACQUIRED, a.NOW, {}, {}))
        assert words.capitalize() in html
        runner = CliRunner()
        assert words in runner.invoke(app, ["counts", "nampo", "--store", url]).stdout
        assert (
            f'"recall_here": "{words}"'
            in runner.invoke(app, ["counts", "nampo", "--json", "--store", url]).stdout
        )
        series = runner.invoke(app, ["counts", "nampo", "--by", "month", "--json", "--store", url]).stdout
        assert f'"recall_here": "{words}"' in series
        a.answer_all(store)
        counted = with_recall(store, "nampo", store.counts("nampo"))
        assert set(counted["recall"]) == {1.0}
        assert set(counted["recall_cells"]) == {only(store).cells}
        assert (counted["recall_low"] < 1).all()


def test_the_brief_and_the_features_carry_what_is_known_of_recall(tmp_path: Path, item: Path) -> None:
    end = a.ACQUIRED + timedelta(days=6)
    with filled(tmp_path, item, SHIPS, overpasses=8) as store:
        ports = {"nampo": a.port()}

        def told() -> tuple[str, str, list[dict[str, Any]]]:
            page = week_brief(store, a.port(), end)
            (_, paper) = week_briefs(store, [a.port()], end, tmp_path / "out")
            found = CatalogFeatures(store, ports).page("counts", FeatureQuery(limit=1000)).features
            assert page is not None and len(found) > 1
            streams = re.findall(rb"stream\n(.*?)\nendstream", paper.read_bytes(), re.DOTALL)
            text = b" ".join(zlib.decompress(one) for one in streams if one[:1] == b"x").decode("latin-1")
            return page, text, [one["properties"] for one in found]

        page, paper, counts = told()
        assert "<b>Recall here not measured: 0 of 30 cells audited.</b>" in page
        assert "Recall here not measured" in paper
        assert {one["recall_here"] for one in counts} == {"recall here not measured: 0 of 30 cells audited"}
        assert {one["recall"] for one in counts} == {None}
        a.answer_all(store)
        known = stated_recall(store, "nampo")
        assert known.measured
        page, paper, counts = told()
        assert f"<b>{known.words.capitalize()}.</b>" in page and "not measured" not in page
        assert "Recall here 1.00" in paper and "not measured" not in paper
        assert {(one["recall_here"], one["recall"], one["recall_low"]) for one in counts} == {
            (known.words, known.recall, known.low)
        }
        assert {(one["recall_cells"], one["recall_ships"]) for one in counts} == {(known.cells, known.ships)}


def test_of_another_model_the_recall_is_measured_on_the_same_cells(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS[:2]) as store:
        a.answer_all(store)
        for number in range(6):
            a.put(store, item, number, SHIPS[:3], model_sha256="b" * 64)
        found = {model.model_sha256: model for model in results(store).models}
        told = stated_recall(store, "nampo")
    assert found[a.MODEL].recall.value == pytest.approx(2 / 4)
    assert found["b" * 64].recall.value == pytest.approx(3 / 4)
    assert told.recall == pytest.approx(3 / 4), "of the model that the newest counts come from"


def test_a_rerun_or_an_overpass_that_went_leaves_the_audit_alone(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS) as store:
        a.answer_all(store)
        before = only(store)
        a.put(store, item, 0, SHIPS)
        assert only(store) == before


def one_cell(store: Store, second: bool) -> AuditCell:
    return next(cell for cell in Audits(store).cells() if cell.second is second)


def test_a_cell_counts_when_all_its_answers_are_in(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS) as store:
        cell = one_cell(store, second=True)
        a.answer(store, cell)
        assert results(store).models == ()
        a.answer(store, cell, user="bob")
        assert only(store).cells == 1


def test_the_second_reviewer_is_another_person_and_there_is_no_third(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS) as store:
        cell = one_cell(store, second=True)
        a.answer(store, cell)
        with pytest.raises(OvertakenError, match="you have answered"):
            a.answer(store, cell)
        a.answer(store, cell, user="bob")
        with pytest.raises(OvertakenError, match="others have answered"):
            a.answer(store, cell, user="eve")
        single = one_cell(store, second=False)
        a.answer(store, single)
        with pytest.raises(OvertakenError, match="others have answered"):
            a.answer(store, single, user="bob")


def test_a_correction_takes_the_place_of_ones_own_answer_and_agreement_keeps_the_first(
    tmp_path: Path, item: Path
) -> None:
    with filled(tmp_path, item, SHIPS) as store:
        cell = next(c for c in Audits(store).cells() if a.boxed(c, SHIPS))
        users = ("ana", "bob")[: cell.reviewers]
        first = [a.answer(store, cell, (), user) for user in users]
        mended = a.answer(store, cell, SHIPS, "ana", corrects=first[0].answer)
        assert mended.turn == 2
        assert only(store).recall.value == 1.0
        with pytest.raises(OvertakenError, match="not your newest"):
            a.answer(store, cell, (), "ana", corrects=first[0].answer)
        with pytest.raises(OvertakenError, match="not your newest"):
            a.answer(store, cell, (), "eve", corrects=mended.answer)
        told = Audits(store).answers(cell.cell)[cell.cell]
    assert len(told) == len(users) + 1, "nothing is overwritten"
    assert newest(told)[1] == mended


def test_an_answer_may_not_contradict_itself(tmp_path: Path, item: Path) -> None:
    with filled(tmp_path, item, SHIPS, overpasses=1) as store:
        audits = Audits(store)
        cell = next(c for c in audits.cells() if a.boxed(c, SHIPS))
        boxes: list[AuditBox] = a.boxed(cell, SHIPS)
        for kind, own in (("none", boxes), ("unjudged", boxes), ("boxes", []), ("perhaps", [])):
            with pytest.raises(UsageError):
                audits.submit(cell, "ana", kind, own, a.NOW)
        assert audits.answers() == {}


def test_two_reviewers_agree_by_box_by_class_and_by_cell(tmp_path: Path, item: Path) -> None:
    other = (SHIPS[0], replace(SHIPS[1], hull_class="other_vessel"), *SHIPS[3:])
    with filled(tmp_path, item, SHIPS, overpasses=12) as store:
        both = [cell for cell in Audits(store).cells() if cell.second]
        shown = [len(a.boxed(cell, SHIPS)) for cell in both]
        assert sum(shown) > 4
        for cell in both:
            a.answer(store, cell, SHIPS)
            a.answer(store, cell, other, "bob")
        (found,) = results(store).agreements
    assert found.cells == len(both)
    assert found.box_presence.value is not None
    assert found.box_presence.value < 1.0, "one ship was left out"
    assert found.hull_class.value is not None
    assert found.hull_class.value < 1.0, "one has another class"
    assert set(found.by_class) == {"barge", "bulk_carrier", "other_vessel", "cannot_tell"}
    assert found.by_class["cannot_tell"].value is None


def test_results_are_worked_out_anew_only_when_something_came(
    tmp_path: Path, item: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(tmp_path, item, SHIPS, overpasses=1) as store:
        first = results(store)
        assert results(store) is first
        a.answer(store, one_cell(store, second=False))
        assert results(store) is not first
