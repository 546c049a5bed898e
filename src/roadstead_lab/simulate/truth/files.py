"""The truth folder: what was really there, and what each ship said. Nothing that detects or reconciles may read it.

    hulls.geojson    each hull inside the frame at each overpass (see `truth.hulls`)
    voyages.csv      every leg and stay of every ship
    loadings.csv     every loading, of deliveries and of ordinary calls alike
    occasions.csv    every delivery: both ends and the run between
    identities.csv   what each ship is, what it declares on each sailing, and when it sends nothing or lies

Times are UTC. Column names end in their units: _m metres, _kn knots, _nm nautical miles, _h hours. Empty is unknown or
does not apply. Every row is marked ``simulated``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from roadstead.ais.identity.registry import flag_of
from roadstead.core.atomic_files import write_text
from roadstead_lab.simulate.ais.behaviours import Transmission, transmission
from roadstead_lab.simulate.traffic.sailing import HOUR, Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import Leg
from roadstead_lab.simulate.traffic.voyages import Occasion
from roadstead_lab.simulate.truth.hulls import (
    Observation,
    hull_features,
    scl_cover,
    stamp,
    swath_cover,
    write_hulls,
)

__all__ = ["Observation", "hull_features", "scl_cover", "swath_cover", "write_truth"]
_WHO = "simulated port vessel_id mmsi class occasion_id"
_VOYAGES = f"{_WHO} part what zone start end speed_kn laden"
_LOADINGS = f"{_WHO} length_m zone start end from_ship"
_OCCASIONS = """simulated occasion_id kind vessel_id class length_m behaviour flag true_mmsi
    mmsi_at_loading mmsi_at_delivery loading_port loading_zone loading_start loading_end
    departure sea_nm sea_speed_kn arrival anchorage_wait_h
    receiver_vessel_id receiver_mmsi handover_start handover_end
    delivery_port delivery_zone delivery_start delivery_end"""
_IDENTITIES = f"""{_WHO} behaviour ais_class
    true_mmsi true_imo true_name true_flag true_length_m true_beam_m true_ship_type since until
    declared_mmsi declared_imo declared_name declared_flag declared_length_m declared_beam_m declared_ship_type
    declared_destination off false_positions"""


def write_truth(
    folder: Path,
    worlds: Sequence[PortWorld],
    occasions: Sequence[Occasion],
    features: Sequence[Mapping[str, Any]],
    seed: int,
) -> None:
    """Write the five files of the truth.

    Args:
        folder: ``truth``.
        worlds: All ports.
        occasions: All deliveries.
        features: Of `hull_features`, of all overpasses.
        seed: The world's.

    Raises:
        StoreError: a file cannot be written.
    """
    by_port = {world.scenario.port: world for world in worlds}
    write_hulls(folder / "hulls.geojson", features, seed)
    _write_table(folder / "voyages.csv", _VOYAGES, (row for world in worlds for row in _voyages(world)))
    _write_table(folder / "loadings.csv", _LOADINGS, (row for world in worlds for row in _loadings(world)))
    _write_table(
        folder / "occasions.csv", _OCCASIONS, (_occasion(by_port, occasion) for occasion in occasions)
    )
    _write_table(
        folder / "identities.csv", _IDENTITIES, (row for world in worlds for row in _identities(world))
    )


def _write_table(path: Path, columns: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under the columns, whose names stand apart by blanks."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns.split(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _who(world: PortWorld, sailing: Sailing) -> dict[str, Any]:
    vessel = sailing.vessel
    return {
        "simulated": "true",
        "port": world.scenario.port,
        "vessel_id": vessel.vessel_id,
        "mmsi": vessel.mmsi,
        "class": vessel.hull.class_,
        "occasion_id": sailing.occasion_id or "",
    }


def _voyages(world: PortWorld) -> Iterator[dict[str, Any]]:
    for sailing in world.sailings:
        for number, part in enumerate(sailing.track.parts, start=1):
            way = isinstance(part, Leg)
            yield {
                **_who(world, sailing),
                "part": number,
                "what": "leg" if isinstance(part, Leg) else part.status,
                "zone": "" if isinstance(part, Leg) else part.zone,
                "start": stamp(part.start),
                "end": stamp(part.end),
                "speed_kn": f"{part.speed_kn:.1f}" if isinstance(part, Leg) else "",
                "laden": _yes(sailing.laden(part.start if way else part.end)),
            }


def _loadings(world: PortWorld) -> Iterator[dict[str, Any]]:
    """Calls that come in ballast and load; `from_ship` where the cargo came out of another hull at sea."""
    takers = {(s.alongside, s.occasion_id) for s in world.sailings if s.raft and s.occasion_id}
    for sailing in world.sailings:
        cargo = sailing.cargo
        if not cargo.changes or cargo.before:
            continue
        loaded = cargo.changes[0]
        stay = next(stay for stay in sailing.track.stays if stay.start <= loaded <= stay.end)
        yield {
            **_who(world, sailing),
            "length_m": round(sailing.vessel.hull.length_m, 1),
            "zone": stay.zone,
            "start": stamp(stay.start),
            "end": stamp(stay.end),
            "from_ship": _yes((sailing.vessel.vessel_id, sailing.occasion_id) in takers),
        }


def _occasion(worlds: Mapping[str, PortWorld], one: Occasion) -> dict[str, Any]:
    loads, delivers = worlds[one.loading_port], worlds[one.delivery_port]
    loading, delivery, handover = one.loading_stay, one.delivery_stay, one.handover
    vessel, receiver = one.vessel, one.receiver
    return {
        "simulated": "true",
        "occasion_id": one.occasion_id,
        "kind": one.kind,
        "vessel_id": vessel.vessel_id,
        "class": vessel.hull.class_,
        "length_m": round(vessel.hull.length_m, 1),
        "behaviour": vessel.behaviour,
        "flag": flag_of(vessel.true.mmsi) or "",
        "true_mmsi": vessel.true.mmsi,
        "mmsi_at_loading": transmission(loads, one.loading).declared(loading.start).mmsi,
        "mmsi_at_delivery": transmission(delivers, one.delivery).declared(one.arrival).mmsi,
        "loading_port": one.loading_port,
        "loading_zone": loading.zone,
        "loading_start": stamp(loading.start),
        "loading_end": stamp(loading.end),
        "departure": stamp(one.departure),
        "sea_nm": one.sea_nm,
        "sea_speed_kn": round(one.sea_speed_kn, 2),
        "arrival": stamp(one.arrival),
        "anchorage_wait_h": round(one.wait_s / HOUR, 1),
        "receiver_vessel_id": "" if receiver is None else receiver.vessel.vessel_id,
        "receiver_mmsi": "" if receiver is None else receiver.vessel.mmsi,
        "handover_start": "" if handover is None else stamp(handover.start),
        "handover_end": "" if handover is None else stamp(handover.end),
        "delivery_port": one.delivery_port,
        "delivery_zone": delivery.zone,
        "delivery_start": stamp(delivery.start),
        "delivery_end": stamp(delivery.end),
    }


def _identities(world: PortWorld) -> Iterator[dict[str, Any]]:
    for sailing in world.sailings:
        vessel, unit = sailing.vessel, transmission(world, sailing)
        true = vessel.true
        for since, declared in unit.identities:
            yield {
                **_who(world, sailing),
                "behaviour": vessel.behaviour,
                "ais_class": vessel.ais_class,
                "true_mmsi": true.mmsi,
                "true_imo": true.imo or "",
                "true_name": true.name,
                "true_flag": flag_of(true.mmsi) or "",
                "true_length_m": round(vessel.hull.length_m, 1),
                "true_beam_m": round(vessel.hull.beam_m, 1),
                "true_ship_type": true.ship_type,
                "since": stamp(since),
                "until": stamp(_until(unit, since, sailing)),
                "declared_mmsi": declared.mmsi,
                "declared_imo": declared.imo or "",
                "declared_name": declared.name,
                "declared_flag": flag_of(declared.mmsi) or "",
                "declared_length_m": declared.length_m,
                "declared_beam_m": declared.beam_m,
                "declared_ship_type": declared.ship_type,
                "declared_destination": declared.destination,
                "off": _spans(unit.off),
                "false_positions": _spans(unit.false_positions),
            }


def _until(unit: Transmission, since: float, sailing: Sailing) -> float:
    return min((start for start, _ in unit.identities if start > since), default=sailing.track.end)


def _spans(spans: Sequence[tuple[float, float]]) -> str:
    """Times as ISO 8601 intervals, separated by a space."""
    return " ".join(f"{stamp(start)}/{stamp(end)}" for start, end in spans)


def _yes(value: bool) -> str:
    return "true" if value else "false"
