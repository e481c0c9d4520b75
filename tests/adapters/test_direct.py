"""Writing to SQLite: shared commits, and that nobody's trouble is another's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.store.database import Database, make_engine
from core.errors import OutsideError


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path}/a.db"
    database = Database(make_engine(url), url)
    async with database.write() as tx:
        await tx.execute(sa.text("CREATE TABLE t (n INTEGER PRIMARY KEY, body TEXT)"))
    yield database
    await database.close()


async def numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return [row.n for row in await connection.execute(sa.text("SELECT n FROM t ORDER BY n"))]


async def put(database: Database, n: int, body: str = "") -> None:
    async with database.write() as tx:
        await tx.execute(sa.text("INSERT INTO t VALUES (:n, :body)"), {"n": n, "body": body})


async def test_writers_who_come_together_share_commits(database: Database) -> None:
    commits: list[sa.Connection] = []
    count = commits.append
    sa.event.listen(sa.Engine, "commit", count)
    try:
        await asyncio.gather(*(put(database, n) for n in range(50)))
    finally:
        sa.event.remove(sa.Engine, "commit", count)
    assert await numbers(database) == list(range(50))
    assert len(commits) == 1


async def test_who_fails_takes_nobody_along(database: Database) -> None:
    async def failing() -> None:
        async with database.write() as tx:
            await tx.execute(sa.text("INSERT INTO t VALUES (2, '')"))
            raise RuntimeError("mine")

    found = await asyncio.gather(
        put(database, 1), failing(), put(database, 3), put(database, 3), return_exceptions=True
    )
    assert [type(one).__name__ for one in found] == ["NoneType", "RuntimeError", "NoneType", "IntegrityError"]
    assert await numbers(database) == [1, 3]


async def test_who_is_cancelled_takes_nobody_along(database: Database) -> None:
    entered = asyncio.Event()

    async def slow() -> None:
        async with database.write() as tx:
            await tx.execute(sa.text("INSERT INTO t VALUES (1, '')"))
            entered.set()
            await asyncio.sleep(60)

    first = asyncio.create_task(slow())
    await entered.wait()
    waiting, last = asyncio.create_task(put(database, 2)), asyncio.create_task(put(database, 3))
    await asyncio.sleep(0)
    waiting.cancel()
    first.cancel()
    await last
    assert await numbers(database) == [3]


async def test_a_full_disk_is_told_to_everyone_whose_writing_was_lost(database: Database) -> None:
    await put(database, 1)

    async def limited(pages: int) -> None:
        # Holds for the connection that writes.
        async with database.write() as tx:
            await tx.execute(sa.text(f"PRAGMA max_page_count = {pages}"))

    await limited(3)
    found = await asyncio.gather(
        put(database, 2), put(database, 3, "x" * 500_000), put(database, 4), return_exceptions=True
    )
    assert all(isinstance(one, OutsideError) for one in found)
    assert await numbers(database) == [1]
    await limited(100_000)
    await put(database, 5)
    assert await numbers(database) == [1, 5]
