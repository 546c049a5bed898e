"""How a port is doing: what was seen last, what failed and why, how late results come; and all that for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pandas as pd
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from roadstead.core.ports import known_ports, unknown_port
from roadstead.core.settings import settings
from roadstead.imagery import CYCLE
from roadstead.publish.wording import passes_of
from roadstead.store import Leads, Store

RECENT = timedelta(days=30)
"""Passes of this time promise the next: satellites come and go."""
ONE_PROMISE = timedelta(minutes=30)
"""Passes that earlier ones promise within so short a time are one: a cycle repeats to minutes, and an item may tell the
datatake's start, minutes before the granule's time. Scenes that were taken are merged by `imagery.SAME_PASS`."""
LATEST_FAILURES = 3
"""So many failures are named, newest first."""


def checked_port(store: Store, name: str) -> str:
    """Return the name of a port that ships with Roadstead or that the store holds.

    Raises:
        UnknownPortError: it is neither.
    """
    known = sorted({*known_ports(), *store.ports()})
    if name not in known:
        raise unknown_port(name, known, settings().aoi_dir)
    return name


@dataclass(frozen=True)
class Failure:
    """One overpass, or item, whose last attempt failed."""

    overpass_id: str
    acquired: datetime | None
    """UTC; None where the item does not say."""
    reason: str
    result_stands: bool
    """Whether an earlier result of it stands."""


@dataclass(frozen=True)
class Lag:
    """Hours from acquisition to stored result, over the processed overpasses whose time of storing is known."""

    p50_h: float
    p90_h: float
    n: int


@dataclass(frozen=True)
class PortStatus:
    """What the store says of one port at one moment; times are UTC."""

    port: str
    now: datetime
    overpasses: Mapping[str, int]
    """State of `schemas.LEDGER_STATES` -> number of passes."""
    last_seen: datetime | None
    """Newest overpass tried, whatever came of it."""
    last_processed: datetime | None
    first_tried: datetime | None
    lag: Lag | None
    failed: int
    """Overpasses whose last attempt failed."""
    failures: tuple[Failure, ...]
    """The newest of them."""
    next_expected: datetime | None
    """Next pass of a Sentinel-2 satellite, one repeat cycle after a pass in the ledger; None where it holds none."""
    leads: Mapping[str, int]
    """Kind of `findings.LEAD_KINDS` -> leads that the store holds."""
    simulated: bool

    @property
    def unobserved_days(self) -> float | None:
        """Days since the last processed overpass, or since the first that was tried; None where none was."""
        since = self.last_processed or self.first_tried
        return None if since is None else max(0.0, (self.now - since) / timedelta(days=1))

    def document(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        plain = asdict(self) | {"unobserved_days": self.unobserved_days}
        return {name: _plain(value) for name, value in plain.items()}


def port_status(store: Store, port: str, now: datetime | None = None) -> PortStatus:
    """Return the status of one port."""
    moment = now or datetime.now(UTC)
    tried = store.acquisitions(port)
    ledger = store.ledger(port)
    processed = tried[tried["state"] == "processed"]
    failed = _failed(tried)
    return PortStatus(
        port=port,
        now=moment,
        overpasses=passes_of(ledger).states,
        last_seen=_time(tried["acquired"].max()),
        last_processed=_time(processed["acquired"].max()),
        first_tried=_time(tried["acquired"].min()),
        lag=_lag(processed),
        failed=len(failed),
        failures=tuple(_failure(row) for row in failed.head(LATEST_FAILURES).to_dict("records")),
        next_expected=next_pass(ledger, moment),
        leads=Leads(store).counted(port),
        simulated=bool(tried["simulated"].eq(True).any()),
    )


def _failed(tried: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose last attempt failed, newest first; those of unknown time last."""
    wrong = tried[(tried["state"] == "failed") | tried["later_failure"].notna()]
    return wrong.sort_values("acquired", ascending=False, na_position="last", kind="stable")


def _failure(row: Mapping[Any, Any]) -> Failure:
    stands = row["state"] != "failed"
    reason = row["later_failure"] if stands else row["reason"]
    return Failure(row["overpass_id"], _time(row["acquired"]), str(reason), stands)


def _lag(processed: pd.DataFrame) -> Lag | None:
    known = processed.dropna(subset=["stored", "acquired"])
    if known.empty:
        return None
    hours = (known["stored"] - known["acquired"]).dt.total_seconds() / 3600
    return Lag(float(hours.quantile(0.5)), float(hours.quantile(0.9)), len(hours))


def next_pass(ledger: pd.DataFrame, now: datetime) -> datetime | None:
    """Return the next pass that the recent passes promise; see `next_passes`."""
    return next(iter(next_passes(ledger, now)), None)


def next_passes(ledger: pd.DataFrame, now: datetime, most: int = 3) -> list[datetime]:
    """Return the next passes that the recent passes promise: each comes again after one repeat cycle."""
    s2 = ledger["platform"].fillna("").str.lower().str.replace("_", "-").str.startswith("sentinel-2")
    recent = ledger[s2 & ledger["acquired"].between(now - RECENT, now)]
    times = [time for value in recent["acquired"] if (time := _time(value))]
    coming = sorted(time + ((now - time) // CYCLE + 1) * CYCLE for time in times)
    apart = [time for i, time in enumerate(coming) if not i or time - coming[i - 1] > ONE_PROMISE]
    return apart[:most]


def _time(value: Any) -> datetime | None:  # noqa: ANN401 - a pandas scalar
    return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON-ready value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def metrics_text(statuses: Sequence[PortStatus]) -> bytes:
    """Return the metrics page of some ports.

    A port that was never tried has no timestamps, and is unobserved for ``+Inf`` days, so that an alert on "more than"
    fires.
    """
    registry = CollectorRegistry()

    def gauge(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"roadstead_{name}", words, ("port", *labels), registry=registry)

    seen = gauge(
        "last_overpass_timestamp_seconds", "Acquisition time of the newest overpass tried, Unix seconds."
    )
    processed = gauge(
        "last_processed_timestamp_seconds", "Acquisition time of the newest overpass processed, Unix seconds."
    )
    overpasses = gauge("overpasses", "Passes over the port by what became of them.", "state")
    failing = gauge("overpasses_failing", "Overpasses whose last attempt failed.")
    leads = gauge("leads", "Leads in the store by kind, decided ones too.", "kind")
    lag = gauge(
        "lag_seconds", "From acquisition to stored result, quantiles over all stored overpasses.", "quantile"
    )
    unobserved = gauge("port_unobserved_days", "Days since the newest processed overpass.")
    for status in statuses:
        if status.last_seen:
            seen.labels(status.port).set(status.last_seen.timestamp())
        if status.last_processed:
            processed.labels(status.port).set(status.last_processed.timestamp())
        for state, number in status.overpasses.items():
            overpasses.labels(status.port, state).set(number)
        for kind, number in status.leads.items():
            leads.labels(status.port, kind).set(number)
        failing.labels(status.port).set(status.failed)
        if status.lag:
            lag.labels(status.port, "0.5").set(status.lag.p50_h * 3600)
            lag.labels(status.port, "0.9").set(status.lag.p90_h * 3600)
        days = status.unobserved_days
        unobserved.labels(status.port).set(inf if days is None else days)
    return generate_latest(registry)
