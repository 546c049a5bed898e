"""The status of ports as Prometheus metrics (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from roadstead.workflows.status import PortStatus


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
