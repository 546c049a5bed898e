"""Files that analysts attach to findings: the bytes by their hash, and what is said of them in the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from roadstead.core.errors import UsageError
from roadstead.store import desk_schema
from roadstead.store.chain import DECISION, Decision, alone, append, canonical
from roadstead.store.rows import table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store

FILE = table_of(desk_schema.AttachedFile)
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 40
"""Of one finding."""
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

    @property
    def told(self) -> str:
        """What stands of it in the chain: canonical JSON."""
        said: dict[str, Any] = {
            name: getattr(self, name) for name in ("name", "media_type", "licence", "may_share", "source")
        }
        return canonical({**said, "sha256": self.sha256, "bytes": len(self.content)})


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
        row: dict[str, Any] = {**key, "kind": "attached", "note": file.note, "attachment": file.told}
        row |= {"evidence": canonical(evidence), "simulated": simulated}
        own = select(DECISION.c.seq).where(
            DECISION.c.port == port, DECISION.c.finding == finding, DECISION.c.kind == "attached"
        )
        with self._store.transaction(writes=True) as connection:
            alone(connection)  # two who attach one file at once would each find it absent
            if len(connection.execute(own).all()) >= MOST_FILES:
                raise UsageError(f"the finding has {MOST_FILES} files: no more can be attached")
            there = connection.scalar(select(FILE.c.sha256).where(FILE.c.sha256 == file.sha256))
            if there is None:
                values = {"sha256": file.sha256, "content": file.content, "shown": file.shown}
                connection.execute(insert(FILE), [values])
            return append(connection, row, user, now)

    def content(self, sha256: str) -> bytes | None:
        """Return a file as it was uploaded; None where there is none."""
        return self._one(FILE.c.content, sha256)

    def shown(self, sha256: str) -> bytes | None:
        """Return an image as WebP; None of a document or where there is none."""
        return self._one(FILE.c.shown, sha256)

    def _one(self, column: Any, sha256: str) -> bytes | None:  # noqa: ANN401 - a column
        with self._store.transaction(writes=False) as connection:
            found: bytes | None = connection.scalar(select(column).where(FILE.c.sha256 == sha256))
            return found

    def faults(self) -> tuple[str, ...]:
        """Return one line for each row of the chain whose file is missing or is not what was attached."""
        faults = []
        chosen = select(DECISION).where(DECISION.c.kind == "attached").order_by(DECISION.c.seq)
        with self._store.transaction(writes=False) as connection:
            rows = [Decision(**row) for row in connection.execute(chosen).mappings()]
        for row in rows:
            content = self.content(row.file["sha256"])
            where = f"decision {row.seq} ({row.user_name}, {row.finding}): the file {row.file['name']!r}"
            if content is None:
                faults.append(f"{where} is missing")
            elif hashlib.sha256(content).hexdigest() != row.file["sha256"]:
                faults.append(f"{where} does not have the hash that it was attached with")
        return tuple(faults)
