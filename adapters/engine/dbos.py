"""
The Engine port on DBOS: its tables lie in our database, so an event's claim and its enqueueing, a commit and its
checkpoint, are one transaction each.

It runs what it is given side by side; that the turns of one thread follow each other is the business of `bot.lines`,
because an engine that looks after each thread's queue asks the database ten times a second for every one of them.
Stop and steer are rows that the running turn looks for, never a cancelled workflow: cancelling would free the thread
while its step still runs.
"""

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, AsyncSQLAlchemyDatasource, DBOSClient, DBOSConfig
from dbos._dbos import _get_dbos_instance
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import executor_lease
from adapters.store.turns import Turns
from core.errors import HeadMoved, OutsideError
from core.messages import Signal
from core.steering import up_to_stop

Value = TypeVar("Value")
Run = Callable[[str, "DbosSteps"], Awaitable[None]]

NAME = "threadwright"
VERSION = "turns-1"
"""Constant on purpose: DBOS would not run a queued turn under another version."""
QUEUE = "turns"
POLL_SECONDS = 0.1
LISTEN_SECONDS = 0.2
IN_A_ROW_SECONDS = 0.5
"""How long a turn that was told something waits for what may come right after it."""
LEASE_SECONDS = 5.0
TRIES_ON_MOVED_HEAD = 5

log = logging.getLogger(__name__)
# A stopped step ends by cancellation; that is no news for an operator.
logging.getLogger("dbos").addFilter(lambda record: "Asyncio task cancelled" not in record.getMessage())


class DbosSteps:
    """The durable steps of one running turn; lives inside its workflow."""

    def __init__(self, engine: "DbosEngine", turn_id: str) -> None:
        self._engine, self._turn_id = engine, turn_id
        self.heard = 0
        """The number of the last signal that the turn has taken into account."""

    async def step(self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work` at least once; its value is stored as JSON."""

        async def body() -> str:
            return to_json(await work(), kind)

        return from_json(await DBOS.run_step_async({"name": name}, body), kind)

    async def interruptible(
        self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]
    ) -> Value | list[Signal]:
        """Run `work`, or end it and return the signals after those already heard."""
        after = self.heard

        async def body() -> tuple[int, str]:
            return await self._race(work, kind, after)

        number, text = await DBOS.run_step_async({"name": name}, body)
        if number:
            self.heard = number
            return from_json(text, list[Signal])
        return from_json(text, kind)

    async def _race(self, work: Callable[[], Awaitable[Value]], kind: type[Value], after: int) -> tuple[int, str]:
        if not (told := await self._engine.told(self._turn_id, after)):
            working = asyncio.ensure_future(work())
            listening = asyncio.ensure_future(self._engine.next_signals(self._turn_id, after))
            try:
                await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return 0, to_json(working.result(), kind)
                told = listening.result()
            finally:
                for task in (working, listening):
                    task.cancel()
                await asyncio.gather(working, listening, return_exceptions=True)
        return told[-1][0], to_json([signal for _, signal in told], list[Signal])

    async def transaction(self, name: str, work: Callable[[Any], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work` in one transaction with the step's record; again, as a new step, when the head had moved."""

        async def body() -> str:
            return to_json(await work(self._engine.datasource.sql_session()), kind)

        for _ in range(TRIES_ON_MOVED_HEAD - 1):
            with contextlib.suppress(HeadMoved):
                return from_json(await self._engine.transaction(name, body), kind)
        return from_json(await self._engine.transaction(name, body), kind)


class DbosEngine:
    """Queues and runs turns. Open it with `opened`."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database, self._turns = database, turns
        self._woken: dict[str, asyncio.Event] = {}
        self._client: DBOSClient
        self.datasource: AsyncSQLAlchemyDatasource

    @contextlib.asynccontextmanager
    async def opened(self, run: Run) -> AsyncIterator["DbosEngine"]:
        """Start working on queued turns with `run`; turns that were running when the process died go on."""
        url = self._database.url.replace("+aiosqlite", "")
        # Embedded, a lock on the data directory proves that no other process lives: one fixed name, recovered at once.
        executor = "local" if self._database.lite else f"worker-{uuid.uuid4().hex}"
        DBOS(
            config=DBOSConfig(
                name=NAME,
                system_database_url=url,
                executor_id=executor,
                application_version=VERSION,
                # A step's record and a transaction's ownership check need connections at once; ten of them dead-lock.
                sys_db_pool_size=100 if self._database.lite else 20,
                log_level="WARNING",
                enable_otlp=False,
                scheduler_polling_interval_sec=3600.0,
            )
        )

        @DBOS.workflow(name="turn", max_recovery_attempts=100)
        async def turn(turn_id: str) -> None:
            await run(turn_id, DbosSteps(self, turn_id))

        self.datasource = await AsyncSQLAlchemyDatasource.create(self._database.url, engine=self._database.engine)
        async with contextlib.AsyncExitStack() as stack:
            if not self._database.lite:
                await stack.enter_async_context(_leased(self._database, executor))
            DBOS.launch()
            stack.push_async_callback(self._close)
            await DBOS.register_queue_async(QUEUE, worker_concurrency=20, polling_interval_sec=POLL_SECONDS)
            self._client = await asyncio.to_thread(DBOSClient, system_database_url=url, application_name=NAME)
            yield self

    async def submit(self, tx: AsyncConnection, turn_id: str) -> None:
        """Enqueue a turn inside `tx`."""
        options: Any = {"workflow_name": "turn", "queue_name": QUEUE, "workflow_id": turn_id, "app_version": VERSION}
        await tx.run_sync(lambda sync: self._client.enqueue_in_transaction(sync, options, turn_id))

    async def ended(self, turn_ids: list[str]) -> list[str]:
        """Return those turns that are neither queued nor running any more."""
        table = "workflow_status" if self._database.lite else "dbos.workflow_status"
        live = sa.text(f"SELECT workflow_uuid FROM {table} WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')")
        async with self._database.read() as connection:
            going_on = set((await connection.execute(live)).scalars())
        return [turn_id for turn_id in turn_ids if turn_id not in going_on]

    async def tell(self, tx: Any, turn_id: str, signal: Signal) -> None:
        """Say something to a turn, inside `tx`; it is heard when the transaction is committed."""
        await self._turns.tell(tx, turn_id, signal)
        # Looked up again after the commit: an early wake-up only costs one query.
        asyncio.get_running_loop().call_later(0.02, self._wake, turn_id)

    async def next_signals(self, turn_id: str, after: int) -> Sequence[tuple[int, Signal]]:
        """
        Wait for signals after the one numbered `after`; polls, because they may come from another process.

        Several messages in a row are one interruption: after the first the others have a moment to come, unless it is a stop.
        """
        woken = self._woken.setdefault(turn_id, asyncio.Event())
        try:
            while not (told := await self.told(turn_id, after)):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LISTEN_SECONDS):
                        await woken.wait()
                woken.clear()
            if told[-1][1].kind != "stop":
                await asyncio.sleep(IN_A_ROW_SECONDS)
            return await self.told(turn_id, after) or told
        finally:
            self._woken.pop(turn_id, None)

    async def told(self, turn_id: str, after: int) -> Sequence[tuple[int, Signal]]:
        """Return the signals to a turn after the one numbered `after`, up to a stop."""
        # A database that is away for a moment must not end work that has been paid for.
        with contextlib.suppress(OutsideError):
            async with self._database.read() as connection:
                return up_to_stop(await self._turns.told(connection, turn_id, after))
        return ()

    def _wake(self, turn_id: str) -> None:
        if event := self._woken.get(turn_id):
            event.set()

    async def transaction(self, name: str, body: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Run one transaction step; PostgreSQL must see what was committed while this one waited for a row."""
        options: Any = {"name": name} if self._database.lite else {"name": name, "isolation_level": "READ COMMITTED"}
        return await self.datasource.run_tx_step_async(options, body)

    async def _close(self) -> None:
        """Stop working. Turns that are running stay as they are and go on at the next start."""
        instance = _get_dbos_instance()
        for event in instance.background_thread_stop_events:
            event.set()
        tasks = list(instance._workflow_tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop = asyncio.get_running_loop()
        # DBOS made its own pool the loop's default one, and is about to shut it down.
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="worker"))
        with ThreadPoolExecutor(1) as threads:
            if hasattr(self, "_client"):
                await loop.run_in_executor(threads, self._client.destroy)
            await loop.run_in_executor(threads, lambda: DBOS.destroy(destroy_registry=True))


@contextlib.asynccontextmanager
async def _leased(database: Database, executor: str) -> AsyncIterator[None]:
    """Hold a lease, and take over the turns of workers whose lease has run out."""
    await _renew(database, executor)
    task = asyncio.create_task(_keep_lease(database, executor))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with database.write() as tx:
            await tx.execute(executor_lease.delete().where(executor_lease.c.executor_id == executor))


async def _keep_lease(database: Database, executor: str) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS * random.uniform(0.2, 0.3))
        try:
            await _renew(database, executor)
            if dead := await _dead(database, executor):
                await asyncio.to_thread(DBOS._recover_pending_workflows, dead)
        except Exception:
            # Level-triggered: an outage of the database only delays the next round.
            log.exception("lease_failed")


async def _renew(database: Database, executor: str) -> None:
    """Write the lease with the database's clock, not ours."""
    async with database.write() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO executor_lease VALUES (:me, extract(epoch FROM clock_timestamp()) + :seconds)"
                " ON CONFLICT (executor_id) DO UPDATE SET expires = excluded.expires"
            ),
            {"me": executor, "seconds": LEASE_SECONDS},
        )


async def _dead(database: Database, executor: str) -> list[str]:
    async with database.read() as connection:
        rows = await connection.execute(
            sa.text(
                "SELECT DISTINCT executor_id FROM dbos.workflow_status w WHERE status = 'PENDING'"
                " AND executor_id <> :me AND NOT EXISTS (SELECT 1 FROM executor_lease l"
                " WHERE l.executor_id = w.executor_id AND l.expires > extract(epoch FROM clock_timestamp()))"
            ),
            {"me": executor},
        )
    return list(rows.scalars())
