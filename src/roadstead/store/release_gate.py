"""Where a finding stands on its way to the outside, told from the chain; and the finding as it was when decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from roadstead.core.errors import UsageError
from roadstead.core.oriented_boxes import hull_as_told
from roadstead.core.wording import EXPLANATIONS, accuses, known
from roadstead.store.chain import Decision, canonical
from roadstead.store.decisions import held
from roadstead.store.leads import LeadKey, Leads

CONSIDERED = ("ruled_out", "open")
"""What is said of another explanation: it does not hold, or it cannot be ruled out."""
SHORTEST_SUMMARY, LONGEST_SUMMARY, LONGEST_WORDS, LONGEST_REPLY = 20, 1000, 300, 8000
GOES_OUT = ("accepted", "corrected")
"""Decisions that a finding can be released on."""
_MATERIAL = ("status", "mmsi", "conflicts")
"""What a released finding may not change in without being corrected or retracted; its hull's class too."""
AT_ONCE = 200
"""Findings asked of the store in one statement; SQLite bounds how deep a condition may be."""
_MATCH = ("status", "probability", "conflicts", "reasons", "candidates", "mmsi", "zone", "distance_m", "dt_s")
_MADE = ("model_id", "model_sha256", "threshold", "roadstead_version", "inputs_sha256")
_HULL = (
    "scene_id",
    "class",
    "p_vessel",
    "p_barge",
    "p_bulk_carrier",
    "p_other_vessel",
    "length_m",
    "length_low_m",
    "length_high_m",
    "beam_m",
    "axis_deg",
    "lon",
    "lat",
    "flags",
)


def evidence_sha256(evidence: Mapping[str, Any]) -> str:
    """Return the checksum of a finding as it stands."""
    return hashlib.sha256(canonical(evidence).encode()).hexdigest()


def codes_of(evidence: Mapping[str, Any]) -> frozenset[str]:
    """Return every reason and conflict code of a finding."""
    listed = ",".join(str(evidence.get(name) or "") for name in ("reasons", "conflicts"))
    return frozenset(filter(None, listed.split(",")))


def own_words(name: str, text: str, most: int, least: int = 1) -> str:
    """Return words of ours that may go out.

    Raises:
        UsageError: too short, too long, or they accuse.
    """
    plain = text.replace("\r\n", "\n").strip()
    if not least <= len(plain) <= most:
        raise UsageError(f"{name}: write {least} to {most} characters; there are {len(plain)}")
    if found := accuses(plain):
        raise UsageError(
            f"{name} says {found!r}. A finding is a lead with a probability: say what was seen and what was "
            "declared, and leave it to the reader what that means."
        )
    return plain


@dataclass(frozen=True)
class Asking:
    """A request for release."""

    port: str
    overpass_id: str
    finding: str
    evidence: Mapping[str, Any]
    """The finding as it stands, JSON-ready."""
    simulated: bool
    acknowledged: frozenset[str]
    """Reason and conflict codes that the asker has read."""
    considered: Mapping[str, tuple[str, str]]
    """Key of `wording.EXPLANATIONS` -> (one of `CONSIDERED`, why in short words)."""
    summary: str
    corrects: str | None = None
    """Permanent id of the release that this would correct."""
    changed: str = ""
    """What was wrong; with `corrects` alone."""

    def details(self, decision: Decision) -> dict[str, Any]:
        """Return what the chain keeps of it, on the decision that stands.

        Raises:
            UsageError: a code is not acknowledged, an explanation not considered, or the words cannot go out.
        """
        if missing := sorted(codes_of(self.evidence) - self.acknowledged):
            raise UsageError(
                f"not acknowledged: {', '.join(missing)}. Tick each reason and conflict once read."
            )
        told = {}
        for key, words in EXPLANATIONS.items():
            said, why = self.considered.get(key, ("", ""))
            if said not in CONSIDERED:
                raise UsageError(f"not considered yet: {words}. Say whether it is ruled out, and why.")
            told[key] = [said, own_words(f"why for “{words}”", why, LONGEST_WORDS, 3)]
        document = {
            "decision_sha256": decision.sha256,
            "decision": decision.seq,
            "evidence_sha256": evidence_sha256(self.evidence),
            "acknowledged": sorted(codes_of(self.evidence)),
            "considered": told,
            "summary": own_words("the summary", self.summary, LONGEST_SUMMARY, SHORTEST_SUMMARY),
        }
        if self.corrects is None:
            return document
        changed = own_words("what was wrong", self.changed, LONGEST_SUMMARY, 10)
        return {**document, "id": self.corrects, "changed": changed}


@dataclass(frozen=True)
class Release:
    """One released finding with all that followed."""

    id: str
    rows: tuple[Decision, ...]
    """``released`` first, then corrections, replies and a retraction, oldest first."""
    decided: Decision | None = None
    """The decision that the newest content stands on."""

    @property
    def first(self) -> Decision:
        """The row that released it."""
        return self.rows[0]

    @property
    def content(self) -> Decision:
        """The row that holds what is said now: the release, or its newest correction."""
        return next(row for row in reversed(self.rows) if row.kind in ("released", "correction"))

    @property
    def hull(self) -> dict[str, Any] | None:
        """The hull as it is released, with the box that the decision drew, if any; None where none was seen."""
        seen = self.content.seen.get("hull")
        drawn = None if self.decided is None else self.decided.box
        return None if seen is None else hull_as_told(seen, drawn)

    @property
    def corrections(self) -> tuple[Decision, ...]:
        """All corrections, oldest first."""
        return tuple(row for row in self.rows if row.kind == "correction")

    @property
    def replies(self) -> tuple[Decision, ...]:
        """All replies received, oldest first."""
        return tuple(row for row in self.rows if row.kind == "reply")

    @property
    def retraction(self) -> Decision | None:
        """What took it back."""
        return next((row for row in self.rows if row.kind == "retraction"), None)

    @property
    def state(self) -> str:
        """``released``, ``corrected`` or ``retracted``."""
        if self.retraction is not None:
            return "retracted"
        return "corrected" if self.corrections else "released"


def releases_of(told: Iterable[Decision]) -> tuple[Release, ...]:
    """Return the releases in rows of the chain, oldest first."""
    rows: dict[str, list[Decision]] = {}
    by_seq = {}
    for row in told:
        by_seq[row.seq] = row
        if row.kind in ("released", "correction", "retraction", "reply"):
            rows.setdefault(row.more["id"], []).append(row)
    made = (Release(key, tuple(own)) for key, own in rows.items())
    return tuple(Release(r.id, r.rows, by_seq.get(r.content.more["decision"])) for r in made)


@dataclass(frozen=True)
class Gate:
    """Where one finding stands."""

    held: Decision | None
    """The decision that stands."""
    asked: Decision | None
    """A request that can be answered."""
    lapsed: Decision | None
    """A request that cannot be any more: the finding or its decision has changed since."""
    release: Release | None
    """What is out and was not retracted."""
    earlier: tuple[Release, ...]
    """Retracted releases."""
    question: str
    """Why what is out has to be corrected or retracted; empty where nothing speaks against it."""
    deciders: frozenset[str]
    """Whose decisions for it were not taken back."""

    @property
    def state(self) -> str:
        """``draft``, ``reviewed`` or ``released``."""
        if self.release is not None:
            return "released"
        return "reviewed" if self.held is not None and self.held.kind in GOES_OUT else "draft"

    def refusal(self, name: str, added: datetime | None) -> str:
        """Return why a person may not release what is asked for; empty where they may.

        Args:
            name: Of the person.
            added: When their account was made.
        """
        if self.asked is None:
            return "there is no request that can be answered"
        if name == self.asked.user_name:
            return "you asked for it yourself; a second person releases"
        if self.deciders <= {name}:
            return "the only decision that stands is your own; another person has to decide it too, or release it"
        if added is None or added > self.asked.decided:
            return (
                "your account was made after the request; ask for a new one, so that you are a second person"
            )
        return ""


def gate_of(told: Sequence[Decision], evidence: Mapping[str, Any] | None) -> Gate:
    """Return where a finding stands.

    Args:
        told: All rows about it, oldest first.
        evidence: The finding as it stands; None where a rerun took it away.
    """
    standing = held(told)
    pending: Decision | None = None
    for row in told:
        if row.kind == "asked_release":
            pending = row
        elif row.kind in ("sent_back", "released", "correction", "retraction"):
            pending = None
    releases = releases_of(told)
    out = next((one for one in reversed(releases) if one.retraction is None), None)
    valid = pending is not None and _still_holds(pending, standing, evidence)
    taken = {row.undoes for row in told}
    return Gate(
        held=standing,
        asked=pending if valid else None,
        lapsed=None if valid else pending,
        release=out,
        earlier=tuple(one for one in releases if one.retraction is not None),
        question="" if out is None else in_question(out, standing, evidence),
        deciders=frozenset(r.user_name for r in told if r.kind in GOES_OUT and r.seq not in taken),
    )


def _still_holds(asked: Decision, standing: Decision | None, evidence: Mapping[str, Any] | None) -> bool:
    return (
        standing is not None
        and standing.kind in GOES_OUT
        and evidence is not None
        and asked.more["decision_sha256"] == standing.sha256
        and asked.more["evidence_sha256"] == evidence_sha256(evidence)
    )


def in_question(release: Release, standing: Decision | None, evidence: Mapping[str, Any] | None) -> str:
    """Return what speaks against a release as it is out; empty where nothing does."""
    was = release.decided
    if standing is None:
        return "the decision that it was released on was taken back"
    if standing.kind not in GOES_OUT:
        return f"it was {standing.kind} since"
    if was is not None and _verdict(was) != _verdict(standing):
        return "it was decided otherwise since"
    if evidence is None:
        return "a rerun no longer holds it"
    before = release.content.seen
    changed = [name for name in _MATERIAL if (before.get(name) or None) != (evidence.get(name) or None)]
    if ((before.get("hull") or {}).get("class")) != ((evidence.get("hull") or {}).get("class")):
        changed.append("class")
    return f"a rerun changed its {' and '.join(changed)}" if changed else ""


def _verdict(row: Decision) -> tuple[str | None, ...]:
    """Return what a decision says of the finding itself."""
    return row.hull_class, row.linked_mmsi, row.geometry


def evidence_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a finding (`store.Leads.one`); ``hull`` is null where none was seen."""
    seen: dict[str, Any] = {name: _plain(row[name]) for name in (*_MATCH, *_MADE)}
    seen["acquired"] = row["acquired"].isoformat() if known(row["acquired"]) else None
    seen["lonlat"] = [row["geometry"].x, row["geometry"].y]
    seen["hull"] = None
    if row["hull_detection_id"] is not None:
        box = [[float(x), float(y)] for x, y in row["hull_geometry"].exterior.coords]
        seen["hull"] = {name: _plain(row[f"hull_{name}"]) for name in _HULL} | {"box": box}
        seen["model_id"] = row["hull_model_id"]
    return seen


def current_evidence(leads: Leads, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (port, finding) -> the finding as it stands, of those that are in the store."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = leads.rows([LeadKey(*key, None) for key in keys[start : start + AT_ONCE]])
        found |= {(row["port"], row["finding"]): evidence_of(row) for row in rows}
    return found


def checksum(row: Mapping[str, Any]) -> str:
    """Return the sha256 of what would be kept: what the analyst looks at."""
    return evidence_sha256(evidence_of(row))


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell
    return value if known(value) else None
