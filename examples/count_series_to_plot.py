"""Watch a port over some weeks and draw its counts with their intervals.

    python examples/count_series_to_plot.py nampo 2024-05-01 2024-05-31 my.sqlite counts.svg [catalog]

Run it again with a later end: what is stored already is left as it is.
"""

import sys
from pathlib import Path

from roadstead import Store, chart, load_port, watch

place, start, end, database, output, *catalog = sys.argv[1:]

port = load_port(place)
url = f"sqlite:///{database}"
watched = watch(port, start, end, store=url, catalog=catalog[0] if catalog else None)
print(f"{len(watched.done)} overpasses done, {len(watched.failures)} failed: {dict(watched.failures)}")

# Passes that failed or saw nothing are grey bands in the picture: a gap is never a zero.
with Store.open(url) as store:
    Path(output).write_text(chart(store, port, start, end), encoding="utf-8")
print(f"{output}: written")
