"""Files that analysts attach to findings: the bytes by their hash, and what is said of them in the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from roadstead.core.errors import StoreError, UsageError
from roadstead.store import desk_schema
from roadstead.store.chain import DECISION, Decision, alone, append, canonical
from roadstead.store.rows import table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store

FILE = table_of(desk_schema.AttachedFile)
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 40
"""Of one finding."""
SHOWN = "shown_sha256"
"""What the chain says of the picture that pages show of a file, null of a document; older rows lack it."""
LONGEST = {"name": 120, "licence": 200, "source": 500, "note": 4000}
"""Characters."""


@dataclass(frozen=True)
class Attachment:
    """A file and what an analyst says of it."""

    name: str
    media_type: str
    content: bytes
    """As it was uploaded."""
    shown: bytes | None
    """WebP for pages; None of a document."""
    licence: str
    may_share: bool
    """Whether the licence lets it go to others, in a dossier."""
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what lacks its licence or is too large."""
        if not self.content:
            raise UsageError("the file is empty")
        if len(self.content) > MOST_BYTES:
            raise UsageError(
                f"the file has {len(self.content) / 2**20:.1f} MB: {MOST_BYTES >> 20} MB at most"
            )
        if not self.licence.strip():
            raise UsageError("say under which licence the file is: without it nobody may use it")
        for name, most in LONGEST.items():
            if len(getattr(self, name)) > most:
                raise UsageError(f"{name}: {most} characters at most")

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    def told(self, shown: bytes | None) -> str:
        """Return what stands of it in the chain: canonical JSON.

        Args:
            shown: the picture that the store keeps of it.
        """
        said: dict[str, Any] = {
            name: getattr(self, name) for name in ("name", "media_type", "licence", "may_share", "source")
        }
        said |= {"sha256": self.sha256, "bytes": len(self.content), SHOWN: _sha256(shown)}
        return canonical(said)


class Attachments:
    """The files of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def add(
        self,
        file: Attachment,
        *,
        port: str,
        overpass_id: str,
        finding: str,
        evidence: Mapping[str, Any],
        simulated: bool,
        user: str,
        now: datetime,
    ) -> Decision:
        """Keep a file and add its row to the chain.

        Args:
            file: The file.
            port: Of the finding.
            overpass_id: Of the finding.
            finding: What it is known by.
            evidence: The finding as it was seen, JSON-ready.
            simulated: Whether the finding is.
            user: By whom.
            now: UTC.

        Raises:
            UsageError: the finding has very many files already.
            StoreError: the database failed; nothing is kept.
        """
        key = {"port": port, "overpass_id": overpass_id, "finding": finding}
        row: dict[str, Any] = {**key, "kind": "attached", "note": file.note}
        row |= {"evidence": canonical(evidence), "simulated": simulated}
        own = select(DECISION.c.seq).where(
            DECISION.c.port == port, DECISION.c.finding == finding, DECISION.c.kind == "attached"
        )
        with self._store.transaction(writes=True) as connection:
            alone(connection)  # two who attach one file at once would each find it absent
            if len(connection.execute(own).all()) >= MOST_FILES:
                raise UsageError(f"the finding has {MOST_FILES} files: no more can be attached")
            there = connection.execute(select(FILE.c.shown).where(FILE.c.sha256 == file.sha256)).one_or_none()
            if there is None:
                values = {"sha256": file.sha256, "content": file.content, "shown": file.shown}
                connection.execute(insert(FILE), [values])
            row["attachment"] = file.told(file.shown if there is None else there.shown)
            return append(connection, row, user, now)

    def content(self, sha256: str) -> bytes | None:
        """Return a file as it was uploaded; None where there is none."""
        return self._one(FILE.c.content, sha256)

    def shown(self, row: Decision) -> bytes | None:
        """Return the image of an attached file as WebP; None of a document or where there is none.

        Raises:
            StoreError: it is not the picture that was attached.
        """
        picture = self._one(FILE.c.shown, row.file["sha256"])
        if SHOWN in row.file and _sha256(picture) != row.file[SHOWN]:
            raise StoreError(
                f"the picture of {row.file['name']!r} is not the one that was attached: run 'roadstead review verify'"
            )
        return picture

    def _one(self, column: Any, sha256: str) -> bytes | None:  # noqa: ANN401 - a column
        with self._store.transaction(writes=False) as connection:
            found: bytes | None = connection.scalar(select(column).where(FILE.c.sha256 == sha256))
            return found

    def faults(self) -> tuple[str, ...]:
        """Return one line for each row of the chain whose file, or its picture, is missing or not what was attached."""
        return tuple(
            f"decision {row.seq} ({row.user_name}, {row.finding}): {fault}"
            for row in self._rows()
            for fault in self._faults_of(row)
        )

    def unchecked(self) -> int:
        """Return of how many rows the picture cannot be checked: the chain did not keep its hash at that time."""
        return sum(
            SHOWN not in row.file and self._one(FILE.c.shown, row.file["sha256"]) is not None
            for row in self._rows()
        )

    def _rows(self) -> list[Decision]:
        chosen = select(DECISION).where(DECISION.c.kind == "attached").order_by(DECISION.c.seq)
        with self._store.transaction(writes=False) as connection:
            return [Decision(**row) for row in connection.execute(chosen).mappings()]

    def _faults_of(self, row: Decision) -> Iterator[str]:
        said, content = row.file, self.content(row.file["sha256"])
        if content is None:
            yield f"the file {said['name']!r} is missing"
            return
        if _sha256(content) != said["sha256"]:
            yield f"the file {said['name']!r} does not have the hash that it was attached with"
        if SHOWN in said and _sha256(self._one(FILE.c.shown, said["sha256"])) != said[SHOWN]:
            yield f"the picture shown of {said['name']!r} does not have the hash that it was attached with"


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
