"""A request to watch, for tests that fetch nothing."""

from __future__ import annotations

from datetime import timedelta

from roadstead.core.settings import Settings
from roadstead.detection import load_model
from roadstead.workflows.watch_search import WatchRequest
from tests import builders
from tests.unit.builders import ACQUIRED


def request() -> WatchRequest:
    base = Settings()
    day = timedelta(days=1)
    port = builders.port(builders.grid(60, 50))
    return WatchRequest(
        port, ACQUIRED - day, ACQUIRED + day, "none", load_model(base.model_id), base, "sqlite:///none"
    )
