"""
Where events come in: one transaction claims the event, decides what it means, and writes what follows from it.

Only when that transaction is committed may a platform hear "ok". An event that comes again changes nothing.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.engine.dbos import DbosEngine
from adapters.store.database import Database
from adapters.store.messages import Messages, plain
from adapters.store.sessions import Sessions
from adapters.store.turns import Turns
from bot.commands import ADDED, REMOVED, command_in, plain_emoji
from core.messages import Signal, TurnRequest
from core.sessions import Author, Session, ThreadKey

MAX_MESSAGE_CHARS = 100_000
_QUEUE = re.compile(r"(?:^|[.!?,\n])\s*queue\s*\.?\s*$", re.I)


@dataclass(frozen=True)
class Event:
    """What a platform reports. `message_id` and `emoji` belong to reactions."""

    id: str
    thread: ThreadKey
    author: Author
    kind: Literal["message", "reaction_added", "reaction_removed"] = "message"
    text: str = ""
    link: str = ""
    message_id: int = 0
    emoji: str = ""


@dataclass(frozen=True)
class Accepted:
    """What became of an event: the turn it started or steered, '' for none; `new` is False for a repetition."""

    session: Session
    turn_id: str = ""
    new: bool = True


class Inbox:
    """Accepts events."""

    def __init__(
        self, database: Database, sessions: Sessions, turns: Turns, messages: Messages, engine: DbosEngine
    ) -> None:
        self._database, self._sessions = database, sessions
        self.turns, self.messages, self.engine = turns, messages, engine

    async def accept(self, event: Event) -> Accepted:
        """Make an event durable, and start, queue, steer, stop or answer what it asks for."""
        event = replace(event, text=event.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        async with self._database.write() as tx:
            session = await self._sessions.open(tx, event.thread, _printable(event.text[:500]))
            number = await self.turns.claim(tx, event.id, session.id)
            if number is None:
                return Accepted(session, new=False)
            # Sorts in order of arrival: the engine starts turns that were queued in one tick by their id.
            turn_id = f"{number:012d}-{re.sub(r'[^A-Za-z0-9_.-]', '-', event.id)[:80]}"
            if event.kind == "message":
                return Accepted(session, await self._message(tx, session, event, turn_id))
            return Accepted(session, await self._reaction(tx, session, event, turn_id))

    async def _message(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        shown = event.text if len(event.text) <= MAX_MESSAGE_CHARS else event.text[:2_000] + " …"
        await self.messages.post(
            tx, session.id, f"{turn_id}:person", "person", plain(_printable(shown)), author=event.author.name
        )
        if problem := _problem(event.text):
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(problem, "❗"))
            return ""
        if command := command_in(event.text):
            return await command(self, tx, session, event.author, turn_id, "")
        text, queued = _without_queue(event.text)
        running = await self.turns.unfinished(tx, session.id)
        if running and not queued:
            await self.engine.tell(tx, running[0], Signal("steer", event.author, text))
            return running[0]
        await self.start(tx, TurnRequest(turn_id, session.id, "message", text, event.author, event.link))
        if running:
            note = plain(f"Queued, position {len(running)}.", "🕒")
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", note)
        return turn_id

    async def _reaction(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        """Reactions count on the bot's own messages of this thread; 👍 and 👎 are only stored."""
        message = await self.messages.get(tx, event.message_id)
        if message is None or message.session_id != session.id or message.kind == "person":
            return ""
        emoji, added = plain_emoji(event.emoji), event.kind == "reaction_added"
        if not await self.messages.react(tx, message.id, emoji, event.author.id, added):
            return ""
        command = (ADDED if added else REMOVED).get(emoji)
        if command is None or (not message.turn_id and command is not ADDED["❌"]):
            return ""
        return await command(self, tx, session, event.author, turn_id, message.turn_id)

    async def start(self, tx: AsyncConnection, request: TurnRequest) -> None:
        """Queue a turn in its thread."""
        await self.turns.add(tx, request)
        await self.engine.submit(tx, request.turn_id, request.session_id)


def _without_queue(text: str) -> tuple[str, bool]:
    stripped = _QUEUE.sub("", text)
    return (stripped, True) if stripped.strip() and stripped != text else (text, False)


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def _problem(text: str) -> str:
    """Return what is wrong with a message, '' for nothing."""
    if not text.strip():
        return "The message is empty. Say what you would like to have."
    if len(text) > MAX_MESSAGE_CHARS:
        return f"The message has {len(text):,} characters; I read up to {MAX_MESSAGE_CHARS:,}. Send the rest as a file, or in parts."
    if "\x00" in text or sum(not char.isprintable() and char not in "\n\t\r" for char in text) > len(text) // 20:
        return "That looks like a binary file, not like text. Describe in words what you would like to have."
    return ""
