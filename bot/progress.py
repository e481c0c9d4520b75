"""Cards of running turns: the latest state wins, written a few times a second at most; and who waits for news."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

from adapters.store.database import Database
from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from bot.replies import progress
from core.messages import Doc, Progress
from core.ports import ProgressSink
from core.sessions import Session
from core.thread.transcript import PROGRESS

log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2


class ProgressBoard:
    """Keeps the newest state of each running turn, writes it to the transcript, and wakes readers."""

    def __init__(self, database: Database, messages: Messages, sessions: Sessions) -> None:
        self._database, self._messages, self._sessions = database, messages, sessions
        self._states: dict[str, tuple[Session, Progress, float, str]] = {}
        self._unwritten: set[str] = set()
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.wakers: list[Callable[[], None]] = []
        self.watchers: list[Callable[[str, Progress], None]] = []

    def sink(self, session: Session, turn_id: str, person: str = "") -> ProgressSink:
        """Return where a turn of a person's says how far it is."""
        started = time.monotonic()

        def show(state: Progress) -> None:
            before = self.state(turn_id)
            if state.goes_on and before is not None:
                done = (*before.done, before.step)
                state = replace(state, done=done, files=before.files, usage=before.usage, goes_on=False)
            self._states[turn_id] = (session, state, started, person)
            self._unwritten.add(turn_id)
            self._news.set()
            for watcher in self.watchers:
                watcher(turn_id, state)

        return show

    @contextlib.contextmanager
    def watched(self, watcher: Callable[[str, Progress], None]) -> Iterator[None]:
        """Tell `watcher` of every turn's states, as long as this is open."""
        self.watchers.append(watcher)
        try:
            yield
        finally:
            self.watchers.remove(watcher)

    def state(self, turn_id: str) -> Progress | None:
        """Return how far a running turn is."""
        found = self._states.get(turn_id)
        return found[1] if found else None

    async def close(self, turn_id: str) -> Doc:
        """Forget a turn's state and return its last card: after this no card of it is written any more."""
        found = self._states.pop(turn_id, None)
        self._unwritten.discard(turn_id)
        async with self._writing:
            pass
        try:
            return await self._card(found, over=True) if found else Doc(())
        except Exception:
            # A database that is away must not cost a turn its reply.
            log.exception("card_not_closed")
            return Doc(())

    async def _card(self, found: tuple[Session, Progress, float, str], *, over: bool = False) -> Doc:
        """Return what people want to see by now: they may change their mind while a turn runs."""
        _, state, started, _ = found
        session = await self._sessions.get(found[0].id)
        if session.verbosity == "answer":
            return Doc(())
        return progress(_shown(state, session), time.monotonic() - started, over=over)

    def changed(self, session_id: str) -> None:
        """Wake everybody who waits for news of a session, and who delivers to other platforms."""
        for event in self._listeners.get(session_id, ()):
            event.set()
        for wake in self.wakers:
            wake()

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
        for turn_id in list(self._unwritten):
            async with self._writing:
                self._unwritten.discard(turn_id)
                found = self._states.get(turn_id)
                if found is None:
                    continue
                session, person, card = found[0], found[3], await self._card(found)
                async with self._database.write() as tx:
                    await self._messages.post(
                        tx, session.id, f"{turn_id}{PROGRESS}", "progress", card, turn_id=turn_id, author=person
                    )
            self.changed(session.id)


def _shown(state: Progress, session: Session) -> Progress:
    """Return what the session's people want to see of a state."""
    return (
        state
        if session.verbosity == "everything" or session.key.platform == "local"
        else replace(state, files=state.files[-5:])
    )
