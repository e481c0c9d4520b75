"""The boundary of a turn: whatever happens inside, exactly one reply comes out."""

import asyncio
import hashlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.engine.dbos import DbosSteps
from adapters.store.database import Database
from adapters.store.journal import JournaledModel, forget_calls
from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.progress import ProgressBoard
from bot.replies import reply
from core.errors import OutsideError, UserError
from core.manifests import MANIFEST_PATH, read_manifest
from core.messages import Doc, Progress, TurnRequest, TurnResult
from core.sessions import Session
from core.turn import TurnPorts, run_turn

log = logging.getLogger(__name__)
Connection = AsyncConnection | AsyncSession
PAUSES = (0.5, 1, 2, 5, 10, 30)
Value = TypeVar("Value")


@dataclass
class TurnRunner:
    """Runs one turn as the engine calls for it."""

    database: Database
    sessions: Sessions
    turns: Turns
    messages: Messages
    repository: GitRepository
    board: ProgressBoard
    ports: TurnPorts
    resubmit: Callable[[Connection, TurnRequest], Awaitable[None]] | None = None

    async def run(self, turn_id: str, steps: DbosSteps) -> None:
        """Carry out the turn and post its reply."""
        with structlog.contextvars.bound_contextvars(turn=turn_id):
            if await _patiently(lambda: self.turns.result(turn_id)) is not None:
                return
            request, session = await _patiently(lambda: self._opened(turn_id))
            show = self.board.sink(session.id, turn_id)
            show(Progress("Starting"))
            model = JournaledModel(self.ports.model, self.database, turn_id)
            try:
                result = await run_turn(request, session, replace(self.ports, progress=show, model=model), steps)
            except Exception as error:  # noqa: BLE001 - this is the boundary of the turn
                result = failure(turn_id, error)
            await self._report(request, result, steps)

    async def _opened(self, turn_id: str) -> tuple[TurnRequest, Session]:
        request = await self.turns.request(turn_id)
        session = await self.sessions.get(request.session_id)
        await self.turns.started(turn_id)
        return request, session

    async def _report(self, request: TurnRequest, result: TurnResult, steps: DbosSteps) -> None:
        """Post the reply; a database that is away only delays it."""
        diff = await self._diff(request.session_id, result)
        title = await self._title(request.session_id, result)
        await self.board.close(request.turn_id)
        seconds = await _patiently(
            lambda: steps.transaction(
                "report", lambda tx: self._write(tx, request, result, diff, steps.heard, title), float
            )
        )
        self.board.changed(request.session_id)
        log.info(
            "turn_finished",
            extra={"outcome": result.outcome, "seconds": round(seconds, 3), "kind": request.kind, "model": result.model,
                   "tokens": result.usage.input_tokens + result.usage.output_tokens, "commit": result.commit, "error_id": result.error_id},
        )  # fmt: skip

    async def reconcile(self, ended: Callable[[list[str]], Awaitable[list[str]]]) -> None:
        """
        Give every turn whose workflow has ended without a reply its reply, so that no thread waits for ever.

        `ended` returns those of the given turns that the engine no longer works on.
        """
        for turn_id in await ended(await self.turns.all_unfinished()):
            request = await self.turns.request(turn_id)
            lost = TurnResult(
                turn_id,
                "failed",
                "This turn was lost on the way. The thread's history shows whether it changed the app.",
            )
            async with self.database.write() as tx:
                # It may have ended in order since it was listed.
                if turn_id in await self.turns.unfinished(tx, request.session_id):
                    log.error("turn_lost", extra={"turn": turn_id})
                    await self._write(tx, request, lost, "", 0)
            self.board.changed(request.session_id)

    async def _diff(self, session_id: str, result: TurnResult) -> str:
        if not result.commit:
            return ""
        try:
            return (await self.repository.show(session_id, result.commit))[1].text
        except Exception:
            log.exception("diff_failed")
            return ""

    async def _title(self, session_id: str, result: TurnResult) -> str:
        """Return what a thread is called after its first commit: as its app."""
        if not result.commit or result.parent:
            return ""
        try:
            manifest = read_manifest((await self.repository.tree(session_id, result.commit)).get(MANIFEST_PATH))
        except Exception:
            log.exception("title_failed")
            return ""
        return manifest.title if manifest else ""

    async def _write(
        self, tx: Connection, request: TurnRequest, result: TurnResult, diff: str, heard: int, title: str = ""
    ) -> float:
        """Store the result, post the reply, and let messages that came too late for this turn start one of their own."""
        result = replace(result, seconds=time.time() - await self.turns.start_time(tx, request.turn_id))
        await self.turns.finish(tx, result)
        await forget_calls(tx, request.turn_id)
        if title:
            await self.sessions.rename(tx, request.session_id, title)
        await self.messages.post(
            tx, request.session_id, f"{request.turn_id}:reply", "reply", reply(result, diff), turn_id=request.turn_id
        )
        await self.messages.post(
            tx, request.session_id, f"{request.turn_id}:progress", "progress", Doc(()), turn_id=request.turn_id
        )
        for number, signal in await self.turns.told(tx, request.turn_id, heard):
            if signal.kind == "steer" and self.resubmit is not None:
                again = f"{request.turn_id}-{number}"
                late = TurnRequest(again, request.session_id, "message", signal.text, signal.author, request.link)
                await self.resubmit(tx, late)
        return result.seconds


async def _patiently(work: Callable[[], Awaitable[Value]]) -> Value:
    """Do `work`, again and again while it fails: a turn that was accepted is never given up."""
    for attempt in itertools.count():
        try:
            return await work()
        except Exception:
            log.exception("database_away")
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
    raise AssertionError("it never ends without a value")


def failure(turn_id: str, error: Exception) -> TurnResult:
    """Return the result of a turn that ended in an error; people see a sentence and an id, never a traceback."""
    if isinstance(error, UserError):
        return TurnResult(turn_id, "failed", str(error))
    error_id = hashlib.sha256(turn_id.encode()).hexdigest()[:8]
    log.error("turn_failed", exc_info=error, extra={"error_id": error_id})
    if isinstance(error, OutsideError):
        text = f"{error} The app is as it was. " + (
            "Try again in a moment." if error.retryable else "Try again once that is mended."
        )
    else:
        text = "Something in the bot broke. The app is as it was, and the next message will be read."
    return TurnResult(turn_id, "failed", f"{text} (error {error_id})", error_id=error_id)
