"""Remember a turn's model calls: a turn that goes on after a crash does not pay for the same answer twice."""

import hashlib
import time
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import model_call, turn
from core.llm.chat import ChatRequest, Completion, LanguageModel, Usage


class JournaledModel:
    """
    A LanguageModel for one turn whose answers are kept until the turn is finished.

    `resumes` names the turn that this one goes on with: what that one was answered is paid. `usage` is what was not paid.
    """

    def __init__(self, model: LanguageModel, database: Database, turn_id: str, resumes: str = "") -> None:
        self._model, self._database, self._turn_id = model, database, resumes or turn_id
        self.name = model.name
        self._resumes, self._counted = bool(resumes), set[str]()
        self.usage, self.models = Usage(), set[str]()

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the remembered answer to this very request, or ask the model and remember."""
        key = hashlib.sha256(to_json(request, ChatRequest).encode()).hexdigest()
        where = (model_call.c.turn_id == self._turn_id, model_call.c.request == key)
        async with self._database.read() as connection:
            known = await connection.scalar(sa.select(model_call.c.completion).where(*where))
        if known is not None:
            paid = self._resumes or key in self._counted
            return self._noted(key, replace(from_json(known, Completion), paid=paid))
        completion = self._noted(key, await self._model.complete(request))
        row = {"turn_id": self._turn_id, "request": key, "completion": to_json(completion, Completion)}
        async with self._database.write() as tx:
            await tx.execute(model_call.delete().where(*where))
            await tx.execute(model_call.insert().values(row))
        return completion

    def _noted(self, key: str, completion: Completion) -> Completion:
        self._counted.add(key)
        self.models.add(completion.model)
        if not completion.paid:
            self.usage += completion.usage
        return completion


KEPT_SECONDS = 7 * 24 * 3600
"""How long a turn that ended without a commit can be gone on with for nothing."""


async def forget_old_calls(tx: AsyncConnection | AsyncSession) -> None:
    """Drop the remembered answers of turns that ended long ago."""
    old = sa.select(turn.c.id).where(turn.c.finished < time.time() - KEPT_SECONDS)
    await tx.execute(model_call.delete().where(model_call.c.turn_id.in_(old)))


async def forget_calls(tx: AsyncConnection | AsyncSession, turn_id: str) -> None:
    """Drop the remembered answers of a finished turn."""
    await tx.execute(model_call.delete().where(model_call.c.turn_id == turn_id))
