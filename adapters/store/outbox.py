"""What still has to reach a platform, and what has: one row for each part of a message."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from adapters.store.database import Database
from adapters.store.messages import NEXT, StoredMessage, stored
from adapters.store.tables import delivery, message, session

MOST_ROWS = 5_000


@dataclass(frozen=True)
class Delivery:
    """One part as the platform has it; without a remote id its posting ended in doubt. `tried` in Unix seconds."""

    part: str
    remote_id: str
    digest: str
    tried: float


class Outbox:
    """Rows of `message` that are pending, and of `delivery`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, platform: str) -> list[tuple[int, str]]:
        """
        Return what has to be brought to the platform, as (message, session): what the bot says, then its marks.

        Ids only: there may be many that wait for their turn, and they are looked at often.
        """
        query = (
            sa.select(message.c.id, message.c.session_id)
            .join(session, session.c.id == message.c.session_id)
            .where(message.c.state == "pending", session.c.platform == platform)
            .order_by(message.c.kind == "person", message.c.id)
            .limit(MOST_ROWS)
        )
        async with self._database.read() as connection:
            return [(number, session_id) for number, session_id in await connection.execute(query)]

    async def rows(self, numbers: Sequence[int]) -> list[StoredMessage]:
        """Return messages that are still pending, in order."""
        query = sa.select(message).where(message.c.id.in_(numbers), message.c.state == "pending").order_by(message.c.id)
        async with self._database.read() as connection:
            return [stored(row) for row in await connection.execute(query)]

    async def delivered(self, message_id: int) -> dict[str, Delivery]:
        """Return the parts of a message that are on the platform, or may be."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(delivery).where(delivery.c.message_id == message_id))
        return {row.part: Delivery(row.part, row.remote_id, row.digest, row.tried) for row in rows}

    async def put(self, message_id: int, one: Delivery) -> None:
        """Record a part: before its posting without a remote id, afterwards with it."""
        values = {"remote_id": one.remote_id, "digest": one.digest, "tried": one.tried}
        insert = sqlite.insert if self._database.lite else postgresql.insert
        added = insert(delivery).values(message_id=message_id, part=one.part, **values)
        async with self._database.write() as tx:
            await tx.execute(added.on_conflict_do_update(index_elements=["message_id", "part"], set_=values))

    async def forget(self, message_id: int, part: str) -> None:
        """Record that a part is not on the platform."""
        async with self._database.write() as tx:
            await tx.execute(delivery.delete().where(delivery.c.message_id == message_id, delivery.c.part == part))

    async def settle(self, row: StoredMessage, state: str) -> None:
        """Set what became of a message, unless it has changed since it was read."""
        async with self._database.write() as tx:
            same = (message.c.id == row.id, message.c.changed == row.changed)
            await tx.execute(message.update().where(*same).values(state=state))

    async def failed(self, row: StoredMessage) -> None:
        """Count a failed attempt."""
        async with self._database.write() as tx:
            await tx.execute(message.update().where(message.c.id == row.id).values(attempts=message.c.attempts + 1))

    async def hang_on(self, session_id: str, remote_id: str) -> None:
        """Let the message that opened a session be shown by the root of its thread, so that it carries its mark."""
        first = sa.select(sa.func.min(message.c.id)).where(
            message.c.session_id == session_id, message.c.kind == "person"
        )
        async with self._database.write() as tx:
            where = (message.c.id == first.scalar_subquery(), message.c.remote_id == "")
            values = {"remote_id": remote_id, "state": "pending", "changed": NEXT}
            await tx.execute(message.update().where(*where).values(values))
