"""What the thread's rules need of the world: its rows, and the engine that carries out turns."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from core.chat import Event
from core.messages import Signal
from core.ports import Tx
from core.sessions import Session, ThreadKey
from core.thread.decisions import Effect
from core.thread.state import Held, ThreadState
from core.thread.transcript import Message


class Engine(Protocol):
    """Carries out turns, and lets them hear what is said to them."""

    async def submit(self, tx: Tx, turn_id: str) -> None:
        """Let a turn start once `tx` is committed."""
        ...

    async def tell(self, tx: Tx, turn_id: str, signal: Signal) -> None:
        """Send a signal to a turn, inside `tx`; it is heard when the transaction is committed."""
        ...


class Threads(Protocol):
    """Sessions with all that belongs to them. Whatever takes a session's row holds it until the transaction ends."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction that writes; an error takes all of it back."""
        ...

    async def find(self, tx: Tx, key: ThreadKey) -> Session | None:
        """Return a thread's session, None if there is none."""
        ...

    async def within(self, tx: Tx, session_id: str) -> Session:
        """Return a session by its id."""
        ...

    async def in_thread(self, tx: Tx, key: ThreadKey) -> list[Session]:
        """Return the sessions of a thread, or of a whole channel where the key names no thread."""
        ...

    async def open(self, tx: Tx, key: ThreadKey, title: str, at: float) -> Session:
        """Make a thread's session, with its channel's settings; `at` is in Unix seconds, 0 for now."""
        ...

    async def claim(self, tx: Tx, event_id: str, session_id: str) -> int | None:
        """Claim an event; None when it was claimed before. The number rises in order of arrival."""
        ...

    async def claimed(self, tx: Tx, event_id: str) -> bool:
        """Say whether an event was claimed before."""
        ...

    async def saw(self, tx: Tx, session: Session, remote_id: str, at: float) -> None:
        """Note the latest message that was taken in, for catching up after a gap."""
        ...

    async def message(self, tx: Tx, remote_id: str, number: int) -> Message | None:
        """Return a message by its platform's id, or else by its number here."""
        ...

    async def react(self, tx: Tx, number: int, emoji: str, author_id: str, added: bool, at: float) -> bool:
        """Store a reaction, or that it was removed; False when it already was so, or something later is known."""
        ...

    async def keep_early(self, tx: Tx, event: Event) -> None:
        """Keep a reaction on a message that is not known yet."""
        ...

    async def load(self, tx: Tx, session: Session, event: Event, message: Message | None) -> ThreadState:
        """Return everything that a decision on the event may depend on; `message` is the one that it is on."""
        ...

    async def apply(self, tx: Tx, session: Session, effects: Sequence[Effect]) -> None:
        """Write what was decided, in order."""
        ...

    async def overdue(self, before: float) -> list[Held]:
        """Return what waits for a word since before a time, in Unix seconds."""
        ...
