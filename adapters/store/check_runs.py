"""Results of checks, kept by the tree that was checked and the tools that checked it."""

import time

import sqlalchemy as sa

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import check_run
from core.findings import CheckResult

Results = tuple[CheckResult, ...]


class CheckRuns:
    """Rows of `check_run`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, tree: str, tools: str) -> Results | None:
        """Return the results for a tree by its name, None if these tools have not checked it."""
        query = sa.select(check_run.c.results).where(check_run.c.tree == tree, check_run.c.tools == tools)
        async with self._database.read() as connection:
            body = await connection.scalar(query)
        return from_json(body, Results) if body is not None else None

    async def remember(self, tree: str, tools: str, results: Results) -> None:
        """Keep the results for a tree; the latest count."""
        where = (check_run.c.tree == tree, check_run.c.tools == tools)
        row = {"tree": tree, "tools": tools, "results": to_json(results, Results), "created": time.time()}
        async with self._database.write() as tx:
            await tx.execute(check_run.delete().where(*where))
            await tx.execute(check_run.insert().values(row))
