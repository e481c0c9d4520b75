"""Who is in a thread: standing, who has spoken, and messages that wait for the owner's word."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import approval, person
from core.chat import Event
from core.clock import SYSTEM, Clock
from core.sessions import Author
from core.thread.state import Held, Person, Standing

Connection = AsyncConnection | AsyncSession


class People:
    """Rows of `person` and `approval`."""

    def __init__(self, database: Database, clock: Clock = SYSTEM) -> None:
        self._database, self._clock = database, clock
        self._there = sa.select(person).where(person.c.session_id == sa.bindparam("session_id"))

    async def owners(self, tx: Connection, session_id: str) -> list[Author]:
        """Return the session's owner; none for the local chat."""
        where = (person.c.session_id == session_id, person.c.standing == "owner")
        rows = await tx.execute(sa.select(person.c.author_id, person.c.name).where(*where))
        return [Author(*row) for row in rows]

    async def there(self, tx: Connection, session_id: str) -> list[Person]:
        """Return everybody who is known in a session."""
        rows = await tx.execute(self._there, {"session_id": session_id})
        return [Person(Author(row.author_id, row.name), row.standing, row.spoke) for row in rows]

    async def put(self, tx: Connection, session_id: str, author: Author, standing: Standing) -> None:
        """Give a person a standing."""
        await self._merge(tx, session_id, author, {"standing": standing, "name": author.name})

    async def spoke(self, tx: Connection, session_id: str, author: Author) -> None:
        """Note that a person has spoken in the thread, by this name."""
        await self._merge(tx, session_id, author, {"spoke": True, "name": author.name})

    async def _merge(self, tx: Connection, session_id: str, author: Author, values: dict[str, object]) -> None:
        row = {"session_id": session_id, "author_id": author.id, "name": author.name, "standing": "guest", **values}
        added = self._database.insert(person).values(row)
        await tx.execute(added.on_conflict_do_update(index_elements=["session_id", "author_id"], set_=values))

    async def wait(self, tx: Connection, number: str, session_id: str, event: Event) -> None:
        """Keep a guest's message until the owner decides."""
        row = {"id": number, "session_id": session_id, "event": to_json(event, Event), "created": self._clock.now()}
        await tx.execute(approval.insert().values(row))

    async def held(self, tx: Connection, ids: Sequence[str], session_id: str) -> dict[str, Held]:
        """Return those of a session's messages that wait, or did, that have these ids."""
        if not ids:
            return {}
        where = (approval.c.id.in_(ids), approval.c.session_id == session_id)
        return {row.id: _held(row) for row in await tx.execute(sa.select(approval).where(*where))}

    async def overdue(self, before: float) -> list[Held]:
        """Return what waits since before a time, in Unix seconds."""
        async with self._database.read() as connection:
            query = sa.select(approval).where(approval.c.state == "open", approval.c.created < before)
            return [_held(row) for row in await connection.execute(query)]

    async def decide(self, tx: Connection, number: str, state: str, event: Event | None = None) -> None:
        """Set what became of a message that waited; `event` replaces its content."""
        values = {"state": state} | ({"event": to_json(event, Event)} if event else {})
        await tx.execute(approval.update().where(approval.c.id == number).values(values))


def _held(row: Any) -> Held:
    return Held(row.id, row.session_id, from_json(row.event, Event), row.state, row.created)
