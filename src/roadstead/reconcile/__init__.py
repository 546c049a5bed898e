"""Hold what was seen against what was declared: association, statuses, counts with intervals."""

from roadstead.reconcile.count import counts
from roadstead.reconcile.reasons import CONFLICTS, REASONS
from roadstead.reconcile.run import reconcile

__all__ = ["CONFLICTS", "REASONS", "counts", "reconcile"]
