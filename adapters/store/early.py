"""Reactions that arrive before we know the message they are on: kept until its delivery is recorded."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import early_reaction
from core.chat import Event
from core.clock import SYSTEM, Clock

KEPT_SECONDS = 300


class EarlyReactions:
    """Rows of `early_reaction`."""

    def __init__(self, database: Database, clock: Clock = SYSTEM) -> None:
        self._database, self._clock = database, clock

    async def keep(self, tx: AsyncConnection | AsyncSession, event: Event) -> None:
        """Keep a reaction on a message that is not known; forget those that nobody came for."""
        now = self._clock.now()
        await tx.execute(early_reaction.delete().where(early_reaction.c.received < now - KEPT_SECONDS))
        if event.remote_id and not await tx.scalar(
            sa.select(early_reaction.c.id).where(early_reaction.c.id == event.id)
        ):
            row = {"id": event.id, "remote_id": event.remote_id, "event": to_json(event, Event), "received": now}
            await tx.execute(early_reaction.insert().values(row))

    async def forget(self, remote_id: str) -> None:
        """Forget the reactions on a message: they were taken in."""
        async with self._database.write() as tx:
            await tx.execute(early_reaction.delete().where(early_reaction.c.remote_id == remote_id))

    async def waiting(self, remote_id: str) -> list[Event]:
        """Return the reactions that came before their message was known, in their order."""
        where = early_reaction.c.remote_id == remote_id
        async with self._database.read() as connection:
            rows = list((await connection.execute(sa.select(early_reaction.c.event).where(where))).scalars())
        return sorted((from_json(row, Event) for row in rows), key=lambda event: event.at)
