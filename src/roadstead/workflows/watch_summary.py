"""What the store holds after a watch, as one JSON-ready document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from roadstead.audit import with_recall
from roadstead.detection.fixed_structures import is_structure
from roadstead.store import Store
from roadstead.workflows.watch import Watched
from roadstead.workflows.watch_search import WatchRequest


def summary(request: WatchRequest, watched: Watched) -> dict[str, Any]:
    """Return one JSON-ready document of what the store holds for the request's port and range."""
    port, start, end = request.port.slug, request.start, request.end
    with Store.open(request.store_url) as store:
        found = store.detections(port, start, end, unfiltered=True)
        overpasses = store.acquisitions(port, start, end)
        counted = with_recall(store, port, store.counts(port, start, end))
        matches = store.matches(port, start, end).drop(columns="geometry")
    return {
        "port": port,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "catalog": request.catalog,
        "model_id": request.model.model_id,
        "ais": list(request.ais) or "none given: counts only, every detection is no_coverage",
        "ais_rows_quarantined": watched.quarantined,
        "ais_quarantine": None if watched.quarantine is None else str(watched.quarantine),
        "simulated": bool(overpasses["simulated"].eq(True).any()),
        "kept_with_ais": list(watched.kept),
        "unchanged": list(watched.unchanged),
        "missing": [
            {"platform": m.platform, "expected": m.expected.isoformat(), "state": m.state, "reason": m.reason}
            for m in watched.missing
        ],
        "catalogs_not_asked": dict(watched.unasked),
        "read_elsewhere": dict(watched.elsewhere),
        "overpasses_without_ais_around": list(watched.without_ais),
        "overpasses": records(overpasses),
        "detections": int(found["dropped_because"].isna().sum()),
        "on_fixed_structures": int(is_structure(found["dropped_because"]).sum()),
        "failures": watched.failures,
        "counts": records(counted),
        "matches": records(matches),
    }


def records(table: pd.DataFrame) -> Sequence[dict[str, Any]]:
    """Return a table as JSON-ready records: times as ISO 8601, missing values as None."""
    plain = table.copy()
    for name, dtype in plain.dtypes.items():
        if isinstance(dtype, pd.DatetimeTZDtype):
            plain[name] = plain[name].map(lambda t: None if pd.isna(t) else t.isoformat())
    rows = plain.astype(object).where(plain.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
