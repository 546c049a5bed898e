"""A desk over a small simulated store, and a browser without a screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from httpx2 import Response
from shapely.geometry import Point
from starlette.testclient import TestClient

from roadstead.apps.desk import Desk, Looks, review_app
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.store import MissingPass, People, Store, hashed
from tests.unit.builders import ACQUIRED, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "http://127.0.0.1"
UNSEEN = f"413000002%40{b.OVERPASS_ID}"
"""The vessel of that store that was declared and not seen, as addresses name it."""
LEADS = 7
"""Leads of the store that `fill` fills: d0, d3 to d6 without a partner, d1 with a conflict, `UNSEEN`."""


@cache
def password_hash() -> str:
    return hashed(PASSWORD)


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


def chip(index: int) -> np.ndarray:
    """Return dark water with a bright hull in the middle."""
    rng = np.random.default_rng(index)
    image = rng.normal((28, 44, 52), 4, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    image[29:36, 15:50] = (150, 140, 132)
    return image


def matches() -> Any:
    more = [
        {
            "detection_id": f"d{index}",
            "status": "no_ais_partner",
            "probability": 0.9 - index / 20,
            "reasons": "no_vessel_fits",
            "p_heard_class_a": 0.97,
            "p_heard_class_b": 0.95,
            "zone": e.ROADS,
            "geometry": Point(125.26 + index / 100, 38.71),
        }
        for index in range(3, 7)
    ]
    return pd.concat([e.matches(), b.matches(more)], ignore_index=True)


def hulls() -> Any:
    barge = {"class": "barge", "p_barge": 0.8, "p_bulk_carrier": 0.15, "p_other_vessel": 0.05}
    more = [e.hull(index, 125.26 + index / 100, 38.71) for index in range(3, 7)]
    return detections(
        [
            e.hull(0, moving=True, p_moving=0.97),
            e.hull(1, 125.25, 38.67, **barge),
            e.hull(2, 125.36, 38.72),
            *more,
        ]
    )


def fill(store: Store, **changes: Any) -> None:
    """Store an overpass with leads of three kinds, one that failed and a pass that no catalogue lists."""
    counts = e.counts()
    image = np.full((60, 120, 3), (30, 48, 60), np.uint8)
    given: dict[str, Any] = {
        "detections": hulls(),
        "matches": matches(),
        "counts": counts[counts["overpass_id"] == b.OVERPASS_ID],
        "vessels": e.port_report().vessels,
        "quicklook": (image, (125.19, 38.64, 125.44, 38.76)),
        "chips": {f"d{index}": chip(index) for index in range(7)},
        "with_ais": True,
    }
    b.put(store, **{**given, **changes})
    store.record_failure("nampo", e.FAILED, ACQUIRED + timedelta(days=2), "asset red: HTTP 403")
    missing = MissingPass("sentinel-2b", ACQUIRED + timedelta(days=5), "missing", "in no catalogue asked: x")
    store.record_missing("nampo", [missing])


def people(store: Store, names: Mapping[str, str] | None = None) -> None:
    for name, role in (
        names or {"ana": "analyst", "bob": "analyst", "vic": "viewer", "ada": "admin"}
    ).items():
        People(store).add(name, role, password_hash(), NOW)


def desk(store: Store, **changes: Any) -> Desk:
    given: dict[str, Any] = {
        "ports": {"nampo": e.port()},
        "key": b"k" * 32,
        "looks": Looks(CLASS_LOOKS, STATUS_LOOKS),
        "clock": Clock(),
    }
    return Desk(store, **{**given, **changes})


def tokens(page: str) -> dict[str, str]:
    """Return the hidden fields of the first form that has them all."""
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    return dict(reversed(found))


@dataclass
class Browser:
    """One browser: its cookies, and forms filled in as a person would."""

    desk: Desk
    address: str = "127.0.0.1"
    app: Any = None
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.app or review_app(self.desk)
        self.client = TestClient(
            self.app, base_url=ORIGIN, client=(self.address, 50000), follow_redirects=False
        )

    def get(self, path: str, **kw: Any) -> Response:
        return self.client.get(path, **kw)

    def post(self, path: str, data: Mapping[str, str], **kw: Any) -> Response:
        return self.client.post(
            path, data=dict(data), headers={"origin": ORIGIN, **kw.pop("headers", {})}, **kw
        )

    def log_in(self, name: str = "ana", password: str = PASSWORD, **more: str) -> Response:
        csrf = tokens(self.get("/login").text).get("csrf", "")
        return self.post("/login", {"csrf": csrf, "name": name, "password": password, **more})

    def decide(self, finding: str = "d0", **fields: str) -> Response:
        page = self.get(f"/finding/nampo/{finding}")
        held = {name: value for name, value in fields_of(page.text, "after", "seen", "csrf", "back")}
        return self.post(f"/finding/nampo/{finding}/decide", {**held, **fields})

    def undo(self, seq: int) -> Response:
        csrf = tokens(self.get("/log").text)["csrf"]
        return self.post("/undo", {"csrf": csrf, "seq": str(seq), "back": ""})


def fields_of(page: str, *names: str) -> Iterable[tuple[str, str]]:
    """Return the values of hidden fields, the last of each name."""
    found = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page))
    return [(name, found[name]) for name in names if name in found]


def path_of(response: Response) -> str:
    """Return where a redirect leads, without its query."""
    return urlsplit(response.headers["location"]).path
