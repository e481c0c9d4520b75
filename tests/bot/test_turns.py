"""Turns whose workflow has ended: one reply each, and never a second one."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.engine.dbos import DbosEngine
from adapters.llm.scripted import ScriptedModel
from adapters.memory.text import TextMemory
from adapters.store.database import Database
from adapters.store.journal import JournaledModel
from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from adapters.store.tables import turn
from adapters.store.threads import ThreadRows
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.progress import ProgressBoard
from bot.turns import Report, TurnRunner
from core.llm.chat import ChatRequest, Message, Usage
from core.llm.metered import Budget, MeteredModel
from core.messages import Para, Signal, TurnRequest, TurnResult
from core.sessions import ThreadKey
from core.thread.commands import command_in
from core.turn import TurnPorts
from tests.conftest import ANN
from tests.core.test_turn import StillChecks, StillPreview


@pytest.fixture
def runner(lite: Database, repository: GitRepository) -> TurnRunner:
    ports = TurnPorts(ScriptedModel({}), repository, StillChecks(), StillPreview(), TextMemory(lite), lambda _: None)
    board = ProgressBoard(lite, Messages(lite), Sessions(lite))
    return TurnRunner(ThreadRows(lite, DbosEngine(lite, Turns(lite))), repository, board, ports)


async def queued(runner: TurnRunner, lite: Database) -> str:
    async with lite.write() as tx:
        session = await runner.threads.sessions.open(tx, ThreadKey("l", "l", "l", "t"), "x")
        await runner.threads.turns.add(tx, TurnRequest("t1", session.id, "message", "Build", ANN))
        await runner.threads.turns.next(tx, session.id)
    return session.id


def ended(during: Callable[[], Awaitable[None]] | None = None) -> Callable[[list[str]], Awaitable[list[str]]]:
    """An engine that works on no turn any more; `during` happens while it is asked."""

    async def answer(turn_ids: list[str]) -> list[str]:
        if during is not None:
            await during()
        return turn_ids

    return answer


async def test_a_turn_that_was_lost_gets_one_reply_and_frees_its_thread(runner: TurnRunner, lite: Database) -> None:
    session_id = await queued(runner, lite)
    await runner.reconcile(ended())
    await runner.reconcile(ended())
    result = await runner.threads.turns.result("t1")
    assert result is not None
    assert result.outcome == "failed"
    assert [one.kind for one in await runner.threads.messages.since(session_id) if one.doc.blocks] == ["reply"]


async def test_a_turn_that_ends_in_order_meanwhile_keeps_its_reply(runner: TurnRunner, lite: Database) -> None:
    await queued(runner, lite)

    async def finish() -> None:
        async with lite.write() as tx:
            await runner.threads.turns.finish(tx, TurnResult("t1", "done", "Built."))

    await runner.reconcile(ended(finish))
    result = await runner.threads.turns.result("t1")
    assert result is not None
    assert (result.outcome, result.message) == ("done", "Built.")


async def test_answers_of_models_are_forgotten_after_a_week(runner: TurnRunner, lite: Database) -> None:
    await queued(runner, lite)
    model = JournaledModel(ScriptedModel({"core": ["one", "two"]}), lite, "t1")
    request = ChatRequest("core", "text", "", (Message("user", "x"),))
    first = await model.complete(request)
    await runner.reconcile(ended())
    assert (await model.complete(request)).text == first.text
    async with lite.write() as tx:
        await tx.execute(turn.update().values(finished=1.0))
    await runner.reconcile(ended())
    assert (await model.complete(request)).text == "two"


async def test_what_was_answered_before_is_paid_once(runner: TurnRunner, lite: Database) -> None:
    """A turn that goes on, after a budget was spent say, gets its own budget; one that starts over in a crash has the old."""
    await queued(runner, lite)
    script: dict[Any, list[Any]] = {"core": ["one", "two"]}
    model = ScriptedModel(script, usage=Usage(5, 5, 0.1))
    request = ChatRequest("core", "text", "", (Message("user", "x"),))
    for journal, paid in (
        (JournaledModel(model, lite, "t1"), Usage(5, 5, 0.1)),
        (JournaledModel(model, lite, "t1"), Usage(5, 5, 0.1)),
        (JournaledModel(model, lite, "t2", resumes="t1"), Usage()),
    ):
        metered = MeteredModel(journal, Budget(calls=1))
        # It is asked again when people add something while it runs.
        assert [(await metered.complete(request)).text] == ["one"]
        assert metered.usage == paid
        if paid == Usage():
            assert (await metered.complete(replace(request, system="other"))).text == "two"
            assert metered.usage == Usage(5, 5, 0.1)


async def test_a_stop_that_comes_too_late_is_told(runner: TurnRunner, lite: Database) -> None:
    session_id = await queued(runner, lite)
    async with lite.write() as tx:
        await runner.threads.turns.tell(tx, "t1", Signal("stop", ANN, "Left undone: “a blog”."))
        request = await runner.threads.turns.request("t1")
        await runner._write(tx, request, Report(TurnResult("t1", "done", "Built.", commit="c" * 40, parent="p")))
    (reply,) = [one.doc for one in await runner.threads.messages.since(session_id) if one.kind == "reply"]
    assert [block.text for block in reply.blocks if isinstance(block, Para)] == [
        "Built.", "“stop” arrived after the change was committed; undo reverts it.", "Left undone: “a blog”.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "verb"),
    [("this is fine", "waive"), ("That is fine: only for now", "waive"), ("waive because of the demo", "waive"),
     ("that is fine, add a footer", ""), ("When did the tests break?", "bisect"), ("When did it rain?", "")],
)  # fmt: skip
def test_words_of_evidence(text: str, verb: str) -> None:
    assert command_in(text)[0] == verb


async def test_a_turn_takes_no_negative_time_after_the_clock_was_set_back(runner: TurnRunner, lite: Database) -> None:
    await queued(runner, lite)
    async with lite.write() as tx:
        await tx.execute(turn.update().values(started=time.time() + 3_600))
        request = await runner.threads.turns.request("t1")
        await runner._write(tx, request, Report(TurnResult("t1", "done", "Built.")))
    result = await runner.threads.turns.result("t1")
    assert result is not None
    assert result.seconds == 0.0
