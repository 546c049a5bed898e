"""Static reports of one file, read batch by batch, to those that say something new."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from roadstead.ais.readers.batch import STATIC
from roadstead.ais.static_history import changes, differs


@dataclass
class News:
    """Remembers what each vessel declared last; its size is that of the fleet, not of the file."""

    _last: pd.DataFrame | None = None

    def of(self, static: pd.DataFrame) -> pd.DataFrame:
        """Return the reports that declare something other than what their vessel declared before."""
        told = changes(static)
        if told.empty:
            return told
        known = self._last
        before = None if known is None else known[known["mmsi"].isin(set(told["mmsi"]))]
        fresh = told.assign(fresh=True)
        both = fresh if before is None or before.empty else pd.concat([before, fresh], ignore_index=True)
        both = both.sort_values("mmsi", kind="stable")
        filled = both.assign(**both.groupby("mmsi", sort=False)[list(STATIC)].ffill())
        kept = both[differs(filled) & both["fresh"]].drop(columns="fresh")
        self._remember(filled)
        return kept.reset_index(drop=True)

    def _remember(self, filled: pd.DataFrame) -> None:
        last = filled.assign(fresh=False).drop_duplicates("mmsi", keep="last")
        if self._last is None:
            self._last = last
        else:
            others = self._last[~self._last["mmsi"].isin(set(last["mmsi"]))]
            self._last = last if others.empty else pd.concat([others, last], ignore_index=True)
