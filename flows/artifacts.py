"""What a run leaves in Prefect's pages: counts, the map of the newest overpass, what failed, links."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.served import FILES_URL
from roadstead.apps.cli.count_table import count_rows
from roadstead.publish.charts import overpass_map
from roadstead.store import Store
from roadstead.workflows.watch_search import WatchRequest


def describe(request: WatchRequest) -> None:
    """Make the count table and the map of a port's newest overpass in the range."""
    port = request.port.slug
    with Store.open(request.store_url) as store:
        counts = store.counts(port, request.start, request.end)
        tried = store.acquisitions(port, request.start, request.end)
        seen = tried[tried["state"] != "failed"].sort_values("acquired")
        columns, rows = count_rows(counts)
        simulated = "SIMULATED. " if tried["simulated"].eq(True).any() else ""
        create_table_artifact(
            key=f"counts-{port}",
            table=[dict(zip(columns, row, strict=True)) for row in rows],
            description=f"{simulated}Counts at {port}; intervals are 90 %. Leads, never verdicts.",
        )
        if seen.empty:
            return
        newest = seen.iloc[-1]
        caption = f"{port}, {newest['acquired']:%Y-%m-%d %H:%M} UTC, {newest['overpass_id']}"
        picture = overpass_map(store, port, newest["overpass_id"], caption)
    if picture is not None:
        create_markdown_artifact(
            key=f"map-{port}",
            markdown=map_words(request, caption, picture, bool(simulated)),
            description=f"{simulated}Newest overpass over {port}. Leads, never verdicts.",
        )


def map_words(request: WatchRequest, caption: str, picture: bytes, simulated: bool) -> str:
    """Return the Markdown of the map: the picture within it, and where to read on."""
    port, day = request.port.slug, "%Y-%m-%d"
    data = base64.b64encode(picture).decode()
    files = os.environ.get(FILES_URL)
    lines = [f"# {'SIMULATED: ' if simulated else ''}{port}", f"![{caption}](data:image/webp;base64,{data})"]
    if files:
        lines.append(f"[Exported files and reports]({files})")
    lines.append(
        f"All layers and the report: `roadstead export {port} --from {request.start.strftime(day)} "
        f"--to {request.end.strftime(day)} -o out`"
    )
    lines.append("Every mark is a lead with a probability, never a verdict.")
    return "\n\n".join(lines)


def tell_failures(port: str, failures: Mapping[str, str]) -> None:
    """List what failed and why; a run without failures replaces the list of an earlier one."""
    listed = [f"- **{name}**: {reason}" for name, reason in failures.items()]
    head = f"# {len(listed)} failed at {port}" if listed else f"# Nothing failed at {port}"
    create_markdown_artifact(
        key=f"failures-{port}",
        markdown="\n\n".join(
            [head, "\n".join(listed), "A failed overpass was not observed; that is not zero ships."]
        ),
        description=f"What failed at {port} in this run.",
    )
