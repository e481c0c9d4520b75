"""The boundary of a turn: whatever happens inside, exactly one reply comes out."""

import asyncio
import hashlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import structlog

from adapters.engine.dbos import DbosSteps
from adapters.store.journal import JournaledModel, forget_calls, forget_old_calls
from adapters.store.threads import ThreadRows
from adapters.vfs.git import GitRepository
from bot.progress import ProgressBoard
from bot.replies import MARKS, introduced, reply
from core import steering
from core.chat import Answer
from core.errors import OutsideError, UserError
from core.manifests import manifest_of
from core.messages import Doc, Progress, Signal, TurnRequest, TurnResult
from core.ports import Tx
from core.receipts import receipt
from core.sessions import Session
from core.steering import named
from core.thread.decisions import Query, QueryVerb
from core.thread.line import RESUMABLE, UNDONE, WAIVABLE, on_their_own
from core.thread.transcript import PROGRESS, QUEUED, REPLY
from core.turn import TurnPorts, run_turn

log = logging.getLogger(__name__)
NO_CARD = Doc(())
TOO_LATE = "“stop” arrived after the change was committed; undo reverts it."
MOST_FREEZES = 2
FROZE = (
    "While I worked on this, everything in me stood still twice, so I have ended it. The app is as it was. Say it in other words, "
    "or leave out the file that came with it; the log of the bot says where it stood."
)
PAUSES = (0.5, 1, 2, 5, 10, 30)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Report:
    """What is written when a turn has ended; `said` takes the place of the usual reply."""

    result: TurnResult
    diff: str = ""
    heard: int = 0
    title: str = ""
    card: Doc = NO_CARD
    said: Doc | None = None


@dataclass
class TurnRunner:
    """Runs one turn as the engine calls for it."""

    threads: ThreadRows
    repository: GitRepository
    board: ProgressBoard
    ports: TurnPorts
    look: Callable[[Session, Query], Awaitable[Answer]] | None = None
    present: Callable[[str], Awaitable[None]] | None = None
    """Waits until what people did on a platform while the bot was away is known."""

    async def run(self, turn_id: str, steps: DbosSteps) -> None:
        """Carry out the turn and post its reply."""
        with structlog.contextvars.bound_contextvars(turn=turn_id):
            opened = await _patiently(lambda: self._opened(turn_id))
            if opened is None:
                return
            request, session = opened
            said: Doc | None = None
            try:
                if await self.threads.turns.times_frozen(turn_id) >= MOST_FREEZES:
                    raise UserError(FROZE)
                if request.kind == "query":
                    result, said = await self._looked_up(request, session)
                else:
                    result = await self._carried_out(request, session, steps)
            except Exception as error:  # noqa: BLE001 - this is the boundary of the turn
                result = failure(turn_id, error)
            if result.outcome == "stopped":
                result = replace(result, notes=(*_how_far(self.board.state(turn_id)), *result.notes))
            await self._report(request, result, steps, said)

    async def _carried_out(self, request: TurnRequest, session: Session, steps: DbosSteps) -> TurnResult:
        show = self.board.sink(session, request.turn_id, request.author.id)
        if request.kind != "aside":
            show(Progress("Starting"))
        # Work of a stopped turn that is resumed is in the journal under its own id.
        model = JournaledModel(self.ports.model, self.threads.database, request.turn_id, request.resumes)
        try:
            return await run_turn(request, session, replace(self.ports, progress=show, model=model), steps)
        except Exception as error:  # noqa: BLE001 - what was spent until then is told too
            spent = ", ".join(sorted(model.models))
            return replace(failure(request.turn_id, error), usage=model.usage, model=spent)

    async def _looked_up(self, request: TurnRequest, session: Session) -> tuple[TurnResult, Doc | None]:
        """Answer what needs no model."""
        assert self.look is not None
        answer = await self.look(session, Query(cast("QueryVerb", request.text), request.target))
        return TurnResult(request.turn_id, "done", request.text), answer.doc

    async def _opened(self, turn_id: str) -> tuple[TurnRequest, Session] | None:
        """Mark the turn as started, None when it was taken back meanwhile, so that the next may go."""
        if self.present is not None:
            asked = await self.threads.turns.request(turn_id)
            await self.present((await self.threads.sessions.get(asked.session_id)).key.platform)
        request = await self.threads.turns.request(turn_id)
        async with self.threads.transaction() as tx:
            session = await self.threads.sessions.within(tx, request.session_id)
            if not await self.threads.turns.started(tx, turn_id):
                await self.threads.go_on(tx, session.id)
                return None
            # It may have been corrected until now.
            request = (await self.threads.turns.of_ids(tx, [turn_id]))[turn_id].request
            if await self.threads.messages.by_key(tx, f"{turn_id}{QUEUED}"):
                await self.threads.messages.post(
                    tx, session.id, f"{turn_id}{QUEUED}", "notice", Doc(()), turn_id=turn_id
                )
                await self.threads.renumber(tx, session.id)
        self.board.changed(session.id)
        return request, session

    async def _report(
        self, request: TurnRequest, result: TurnResult, steps: DbosSteps, said: Doc | None = None
    ) -> None:
        """Post the reply; a database that is away only delays it."""
        diff = await self._diff(request.session_id, result)
        await self._note(request, result)
        title = await self._title(request.session_id, result)
        card = await self.board.close(request.turn_id)
        seconds = await _patiently(
            lambda: steps.transaction(
                "report",
                lambda tx: self._write(tx, request, Report(result, diff, steps.heard, title, card, said)),
                float,
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
        async with self.threads.transaction() as tx:
            await forget_old_calls(tx)
        for turn_id in await ended(await self.threads.turns.submitted()):
            request = await self.threads.turns.request(turn_id)
            lost = TurnResult(
                turn_id,
                "failed",
                "This turn was lost on the way. The thread's history shows whether it changed the app.",
            )
            async with self.threads.transaction() as tx:
                await self.threads.sessions.within(tx, request.session_id)
                # It may have ended in order since it was listed.
                if turn_id in await self.threads.turns.unfinished(tx, request.session_id):
                    log.error("turn_lost", extra={"turn": turn_id})
                    await self._write(tx, request, Report(lost))
            self.board.changed(request.session_id)

    async def _diff(self, session_id: str, result: TurnResult) -> str:
        if not result.commit:
            return ""
        try:
            return (await self.repository.show(session_id, result.commit))[1].text
        except Exception:
            log.exception("diff_failed")
            return ""

    async def _note(self, request: TurnRequest, result: TurnResult) -> None:
        """Put the receipt on the commit; the reply does not wait for it to succeed."""
        if not result.commit or not result.checks:
            return
        try:
            async with self.threads.transaction() as tx:
                seconds = await self._seconds(tx, request.turn_id)
                text = receipt(replace(result, seconds=seconds))
                await self.repository.note(tx, request.session_id, result.commit, text)
        except Exception:
            log.exception("receipt_failed")

    async def _seconds(self, tx: Tx, turn_id: str) -> float:
        """Return how long a turn has taken; the time of day may have been set back meanwhile."""
        return max(0.0, time.time() - await self.threads.turns.start_time(tx, turn_id))

    async def _title(self, session_id: str, result: TurnResult) -> str:
        """Return what a thread is called after its first commit: as its app."""
        if not result.commit or result.parent:
            return ""
        try:
            manifest = manifest_of(await self.repository.tree(session_id, result.commit))
        except Exception:
            log.exception("title_failed")
            return ""
        return manifest.title if manifest else ""

    async def _write(self, tx: Tx, request: TurnRequest, report: Report) -> float:
        """Store the result, post the reply, and let messages that came too late for this turn start one of their own."""
        result = report.result
        # The session's row before the turn's, as the inbox takes them: else two could wait for each other.
        session = await self.threads.sessions.within(tx, request.session_id)
        told = await self.threads.turns.told(tx, request.turn_id, 0)
        late, undone = steering.unheard(told, report.heard)
        gone = await self.threads.messages.deleted(tx, [signal.said for _, signal in late])
        late = [(number, signal) for number, signal in late if signal.said not in gone]
        added = steering.added_to(request, told, report.heard)
        if added != request.added:
            await self.threads.turns.change(tx, replace(request, added=added))
        stops = [signal for number, signal in told if number > report.heard and signal.kind == "stop"]
        result = replace(result, notes=(*result.notes, *_not_in_it(result, late, undone, stops)))
        if result.outcome in UNDONE and await self.threads.messages.deleted(tx, [request.message]):
            result = replace(result, outcome="withdrawn")
        result = replace(result, seconds=await self._seconds(tx, request.turn_id))
        if report.title:
            await self.threads.sessions.rename(tx, request.session_id, report.title)
        await self.threads.turns.finish(tx, result)
        if result.outcome not in (*RESUMABLE, WAIVABLE):
            await forget_calls(tx, request.resumes or request.turn_id)
        said = report.said or reply(result, report.diff, await self.threads.turns.spent(tx, request.session_id))
        if result.commit and not result.parent:
            owners = await self.threads.people.owners(tx, session.id)
            title = report.title or session.title
            said = introduced(said, session, title, owners[0].name, result.model) if owners else said
        await self.threads.messages.post(
            tx, request.session_id, f"{request.turn_id}{REPLY}", "reply", said, turn_id=request.turn_id
        )
        if not request.beside:
            await self.threads.messages.post(
                tx, request.session_id, f"{request.turn_id}{PROGRESS}", "progress", report.card, turn_id=request.turn_id
            )
        await self.threads.messages.mark(tx, request.turn_id, MARKS[result.outcome])
        await self.threads.apply(tx, session, on_their_own(request, late))
        for signal in undone:
            await self.threads.messages.move(tx, signal.said, request.turn_id, MARKS["dropped"])
        await self.threads.go_on(tx, request.session_id)
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


def _not_in_it(
    result: TurnResult, late: Sequence[tuple[int, Signal]], undone: Sequence[Signal], stops: Sequence[Signal]
) -> tuple[str, ...]:
    """Return what becomes of that which was said to a turn and came too late for it."""
    notes = [TOO_LATE] if stops and result.commit else []
    notes += [signal.text for signal in stops if signal.text]
    notes += [f"Left undone: {named(undone)}."] if undone else []
    notes += [f"Next comes what you said meanwhile: {named(signal for _, signal in late)}."] if late else []
    return tuple(notes)


def _how_far(state: Progress | None) -> tuple[str, ...]:
    """Return what a stopped turn had done, and what it was at."""
    if state is None:
        return ()
    done = f"Done: {', '.join(state.done)}. " if state.done else ""
    return (f"{done}In progress: {state.step}. None of it is in the app yet; say “continue” to pick up from there.",)


def failure(turn_id: str, error: Exception) -> TurnResult:
    """Return the result of a turn that ended in an error; people see a sentence and an id, never a traceback."""
    if isinstance(error, UserError):
        return TurnResult(turn_id, "failed", str(error))
    error_id = hashlib.sha256(turn_id.encode()).hexdigest()[:8]
    log.error("turn_failed", exc_info=error, extra={"error_id": error_id})
    if isinstance(error, OutsideError):
        text = f"{error} The app is as it was. " + (
            "A retry reuses what is finished." if error.retryable else "Try again once that is fixed."
        )
    else:
        text = "Something went wrong inside the bot. The app is unchanged, and I'm ready for your next message."
    return TurnResult(turn_id, "failed", f"{text} (error {error_id})", error_id=error_id)
