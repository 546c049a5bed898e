"""Roadstead counts barges and bulk carriers in Sentinel images and holds the counts against AIS.

The functions below are what a notebook needs; `roadstead.workflows.api` has them, and they are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from roadstead.core.version import __version__

if TYPE_CHECKING:
    from roadstead.ais import AisData as AisData
    from roadstead.core.errors import RoadsteadError as RoadsteadError
    from roadstead.core.ports import Port as Port
    from roadstead.core.ports import load_port as load_port
    from roadstead.imagery import Overpass as Overpass
    from roadstead.store import Store as Store
    from roadstead.workflows.api import Detections as Detections
    from roadstead.workflows.api import chart as chart
    from roadstead.workflows.api import count as count
    from roadstead.workflows.api import coverage as coverage
    from roadstead.workflows.api import detect as detect
    from roadstead.workflows.api import dossier as dossier
    from roadstead.workflows.api import read_ais as read_ais
    from roadstead.workflows.api import reconcile_ais as reconcile_ais
    from roadstead.workflows.api import search as search
    from roadstead.workflows.api import watch as watch

_PLACES = {
    "AisData": "ais",
    "Port": "core.ports",
    "load_port": "core.ports",
    "Overpass": "imagery",
    "RoadsteadError": "core.errors",
    "Store": "store",
}
"""Where a name is, if not in `workflows.api`."""

__all__ = [
    "AisData",
    "Detections",
    "Overpass",
    "Port",
    "RoadsteadError",
    "Store",
    "__version__",
    "chart",
    "count",
    "coverage",
    "detect",
    "dossier",
    "load_port",
    "read_ais",
    "reconcile_ais",
    "search",
    "watch",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'roadstead' has no attribute {name!r}")
    found = getattr(import_module(f"roadstead.{_PLACES.get(name, 'workflows.api')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
