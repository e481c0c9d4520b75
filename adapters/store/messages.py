"""
The transcript of every thread, which is also the outbox: a row that is `pending` still has to reach its platform.

`key` makes a post idempotent; `changed` rises with every insert and update, so that a reader asks for what is new.
"""

import time
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import message, reaction
from core.messages import Doc, Para

Connection = AsyncConnection | AsyncSession
Kind = Literal["person", "progress", "reply", "notice"]


@dataclass(frozen=True)
class StoredMessage:
    """One message of a thread."""

    id: int
    session_id: str
    key: str
    turn_id: str
    kind: Kind
    author: str
    doc: Doc
    created: float
    changed: int
    reactions: tuple[str, ...] = ()


def _stored(row: sa.Row[tuple[object, ...]]) -> StoredMessage:
    return StoredMessage(
        row.id, row.session_id, row.key, row.turn_id, row.kind, row.author, from_json(row.body, Doc), row.created,
        row.changed,
    )  # fmt: skip


class Messages:
    """Rows of `message` and `reaction`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(
        self, tx: Connection, session_id: str, key: str, kind: Kind, doc: Doc, *, turn_id: str = "", author: str = ""
    ) -> None:
        """Add a message, or, where `key` is known, bring that message to `doc`: the latest wins."""
        values = {
            "kind": kind, "body": to_json(doc, Doc), "turn_id": turn_id, "author": author, "state": "pending",
            "changed": sa.select(sa.func.coalesce(sa.func.max(message.c.changed), 0) + 1).scalar_subquery(),
        }  # fmt: skip
        insert = sqlite.insert if self._database.lite else postgresql.insert
        row = {"session_id": session_id, "key": key, "created": time.time(), **values}
        await tx.execute(insert(message).values(row).on_conflict_do_update(index_elements=["key"], set_=values))

    async def since(self, session_id: str, changed: int = 0) -> list[StoredMessage]:
        """Return what was added or changed after `changed`, in the order of the thread."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(message)
                .where(message.c.session_id == session_id, message.c.changed > changed)
                .order_by(message.c.id)
            )
            found = [_stored(row) for row in rows]
            marks: dict[int, list[str]] = {}
            for number, emoji in await connection.execute(
                sa.select(reaction.c.message_id, reaction.c.emoji).where(
                    reaction.c.message_id.in_([one.id for one in found])
                )
            ):
                marks.setdefault(number, []).append(emoji)
        return [StoredMessage(**{**vars(one), "reactions": tuple(sorted(marks.get(one.id, [])))}) for one in found]

    async def get(self, tx: Connection, number: int) -> StoredMessage | None:
        """Return one message."""
        row = (await tx.execute(sa.select(message).where(message.c.id == number))).one_or_none()
        return _stored(row) if row is not None else None

    async def react(self, tx: Connection, number: int, emoji: str, author_id: str, added: bool) -> bool:
        """Store or remove a reaction; False when it already was so."""
        same = (reaction.c.message_id == number, reaction.c.emoji == emoji, reaction.c.author_id == author_id)
        known = await tx.scalar(sa.select(sa.func.count()).where(*same).select_from(reaction))
        if bool(known) == added:
            return False
        if added:
            row = {"message_id": number, "emoji": emoji, "author_id": author_id, "created": time.time()}
            await tx.execute(reaction.insert().values(row))
        else:
            await tx.execute(reaction.delete().where(*same))
        await tx.execute(
            message.update()
            .where(message.c.id == number)
            .values(changed=sa.select(sa.func.coalesce(sa.func.max(message.c.changed), 0) + 1).scalar_subquery())
        )
        return True


def plain(text: str, mark: str = "") -> Doc:
    """Return a message of one paragraph."""
    return Doc((Para(text),), mark)
