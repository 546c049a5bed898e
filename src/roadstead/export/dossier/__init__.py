"""Everything that is known of a finding, in one folder or zip that others can check."""

from roadstead.export.dossier.data import Finding, Imagery
from roadstead.export.dossier.write import dossier_files, write_dossier

__all__ = ["Finding", "Imagery", "dossier_files", "write_dossier"]
