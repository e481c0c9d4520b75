"""Steps without durability: for tests of the turn itself, in one process and one go."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from core.messages import Signal

Value = TypeVar("Value")


class InlineSteps:
    """Runs every step at once. `transactions` opens what `transaction` hands to its work."""

    def __init__(self, transactions: Callable[[], contextlib.AbstractAsyncContextManager[Any]]) -> None:
        self._transactions = transactions
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()

    async def step(self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work`."""
        return await work()

    async def interruptible(
        self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]
    ) -> Value | list[Signal]:
        """Run `work`, or end it and return the signals that there are."""
        if not self.signals.empty():
            return self._heard(self.signals.get_nowait())
        working, listening = asyncio.ensure_future(work()), asyncio.ensure_future(self.signals.get())
        try:
            await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            return self._heard(listening.result())
        finally:
            working.cancel()
            listening.cancel()
            await asyncio.gather(working, listening, return_exceptions=True)

    def _heard(self, first: Signal) -> list[Signal]:
        heard = [first]
        while heard[-1].kind != "stop" and not self.signals.empty():
            heard.append(self.signals.get_nowait())
        return heard

    async def transaction(self, name: str, work: Callable[[Any], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work` in one transaction."""
        async with self._transactions() as tx:
            return await work(tx)
