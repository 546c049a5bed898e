"""The tables of docs/ais.md that come from code: ``python -m roadstead.ais.guide docs/ais.md`` writes them anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from roadstead.ais.readers.presets import PRESETS
from roadstead.ais.reasons import REASONS


def layouts_table() -> str:
    """Return the layouts we know, each with its columns and where we know them from, as Markdown."""
    parts = []
    for layout in dict.fromkeys(layout.name for _, layout in PRESETS):
        known = [(telling, made) for telling, made in PRESETS if made.name == layout]
        made = known[0][1]
        told = " or ".join(", ".join(f"`{name}`" for name in sorted(telling)) for telling, _ in known)
        scaled = "; ".join(f"`{name}` x {factor}" for name, factor in made.scale.items())
        columns = ", ".join(f"`{theirs}`: {ours}" for ours, theirs in made.columns.items())
        lines = [f"**{layout}**", "", f"- told by the columns {told}", f"- columns: {columns}"]
        lines += [f"- times: `{made.time_format}`"] if made.time_format != "ISO8601" else []
        lines += [f"- units: {scaled}"] if scaled else []
        parts.append("\n".join([*lines, f"- known from: {made.known_from}"]))
    return "\n\n".join(parts)


def reasons_table() -> str:
    """Return every reason code with its effect and meaning as Markdown."""
    rows = [f"| `{code}` | {reason.meaning} | {reason.effect} |" for code, reason in REASONS.items()]
    return "\n".join(["| code | what it means | what becomes of it |", "|---|---|---|", *rows])


SECTIONS = {"layouts": layouts_table, "reasons": reasons_table}


def renewed(text: str) -> str:
    """Return a page with its generated sections (between ``begin`` and ``end`` comments) as the code has them."""
    for name, made in SECTIONS.items():
        pattern = re.compile(rf"(<!-- {name}:begin[^>]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        text = pattern.sub(lambda found, made=made: f"{found[1]}{made()}\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
