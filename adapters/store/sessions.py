"""Sessions: one per thread, for ever."""

import hashlib
import re
import time
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database
from adapters.store.tables import listener, person, place
from adapters.store.tables import session as table
from core.errors import UserError
from core.sessions import Session, ThreadKey

Connection = AsyncConnection | AsyncSession
SETTINGS = ("access", "listening", "verbosity")
BASE = {"access": "invited", "listening": "auto", "verbosity": "steps"}

# Put into SQL once: building a statement takes longer than running it.
_KEY = [table.c[name] == sa.bindparam(name) for name in ("platform", "workspace", "channel", "thread")]
FIND = sa.select(table).where(*_KEY).with_for_update(key_share=True)
OF_SLUG = sa.select(table).where(table.c.slug == sa.bindparam("slug"))
WITHIN = sa.select(table).where(table.c.id == sa.bindparam("id")).with_for_update(key_share=True)
_OLDER = sa.or_(table.c.active < sa.bindparam("at"), table.c.seen == "")
SAW = (
    table.update()
    .where(table.c.id == sa.bindparam("of"), _OLDER)
    .values(seen=sa.bindparam("last"), active=sa.bindparam("at"))
)


def _session(row: sa.Row[tuple[object, ...]]) -> Session:
    key = ThreadKey(row.platform, row.workspace, row.channel, row.thread)
    return Session(
        row.id, key, row.title, row.slug, row.access, row.listening, row.verbosity, row.seen, row.created, row.sharing,
        row.links_since,
    )  # fmt: skip


def slug_of(title: str, session_id: str) -> str:
    """Return the name of the session's preview host: words of the title and four characters that make it unique."""
    words = "-".join(re.findall(r"[a-z0-9]+", title.casefold())[:4])[:30].strip("-") or "app"
    return f"{words}-{hashlib.sha256(session_id.encode()).hexdigest()[:6]}"


class Sessions:
    """Find, open and list sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, tx: Connection, key: ThreadKey) -> Session | None:
        """Return the thread's session inside `tx`, which holds its row from now on; None if there is none."""
        row = (await tx.execute(FIND, vars(key))).one_or_none()
        return _session(row) if row is not None else None

    async def in_thread(self, tx: Connection, key: ThreadKey) -> list[Session]:
        """Return the sessions of a thread, or of a whole channel where the key names no thread."""
        where = [table.c[name] == value for name, value in vars(key).items() if value or name != "thread"]
        rows = await tx.execute(sa.select(table).where(*where).order_by(table.c.id).with_for_update(key_share=True))
        return [_session(row) for row in rows]

    async def within(self, tx: Connection, session_id: str) -> Session:
        """Return a session by its id, inside `tx`, which holds its row from now on."""
        return _session((await tx.execute(WITHIN, {"id": session_id})).one())

    async def open(self, tx: Connection, key: ThreadKey, title: str, at: float = 0.0) -> Session:
        """
        Return the thread's session, made with its channel's settings if there is none.

        `at` is when that is, by the platform's clock, in Unix seconds; without it this machine's counts.
        """
        if found := await self.find(tx, key):
            return found
        title = " ".join(title.split())[:80] or "New thread"
        session_id = uuid.uuid4().hex
        defaults = await self.defaults(tx, key)
        now = at or time.time()
        session = Session(session_id, key, title, slug_of(title, session_id), created=now, **defaults)  # type: ignore[arg-type]
        await tx.execute(
            table.insert().values(
                id=session.id, platform=key.platform, workspace=key.workspace, channel=key.channel, thread=key.thread,
                title=session.title, slug=session.slug, created=now, active=now, **defaults,
            )
        )  # fmt: skip
        return session

    async def defaults(self, tx: Connection, key: ThreadKey) -> dict[str, str]:
        """Return the settings of new sessions in the thread's channel."""
        where = (place.c.platform == key.platform, place.c.workspace == key.workspace, place.c.channel == key.channel)
        row = (await tx.execute(sa.select(place).where(*where))).one_or_none()
        return {name: getattr(row, name) for name in SETTINGS} if row is not None else {}

    async def change(self, tx: Connection, session: Session, **values: str) -> None:
        """Change settings of a session; they hold for running turns too."""
        await tx.execute(table.update().where(table.c.id == session.id).values(**values))

    async def revoke_links(self, tx: Connection, session: Session) -> None:
        """Let no link to the preview count that was given out until now."""
        since = int(time.time()) + 1
        await tx.execute(table.update().where(table.c.id == session.id).values(links_since=since, sharing="link"))

    async def change_place(self, tx: Connection, key: ThreadKey, **values: str) -> None:
        """Change the settings of sessions that will be opened in the thread's channel; a preview is shared one by one."""
        row = {**BASE, **await self.defaults(tx, key), **{one: values[one] for one in SETTINGS if one in values}}
        where = {"platform": key.platform, "workspace": key.workspace, "channel": key.channel}
        added = self._database.insert(place).values(**where, **row)
        await tx.execute(added.on_conflict_do_update(index_elements=list(where), set_=row))

    async def show_in_channel(self, tx: Connection, key: ThreadKey, verbosity: str) -> None:
        """Change how much is shown in all sessions of the thread's channel that went by the channel's setting."""
        before = {**BASE, **await self.defaults(tx, key)}["verbosity"]
        where = [table.c[name] == getattr(key, name) for name in ("platform", "workspace", "channel")]
        if verbosity:
            await tx.execute(table.update().where(*where, table.c.verbosity == before).values(verbosity=verbosity))

    async def bind(self, tx: Connection, session: Session, thread: str) -> None:
        """Give a session whose thread has just been opened its thread."""
        await tx.execute(table.update().where(table.c.id == session.id).values(thread=thread))

    async def saw(self, tx: Connection, session: Session, remote_id: str, at: float) -> None:
        """Note the latest message that was taken in, for catching up after a gap."""
        await tx.execute(SAW, {"of": session.id, "last": remote_id, "at": at})

    async def active(self, platform: str, since: float) -> list[Session]:
        """Return the platform's sessions in which something was said after `since`, the busiest lately first."""
        query = sa.select(table).where(table.c.platform == platform, table.c.active > since)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(table.c.active.desc()))
        return [_session(row) for row in rows]

    async def listened(self, platform: str, now: float) -> float:
        """Return until when it is known who called the bot, in Unix seconds; from `now` on, where it never listened before."""
        async with self._database.write() as tx:
            new = self._database.insert(listener).values(platform=platform, until=now)
            await tx.execute(new.on_conflict_do_nothing())
            return float(await tx.scalar(sa.select(listener.c.until).where(listener.c.platform == platform)) or now)

    async def listened_until(self, platform: str, until: float) -> None:
        """Note that it is known who called the bot until this time."""
        async with self._database.write() as tx:
            await tx.execute(listener.update().where(listener.c.platform == platform).values(until=until))

    async def rename(self, tx: AsyncConnection | AsyncSession, session_id: str, title: str) -> None:
        """Give a session another title; its slug stays, links lead on."""
        await tx.execute(table.update().where(table.c.id == session_id).values(title=title[:80]))

    async def get(self, session_id: str) -> Session:
        """Return a session by its id."""
        return await self._one(table.c.id == session_id)

    async def at(self, key: ThreadKey) -> Session:
        """Return the session of a thread."""
        return await self._one(*(table.c[name] == value for name, value in vars(key).items()))

    async def of_slug(self, slug: str) -> Session | None:
        """Return the session whose preview has this name, None if there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(OF_SLUG, {"slug": slug})).one_or_none()
        return _session(row) if row is not None else None

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

    async def of_person(self, platform: str, workspace: str, author_id: str, most: int = 20) -> Sequence[Session]:
        """Return the sessions that a person owns or is invited to, newest first."""
        query = (
            sa.select(table)
            .join(person, person.c.session_id == table.c.id)
            .where(table.c.platform == platform, table.c.workspace == workspace, person.c.author_id == author_id)
            .where(person.c.standing.in_(("owner", "invited")))
            .order_by(table.c.created.desc())
            .limit(most)
        )
        async with self._database.read() as connection:
            return [_session(row) for row in await connection.execute(query)]
