"""The store of what was seen, declared and decided: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.store.attachments import Attachment, Attachments
from roadstead.store.audits import AuditAnswer, AuditBox, AuditCell, AuditDraw, Audits, hull_record, newest
from roadstead.store.chain import GENESIS, Decision, Verified, canonical
from roadstead.store.decisions import Decisions, OvertakenError, Verdict, held
from roadstead.store.desk_schema import ANSWERS, BECAUSE, FIXED_STRUCTURE, ROLES
from roadstead.store.lead_queue import SORTS, LeadTable, Queue, Ranked
from roadstead.store.leads import LeadFilter, LeadKey, Leads, Nearby
from roadstead.store.ledger import MissingPass
from roadstead.store.map_points import Atlas, Pass, Points
from roadstead.store.people import People, Person, fits, hashed
from roadstead.store.release_gate import (
    Asking,
    Gate,
    Release,
    codes_of,
    current_evidence,
    evidence_of,
    evidence_sha256,
    gate_of,
)
from roadstead.store.releases import Releases, plain_id
from roadstead.store.store import Standing, Store
from roadstead.store.vessels import Vessels

__all__ = [
    "ANSWERS",
    "BECAUSE",
    "FIXED_STRUCTURE",
    "GENESIS",
    "ROLES",
    "SORTS",
    "Asking",
    "Atlas",
    "Attachment",
    "Attachments",
    "AuditAnswer",
    "AuditBox",
    "AuditCell",
    "AuditDraw",
    "Audits",
    "Decision",
    "Decisions",
    "Gate",
    "LeadFilter",
    "LeadKey",
    "LeadTable",
    "Leads",
    "MissingPass",
    "Nearby",
    "OvertakenError",
    "Pass",
    "People",
    "Person",
    "Points",
    "Queue",
    "Ranked",
    "Release",
    "Releases",
    "Standing",
    "Store",
    "Verdict",
    "Verified",
    "Vessels",
    "canonical",
    "codes_of",
    "current_evidence",
    "evidence_of",
    "evidence_sha256",
    "fits",
    "gate_of",
    "hashed",
    "held",
    "hull_record",
    "newest",
    "plain_id",
]
