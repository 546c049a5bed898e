"""What docs/exports.md claims."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from roadstead.apps.cli.main import app
from roadstead.core.schemas import POSITIONS
from roadstead.publish import port_layers
from roadstead.publish.formats.cues import COLUMNS, CUE_HOURS, CUE_RADIUS_M
from roadstead.publish.formats.layers import COUNTED
from roadstead.workflows.export import DEFAULT_FORMATS, FORMATS
from tests.unit.publish import builders as e

GUIDE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")


def section(begin: str) -> str:
    """Return the text from a bold word to the next one, or to the next heading."""
    return re.split(r"\n\*\*|\n## ", GUIDE[GUIDE.index(begin) + 2 :])[0]


def test_every_format_is_listed_and_the_default_ones_are_marked() -> None:
    table = GUIDE[GUIDE.index("## Formats") : GUIDE.index("## Filters")]
    rows = dict(re.findall(r"^\| `([a-z]+)`( \*)? \|", table, flags=re.MULTILINE))
    assert set(rows) == set(FORMATS)
    assert {name for name, star in rows.items() if star} == set(DEFAULT_FORMATS)


def test_every_column_of_every_layer_is_explained() -> None:
    for name, table in port_layers(e.port_report()).items():
        told = set(re.findall(r"`([a-z_]+|CLASS_[a-z_]+)`", section(f"**{name}**")))
        told |= {text.replace("CLASS", kind) for text in told for kind in COUNTED}
        assert set(table.columns) - {"geometry"} <= told, name
    assert set(COLUMNS) <= set(re.findall(r"`([a-z_]+)`", section("**cues**")))
    assert set(POSITIONS.columns) <= set(re.findall(r"`([a-z_]+)`", section("**positions**")))


def test_every_command_and_option_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    used = re.findall(r"^roadstead ([a-z]+)([^\n]*)", GUIDE, flags=re.MULTILINE)
    assert {name for name, _ in used} == {"export", "dossier"}
    known = {
        name: {o for p in commands[name].params for o in (*p.opts, *p.secondary_opts)} for name, _ in used
    }
    for name, rest in used:
        assert {word for word in rest.split() if word.startswith("--")} <= known[name]
    listed = set(re.findall(r"`(--[a-z-]+)", GUIDE))
    assert listed <= known["export"] | known["dossier"]
    assert {"--zone", "--class", "--status", "--min-probability", "--unfiltered"} <= listed


def test_the_reach_of_a_cue_is_as_told() -> None:
    assert (CUE_RADIUS_M, CUE_HOURS) == (2000.0, 24.0)
    assert "2 km around the hull" in GUIDE and "a day either side" in GUIDE
