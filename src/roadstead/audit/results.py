"""What the audits of a store say of each port and model: recall, precision, class confusion, bias of counts, agreement.

Audits alone enter: decisions about leads are no sample of what a model finds or misses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from roadstead.audit.estimate import Estimate, agreement, mean, positive_agreement, share
from roadstead.audit.scoring import (
    BINS,
    UNTOLD,
    HeldCell,
    confusion,
    corners_of,
    held_cell,
    inside,
    length_bin,
)
from roadstead.core.oriented_boxes import paired
from roadstead.core.schemas import CLASSES
from roadstead.store import AuditAnswer, AuditCell, AuditDraw, Audits, Store, newest

LEAST_SHIPS: Final = 10
"""A share of fewer ships is not told by length."""
Told = Mapping[str, Sequence[AuditAnswer]]
Key = tuple[str, str, str | None, bool]


@dataclass(frozen=True)
class ModelResult:
    """One model at one port."""

    port: str
    model_id: str
    model_sha256: str | None
    simulated: bool
    cells: int
    """That reviewers could judge."""
    reviewers: int
    """People."""
    ships: int
    """Boxed in them, of `oriented_boxes.LEAST_LENGTH_M` or more."""
    recall: Estimate
    """Of those ships: found."""
    by_length: Mapping[str, Estimate]
    """Bin of `schemas.LENGTH_BINS` -> recall, where there are `LEAST_SHIPS`."""
    precision: Estimate
    """Of the hulls found in the cells: that are ships."""
    bias: Mapping[str, Estimate]
    """``all`` and each class -> found less boxed, a cell."""
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree at one port, by what they said first."""

    port: str
    simulated: bool
    cells: int
    cell_presence: Estimate
    """Kappa of "there is a ship in this cell"."""
    box_presence: Estimate
    """Of boxes: kappa's limit where places without ships are beyond number (`estimate.positive_agreement`)."""
    hull_class: Estimate
    """Kappa of class, of the boxes that both drew."""
    by_class: Mapping[str, Estimate]
    """Kappa of each class against the others."""


@dataclass(frozen=True)
class Results:
    """Of all audits."""

    models: tuple[ModelResult, ...]
    agreements: tuple[Agreement, ...]
    progress: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Port -> cells ``drawn``, ``complete`` (all answers in) and ``unjudged`` of those."""


_KNOWN: WeakKeyDictionary[Store, tuple[tuple[Any, ...], Results]] = WeakKeyDictionary()
_LOCK = Lock()


def results(store: Store) -> Results:
    """Return what the audits say; worked out anew only where an answer, a cell or an overpass came."""
    mark = Audits(store).mark()
    with _LOCK:
        known = _KNOWN.get(store)
    if known is not None and known[0] == mark:
        return known[1]
    made = worked_out(store)
    with _LOCK:
        _KNOWN[store] = mark, made
    return made


def worked_out(store: Store) -> Results:
    """Return what the audits say."""
    audits = Audits(store)
    cells, told, draws = audits.cells(), audits.answers(), audits.draws()
    complete = [cell for cell in cells if is_complete(cell, told.get(cell.cell, ()))]
    weights = weights_of(cells, draws, {cell.cell for cell in complete})
    answered = {cell.cell: newest(told[cell.cell])[1] for cell in complete}
    judged = [cell for cell in complete if answered[cell.cell].kind != "unjudged"]
    now = audits.outputs({(cell.port, cell.overpass_id) for cell in judged})
    groups: dict[Key, list[HeldCell]] = defaultdict(list)
    people: dict[Key, set[str]] = defaultdict(set)
    for cell in judged:
        stratum = cell.kind, cell.found
        for output in _outputs(cell, now.get((cell.port, cell.overpass_id))):
            key = cell.port, str(output["model_id"]), output["model_sha256"], cell.simulated
            held = held_cell(cell, answered[cell.cell], output, weights[cell.cell], stratum)
            groups[key].append(held)
            people[key] |= {answer.user_name for answer in told[cell.cell]}
    models = [
        _model(key, groups[key], len(people[key])) for key in sorted(groups, key=lambda k: tuple(map(str, k)))
    ]
    return Results(tuple(models), tuple(_agreements(complete, told)), _progress(cells, complete, answered))


def is_complete(cell: AuditCell, told: Sequence[AuditAnswer]) -> bool:
    """Whether all reviewers that a cell needs have answered."""
    return len({answer.reviewer for answer in told}) >= cell.reviewers


def _outputs(cell: AuditCell, now: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return what each model gave: the one of the draw, or what the store holds now of it or of another."""
    if now is None:
        return [cell.output]
    if (now["model_id"], now["model_sha256"]) == (cell.output["model_id"], cell.output["model_sha256"]):
        return [now]
    return [cell.output, now]


def weights_of(
    cells: Sequence[AuditCell], draws: Sequence[AuditDraw], complete: set[str]
) -> dict[str, float]:
    """Return cell -> one over the probability that it was drawn by any draw and answered.

    A draw could take a cell where the cell's overpass was in its frame. Cells of a stratum that nobody has answered yet
    are taken to be like those answered.
    """
    drawn: dict[Any, list[str]] = defaultdict(list)
    for cell in cells:
        drawn[cell.port, cell.kind, cell.found].append(cell.cell)
    answered = {key: sum(name in complete for name in names) for key, names in drawn.items()}
    return {
        cell.cell: len(drawn[key]) / answered[key] / inclusion(cell, draws)
        for cell in cells
        for key in [(cell.port, cell.kind, cell.found)]
        if answered[key]
    }


def inclusion(cell: AuditCell, draws: Sequence[AuditDraw]) -> float:
    """Return the probability that any of the draws took a cell."""
    missed = 1.0
    for draw in draws:
        if cell.overpass_id not in draw.frame["overpasses"].get(cell.port, ()):
            continue
        for stratum in draw.frame["strata"]:
            if (stratum["port"], stratum["kind"], stratum["found"]) == (cell.port, cell.kind, cell.found):
                missed *= 1.0 - (stratum["drawn"] + stratum["unread"]) / stratum["cells"]
    return max(1.0 - missed, 1e-9)


def _model(key: Key, cells: list[HeldCell], people: int) -> ModelResult:
    port, model_id, sha256, simulated = key
    weight, strata = [cell.weight for cell in cells], [cell.stratum for cell in cells]
    found = partial(_found, cells, weight, strata)
    in_bin = {name: found(name) for name in BINS}
    true, whole = [sum(h.ship for h in cell.counted) for cell in cells], [len(cell.counted) for cell in cells]
    return ModelResult(
        port=port,
        model_id=model_id,
        model_sha256=sha256,
        simulated=simulated,
        cells=len(cells),
        reviewers=people,
        ships=sum(len(cell.required) for cell in cells),
        recall=share(
            [sum(s.found_as != "nothing" for s in cell.required) for cell in cells],
            [len(cell.required) for cell in cells],
            weight,
            strata,
        ),
        by_length={name: one for name, one in in_bin.items() if one.n >= LEAST_SHIPS},
        precision=share(true, whole, weight, strata),
        bias={
            name: mean([_excess(cell, name) for cell in cells], weight, strata) for name in ("all", *CLASSES)
        },
        confusion=confusion(cells),
    )


def _found(cells: list[HeldCell], weight: list[float], strata: list[Any], name: str) -> Estimate:
    own = [[ship for ship in cell.ships if length_bin(ship.length_m) == name] for cell in cells]
    hits = [sum(ship.found_as != "nothing" for ship in ships) for ships in own]
    return share(hits, [len(ships) for ships in own], weight, strata)


def _excess(cell: HeldCell, name: str) -> int:
    """Return hulls found less ships boxed, of a class or of all."""
    found = sum(name in ("all", hull.hull_class) for hull in cell.counted)
    return found - sum(name in ("all", ship.hull_class) for ship in cell.required)


def _agreements(cells: Sequence[AuditCell], told: Told) -> list[Agreement]:
    groups: dict[tuple[str, bool], list[tuple[AuditCell, AuditAnswer, AuditAnswer]]] = defaultdict(list)
    for cell in cells:
        first = {answer.reviewer: answer for answer in told[cell.cell] if answer.turn == 1}
        if cell.second and all(answer.kind != "unjudged" for answer in first.values()):
            groups[cell.port, cell.simulated].append((cell, first[1], first[2]))
    return [_agreement(*key, rows) for key, rows in sorted(groups.items())]


def _agreement(
    port: str, simulated: bool, rows: list[tuple[AuditCell, AuditAnswer, AuditAnswer]]
) -> Agreement:
    tables = [_tables(*row) for row in rows]
    classes = [table["class"] for table in tables]
    names = (*CLASSES, UNTOLD)
    return Agreement(
        port,
        simulated,
        len(rows),
        agreement([table["cell"] for table in tables]),
        agreement([table["box"] for table in tables], positive_agreement),
        agreement(classes),
        {name: agreement([_against(table, k) for table in classes]) for k, name in enumerate(names)},
    )


def _tables(cell: AuditCell, one: AuditAnswer, other: AuditAnswer) -> dict[str, np.ndarray]:
    """Return the tables of one cell: of ships at all, of boxes, and of classes of the boxes that both drew."""
    own = [[n for n, box in enumerate(a.boxes) if inside(cell, box.lon, box.lat)] for a in (one, other)]
    pairs = paired(corners_of(one), corners_of(other), "strict", cell.pixel_m)
    pairs = [(a, b) for a, b in pairs if a in own[0] or b in own[1]]
    alone = [set(own[0]) - {a for a, _ in pairs}, set(own[1]) - {b for _, b in pairs}]
    names = (*CLASSES, UNTOLD)
    classes, at_all = np.zeros((len(names), len(names))), np.zeros((2, 2))
    for a, b in pairs:
        kinds = one.boxes[a].hull_class or UNTOLD, other.boxes[b].hull_class or UNTOLD
        classes[names.index(kinds[0]), names.index(kinds[1])] += 1
    at_all[int(not own[0]), int(not own[1])] = 1
    return {
        "cell": at_all,
        "box": np.array([[len(pairs), len(alone[0])], [len(alone[1]), 0]]),
        "class": classes,
    }


def _against(table: np.ndarray, k: int) -> np.ndarray:
    """Return a table of classes as one of class ``k`` against the others."""
    own, row, column = table[k, k], table[k].sum(), table[:, k].sum()
    return np.array([[own, row - own], [column - own, table.sum() - row - column + own]])


def _progress(
    cells: Sequence[AuditCell], complete: Sequence[AuditCell], answered: Mapping[str, AuditAnswer]
) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for cell in cells:
        told.setdefault(cell.port, {"drawn": 0, "complete": 0, "unjudged": 0})["drawn"] += 1
    for cell in complete:
        told[cell.port]["complete"] += 1
        told[cell.port]["unjudged"] += answered[cell.cell].kind == "unjudged"
    return told
