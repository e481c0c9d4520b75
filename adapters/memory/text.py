"""The MemoryStore port without embeddings: full text (FTS5 or tsvector) over past requests, and their files."""

import json
import math
import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, as_list
from adapters.store.tables import memory as table
from core.memory import Memory, Recollection

Connection = AsyncConnection | AsyncSession
MAX_TERMS = 40


def terms(text: str) -> list[str]:
    """Split into lower-case words; camelCase and snake_case give their parts and the whole."""
    found: list[str] = []
    for word in re.findall(r"[^\W\d][\w]*|\d{2,}", text):
        parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+|\d+", word)
        if len(parts) > 1:
            found.append("".join(parts).lower())
        found += [part.lower() for part in parts]
    return found


class TextMemory:
    """Rows of `memory`; a retracted row stays, hidden, so that a redo can show it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, tx: Connection, session_id: str, memories: Sequence[Memory]) -> None:
        """Add facts inside `tx`."""
        rows = [
            {
                "session_id": session_id, "kind": one.kind, "text": one.text, "turn_id": one.turn_id,
                "lex": " ".join(terms(one.text)), "files": json.dumps(list(one.files)),
            }
            for one in memories
        ]  # fmt: skip
        if rows:
            await tx.execute(table.insert(), rows)

    async def retract(self, tx: Connection, session_id: str, turn_id: str, retracted: bool) -> None:
        """Hide the facts of an undone turn, or show them again."""
        await tx.execute(
            table.update()
            .where(table.c.session_id == session_id, table.c.turn_id == turn_id)
            .values(retracted=retracted)
        )

    async def standing(self, session_id: str) -> list[Memory]:
        """Return the decisions and preferences that hold, oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(table)
                .where(table.c.session_id == session_id, table.c.kind != "request", table.c.retracted == sa.false())
                .order_by(table.c.id)
            )
        return [Memory(row.kind, row.text, row.turn_id, tuple(as_list(row.files))) for row in rows]

    async def recall(self, session_id: str, text: str, *, most: int = 8) -> list[Recollection]:
        """Return past requests that share words with `text`, best first; each file's weight shrinks with their number."""
        words = list(dict.fromkeys(terms(text)))[:MAX_TERMS]
        if not words:
            return []
        async with self._database.read() as connection:
            rows = (await connection.execute(*self._query(session_id, words, most))).all()
        found = [Recollection(row.text, row.turn_id, tuple(as_list(row.files)), float(row.score)) for row in rows]
        return sorted(found, key=lambda one: -one.score / math.sqrt(1 + len(one.files)))

    def _query(self, session_id: str, words: Sequence[str], most: int) -> tuple[sa.TextClause, dict[str, object]]:
        columns = "m.text, m.turn_id, m.files"
        where = "m.session_id = :session AND m.kind = 'request' AND NOT m.retracted"
        if self._database.lite:
            sql = (
                f"SELECT {columns}, -bm25(memory_fts) AS score FROM memory_fts JOIN memory m ON m.id = memory_fts.rowid"
                f" WHERE memory_fts MATCH :words AND {where} ORDER BY score DESC LIMIT :most"
            )
            query = " OR ".join(f'"{word}"' for word in words)
        else:
            sql = (
                f"SELECT {columns}, ts_rank_cd(m.tsv, q) AS score FROM memory m, to_tsquery('english', :words) q"
                f" WHERE m.tsv @@ q AND {where} ORDER BY score DESC LIMIT :most"
            )
            query = " | ".join(words)
        return sa.text(sql), {"session": session_id, "words": query, "most": most}
