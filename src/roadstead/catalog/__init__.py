"""The store of what was seen, declared and decided: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.catalog.atlas import Atlas
from roadstead.catalog.attachments import Attachment, Attachments
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
from roadstead.catalog.nearby import Nearby
from roadstead.catalog.people import People, Person
from roadstead.catalog.review_model import BECAUSE, FIXED_STRUCTURE, ROLES
from roadstead.catalog.store import Standing, Store
from roadstead.catalog.vessels import Vessels

__all__ = [
    "BECAUSE",
    "FIXED_STRUCTURE",
    "ROLES",
    "Atlas",
    "Attachment",
    "Attachments",
    "Decision",
    "Decisions",
    "LeadFilter",
    "LeadKey",
    "Leads",
    "MissingPass",
    "Nearby",
    "OvertakenError",
    "People",
    "Person",
    "Standing",
    "Store",
    "Verdict",
    "Verified",
    "Vessels",
    "canonical",
    "held",
]
