"""What still has to reach a platform, and what has: one row for each part of a message."""

from dataclasses import dataclass

import sqlalchemy as sa

from adapters.store.database import Database
from adapters.store.messages import NEXT, stored
from adapters.store.tables import delivery, message, session
from core.thread.transcript import REPLY, Message

MOST_ROWS, MOST_TRIES = 100, 3
PENDING = (
    sa.select(message.c.session_id, sa.func.max(message.c.changed))
    .join(session, session.c.id == message.c.session_id)
    .where(message.c.state == "pending", session.c.platform == sa.bindparam("platform"))
    .group_by(message.c.session_id)
    .order_by(sa.func.min(sa.case((message.c.kind == "person", 1), else_=0)), sa.func.min(message.c.id))
)
ROW = sa.select(message).where(message.c.id == sa.bindparam("number"), message.c.state == "pending")
SHOWN = sa.exists().where(delivery.c.message_id == message.c.id, delivery.c.remote_id != "")
ROWS = (
    sa.select(message.c.id, message.c.kind, SHOWN)
    .where(message.c.session_id == sa.bindparam("session_id"), message.c.state == "pending")
    .order_by(message.c.kind == "person", message.c.id)
    .limit(MOST_ROWS)
)


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

    async def pending(self, platform: str) -> dict[str, int]:
        """
        Return the sessions in which something has to be brought to the platform, with their newest change.

        Those where the bot says something come before those where only marks wait. No rows: there may be thousands that
        wait for the platform to allow them, and they are looked at often.
        """
        async with self._database.read() as connection:
            rows = await connection.execute(PENDING, {"platform": platform})
            return {session_id: newest for session_id, newest in rows}  # noqa: C416 - rows are no pairs to a type checker

    async def rows(self, session_id: str) -> list[tuple[int, str, bool]]:
        """
        Return (id, kind, whether it is on the platform) of a session's pending messages in order, the first MOST_ROWS.

        What the bot says comes before its marks. Most of them are only looked at to see that they wait.
        """
        async with self._database.read() as connection:
            return [
                (number, kind, shown)
                for number, kind, shown in await connection.execute(ROWS, {"session_id": session_id})
            ]

    async def row(self, number: int) -> Message | None:
        """Return a message if it is still pending."""
        async with self._database.read() as connection:
            row = (await connection.execute(ROW, {"number": number})).one_or_none()
        return stored(row) if row is not None else None

    async def delivered(self, message_id: int) -> dict[str, Delivery]:
        """Return the parts of a message that are on the platform, or may be."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(delivery).where(delivery.c.message_id == message_id))
        return {row.part: Delivery(row.part, row.remote_id, row.digest, row.tried) for row in rows}

    async def put(self, message_id: int, one: Delivery) -> None:
        """Record a part: before its posting without a remote id, afterwards with it."""
        values = {"remote_id": one.remote_id, "digest": one.digest, "tried": one.tried}
        added = self._database.insert(delivery).values(message_id=message_id, part=one.part, **values)
        async with self._database.write() as tx:
            await tx.execute(added.on_conflict_do_update(index_elements=["message_id", "part"], set_=values))

    async def forget(self, message_id: int, part: str) -> None:
        """Record that a part is not on the platform."""
        async with self._database.write() as tx:
            await tx.execute(delivery.delete().where(delivery.c.message_id == message_id, delivery.c.part == part))

    async def settle(self, row: Message, state: str) -> None:
        """
        Set what became of a message, unless it has changed since it was read.

        Where something could be said, what could not be said before is tried again, a few times.
        """
        async with self._database.write() as tx:
            same = (message.c.id == row.id, message.c.changed == row.changed)
            await tx.execute(message.update().where(*same).values(state=state))
            if state == "sent" and row.kind in ("reply", "notice"):
                refused = (
                    message.c.session_id == row.session_id, message.c.state == "failed", message.c.attempts < MOST_TRIES,
                )  # fmt: skip
                again = {"state": "pending", "attempts": message.c.attempts + 1, "changed": NEXT}
                await tx.execute(message.update().where(*refused).values(again))

    async def drop(self, session_id: str) -> None:
        """Let nothing of a session wait any more: there is no place to say it."""
        async with self._database.write() as tx:
            where = (message.c.session_id == session_id, message.c.state == "pending")
            await tx.execute(message.update().where(*where).values(state="dropped"))

    async def answered(self, turn_id: str) -> bool:
        """Say whether the reply of a turn is on the platform."""
        query = sa.select(delivery.c.part).join(message, message.c.id == delivery.c.message_id)
        where = (message.c.key == f"{turn_id}{REPLY}", delivery.c.remote_id != "")
        async with self._database.read() as connection:
            return (await connection.execute(query.where(*where).limit(1))).first() is not None

    async def failed(self, row: Message) -> None:
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
