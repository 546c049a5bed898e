"""The store of what was seen, declared and decided: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.catalog.atlas import Atlas, Pass, Points
from roadstead.catalog.attachments import Attachment, Attachments
from roadstead.catalog.audit_model import ANSWERS
from roadstead.catalog.audits import AuditAnswer, AuditBox, AuditCell, AuditDraw, Audits, hull_record, newest
from roadstead.catalog.chain import GENESIS, Decision, Verified, canonical
from roadstead.catalog.decisions import Decisions, OvertakenError, Verdict, held
from roadstead.catalog.gate import Asking, Gate, Release, codes_of, evidence_sha256, gate_of
from roadstead.catalog.leads import LeadFilter, LeadKey, Leads
from roadstead.catalog.ledger import MissingPass
from roadstead.catalog.nearby import Nearby
from roadstead.catalog.people import People, Person
from roadstead.catalog.permanent_ids import plain_id
from roadstead.catalog.queue import SORTS, LeadTable, Queue, Ranked
from roadstead.catalog.releases import Releases
from roadstead.catalog.review_model import BECAUSE, FIXED_STRUCTURE, ROLES
from roadstead.catalog.store import Standing, Store
from roadstead.catalog.vessels import Vessels

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
    "evidence_sha256",
    "gate_of",
    "held",
    "hull_record",
    "newest",
    "plain_id",
]
