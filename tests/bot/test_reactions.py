"""Reactions on the bot's messages in the local chat: what did nothing is taken off, and 👍 and 👎 exclude each other."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from core.chat import Event
from core.messages import TurnRequest, TurnResult
from core.sessions import ThreadKey
from core.thread.transcript import plain
from tests.bot.test_ends_of_turns import ANN, Thread, opened_thread, template

__all__ = ("template",)
LOCAL = ThreadKey("local", "local", "local", "t")


@pytest.fixture
async def thread(template: Path, tmp_path: Path) -> AsyncIterator[Thread]:
    async with AsyncExitStack() as stack:
        shutil.copy(template, tmp_path / "store.db")
        yield await opened_thread(stack, tmp_path, LOCAL)


async def replied(thread: Thread) -> int:
    """Write the reply of a turn that is done, and return its number."""
    async with thread.database.write() as tx:
        await thread.runner.threads.turns.add(tx, TurnRequest("t1", thread.session.id, "message", "Build", ANN))
        await thread.runner.threads.turns.finish(tx, TurnResult("t1", "done", "Built."))
        await thread.runner.threads.messages.post(
            tx, thread.session.id, "t1:reply", "reply", plain("Built."), turn_id="t1"
        )
    return (await thread.runner.threads.messages.since(thread.session.id))[-1].id


async def reacted(thread: Thread, number: int, *emoji: str) -> tuple[str, ...]:
    """Put reactions on a message, one after the other, and return those that are there then."""
    for at, one in enumerate(emoji):
        event = Event(
            f"r{one}{at}", LOCAL, ANN, "reaction_added", message_id=number, emoji=one, at=100.0 + at, removable=True
        )
        await thread.intake.accept(event)
    return next(
        one.reactions for one in await thread.runner.threads.messages.since(thread.session.id) if one.id == number
    )


@pytest.mark.parametrize(
    ("emoji", "there"),
    [
        (("👍", "👎"), ("👎",)), (("👎", "👍"), ("👍",)), (("🎉", "👍"), ("🎉", "👍")),
        # Nothing clashed, nothing is kept out, nothing runs.
        (("🤝",), ()), (("👌",), ()), (("❌",), ()), (("↩️",), ("↩",)),
    ],
)  # fmt: skip
async def test_what_stays_of_reactions(thread: Thread, emoji: tuple[str, ...], there: tuple[str, ...]) -> None:
    assert set(await reacted(thread, await replied(thread), *emoji)) == set(there)


async def test_a_stop_that_stopped_something_stays(thread: Thread) -> None:
    number = await replied(thread)
    await thread.intake.accept(Event("m1", LOCAL, ANN, text="Make it dark"))
    assert await reacted(thread, number, "❌") == ("❌",)
