"""
The inbox, the turns it starts, and what is said to a running turn.

A turn is `queued` while it stands in its thread's line, `submitted` once the engine has it, then `running`, `finished`.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import inbox, turn, turn_signal
from core.messages import Signal, TurnRequest, TurnResult
from core.thread.state import Turn

Connection = AsyncConnection | AsyncSession


AT_WORK = ("submitted", "running")


def _in_line(session_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(turn.c.session_id == session_id, ~turn.c.beside)


WAITING = (
    sa.select(turn.c.request, turn.c.state)
    .where(_in_line(sa.bindparam("session_id")), turn.c.state != "finished")
    .order_by(turn.c.id)
    .with_for_update()
)


class Turns:
    """Rows of `inbox`, `turn` and `turn_signal`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Put into SQL once: building a statement takes longer than running it.
        self._claim = database.insert(inbox).on_conflict_do_nothing().returning(inbox.c.id)
        row: dict[str, Any] = {name: sa.bindparam(name) for name in ("id", "session_id", "request", "beside", "queued")}
        at_work = sa.select(turn.c.id).where(_in_line(sa.bindparam("session_id")), turn.c.state.in_(AT_WORK)).exists()
        waits = sa.and_(at_work, sa.bindparam("beside") == sa.false())
        state = sa.case((waits, "queued"), else_="submitted")
        self._add = turn.insert().values(**row, state=state).returning(turn.c.state)

    async def claim(self, tx: AsyncConnection, event_id: str, session_id: str) -> int | None:
        """Claim an event; None when it was claimed before. The number rises in order of arrival."""
        values = {"event_id": event_id, "session_id": session_id, "received": time.time()}
        number: int | None = (await tx.execute(self._claim, values)).scalar_one_or_none()
        return number

    async def claimed(self, tx: AsyncConnection, event_id: str) -> bool:
        """Say whether an event was claimed before."""
        return await tx.scalar(sa.select(inbox.c.id).where(inbox.c.event_id == event_id)) is not None

    async def add(self, tx: Connection, request: TurnRequest) -> bool:
        """Store a turn, and say whether it may go at once: it goes beside its thread's line, or nothing is before it."""
        row = {
            "id": request.turn_id, "session_id": request.session_id, "request": to_json(request, TurnRequest),
            "beside": request.beside, "queued": time.time(),
        }  # fmt: skip
        return bool((await tx.execute(self._add, row)).scalar_one() == "submitted")

    async def next(self, tx: Connection, session_id: str) -> str:
        """Return the id of the turn whose go it is, submitted by this; '' while another is at work or none waits."""
        mine = _in_line(session_id)
        first = sa.select(sa.func.min(turn.c.id)).where(mine, turn.c.state == "queued").scalar_subquery()
        busy = sa.select(turn.c.id).where(mine, turn.c.state.in_(AT_WORK)).correlate(None).exists()
        goes = turn.update().where(turn.c.id == first, ~busy).values(state="submitted").returning(turn.c.id)
        found: str | None = await tx.scalar(goes)
        return found or ""

    async def request(self, turn_id: str) -> TurnRequest:
        """Return what the turn was asked."""
        async with self._database.read() as connection:
            body = (await connection.execute(sa.select(turn.c.request).where(turn.c.id == turn_id))).scalar_one()
        return from_json(body, TurnRequest)

    async def started(self, tx: Connection, turn_id: str) -> bool:
        """Mark the turn as running, again after a crash; False when it was finished meanwhile."""
        found = await tx.execute(
            turn.update()
            .where(turn.c.id == turn_id, turn.c.state != "finished")
            .values(state="running", started=sa.func.coalesce(turn.c.started, time.time()))
            .returning(turn.c.id)
        )
        return found.first() is not None

    async def froze(self) -> None:
        """Note of every turn that is running that the bot ended itself meanwhile, because nothing went on."""
        async with self._database.write() as tx:
            await tx.execute(turn.update().where(turn.c.state == "running").values(frozen=turn.c.frozen + 1))

    async def times_frozen(self, turn_id: str) -> int:
        """Return how often that happened while a turn was running."""
        async with self._database.read() as connection:
            return int(await connection.scalar(sa.select(turn.c.frozen).where(turn.c.id == turn_id)) or 0)

    async def change(self, tx: Connection, request: TurnRequest) -> None:
        """Replace what a turn that has not started is asked."""
        body = to_json(request, TurnRequest)
        await tx.execute(turn.update().where(turn.c.id == request.turn_id).values(request=body))

    async def waiting(self, tx: Connection, session_id: str) -> list[tuple[TurnRequest, bool]]:
        """
        Return the session's unfinished turns in order, and whether each one runs, locking them where the engine can.

        Asides and queries, which wait for nobody, are left out.
        """
        rows = await tx.execute(WAITING, {"session_id": session_id})
        return [(from_json(body, TurnRequest), state == "running") for body, state in rows]

    async def of_ids(self, tx: Connection, turn_ids: Sequence[str]) -> dict[str, Turn]:
        """Return those of these turns that there are, by id, inside `tx`."""
        if not turn_ids:
            return {}
        rows = await tx.execute(sa.select(turn.c.id, turn.c.request, turn.c.result).where(turn.c.id.in_(turn_ids)))
        return {row.id: _turn(row) for row in rows}

    async def start_time(self, tx: Connection, turn_id: str) -> float:
        """Return when the turn began, in Unix seconds."""
        found = await tx.execute(sa.select(sa.func.coalesce(turn.c.started, turn.c.queued)).where(turn.c.id == turn_id))
        return float(found.scalar_one())

    async def finish(self, tx: Connection, result: TurnResult) -> None:
        """Store the turn's result."""
        await tx.execute(
            turn.update()
            .where(turn.c.id == result.turn_id)
            .values(state="finished", outcome=result.outcome, result=to_json(result, TurnResult), finished=time.time())
        )

    async def result(self, turn_id: str) -> TurnResult | None:
        """Return the turn's result, None while it is not finished."""
        async with self._database.read() as connection:
            body = await connection.scalar(sa.select(turn.c.result).where(turn.c.id == turn_id))
        return from_json(body, TurnResult) if body else None

    async def result_in(self, session_id: str, turn_id: str) -> TurnResult | None:
        """Return a turn's result if the turn belongs to the session."""
        async with self._database.read() as connection:
            body = await connection.scalar(
                sa.select(turn.c.result).where(turn.c.id == turn_id, turn.c.session_id == session_id)
            )
        return from_json(body, TurnResult) if body else None

    async def unfinished(self, tx: Connection, session_id: str) -> list[str]:
        """Return the ids of the session's queued and running turns in order, locking them where the engine can."""
        rows = await tx.execute(
            sa.select(turn.c.id)
            .where(turn.c.session_id == session_id, turn.c.state != "finished")
            .order_by(turn.c.id)
            .with_for_update()
        )
        return list(rows.scalars())

    async def submitted(self) -> list[str]:
        """Return the ids of all turns that the engine has, in order."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(turn.c.id).where(turn.c.state.in_(AT_WORK)).order_by(turn.c.id))
        return list(rows.scalars())

    async def busy(self) -> set[str]:
        """Return the ids of the sessions in which a turn is at work or waits."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(turn.c.session_id).where(turn.c.state != "finished").distinct())
        return set(rows.scalars())

    async def spent(self, tx: Connection, session_id: str) -> float:
        """Return what the session's finished turns have cost, in US dollars."""
        where = (turn.c.session_id == session_id, turn.c.result.is_not(None))
        bodies = (await tx.execute(sa.select(turn.c.result).where(*where))).scalars()
        return sum(from_json(body, TurnResult).usage.cost_usd for body in bodies)

    async def edits(self) -> Counter[str]:
        """Return how the answers of models were applied in all turns, as `TurnResult.edits` has it."""
        async with self._database.read() as connection:
            bodies = (await connection.execute(sa.select(turn.c.result).where(turn.c.result.is_not(None)))).scalars()
            return sum((Counter(from_json(body, TurnResult).edits) for body in bodies), Counter())

    async def withdraw(self, tx: Connection, session_id: str, said: str, undone: Sequence[str]) -> list[str]:
        """
        Let the turns that the message `said` asked for, and that ended in one of `undone`, count as taken back.

        Where it was only added to one, that is gone on with without it.

        Returns:
            The ids of those that count as taken back.
        """
        where = (turn.c.session_id == session_id, turn.c.state == "finished", turn.c.outcome.in_(undone))
        rows = await tx.execute(sa.select(turn.c.id, turn.c.request, turn.c.result).where(*where))
        ended = [(row, from_json(row.request, TurnRequest)) for row in rows]
        for _, request in ended:
            if any(one.said == said for one in request.added):
                added = tuple(one for one in request.added if one.said != said)
                await self.change(tx, replace(request, added=added))
        found = [row for row, request in ended if request.message == said]
        for row in found:
            body = to_json(replace(from_json(row.result, TurnResult), outcome="withdrawn"), TurnResult)
            await tx.execute(turn.update().where(turn.c.id == row.id).values(outcome="withdrawn", result=body))
        return [row.id for row in found]

    async def latest(self, tx: Connection, session_id: str) -> Turn | None:
        """Return the session's latest finished turn that a message asked for and nobody took back."""
        ended = (turn.c.session_id == session_id, turn.c.state == "finished")
        rows = await tx.execute(
            sa.select(turn.c.request, turn.c.result)
            .where(*ended, turn.c.outcome.not_in(("dropped", "withdrawn")))
            .order_by(turn.c.id.desc())
            .limit(20)
        )
        return next((found for found in map(_turn, rows) if found.request.kind == "message"), None)

    async def tell(self, tx: Connection, turn_id: str, signal: Signal) -> None:
        """Say something to a turn."""
        await tx.execute(turn_signal.insert().values(turn_id=turn_id, body=to_json(signal, Signal)))

    async def told(self, connection: Any, turn_id: str, after: int) -> Sequence[tuple[int, Signal]]:
        """Return what was said to a turn after the signal `after`, in order."""
        rows = await connection.execute(
            sa.select(turn_signal.c.id, turn_signal.c.body)
            .where(turn_signal.c.turn_id == turn_id, turn_signal.c.id > after)
            .order_by(turn_signal.c.id)
        )
        return [(number, from_json(body, Signal)) for number, body in rows]

    async def told_to(self, connection: Any, turn_ids: Sequence[str]) -> dict[str, list[tuple[int, Signal]]]:
        """Return what was said to each of these turns, in order."""
        if not turn_ids:
            return {}
        told: dict[str, list[tuple[int, Signal]]] = {}
        query = sa.select(turn_signal.c.turn_id, turn_signal.c.id, turn_signal.c.body)
        where = turn_signal.c.turn_id.in_(turn_ids)
        for turn_id, number, body in await connection.execute(query.where(where).order_by(turn_signal.c.id)):
            told.setdefault(turn_id, []).append((number, from_json(body, Signal)))
        return told


def _turn(row: Any) -> Turn:
    return Turn(from_json(row.request, TurnRequest), from_json(row.result, TurnResult) if row.result else None)
