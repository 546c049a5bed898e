"""From marginal probabilities to who is matched, ambiguous or left alone; and the codes that go with a match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import Array
from roadstead.reconcile.assignment import Index, Marginals, best_assignment
from roadstead.reconcile.score import Pairs

MIN_MATCH = 0.98
"""A pair is `matched` from this posterior on ..."""
CLOSE_ALTERNATIVE = 0.02
"""... if no other pairing of its detection or its vessel is likelier than this."""
MIN_ALONE_DETECTION = 0.95
"""A detection has no partner among the declared from this posterior on; below it is ambiguous."""
MIN_ALONE_VESSEL = 0.9
"""A vessel made no detection from this posterior on; below it is ambiguous."""
MIN_CANDIDATE = 0.02
MOST_CANDIDATES = 8
REASONS: dict[str, str] = {
    "position_fits": "The detection lies where the declared position puts the hull; another hull close by "
    "could explain it as well, which the probability allows for.",
    "snapshot_position": "The position was placed at the overpass by the source, with an error of some 100 m.",
    "stale_report": "The nearest report is more than 30 minutes from the overpass; the position is an estimate.",
    "several_candidates": "More than one pairing fits; the candidates are listed and none is chosen.",
    "weak_fit": "One pairing fits, but not well enough to name it; a hull without AIS may be the better reading.",
    "contested": "It fits a partner that fits another at least as well, and none is left over for it; "
    "it may still be that one.",
    "no_vessel_fits": "No vessel heard by this source fits. The hull may carry no AIS, not have to carry it, "
    "have it off, or not have been received.",
    "no_ais_given": "No AIS was given, so nothing can be said about declarations.",
    "no_ais_in_window": "The AIS given holds no position around this overpass.",
    "reception_unknown": "Too few other vessels were heard before and after the overpass near this place to tell "
    "whether a transmitting hull would have been heard.",
    "reception_low": "A transmitting hull at this place and time may well not have been heard by this source.",
    "reception_stated": "That a transmitting hull would have been heard is stated by a person, not shown by the data.",
    "reception_by_image": "That a transmitting hull would have been heard follows from the share of like "
    "hulls around that "
    "have a partner; the AIS itself holds no before and after.",
    "perhaps_no_hull": "No vessel heard fits, and it may be no hull at all: a jetty, a rock, a wave, a "
    "cloud's edge. Most "
    "hulls here declare themselves and false alarms never do, so that false alarms abound among what is left over.",
    "too_small_for_a_lead": "It is shorter than 45 m: how surely so small a detection is a hull is not "
    "measured, and few "
    "such hulls have to carry AIS.",
    "clear_no_detection": "The place was imaged and clear and nothing was detected there. The detector may have "
    "missed the hull, or the declared position may be wrong.",
    "cloud_or_no_data": "Its place was under cloud, the image holds no data there, "
    "or a known fixed structure was seen there.",
    "cloud_unknown": "The image comes without a cloud mask, so clear water cannot be claimed.",
    "outside_searched_area": "Its place lies outside the water that was searched.",
    "position_too_uncertain": "Its reports leave its place at the overpass open by more than half a kilometre.",
    "too_small": "It is too short to be counted on in a 10 m image.",
    "length_unknown": "It declares no length, so it may be too short to be seen.",
    "time_offset_suspected": "Hulls and AIS of this overpass fit much better at another time: a clock in local time, "
    "a wrong day, or a wrong time of the image. Until that is mended nothing here supports a lead.",
    "place_offset_suspected": "Hulls and AIS of this overpass fit much better if the image is moved: it may be wrongly "
    "georeferenced. Until that is mended nothing here supports a lead.",
    "image_and_ais_disagree": "Far fewer declared vessels were seen than lay in clear searched water: image and AIS "
    "may be of different days or places, or one of them broken. Nothing here supports a lead.",
    "time_contradicted": "The time that the image gives contradicts its own product's name or datatake, "
    "so AIS cannot be held against it. Nothing here supports a lead.",
}
"""Reason code -> what it says, with what else could explain it."""

CONFLICTS: dict[str, str] = {
    "length": "Declared length and seen length differ by more than both errors allow: wrong static data, a "
    "borrowed identity, a tow seen as one hull, or a wrong match.",
    "imo_check_digit": "The declared IMO number fails its check digit: a typing error or an invented number.",
    "class": "The hull looks like one that the declared type hardly ever is: a wrong type code, a borrowed "
    "identity, a wrong "
    "class from the detector, or a wrong match. Barge against bulk carrier never raises it.",
    "flag": "The flag given with the static data is not that of the MMSI's first digits: a change of flag "
    "not yet keyed in, "
    "another's identity, or a mistake of the register.",
    "mmsi_unassigned": "The MMSI's first digits belong to no state: a unit that was never set up, a typing "
    "error, or an invented "
    "identity.",
    "track_contradicts_itself": "Its reports say fast while at anchor, or speeds that its places do not "
    "bear out: interference "
    "with satellite navigation, a faulty unit, or invented positions.",
    "declared_elsewhere": "It lay here before or after, and now declares a place far off where no hull of "
    "its kind was seen: "
    "interference, invented positions, two units with one number, or a wrong match.",
    "two_places": "Reports around the overpass imply an impossible speed: two transmitters share the MMSI, or a "
    "position is wrong.",
}
"""Conflict code -> what it says; a conflict is an attribute of a match, never a status."""


@dataclass(frozen=True)
class Decision:
    """Pair indices of the two kinds of pairing; who is in neither is contested or alone."""

    matched: Index
    """Pairs named as the same hull; one-to-one."""
    ambiguous: Index
    """As many pairs as can be told apart in number, one-to-one: which they are is left open."""
    contested_detections: Index
    contested_vessels: Index


def decide(pairs: Pairs, found: Marginals, mmsi: NDArray[np.object_]) -> Decision:
    """Name the pairs that can be named and say of the others what can be said.

    Of detections and vessels that compete, as many of each are ambiguous as can be paired; the rest are
    contested, so that ambiguous detections and ambiguous vessels are equal in number and both sums of the
    counts hold with one figure.
    """
    m, n = len(found.detection_alone), len(found.vessel_alone)
    d, v = pairs.detection, pairs.vessel
    chosen = best_assignment(d, v, found.pair, m, n)
    rival = _runner_up(d, found.pair, m)[d], _runner_up(v, found.pair, n)[v]
    clear = (found.pair >= MIN_MATCH) & (np.maximum(*rival) <= CLOSE_ALTERNATIVE)
    matched = _one_per_mmsi(chosen[clear[chosen]], v, found.pair, mmsi)
    open_d = _open(found.detection_alone < MIN_ALONE_DETECTION, d[matched])
    open_v = _open(found.vessel_alone < MIN_ALONE_VESSEL, v[matched])
    compete = np.flatnonzero(open_d[d] & open_v[v] & (found.pair > 0))
    ambiguous = compete[best_assignment(d[compete], v[compete], found.pair[compete], m, n)]
    return Decision(
        matched,
        ambiguous,
        np.flatnonzero(_open(open_d, d[ambiguous])),
        np.flatnonzero(_open(open_v, v[ambiguous])),
    )


def _one_per_mmsi(matched: Index, vessel: Index, pair: Array, mmsi: NDArray[np.object_]) -> Index:
    """Keep the likeliest match of each MMSI: several hulls that share one cannot all be it."""
    best: dict[str, int] = {}
    for p in matched[np.argsort(-pair[matched], kind="stable")].tolist():
        best.setdefault(str(mmsi[vessel[p]]), p)
    return np.array(sorted(best.values()), dtype=np.intp)


def _open(those: NDArray[np.bool_], taken: Index) -> NDArray[np.bool_]:
    left = those.copy()
    left[taken] = False
    return left


def _runner_up(group: Index, pair: Array, size: int) -> Array:
    """Return the second greatest probability in each group."""
    second = np.zeros(size)
    order = np.lexsort((-pair, group))
    ranked = group[order]
    start = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.empty(0, int)
    following = start + 1
    has = following < len(ranked)
    has[has] = ranked[following[has]] == ranked[start[has]]
    second[ranked[start[has]]] = pair[order][following[has]]
    return second


def candidates_of(own: Index, other: Index, pair: Array, who: int) -> Index:
    """Return the likeliest partners of ``who``, best first."""
    rows = np.flatnonzero(own == who)
    rows = rows[np.argsort(-pair[rows], kind="stable")][:MOST_CANDIDATES]
    likely = rows[pair[rows] >= MIN_CANDIDATE]
    return other[likely if len(likely) else rows[:1]]


def join_codes(codes: Iterable[str]) -> str:
    """Return codes as the comma-separated text of the tables, without repeats, order kept."""
    return ",".join(dict.fromkeys(codes))
