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
from roadstead.catalog.leads import LeadFilter, LeadKey, Leads
from roadstead.catalog.ledger import MissingPass
from roadstead.catalog.people import People, Person
from roadstead.catalog.queue import SORTS, LeadTable, Queue, Ranked
from roadstead.catalog.review_model import BECAUSE, ROLES
from roadstead.catalog.store import Standing, Store

__all__ = [
    "BECAUSE",
    "ROLES",
    "SORTS",
    "Decision",
    "Decisions",
    "LeadFilter",
    "LeadKey",
    "LeadTable",
    "Leads",
    "MissingPass",
    "OvertakenError",
    "People",
    "Person",
    "Queue",
    "Ranked",
    "Standing",
    "Store",
    "Verdict",
    "Verified",
    "canonical",
    "held",
]
