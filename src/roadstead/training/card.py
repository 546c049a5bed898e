"""The model card, written from ``metrics.json`` and ``model.json`` and from nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml

from roadstead.tables import CLASSES

_TEMPLATE: Final = """\
# {{ model.model_id }}

Finds ships in 10 m Sentinel-2 images as oriented boxes with three classes: barge, bulk carrier, other vessel.
Every figure below is measured on whole scenes with the shipped weights and threshold by `make evaluate`.
Weights: sha256 `{{ model.sha256 }}`.

## Intended use

Counting hulls of 45 m or more in ports and roadsteads, in true-colour Sentinel-2 L2A data, bands or the 8-bit `visual`
asset. A detection is a lead for a person to check. It names no ship and says nothing of what a ship carries or why.

## Limits

- Labels were made by eye at 10 m, by two annotators: they agree on barge / bulk carrier / other / no vessel in 91 % of
  533 boxes (Cohen's kappa 0.81); between them bulk carrier F1 is 0.90 and barge F1 0.58. At 60-130 m the two dry-cargo
  classes are often undecidable; use their sum beside each.
- Real labels of barges are too few for a class figure of barges on held-out places to mean much: see its n.
- Ships under 45 m, and ships under thin cloud, are found less often; recall by length is below.
- Lengths of labels run some 9 m longer than hulls. Length is calibrated on simulated hulls and checked against AIS.
- No winter ice, and neither Nampo nor Ningbo-Zhoushan is among the places measured.

## Results, ships of 45 m or more

strict: oriented IoU of at least 0.3. 150 m: centres within 150 m. Intervals are 95 %: F1 by bootstrap, shares by Wilson.
n is the number of ships that must be found; `false` counts false alarms under the strict rule.

| place | split | n | strict F1 | P | R | 150 m F1 | P | R | false | axis within 10 deg (n) | length MAE to label, m (n) |
|---|---|---|---|---|---|---|---|---|---|---|---|
{% for name, row in rows -%}
| {{ name }} | {{ row.split }} | {{ row.strict.n_ships }} | {{ f(row.strict.f1) }} {{ i(row.strict.f1_95) }} \
| {{ f(row.strict.precision) }} | {{ f(row.strict.recall) }} | {{ f(row.near_150m.f1) }} {{ i(row.near_150m.f1_95) }} \
| {{ f(row.near_150m.precision) }} | {{ f(row.near_150m.recall) }} | {{ row.strict.n_false_alarms }} \
| {{ f(row.axis_deg.within_10_deg) }} ({{ row.axis_deg.n }}) \
| {{ f(row.length_m.mae_against_label, 1) }} ({{ row.length_m.n }}) |
{% endfor %}
Held-out places taught nothing and chose nothing. Validation places chose the threshold and calibrated probabilities;
train places taught the network, so their figures flatter it.

## Classes, held-out places

150 m matches whose label is of high or medium confidence, n = {{ held.class.n }}.

| class | F1 | n |
|---|---|---|
{% for name in classes -%}
| {{ name }} | {{ f(held.class.f1[name].f1) }} {{ i(held.class.f1[name].f1_95) }} | {{ held.class.f1[name].n }} |
{% endfor %}
Confusion, rows truth, columns found ({{ classes | join(", ") }}):

| | {{ classes | join(" | ") }} |
|---|---|---|---|
{% for name in classes -%}
| {{ name }} | {{ held.class.confusion.counts[loop.index0] | join(" | ") }} |
{% endfor %}
{% if simulated -%}
On simulated truth (hulls laid on validation water, recall {{ f(simulated.recall) }}, n = {{ simulated.n }}):
{% for name in classes %}{{ name }} F1 {{ f(simulated.class.f1[name].f1) }} (n {{ simulated.class.f1[name].n }})\
{{ ", " if not loop.last else "." }}{% endfor %}

{% endif -%}
## Counts, held-out places

Mean absolute error per scene over {{ held.count_mae.n_scenes }} scenes: barge {{ f(held.count_mae.barge) }}, bulk carrier \
{{ f(held.count_mae.bulk_carrier) }}, other vessel {{ f(held.count_mae.other_vessel) }}, dry cargo \
{{ f(held.count_mae.dry_cargo) }}, all ships {{ f(held.count_mae.all) }}.

## Recall by length, held-out places, 150 m rule

| length, m | recall | n |
|---|---|---|
{% for row in held.recall_by_length -%}
| {{ row.low_m }}-{{ row.high_m }} | {{ f(row.recall) }} {{ i([row.low, row.high]) }} | {{ row.n }} |
{% endfor %}
## Probabilities, held-out places

Stated p_vessel against the share of detections that are ships (150 m rule), detections above the threshold of
{{ model.score_threshold }} on the raw score. {{ (model.calibrated_how or {}).vessel_calibration or "Not calibrated" }}.

| stated p | mean stated | share ships | n |
|---|---|---|---|
{% for row in metrics.reliability_held_out -%}
| {{ row.low }}-{{ row.high }} | {{ f(row.stated) }} | {{ f(row.share_ships) }} {{ i(row.share_ships_95) }} | {{ row.n }} |
{% endfor %}
## Against AIS

{{ ais.n_vessels }} chips of Danish and German waters (2022-08-12) are centred on a vessel of 60 m or more; none was trained
on. Found: {{ ais.n_found }} of {{ ais.n_vessels }} {{ i(ais.found_95) }}. Length against AIS: mean absolute error \
{{ f(ais.length_mae_m, 1) }} m, bias {{ f(ais.length_bias_m, 1) }} m (n {{ ais.n_found }}); the 80 % interval holds the AIS length in \
{{ f(ais.interval_80_coverage) }} {{ i(ais.interval_80_coverage_95) }}, median width {{ f(ais.interval_80_median_width_m, 0) }} m.

## Training

`make train`, that is `python -m roadstead.training.train --shared ../shared/data --steps {{ train.config.steps }}`, then
`python -m roadstead.training.package --shared ../shared/data`. Seed {{ train.config.seed }},
{{ train.config.architecture }} from scratch, {{ train.config.steps }} steps of {{ train.config.batch }} crops of 160 px, all \
settings in `train.yaml`. Crops are real ground with its real ships, simulated hulls on its water, and real ships copied to
other water; simulated hulls are rarer towards the end.

Train places: {{ places.train | join(", ") }}. Validation: {{ places.validation | join(", ") }}. Held out: \
{{ places.held_out | join(", ") }}. The split is by place, never by tile.

## Licence and sources

Weights: AGPL-3.0-or-later. Images: sen2ships (MIT), the tiles of kbordac/s2-vessel-detection, and EOTDL use case D (MIT,
AIS of the Danish Maritime Authority, for the AIS check only). Contains modified Copernicus Sentinel data. Labels: our own,
by eye.
"""


def write_card(folder: Path) -> Path:
    """Write ``card.md`` of a model folder from its ``metrics.json``, ``model.json`` and ``train.yaml``."""
    path = folder / "card.md"
    part = folder / "card.md.part"
    part.write_text(render(*_documents(folder)), encoding="utf-8")
    os.replace(part, path)
    return path


def _documents(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    return (
        json.loads((folder / "model.json").read_text(encoding="utf-8")),
        json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8")),
    )


def render(model: dict[str, Any], metrics: dict[str, Any], train: dict[str, Any]) -> str:
    """Fill the card's template."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - Markdown
    return environment.from_string(_TEMPLATE).render(
        model={"calibrated_how": None} | model,
        metrics=metrics,
        train=train,
        rows=_rows(metrics),
        held=metrics["splits"]["held_out"],
        simulated=model.get("simulated_check"),
        ais=metrics["s2_ais"],
        classes=CLASSES,
        places=_by_split(train["split"]),
        f=_figure,
        i=_interval,
    )


def _rows(metrics: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Held-out places first, then validation, then train, each with its sum."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for split in ("held_out", "validation", "train"):
        rows += [(name, row) for name, row in metrics["places"].items() if row["split"] == split]
        if split in metrics["splits"]:
            rows.append((f"**all {split.replace('_', ' ')}**", metrics["splits"][split] | {"split": split}))
    return rows


def _by_split(split: dict[str, str]) -> dict[str, list[str]]:
    names = sorted(set(split.values()))
    return {name: sorted(place for place, own in split.items() if own == name) for name in names}


def _figure(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(bounds: list[float | None] | None) -> str:
    if bounds is None or bounds[0] is None or bounds[1] is None:
        return ""
    return f"({bounds[0]:.2f}-{bounds[1]:.2f})"
