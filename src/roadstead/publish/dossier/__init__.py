"""Everything that is known of a finding, in one folder or zip that others can check."""

from roadstead.publish.dossier.data import Attached, Chain, Finding, Imagery
from roadstead.publish.dossier.write import dossier_files, write_dossier, zipped

__all__ = ["Attached", "Chain", "Finding", "Imagery", "dossier_files", "write_dossier", "zipped"]
