"""
The transcript of every thread, which is also the outbox: a row that is `pending` still has to reach its platform.

`key` makes a post idempotent; `changed` rises with every insert and update, so that a reader asks for what is new.
What is done for every message that comes in is put into SQL once: building a statement takes longer than running it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import delivery, message, person, reaction
from adapters.store.tables import session as session_table
from core.messages import Doc, Para
from core.sessions import Author
from core.thread.transcript import DELETED, Kind, Message

Connection = AsyncConnection | AsyncSession
TALK_MESSAGES, TALK_CHARS = 20, 500


def stored(row: sa.Row[tuple[object, ...]]) -> Message:
    """Return a row of `message`."""
    return Message(
        row.id, row.session_id, row.key, row.turn_id, row.kind, row.author, from_json(row.body, Doc), row.created,
        row.changed, row.mark, row.remote_id, row.attempts,
    )  # fmt: skip


POSTED, KEPT = ("kind", "body", "turn_id", "author"), ("remote_id", "mark")
"""What every post of a message says anew, and what it leaves as it is where it says nothing."""
NEXT = sa.select(sa.func.coalesce(sa.func.max(message.c.changed), 0) + 1).scalar_subquery()


@dataclass(frozen=True)
class Reacted:
    """Somebody's reaction on a message, which has these parts on its platform."""

    emoji: str
    author: Author
    remote_ids: frozenset[str]


class Messages:
    """Rows of `message` and `reaction`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # The local chat reads the rows themselves; only what another platform shows has to be delivered.
        local = sa.select(sa.case((session_table.c.platform == "local", "sent"), else_="pending"))
        state = local.where(session_table.c.id == sa.bindparam("session_id")).scalar_subquery()
        row: dict[str, Any] = {name: sa.bindparam(name) for name in ("session_id", "key", "created", *POSTED, *KEPT)}
        insert = database.insert(message).values({**row, "attempts": 0, "state": state, "changed": NEXT})
        new = insert.excluded
        kept = {name: sa.case((new[name] == "", message.c[name]), else_=new[name]) for name in KEPT}
        newest = {name: new[name] for name in (*POSTED, "attempts", "state", "changed")}
        self._post = insert.on_conflict_do_update(index_elements=["key"], set_={**newest, **kept})

    async def post(
        self,
        tx: Connection,
        session_id: str,
        key: str,
        kind: Kind,
        doc: Doc,
        *,
        turn_id: str = "",
        author: str = "",
        remote_id: str = "",
        mark: str = "",
    ) -> None:
        """
        Add a message, or, where `key` is known, bring that message to `doc`: the latest wins.

        `remote_id` is the platform's id of a person's message, `mark` the reaction that the bot shows on it.
        """
        row = {
            "session_id": session_id, "key": key, "created": time.time(), "kind": kind, "body": to_json(doc, Doc),
            "turn_id": turn_id, "author": author, "remote_id": remote_id, "mark": mark,
        }  # fmt: skip
        await tx.execute(self._post, row)

    async def since(self, session_id: str, changed: int = 0) -> list[Message]:
        """Return what was added or changed after `changed`, in the order of the thread."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(message)
                .where(message.c.session_id == session_id, message.c.changed > changed)
                .order_by(message.c.id)
            )
            found = [stored(row) for row in rows]
            marks: dict[int, list[str]] = {}
            for number, emoji in await connection.execute(
                sa.select(reaction.c.message_id, reaction.c.emoji).where(
                    reaction.c.message_id.in_([one.id for one in found]), reaction.c.present
                )
            ):
                marks.setdefault(number, []).append(emoji)
        return [Message(**{**vars(one), "reactions": tuple(sorted(marks.get(one.id, [])))}) for one in found]

    async def get(self, tx: Connection, number: int) -> Message | None:
        """Return one message."""
        row = (await tx.execute(sa.select(message).where(message.c.id == number))).one_or_none()
        return stored(row) if row is not None else None

    async def by_key(self, tx: Connection, key: str) -> Message | None:
        """Return the message that was posted under `key`."""
        row = (await tx.execute(sa.select(message).where(message.c.key == key))).one_or_none()
        return stored(row) if row is not None else None

    async def deleted(self, tx: Connection, keys: Sequence[str]) -> set[str]:
        """Return those of the messages with these keys that their authors have deleted."""
        query = sa.select(message.c.key, message.c.body).where(message.c.key.in_(keys))
        return {row.key for row in await tx.execute(query) if DELETED in from_json(row.body, Doc).blocks}

    async def latest_with(self, tx: Connection, session_id: str, part: str) -> Message | None:
        """Return the session's latest message whose key has `part` in it."""
        where = (message.c.session_id == session_id, message.c.key.contains(part, autoescape=True))
        row = (await tx.execute(sa.select(message).where(*where).order_by(message.c.id.desc()).limit(1))).one_or_none()
        return stored(row) if row is not None else None

    async def by_remote(self, tx: Connection, remote_id: str) -> Message | None:
        """Return the message that a platform knows as `remote_id`: a person's own, or one in which ours was delivered."""
        said = sa.select(message).where(message.c.remote_id == remote_id)
        shown = sa.select(message).join(delivery, delivery.c.message_id == message.c.id)
        for query in (said, shown.where(delivery.c.remote_id == remote_id)):
            if (row := (await tx.execute(query.limit(1))).one_or_none()) is not None:
                return stored(row)
        return None

    async def mark(self, tx: Connection, turn_id: str, mark: str) -> None:
        """Put the turn's mark on every message that people said for it."""
        await self._update(tx, (message.c.turn_id == turn_id, message.c.kind == "person"), mark=mark)

    async def supersede(self, tx: Connection, number: int) -> None:
        """Let go of a person's message: another row has it from now on."""
        values = {"remote_id": "", "body": to_json(Doc(()), Doc), "changed": NEXT}
        await tx.execute(message.update().where(message.c.id == number).values(values))

    async def move(self, tx: Connection, key: str, turn_id: str, mark: str) -> None:
        """Let a person's message belong to another turn, and show that with `mark`."""
        await self._update(tx, (message.c.key == key,), turn_id=turn_id, mark=mark)

    async def _update(self, tx: Connection, where: Sequence[sa.ColumnElement[bool]], **values: str) -> None:
        platform = (
            sa.select(session_table.c.platform).where(session_table.c.id == message.c.session_id).scalar_subquery()
        )
        state = sa.case((platform == "local", "sent"), else_="pending")
        await tx.execute(message.update().where(*where).values(**values, state=state, attempts=0, changed=NEXT))

    async def first_said(self, session_id: str) -> Message | None:
        """Return the message that opened a session."""
        query = sa.select(message).where(message.c.session_id == session_id, message.c.kind == "person")
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(message.c.id).limit(1))).one_or_none()
        return stored(row) if row is not None else None

    async def recent(self, session_id: str, most: int, before: str = "") -> list[Message]:
        """Return the latest messages of people and the bot's replies, oldest first; those `before` a turn's first."""
        query = sa.select(message).where(message.c.session_id == session_id, message.c.kind.in_(("person", "reply")))
        if before:
            first = sa.select(sa.func.min(message.c.id)).where(message.c.turn_id == before).scalar_subquery()
            query = query.where(message.c.id < sa.func.coalesce(first, sa.literal(2**62, sa.BigInteger)))
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(message.c.id.desc()).limit(most))
            return [stored(row) for row in rows][::-1]

    async def talk(self, session_id: str, turn_id: str) -> list[dict[str, str]]:
        """Return what was said before the turn, for the model: people's messages and the bot's answers, shortened."""
        found = await self.recent(session_id, TALK_MESSAGES * 5, turn_id)
        # What people said among themselves does not crowd out what was said to the bot.
        with_us = [one for one in found if one.kind == "reply" or one.turn_id or one.mark][-TALK_MESSAGES:]
        overheard = [one for one in found if not (one.kind == "reply" or one.turn_id or one.mark)][-TALK_MESSAGES:]
        told = sorted([*with_us, *overheard], key=lambda one: one.id)
        return [
            {"by": one.author or "the bot", "said": _words(one.doc)[:TALK_CHARS]} for one in told if _words(one.doc)
        ]

    async def reactions(self, session_id: str) -> list[Reacted]:
        """Return the reactions that there are on the bot's messages, each with the parts of its message."""
        name = sa.func.coalesce(person.c.name, reaction.c.author_id)
        known = sa.and_(person.c.session_id == message.c.session_id, person.c.author_id == reaction.c.author_id)
        query = (
            sa.select(message.c.id, reaction.c.emoji, reaction.c.author_id, name.label("name"), delivery.c.remote_id)
            .join(reaction, reaction.c.message_id == message.c.id)
            .join(delivery, delivery.c.message_id == message.c.id)
            .outerjoin(person, known)
            .where(message.c.session_id == session_id, reaction.c.present)
        )
        parts: dict[tuple[int, str, str, str], set[str]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                parts.setdefault((row.id, row.emoji, row.author_id, row.name), set()).add(row.remote_id)
        return [Reacted(emoji, Author(number, name), frozenset(on)) for (_, emoji, number, name), on in parts.items()]

    async def react(
        self, tx: Connection, number: int, emoji: str, author_id: str, added: bool, at: float = 0.0
    ) -> bool:
        """
        Store a reaction, or that it was removed; False when it already was so.

        `at` is when it happened, in Unix seconds: platforms deliver in any order, and the latest holds.
        """
        when = at or time.time()
        same = (reaction.c.message_id == number, reaction.c.emoji == emoji, reaction.c.author_id == author_id)
        known = (await tx.execute(sa.select(reaction.c.present, reaction.c.created).where(*same))).one_or_none()
        before = known.present if known else False
        if known is None:
            row = {"message_id": number, "emoji": emoji, "author_id": author_id, "created": when, "present": added}
            await tx.execute(reaction.insert().values(row))
        elif known.created > when:
            return False
        else:
            await tx.execute(reaction.update().where(*same).values(present=added, created=when))
        if before == added:
            # What comes late is measured against this one.
            return False
        await tx.execute(message.update().where(message.c.id == number).values(changed=NEXT))
        return True


def _words(doc: Doc) -> str:
    return "\n".join(block.text for block in doc.blocks if isinstance(block, Para))
