"""The audit: how much a model misses and makes up at a port, from cells drawn at random and boxed by people."""

from roadstead.audit.estimate import Estimate
from roadstead.audit.frame import Candidate, allocation, candidates, order, seconds, shuffled, window_of
from roadstead.audit.precision import (
    COLUMNS,
    LEAST_CELLS,
    NOT_MEASURED,
    StatedRecall,
    stated_recall,
    with_recall,
)
from roadstead.audit.results import Agreement, ModelResult, Results, is_complete, results
from roadstead.audit.scoring import NOTHING, UNTOLD, inside

__all__ = [
    "COLUMNS",
    "LEAST_CELLS",
    "NOTHING",
    "NOT_MEASURED",
    "UNTOLD",
    "Agreement",
    "Candidate",
    "Estimate",
    "ModelResult",
    "Results",
    "StatedRecall",
    "allocation",
    "candidates",
    "inside",
    "is_complete",
    "order",
    "results",
    "seconds",
    "shuffled",
    "stated_recall",
    "window_of",
    "with_recall",
]
