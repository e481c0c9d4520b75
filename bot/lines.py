"""
The line of turns in each thread: one is at work, the others wait in the order in which they were asked for.

The line is kept in our own rows, and the engine gets a turn only when it is that turn's go: a thousand waiting threads
then cost the engine nothing. Every step is taken in the transaction that gives rise to it, so that none is lost, and
which holds the session's row, so that no two find the line free.
"""

from dataclasses import dataclass
from typing import Any

from adapters.engine.dbos import DbosEngine
from adapters.store.turns import Turns
from core.messages import TurnRequest


@dataclass(frozen=True)
class Lines:
    """Puts turns into line, and lets the next one go."""

    turns: Turns
    engine: DbosEngine

    async def join(self, tx: Any, request: TurnRequest) -> None:
        """Put a turn at the end of its thread's line, and let it go if nothing is before it."""
        if await self.turns.add(tx, request):
            await self.engine.submit(tx, request.turn_id)

    async def go_on(self, tx: Any, session_id: str) -> None:
        """Let the thread's next turn go, unless one is at work."""
        if turn_id := await self.turns.next(tx, session_id):
            await self.engine.submit(tx, turn_id)
