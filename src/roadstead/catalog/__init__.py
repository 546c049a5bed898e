"""The store of what was seen, declared and decided: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.catalog.decisions import (
    Decision,
    Decisions,
    OvertakenError,
    Verdict,
    Verified,
    canonical,
    held,
)
from roadstead.catalog.gate import Asking, Gate, Release, codes_of, evidence_sha256, gate_of
from roadstead.catalog.leads import LeadFilter, LeadKey, Leads
from roadstead.catalog.ledger import MissingPass
from roadstead.catalog.people import People, Person
from roadstead.catalog.permanent_ids import plain_id
from roadstead.catalog.releases import Releases
from roadstead.catalog.review_model import BECAUSE, ROLES
from roadstead.catalog.store import Standing, Store

__all__ = [
    "BECAUSE",
    "ROLES",
    "Asking",
    "Decision",
    "Decisions",
    "Gate",
    "LeadFilter",
    "LeadKey",
    "Leads",
    "MissingPass",
    "OvertakenError",
    "People",
    "Person",
    "Release",
    "Releases",
    "Standing",
    "Store",
    "Verdict",
    "Verified",
    "canonical",
    "codes_of",
    "evidence_sha256",
    "gate_of",
    "held",
    "plain_id",
]
