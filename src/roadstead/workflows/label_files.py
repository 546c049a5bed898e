"""Decisions as files of labels, one for all or one a scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from roadstead.core.detections_file import write_json
from roadstead.core.ports import Port
from roadstead.core.ports_by_slug import ports_by_slug
from roadstead.store import Decisions, Store
from roadstead.workflows.labels import label_features


def write_labels(store: Store, output: Path, own_ports: Sequence[Port] = ()) -> tuple[list[Path], int]:
    """Write the decisions that stand as labels; return the files and the number of boxes.

    Args:
        store: The store.
        output: A ``.geojson`` file for all, or a folder for one file a scene.
        own_ports: Ports beside those that ship.

    Raises:
        BadInputError: the zones of a port are not known.
        StoreError: a file cannot be written.
    """
    scenes = label_features(Decisions(store).standing(), ports_by_slug(own_ports))
    if output.suffix in (".geojson", ".json"):
        parts = {output: [feature for features in scenes.values() for feature in features]}
    else:
        parts = {output / f"{file_name(scene)}.geojson": features for scene, features in scenes.items()}
    for path, features in parts.items():
        write_json(path, {"type": "FeatureCollection", "features": features})
    return list(parts), sum(len(features) - 1 for features in scenes.values())


def file_name(scene: str) -> str:
    """Return a scene's id as a file name: ids come from catalogues, and none may name another folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in scene).lstrip(".") or "scene"
