"""No text of ours accuses; what a ship calls itself is shown all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from roadstead.core.errors import AccusationError
from roadstead.publish.report import render_report, write_report
from roadstead.publish.wording import REFUSED, check_words, quoted
from roadstead.reconcile import CONFLICTS, REASONS
from tests.unit.publish import builders as e


@pytest.mark.parametrize("word", REFUSED)
def test_each_refused_word_is_refused_in_any_form(word: str) -> None:
    forms = (
        word,
        word.upper(),
        f"{word}s",
        f"<b>{word}</b>",
        f'<img alt="a {word}">',
        word.replace(" ", "-"),
    )
    for form in (*forms, word.replace(" ", "</b>\n<i>"), word.replace(" ", "&nbsp;")):
        with pytest.raises(AccusationError, match="accuses nobody"):
            check_words(f"<p>It is {form} here.</p>")


def test_a_declared_name_may_hold_any_word_between_quotation_marks_alone() -> None:
    name = "ILLEGAL <DARK SHIP>"
    assert check_words(f"Declared vessel {quoted(name)}", [name])
    assert check_words("Declared vessel “ILLEGAL &lt;DARK SHIP&gt;”", [name])
    for text in (f"Declared vessel {name}", f"{quoted(name)}, an illegal one", quoted("ILLEGAL")):
        with pytest.raises(AccusationError):
            check_words(text, [name])


def test_styles_and_scripts_are_no_text() -> None:
    assert check_words("<style>.violation{}</style><script>illegal()</script><p class='illegal'>fine</p>")


def test_every_reason_and_conflict_in_words_accuses_nobody() -> None:
    for text in (*REASONS.values(), *CONFLICTS.values()):
        check_words(text)


def test_the_report_accuses_nobody() -> None:
    check_words(render_report(e.report_data()))


def test_the_report_shows_a_declared_name_between_quotation_marks() -> None:
    name = "DARK SHIP 7"
    report = render_report(e.report_data(vessels=e.port_report().vessels.assign(name=name)))
    assert name in report
    check_words(report, [name])


def test_a_report_that_accuses_is_not_written(tmp_path: Path) -> None:
    told = e.report_data(vessels=e.port_report().vessels.assign(name="DARK SHIP 7"))
    assert write_report(tmp_path / "report.html", told).exists()
    accusing = replace(told, conflicts={"length": "It violates a rule."})
    with pytest.raises(AccusationError):
        write_report(tmp_path / "other.html", accusing)
    assert not (tmp_path / "other.html").exists()
