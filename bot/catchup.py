"""After a restart or a gap: what was said meanwhile is taken in by the same door, so that nothing counts twice."""

import asyncio
import logging
import time
from dataclasses import dataclass

from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from bot.inbox import Inbox
from core.chat import OPENING, ChatPort, Event, Past
from core.errors import OutsideError
from core.sessions import Author, Session

log = logging.getLogger(__name__)
ACTIVE_SECONDS = 14 * 24 * 3_600
PAUSE_SECONDS = 0.3


@dataclass
class CatchUp:
    """Reads the threads of one platform in which something was said lately."""

    port: ChatPort
    inbox: Inbox
    sessions: Sessions
    messages: Messages

    async def run(self) -> None:
        """Look once at every active thread, slowly: platforms count these calls."""
        for session in await self.sessions.active(self.port.platform, time.time() - ACTIVE_SECONDS):
            if session.key.thread.startswith(OPENING):
                continue
            try:
                await self._thread(session)
            except OutsideError as error:
                log.warning("catch_up_failed", extra={"session": session.id, "why": str(error)})
            await asyncio.sleep(PAUSE_SECONDS)

    async def _thread(self, session: Session) -> None:
        past = await self.port.history(session.key, session.seen)
        for event in past.events:
            await self.inbox.accept(event)
        for remote_id in await self._gone(session, past):
            deleted = Event(f"{remote_id}:deleted", session.key, Author("", "somebody"), "deleted", remote_id=remote_id)
            await self.inbox.accept(deleted)

    async def _gone(self, session: Session, past: Past) -> list[str]:
        """Return the messages of people that we know, and that the platform does not have any more."""
        known = await self.messages.recent(session.id, 50)
        there = [one for one in known if one.kind == "person" and one.remote_id and one.created >= past.since]
        return [one.remote_id for one in there if one.remote_id not in past.remote_ids]
