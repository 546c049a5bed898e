"""Every error that Roadstead raises on purpose.

The tree, with the exit code of the command line beside each branch::

    RoadsteadError
    ├── UsageError            2   the command was called wrongly
    ├── BadInputError         3   something the user gave cannot be used
    │   ├── PortError             a port file
    │   │   └── UnknownPortError  2 a port name; a usage error too
    │   ├── EmptySearchError      the catalogue holds nothing for this port and time range
    │   ├── SceneError            a STAC item or raster: no datetime, missing band, no CRS, all no-data
    │   ├── AisError              an AIS file or column mapping
    │   ├── DetectionsError       a detections file
    │   ├── ScenarioError         a scenario to simulate; names file, line and field
    │   ├── ModelError            model files or their checksum
    │   ├── TableError            rows that break a table of tables.py
    │   └── LogInError            what a log-in provider said is not taken
    ├── UpstreamError         4   a catalogue, an image server or a disk failed us
    │   ├── CatalogueError        a STAC catalogue could not be read
    │   ├── ReadError             an image could not be read (never "0 ships")
    │   ├── StoreError            the store or an output file could not be read or written
    │   └── BusyError             the desk has too much to do at once: try again in a moment
    ├── PartialError          5   some scenes failed, the rest are done
    └── AccusationError       1   a text of ours that was to be written accuses; a fault of Roadstead
"""

from collections.abc import Mapping


class RoadsteadError(Exception):
    """Base of all errors below; the message names the thing at fault and how to mend it."""

    exit_code = 1


class UsageError(RoadsteadError):
    """The command was called wrongly."""

    exit_code = 2


class BadInputError(RoadsteadError):
    """Something the user gave cannot be used."""

    exit_code = 3


class PortError(BadInputError):
    """A port file breaks the rules of ``aoi/README.md``, or a port name is unknown."""


class UnknownPortError(UsageError, PortError):
    """No port is known by this name; the message says which are, and which was meant."""


class EmptySearchError(BadInputError):
    """The catalogue holds no scene of this port in this time range: not observed, not zero."""


class SceneError(BadInputError):
    """A STAC item or raster lacks what detection needs (datetime, band, CRS, valid pixels)."""


class AisError(BadInputError):
    """An AIS file or its column mapping cannot be used."""


class ScenarioError(BadInputError):
    """A scenario cannot be used; the message names the file, the line and the field."""


class DetectionsError(BadInputError):
    """A detections file lacks the ``roadstead`` member or columns that reconciling needs."""


class ModelError(BadInputError):
    """Model files are missing, damaged, or their checksum is not the one in ``model.json``."""


class TableError(BadInputError):
    """Rows break a table of :mod:`roadstead.core.schemas`."""


class LogInError(BadInputError):
    """What a log-in provider said is not taken; the message says why, for whoever tried to log in."""


class UpstreamError(RoadsteadError):
    """A catalogue, an image server or a disk failed."""

    exit_code = 4


class CatalogueError(UpstreamError):
    """A STAC catalogue or API could not be read."""


class ReadError(UpstreamError):
    """Pixels could not be read; the scene is listed as failed, never as zero ships."""


class StoreError(UpstreamError):
    """The store or an output file could not be read or written; it is as it was before."""


class BusyError(UpstreamError):
    """Too many ask for something costly at once; whoever asks again in a moment is served."""


class PartialError(RoadsteadError):
    """Some scenes failed and are named; the others are done and stored."""

    exit_code = 5

    def __init__(self, failures: Mapping[str, str]) -> None:
        """Keep ``failures``, a map of scene or overpass id to the reason it failed."""
        self.failures = dict(failures)
        lines = "\n".join(f"  {scene}: {reason}" for scene, reason in self.failures.items())
        super().__init__(f"{len(self.failures)} failed; the others are done:\n{lines}")


class AccusationError(RoadsteadError):
    """A text that Roadstead made accuses; it is not written."""
