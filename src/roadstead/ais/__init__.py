"""AIS: files of any source to cleaned tables of positions, vessels and stations."""

from roadstead.ais.data import AisData
from roadstead.ais.read import read_ais
from roadstead.ais.registry import flag_of, imo_is_valid, mid_is_assigned
from roadstead.ais.store import ImportSummary, import_files, load_ais, read_store, write_store
from roadstead.ais.vessels import hull_centre

__all__ = [
    "AisData",
    "ImportSummary",
    "flag_of",
    "hull_centre",
    "imo_is_valid",
    "import_files",
    "load_ais",
    "mid_is_assigned",
    "read_ais",
    "read_store",
    "write_store",
]
