"""
SQLite without a thread between us and it.

An asynchronous driver crosses to a thread and back three times for each statement, a millisecond in all; a statement
itself takes some 20 microseconds. What may wait, for a writer's lock and for the disk, is done in a thread; a reader
waits for nobody. Writers who come while another commits share the next commit: the disk is asked once for all of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from core.errors import OutsideError

Value = TypeVar("Value")


class DirectConnection:
    """A synchronous connection with the methods of an AsyncConnection that we use."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Any, parameters: Any = None) -> sa.CursorResult[Any]:
        """Execute a statement."""
        found: sa.CursorResult[Any] = self._connection.execute(statement, parameters)
        return found

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement and return the first column of its first row."""
        return self._connection.scalar(statement, parameters)

    async def run_sync(self, work: Callable[[sa.Connection], Value]) -> Value:
        """Call `work` with the synchronous connection."""
        return work(self._connection)


@dataclass
class _Shared:
    """A transaction that several writers share, and its commit once one is on its way."""

    connection: sa.Connection
    commit: asyncio.Task[None] | None = None

    @property
    def is_whole(self) -> bool:
        """A full disk ends SQLite's transaction, and what all of them wrote is gone."""
        driver: Any = self.connection.connection.driver_connection
        return bool(driver.in_transaction)


class Direct:
    """Readers side by side; writers one after the other, each in a savepoint of a shared transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._mine = asyncio.Lock()
        self._shared: _Shared | None = None
        # One of its own: the loop's pool may be busy with work that takes seconds.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    @contextlib.contextmanager
    def read(self) -> Iterator[DirectConnection]:
        """Open a snapshot."""
        with self._engine.connect() as connection:
            yield DirectConnection(connection.execution_options(readonly=True))

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[DirectConnection]:
        """Write; at the end it is on the disk, or an error says that it is not."""
        async with self._mine:
            shared = self._shared = self._shared or _Shared(await self._in_thread(self._begin, sa.Connection.close))
            try:
                _demand_whole(shared)
                with shared.connection.begin_nested():
                    yield DirectConnection(shared.connection)
            finally:
                # It waits behind those who are waiting now: they take part.
                shared.commit = shared.commit or asyncio.ensure_future(self._commit(shared))
        await asyncio.shield(shared.commit)

    async def close(self) -> None:
        """Close every connection."""
        await self._in_thread(self._engine.dispose)
        self._thread.shutdown()

    def _begin(self) -> sa.Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    async def _commit(self, shared: _Shared) -> None:
        async with self._mine:
            self._shared = None
            await self._in_thread(lambda: _committed(shared))

    async def _in_thread(self, work: Callable[[], Value], undo: Callable[[Value], object] | None = None) -> Value:
        """
        Do `work` in the thread, to its end also when the caller is cancelled meanwhile; then `undo` takes it back.

        A thread cannot be cancelled: left alone it would hold the database's lock with nobody to let it go.
        """
        working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait({working})
            if undo is not None and working.exception() is None:
                undo(working.result())
            raise


def _demand_whole(shared: _Shared) -> None:
    if not shared.is_whole:
        raise OutsideError("The database could not keep what was written.", retryable=True)


def _committed(shared: _Shared) -> None:
    try:
        _demand_whole(shared)
        shared.connection.commit()
    finally:
        # Rolls back what is not committed.
        shared.connection.close()
