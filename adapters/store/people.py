"""Who is in a thread: standing, who has spoken, and messages that wait for the owner's word."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import approval, person
from core.chat import Event
from core.sessions import Author, Session

Connection = AsyncConnection | AsyncSession
Standing = Literal["owner", "invited", "guest", "denied"]


@dataclass(frozen=True)
class Waiting:
    """A guest's message that waits; `state` is open, allowed, invited, denied or dropped."""

    id: str
    session_id: str
    event: Event
    state: str
    created: float


class People:
    """Rows of `person` and `approval`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._there = sa.select(person).where(person.c.session_id == sa.bindparam("session_id"))

    async def standing(self, tx: Connection, session_id: str, author_id: str) -> Standing:
        """Return what a person is in a session; somebody unknown is a guest."""
        where = (person.c.session_id == session_id, person.c.author_id == author_id)
        found: Standing | None = await tx.scalar(sa.select(person.c.standing).where(*where))
        return found or "guest"

    async def owners(self, tx: Connection, session_id: str) -> list[Author]:
        """Return the session's owner; none for the local chat."""
        where = (person.c.session_id == session_id, person.c.standing == "owner")
        rows = await tx.execute(sa.select(person.c.author_id, person.c.name).where(*where))
        return [Author(*row) for row in rows]

    async def there(self, tx: Connection, session_id: str) -> list[tuple[Author, Standing]]:
        """Return everybody who is known in a session, with what they are."""
        rows = await tx.execute(self._there, {"session_id": session_id})
        return [(Author(row.author_id, row.name), row.standing) for row in rows]

    async def others(self, tx: Connection, session: Session, author_id: str) -> int:
        """Return how many besides one person have a say in a session."""
        standings = ("owner", "invited") if session.access in ("invited", "everyone") else ("owner",)
        spoke = sa.and_(person.c.spoke, sa.literal(session.access == "everyone"))
        say = sa.or_(person.c.standing.in_(standings), spoke)
        where = (person.c.session_id == session.id, person.c.author_id != author_id, say)
        return int(await tx.scalar(sa.select(sa.func.count()).select_from(person).where(*where)) or 0)

    async def put(self, tx: Connection, session_id: str, author: Author, standing: Standing) -> None:
        """Give a person a standing."""
        await self._merge(tx, session_id, author, {"standing": standing, "name": author.name})

    async def spoke(self, tx: Connection, session_id: str, author: Author) -> tuple[int, Standing]:
        """Note that a person has spoken in the thread; return how many have by now, and the person's standing."""
        there = {row.author_id: row for row in await tx.execute(self._there, {"session_id": session_id})}
        known = there.get(author.id)
        if known is None or not known.spoke or known.name != author.name:
            await self._merge(tx, session_id, author, {"spoke": True, "name": author.name})
        others = sum(row.spoke for row in there.values() if row.author_id != author.id)
        return others + 1, known.standing if known else "guest"

    async def _merge(self, tx: Connection, session_id: str, author: Author, values: dict[str, object]) -> None:
        row = {"session_id": session_id, "author_id": author.id, "name": author.name, "standing": "guest", **values}
        added = self._database.insert(person).values(row)
        await tx.execute(added.on_conflict_do_update(index_elements=["session_id", "author_id"], set_=values))

    async def wait(self, tx: Connection, number: str, session_id: str, event: Event) -> None:
        """Keep a guest's message until the owner decides."""
        row = {"id": number, "session_id": session_id, "event": to_json(event, Event), "created": time.time()}
        await tx.execute(approval.insert().values(row))

    async def waiting(self, tx: Connection, number: str, session_id: str) -> Waiting | None:
        """Return a message that waits, or did."""
        where = (approval.c.id == number, approval.c.session_id == session_id)
        row = (await tx.execute(sa.select(approval).where(*where))).one_or_none()
        return _waiting(row) if row is not None else None

    async def overdue(self, before: float) -> list[Waiting]:
        """Return what waits since before a time, in Unix seconds."""
        async with self._database.read() as connection:
            query = sa.select(approval).where(approval.c.state == "open", approval.c.created < before)
            return [_waiting(row) for row in await connection.execute(query)]

    async def decide(self, tx: Connection, number: str, state: str, event: Event | None = None) -> None:
        """Set what became of a message that waited; `event` replaces its content."""
        values = {"state": state} | ({"event": to_json(event, Event)} if event else {})
        await tx.execute(approval.update().where(approval.c.id == number).values(values))


def _waiting(row: Any) -> Waiting:
    return Waiting(row.id, row.session_id, from_json(row.event, Event), row.state, row.created)
