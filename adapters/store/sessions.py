"""Sessions: one per thread, for ever."""

import hashlib
import re
import time
import uuid

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database
from adapters.store.tables import session as table
from core.errors import UserError
from core.sessions import Session, ThreadKey


def _session(row: sa.Row[tuple[object, ...]]) -> Session:
    key = ThreadKey(row.platform, row.workspace, row.channel, row.thread)
    return Session(row.id, key, row.title, row.slug)


def slug_of(title: str, session_id: str) -> str:
    """Return the name of the session's preview host: words of the title and four characters that make it unique."""
    words = "-".join(re.findall(r"[a-z0-9]+", title.casefold())[:4])[:30].strip("-") or "app"
    return f"{words}-{hashlib.sha256(session_id.encode()).hexdigest()[:6]}"


class Sessions:
    """Find, open and list sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Every event asks for its session. What never changes is kept; the title, which may, is read where it is shown.
        self._known: dict[ThreadKey, Session] = {}

    async def open(self, tx: AsyncConnection, key: ThreadKey, title: str) -> Session:
        """Return the thread's session, made now if there is none."""
        if known := self._known.get(key):
            return known
        row = (await tx.execute(sa.select(table).where(*_same(key)))).one_or_none()
        if row is not None:
            self._known[key] = _session(row)
            return self._known[key]
        title = " ".join(title.split())[:80] or "New thread"
        session_id = uuid.uuid4().hex
        session = Session(session_id, key, title, slug_of(title, session_id))
        await tx.execute(
            table.insert().values(
                id=session.id, platform=key.platform, workspace=key.workspace, channel=key.channel, thread=key.thread,
                title=session.title, slug=session.slug, created=time.time(),
            )
        )  # fmt: skip
        return session

    async def rename(self, tx: AsyncConnection | AsyncSession, session_id: str, title: str) -> None:
        """Give a session another title; its slug stays, links lead on."""
        await tx.execute(table.update().where(table.c.id == session_id).values(title=title[:80]))

    async def get(self, session_id: str) -> Session:
        """Return a session by its id."""
        return await self._one(table.c.id == session_id)

    async def at(self, key: ThreadKey) -> Session:
        """Return the session of a thread."""
        return await self._one(*_same(key))

    async def by_slug(self, slug: str) -> Session:
        """Return the session whose preview has this name."""
        return await self._one(table.c.slug == slug)

    async def _one(self, *where: sa.ColumnElement[bool]) -> Session:
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(table).where(*where))).one_or_none()
        if row is None:
            raise UserError("There is no such thread. The command `threads` lists all.")
        return _session(row)

    async def list(self) -> list[Session]:
        """Return all sessions, newest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(table).order_by(table.c.created.desc(), table.c.id))
        return [_session(row) for row in rows]


def _same(key: ThreadKey) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.platform == key.platform, table.c.workspace == key.workspace,
        table.c.channel == key.channel, table.c.thread == key.thread,
    )  # fmt: skip
