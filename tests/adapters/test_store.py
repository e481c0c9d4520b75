"""The store on both databases: migrations, transactions, sessions, messages."""

import asyncio
import contextlib
import itertools
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from adapters.llm.scripted import ScriptedModel
from adapters.store.database import Database, make_engine
from adapters.store.journal import JournaledModel, forget_calls
from adapters.store.messages import Messages
from adapters.store.migrate import alembic_config, upgrade
from adapters.store.sessions import Sessions, slug_of
from adapters.store.tables import executor_lease, memory, metadata
from adapters.store.turns import Turns
from core.errors import OutsideError, UserError
from core.llm.chat import ChatRequest, Message
from core.messages import Signal, TurnRequest, TurnResult
from core.sessions import ThreadKey
from core.thread.transcript import plain
from tests.conftest import ANN

KEY = ThreadKey("local", "w", "c", "t")


async def test_the_migrations_make_exactly_the_tables_of_the_code(store_url: str) -> None:
    await upgrade(store_url)
    await upgrade(store_url)
    engine = make_engine(store_url, foreign_keys=False)

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda o, name, kind, reflected, other: not reflected or other is not None},
        )
        return list(compare_metadata(context, metadata))

    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "base"))
        left = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        assert [name for name in left if not name.startswith("alembic")] == []
    await engine.dispose()
    await upgrade(store_url)


async def test_concurrent_read_modify_writes_lose_nothing(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(executor_lease.insert().values(executor_id="counter", expires=0))

    async def add() -> None:
        for _ in range(10):
            async with database.engine.begin() as tx:
                where = executor_lease.c.executor_id == "counter"
                now = await tx.scalar(sa.select(executor_lease.c.expires).where(where).with_for_update())
                await tx.execute(executor_lease.update().where(where).values(expires=(now or 0) + 1))

    await asyncio.gather(*(add() for _ in range(8)))
    async with database.read() as connection:
        assert await connection.scalar(sa.select(executor_lease.c.expires)) == 80


async def test_a_locked_database_is_an_outside_error_that_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.store.database.BUSY_SECONDS", 0.1)
    url = f"sqlite+aiosqlite:///{tmp_path}/locked.db"
    await upgrade(url)
    database = Database(make_engine(url), url)
    with contextlib.closing(sqlite3.connect(tmp_path / "locked.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutsideError, match="locked") as caught:
            async with database.write() as tx:
                await tx.execute(memory.delete())
    assert caught.value.retryable
    async with database.write() as tx:
        await tx.execute(memory.delete())
    await database.close()


async def test_a_writer_that_is_cancelled_lets_the_lock_go(lite: Database) -> None:
    async def write() -> None:
        async with lite.write() as tx:
            await tx.execute(memory.delete())
            await asyncio.sleep(0)

    for number in range(60):
        task = asyncio.create_task(write())
        for _ in range(number % 12):
            await asyncio.sleep(0.0002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(write(), 5)


async def test_a_thread_has_one_session_for_ever(database: Database) -> None:
    sessions = Sessions(database)
    async with database.write() as tx:
        first = await sessions.open(tx, KEY, "Build  a shop!")
    async with database.write() as tx:
        assert await sessions.open(tx, KEY, "Something else") == first
    assert first.title == "Build a shop!"
    assert await sessions.at(KEY) == await sessions.get(first.id) == await sessions.by_slug(first.slug) == first
    assert await sessions.list() == [first]
    with pytest.raises(UserError, match="no such thread"):
        await sessions.by_slug("ghost")


@given(st.text(max_size=200), st.text(max_size=40))
def test_every_title_gives_a_name_for_a_host(title: str, session_id: str) -> None:
    slug = slug_of(title, session_id)
    assert slug.isascii()
    assert slug == slug.lower()
    assert len(slug) <= 40
    assert not slug.startswith("-")
    assert "--" not in slug


async def test_an_event_is_claimed_once_and_numbers_rise(database: Database) -> None:
    sessions, turns = Sessions(database), Turns(database)
    async with database.write() as tx:
        session = await sessions.open(tx, KEY, "x")
        first = await turns.claim(tx, "e1", session.id)
        assert await turns.claim(tx, "e1", session.id) is None
        second = await turns.claim(tx, "e2", session.id)
    assert first is not None
    assert second is not None
    assert first < second


async def test_a_turn_remembers_what_it_was_asked_told_and_answered(database: Database) -> None:
    sessions, turns = Sessions(database), Turns(database)
    async with database.write() as tx:
        session = await sessions.open(tx, KEY, "x")
        request = TurnRequest("t1", session.id, "message", "Build", ANN)
        await turns.add(tx, request)
        await turns.tell(tx, "t1", Signal("steer", ANN, "blue"))
        assert await turns.unfinished(tx, session.id) == ["t1"]
    assert await turns.request("t1") == request
    async with database.write() as tx:
        assert await turns.started(tx, "t1")
    async with database.read() as connection:
        ((number, signal),) = await turns.told(connection, "t1", 0)
        assert signal == Signal("steer", ANN, "blue")
        assert await turns.told(connection, "t1", number) == []
    assert await turns.result("t1") is None
    result = TurnResult("t1", "done", "Built.")
    async with database.write() as tx:
        await turns.finish(tx, result)
        assert await turns.unfinished(tx, session.id) == []
    assert await turns.result("t1") == result


async def test_a_message_is_posted_once_and_its_newest_state_is_read(database: Database) -> None:
    sessions, messages = Sessions(database), Messages(database)
    async with database.write() as tx:
        session = await sessions.open(tx, KEY, "x")
        await messages.post(tx, session.id, "k1", "progress", plain("one"))
        await messages.post(tx, session.id, "k2", "reply", plain("two"), turn_id="t1")
        await messages.post(tx, session.id, "k1", "progress", plain("three"))
    first, second = await messages.since(session.id)
    assert (first.doc, second.doc) == (plain("three"), plain("two"))
    assert [one.key for one in await messages.since(session.id, second.changed)] == ["k1"]
    async with database.write() as tx:
        assert await messages.react(tx, second.id, "👍", "u1", True)
        assert not await messages.react(tx, second.id, "👍", "u1", True)
    (again,) = await messages.since(session.id, first.changed)
    assert again.reactions == ("👍",)
    async with database.write() as tx:
        assert await messages.react(tx, second.id, "👍", "u1", False)
        # Added, taken away and added again: in whatever order that is told, the latest holds.
        for order in itertools.permutations(((True, 1.0), (False, 2.0), (True, 3.0))):
            who = f"u{order}"
            changes = [await messages.react(tx, second.id, "↩", who, added, at) for added, at in order]
            there = sum(1 if added else -1 for (added, _), changed in zip(order, changes, strict=True) if changed)
            assert there == 1, order
        assert await messages.get(tx, 999) is None


async def test_an_answer_is_paid_for_once_in_a_turn(database: Database) -> None:
    model = ScriptedModel({"core": ["one", "two"]})
    asked = ChatRequest("core", "reasoning", "s", (Message("user", "x"),))
    first = await JournaledModel(model, database, "t1").complete(asked)
    assert await JournaledModel(model, database, "t1").complete(asked) == first
    assert len(model.requests) == 1
    assert (await JournaledModel(model, database, "t2").complete(asked)).text == "two"
    async with database.write() as tx:
        await forget_calls(tx, "t1")
    await JournaledModel(model, database, "t1").complete(asked)
    assert len(model.requests) == 3
