"""After a restart or a gap: what was said meanwhile is taken in by the same door, so that nothing counts twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from adapters.store.threads import ThreadRows
from core.chat import CLOSED, OPENING, Accepted, ChatPort, Event, Missing, NotAllowed, Past, RateLimited, Revoked
from core.clock import APART_SECONDS, SYSTEM, Clock
from core.sessions import Author, Session, ThreadKey
from core.thread.commands import plain_emoji

log = logging.getLogger(__name__)
ACTIVE_SECONDS = 14 * 24 * 3_600
PAUSE_SECONDS = 1.0
TRIES = 6
CALLED_SECONDS = 24 * 3_600


@dataclass
class CatchUp:
    """Reads the threads of one platform in which something was said lately."""

    port: ChatPort
    accept: Callable[[Event], Awaitable[Accepted]]
    threads: ThreadRows
    clock: Clock = SYSTEM

    async def run(self, waiting_known: Callable[[], None] = lambda: None) -> None:
        """
        Look once at every active thread, slowly: platforms count these calls.

        Threads in which turns wait come first; once they are looked at, `waiting_known` is called, also after an error.
        """
        try:
            began = self.clock.now()
            active = await self.threads.sessions.active(self.port.platform, began - ACTIVE_SECONDS)
            busy = await self.threads.turns.busy()
            threads = [one for one in active if not one.key.thread.startswith((OPENING, CLOSED))]
            for session in (one for one in threads if one.id in busy):
                await self._patiently(partial(self._thread, session))
            waiting_known()
            await self._patiently(partial(self._called, began))
            for session in (one for one in threads if one.id not in busy):
                await self._patiently(partial(self._thread, session))
        finally:
            waiting_known()

    async def _patiently(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look at something, again after a while where that did not go through, and then rest a moment."""
        for attempt in range(TRIES):
            try:
                await look()
                await asyncio.sleep(PAUSE_SECONDS)
                return
            except (Missing, NotAllowed, Revoked) as error:
                log.warning("catch_up_refused: %s", error)
                return
            except RateLimited as error:
                await asyncio.sleep(error.seconds)
            except Exception:
                log.exception("catch_up_failed")
                await asyncio.sleep(2**attempt)

    async def _called(self, began: float) -> None:
        """Take in the messages that called the bot in a channel while nobody listened."""
        # Who has just set the bot up does not want what somebody said yesterday.
        known = await self.threads.sessions.listened(self.port.platform, began)
        # What was taken in is known by its id: to look further back than needed, because a clock is off, does no harm.
        since = max(known, began - CALLED_SECONDS) - APART_SECONDS
        for place in await self.port.places(since):
            await self._patiently(partial(self._place, place, since))
        await self.threads.sessions.listened_until(self.port.platform, began)

    async def _place(self, place: ThreadKey, since: float) -> None:
        for event in await self.port.called(place, since):
            await self.accept(event)

    async def _thread(self, session: Session) -> None:
        began = self.clock.now()
        past = await self.port.history(session.key, session.seen)
        for remote_id in await self._gone(session, past, began):
            deleted = Event(f"{remote_id}:deleted", session.key, Author("", "somebody"), "deleted", remote_id=remote_id)
            await self.accept(deleted)
        # When somebody reacted is not told. An undo of what was there before takes back nothing that was said meanwhile.
        reacted = await self._reactions(session, past, began)
        async with self.threads.database.read() as connection:
            known = [one for one in reacted if await self.threads.messages.by_remote(connection, one.remote_id)]
        said = await self._said(session, past)
        for event in [*known, *said, *(one for one in reacted if one not in known)]:
            await self.accept(event)

    async def _said(self, session: Session, past: Past) -> list[Event]:
        """Return what people wrote since the session began; what is known already is claimed already."""
        said = [one for one in past.events if one.kind != "reaction_added"]
        first = await self.threads.messages.first_said(session.id)
        # What was said before that was not said to the bot. Order tells it, whatever the clocks say.
        opened_by = first.remote_id if first is not None else ""
        began = next((at for at, one in enumerate(said) if one.remote_id == opened_by), 0)
        # A command in a thread that was there is no message of it; both times are the platform's.
        since = 0.0 if opened_by else session.created
        return [one for at, one in enumerate(said) if one.kind == "edited" or (at >= began and one.at >= since)]

    async def _reactions(self, session: Session, past: Past, began: float) -> list[Event]:
        """Return which reactions on the bot's messages have come and gone."""
        changed: list[Event] = []
        known = {
            (one.emoji, one.author.id, remote_id): one
            for one in await self.threads.messages.reactions(session.id)
            for remote_id in one.remote_ids
        }
        partial = {(remote_id, plain_emoji(emoji)) for remote_id, emoji in past.partial}
        there = {(plain_emoji(one.emoji), one.author.id, one.remote_id): one for one in past.events if one.emoji}
        for mark, event in there.items():
            if mark not in known:
                changed.append(replace(event, id=f"{event.id}:{began}", at=began))
        for (emoji, author_id, remote_id), one in known.items():
            seen = one.remote_ids & past.remote_ids
            if any((part, emoji) in partial or (emoji, author_id, part) in there for part in seen):
                continue
            if remote_id == min(seen, default=""):
                number = f"{remote_id}:{author_id}:{emoji}:gone:{began}"
                key = replace(session.key, thread="")
                gone = Event(number, key, one.author, "reaction_removed", remote_id=remote_id, emoji=emoji, at=began)
                changed.append(gone)
        return changed

    async def _gone(self, session: Session, past: Past, began: float) -> list[str]:
        """Return the messages of people that we knew before we looked, and that the platform does not have any more."""
        known = await self.threads.messages.recent(session.id, 50)
        there = [one for one in known if one.kind == "person" and one.remote_id and past.since <= one.created < began]
        return [one.remote_id for one in there if one.remote_id not in past.remote_ids]
