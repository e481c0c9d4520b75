"""What people said before: in the thread since it is ours, and before somebody called the bot into it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.store.messages import TALK_CHARS, TALK_MESSAGES, Messages
from adapters.store.sessions import Sessions
from core.chat import CLOSED, OPENING, ChatPort

log = logging.getLogger(__name__)
LOOK_SECONDS, MOST_SINCE = 5, 200


@dataclass(frozen=True)
class Talk:
    """The Transcript port."""

    messages: Messages
    sessions: Sessions
    platforms: Mapping[str, ChatPort]

    async def talk(self, session_id: str, turn_id: str) -> list[dict[str, str]]:
        """Return what was said before a turn, oldest first."""
        told = await self.messages.talk(session_id, turn_id)
        if any(one["by"] == "the bot" for one in told):
            return told
        return [*await self._before(session_id), *told]

    async def _before(self, session_id: str) -> list[dict[str, str]]:
        """Return what people said in the thread before the bot was called; nothing where that cannot be read."""
        session = await self.sessions.get(session_id)
        port, key = self.platforms.get(session.key.platform), session.key
        first = await self.messages.first_said(session_id)
        began_here = key.thread.startswith((OPENING, CLOSED)) or (
            first is not None and first.remote_id.endswith(key.thread)
        )
        if port is None or began_here:
            return []
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                past = await port.history(key, "")
        except Exception as error:  # noqa: BLE001 - a turn does without it
            log.warning("talk_not_read", extra={"session": session_id, "why": repr(error)[:300]})
            return []
        # Since then everything that is said is in our own rows.
        ours = {one.remote_id for one in await self.messages.recent(session_id, MOST_SINCE)}
        said = [
            {"by": one.author.name, "said": one.text[:TALK_CHARS]}
            for one in past.events
            if one.kind == "message" and one.text and one.remote_id not in ours
        ]
        return said[-TALK_MESSAGES:]
