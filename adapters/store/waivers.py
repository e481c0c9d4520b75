"""The Waivers port: findings that people said are fine, with who and why."""

import time
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database
from adapters.store.tables import waiver
from core.sessions import Author

Connection = AsyncConnection | AsyncSession
MAX_WHY_CHARS = 500


class Waivers:
    """Per thread, by fingerprint."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waived(self, session_id: str) -> Mapping[str, str]:
        """Return fingerprint -> the name of who waived it."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(waiver.c.fingerprint, waiver.c.name).where(waiver.c.session_id == session_id)
            )
            return {row.fingerprint: row.name for row in rows}

    async def waive(self, tx: Connection, session_id: str, fingerprints: Iterable[str], by: Author, why: str) -> None:
        """Store that `by` said that these findings are fine; the latest word counts."""
        for fingerprint in fingerprints:
            where = (waiver.c.session_id == session_id, waiver.c.fingerprint == fingerprint)
            await tx.execute(waiver.delete().where(*where))
            row = {"session_id": session_id, "fingerprint": fingerprint, "author_id": by.id, "name": by.name}
            await tx.execute(waiver.insert().values(row | {"why": why[:MAX_WHY_CHARS], "created": time.time()}))
