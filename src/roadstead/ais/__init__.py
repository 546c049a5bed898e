"""AIS: files of any source to cleaned tables of positions, vessels and stations."""

from roadstead.ais.archive.importing import ImportSummary, import_files
from roadstead.ais.archive.store import load_ais, read_store, write_store
from roadstead.ais.data import SIMULATED_SOURCE, AisData, Source, from_simulator
from roadstead.ais.identity.registry import flag_of, imo_is_valid, mid_is_assigned
from roadstead.ais.read import read_ais
from roadstead.ais.static_history import hull_centre

__all__ = [
    "SIMULATED_SOURCE",
    "AisData",
    "ImportSummary",
    "Source",
    "flag_of",
    "from_simulator",
    "hull_centre",
    "imo_is_valid",
    "import_files",
    "load_ais",
    "mid_is_assigned",
    "read_ais",
    "read_store",
    "write_store",
]
