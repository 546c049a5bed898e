"""The comparison as JSON and Markdown: numbers alone, no pixels, fit to be committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from roadstead_lab.training.realism.blind import Blind
from roadstead_lab.training.realism.table import TOLERANCES, Row

NOTES: Final = """\
Made by `python -m roadstead_lab.training.realism` (`make realism`); contains modified Copernicus Sentinel data, as
numbers alone. Real are the labelled scenes of eight places and 14 chips of cargo ships with AIS (of which AIS does
not say whether they are bulk carriers); held out are Athens, Durban, Klang and Valencia, whose figures no tuning and
no judgement here uses. Clouds are left out of simulated scenes, since the real ones are clear. Levels of
hulls are cut at 0.3558, where true colour saturates. Real true-colour mosaics of anchorages, which show the air
too, are held against simulated scenes seen through air ("true colour"), all else against reflectance at the
surface. What each measure is: the docstrings of `realism/ground.py` and `realism/edges.py`; how a ship's state is
told: `state_of` in the latter.
"""


def as_json(seed: int, scenes: int, rows: Sequence[Row], blind: Mapping[str, Blind]) -> dict[str, Any]:
    """Return the comparison as plain values."""
    verdicts = Counter(str(row.verdict) for row in rows)
    return {
        "seed": seed,
        "simulated_scenes": scenes,
        "verdicts": {name: verdicts[name] for name in ("agrees", "differs", "too few")},
        "tolerances": {name: {"rule": t.words, "reason": t.reason} for name, t in TOLERANCES.items()},
        "rows": [asdict(row) for row in rows],
        "blind": {sheet: asdict(found) for sheet, found in blind.items()},
    }


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the same as a page."""
    counted = content["verdicts"]
    parts = [
        "# Simulated against real images",
        NOTES,
        f"Of {sum(counted.values())} figures {counted['agrees']} agree, {counted['differs']} differ, "
        f"{counted['too few']} have too few values ({content['simulated_scenes']} simulated scenes, "
        f"seed {content['seed']}).",
        _blind_part(content["blind"]),
        *_row_parts(content["rows"]),
        _tolerance_part(content["tolerances"]),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _blind_part(blind: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        "## Told apart by machine",
        "",
        "Area under the ROC curve of a linear discriminant on spectrum and band statistics of 64 x 64 pixel chips,",
        "cross-validated: 0.5 is guessing, 1 is no doubt; [5 to 95 %] of a bootstrap over places and scenes. With",
        "folds by chance it may also learn what the few real places look like; with places apart it may not (left",
        "out where one place holds most of the real chips); below 0.5 it was misled by how places differ, which is",
        "no better than 0.5.",
        "",
        "| sheet | real | simulated | folds by chance | places apart |",
        "|---|---|---|---|---|",
    ]
    for sheet, found in blind.items():
        areas = " | ".join(_area(found[way]) for way in ("by_chance", "places_apart"))
        lines.append(f"| {sheet.replace('-', ' ')} | {found['n_real']} | {found['n_simulated']} | {areas} |")
    return "\n".join(lines)


def _area(found: Mapping[str, float] | None) -> str:
    return "-" if found is None else f"{found['auc']:.2f} [{found['low']:.2f} to {found['high']:.2f}]"


def _row_parts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_group_part(name, list(part)) for name, part in groupby(rows, lambda row: str(row["group"]))]


def _group_part(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"## {name[0].upper()}{name[1:]}",
        "",
        "Median [10 % to 90 %], n values (of p places or scenes).",
        "",
        "| measure | band | real | held out | simulated | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        shown = " | ".join(_side(row[side], row["measure"]) for side in ("real", "held_out", "simulated"))
        lines.append(f"| {row['measure']} | {row['band']} | {shown} | {_verdict(row['verdict'])} |")
    return "\n".join(lines)


def _side(summary: Mapping[str, Any] | None, measure: str) -> str:
    if summary is None:
        return "-"
    size = f"n={summary['n']} ({summary['places']})"
    if TOLERANCES[measure].of == "mean":
        return f"{summary['mean']:.3g}, {size}"
    return f"{summary['median']:.3g} [{summary['q10']:.3g} to {summary['q90']:.3g}], {size}"


def _verdict(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "differs" else verdict


def _tolerance_part(tolerances: Mapping[str, Mapping[str, str]]) -> str:
    lines = [
        "## Tolerances",
        "",
        "| measure | agrees if the medians (of shares: the means) are | why |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {rule['rule']} | {rule['reason']} |" for name, rule in tolerances.items()]
    return "\n".join(lines)
