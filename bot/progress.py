"""Cards of running turns: the latest state wins, written a few times a second at most; and who waits for news."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from adapters.store.database import Database
from adapters.store.messages import Messages
from bot.replies import progress
from core.messages import Progress
from core.ports import ProgressSink

log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2


class ProgressBoard:
    """Keeps the newest state of each running turn, writes it to the transcript, and wakes readers."""

    def __init__(self, database: Database, messages: Messages) -> None:
        self._database, self._messages = database, messages
        self._latest: dict[str, tuple[str, Progress]] = {}
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.watchers: list[Callable[[str, Progress], None]] = []

    def sink(self, session_id: str, turn_id: str) -> ProgressSink:
        """Return where a turn says how far it is."""

        def show(state: Progress) -> None:
            self._latest[turn_id] = (session_id, state)
            self._news.set()
            for watcher in self.watchers:
                watcher(turn_id, state)

        return show

    async def close(self, turn_id: str) -> None:
        """Forget a turn's state: after this no card of it is written any more."""
        self._latest.pop(turn_id, None)
        async with self._writing:
            pass

    def changed(self, session_id: str) -> None:
        """Wake everybody who waits for news of a session."""
        for event in self._listeners.get(session_id, ()):
            event.set()

    @contextlib.asynccontextmanager
    async def listening(self, session_id: str) -> AsyncIterator[asyncio.Event]:
        """Hand out an event that is set when there is news of the session."""
        event = asyncio.Event()
        self._listeners.setdefault(session_id, set()).add(event)
        try:
            yield event
        finally:
            self._listeners[session_id].discard(event)

    async def write_forever(self) -> None:
        """Write what is new, then rest."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write()
            except Exception:
                log.exception("progress_not_written")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        for turn_id in list(self._latest):
            async with self._writing:
                found = self._latest.pop(turn_id, None)
                if found is None:
                    continue
                session_id, state = found
                async with self._database.write() as tx:
                    key = f"{turn_id}:progress"
                    await self._messages.post(tx, session_id, key, "progress", progress(state), turn_id=turn_id)
            self.changed(session_id)
