"""The repair loop through the whole bot, with real tools and a model that is good, bad or stubborn."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.wiring import opened
from core.checking import MAX_REPAIRS
from core.messages import TurnResult
from tests.journeys.test_bad_input import Talk
from tests.servers.model import model_server
from tests.servers.process import seeded

PATH = "backend/tasks.py"
ONE = "\n\ndef worth() -> object:\n    return first_ghost\n"
TWO = f"{ONE}\n\ndef more() -> object:\n    return second_ghost\n"
OTHER = "\n\ndef worth() -> object:\n    return another_ghost\n"
FIXED = "\n\ndef worth() -> int:\n    return 1\n"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """A bot with an app, whose model writes what a test tells it to."""
    async with AsyncExitStack() as stack:
        model = stack.enter_context(model_server())
        settings = Settings(
            data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none", model_base_url=model.url, model_name="m",
            model_seconds=20, budget_calls=40,
        )  # fmt: skip
        talk = Talk(await stack.enter_async_context(opened(settings, previews=False)), model)
        built = await talk.say("Build a todo app")
        assert isinstance(built, TurnResult)
        assert built.commit
        yield talk


async def changed(talk: Talk, first: str, repairs: Sequence[str]) -> tuple[TurnResult, int, str]:
    """
    Let the model add `first` to a file, and answer each repair with the next of `repairs`, the last one for ever.

    Returns the result, how many repairs were asked for, and the file as it is at the head.
    """
    (session,) = await talk.app.sessions.list()
    head = await talk.head()
    assert head is not None
    text = (await talk.app.repository.tree(session.id, head)).text(PATH)
    asked: list[str] = []

    def answer(body: dict[str, Any]) -> str | None:
        system, said = body["messages"][0]["content"], body["messages"][-1]["content"]
        if system.startswith("You repair"):
            asked.append(said)
            return f"FILE: {PATH}\n````python\n{text}{repairs[min(len(asked), len(repairs)) - 1]}````"
        return f"FILE: {PATH}\n````python\n{text}{first}````" if re.search(rf'<write>{{"path":"{PATH}"', said) else None

    talk.model.fault = answer
    result = await talk.say("Add a priority (low, high) to tasks")
    assert isinstance(result, TurnResult)
    now = (await talk.app.repository.tree(session.id, await talk.head())).text(PATH)
    assert now is not None
    assert (await talk.head() == head) == (not result.commit)
    return result, len(asked), now


async def test_what_the_model_repairs_is_committed(talk: Talk) -> None:
    result, asked, now = await changed(talk, TWO, [ONE, FIXED])
    assert (bool(result.commit), asked) == (True, 2), result.message
    assert "Repaired 2 times after the checks found something." in result.notes
    assert now.endswith(FIXED)


async def test_a_model_that_makes_it_worse_is_ended_and_the_best_attempt_is_told(talk: Talk) -> None:
    result, asked, now = await changed(talk, ONE, [TWO])
    assert (result.outcome, asked) == ("blocked", 1)
    assert "first_ghost" in result.message
    assert "second_ghost" not in result.message
    assert "ghost" not in now


async def test_better_and_then_worse_tells_of_the_better(talk: Talk) -> None:
    result, asked, _ = await changed(talk, TWO, [ONE, TWO])
    assert (result.outcome, asked) == ("blocked", 2)
    assert "first_ghost" in result.message
    assert "second_ghost" not in result.message


async def test_a_model_that_repeats_itself_is_ended(talk: Talk) -> None:
    result, asked, now = await changed(talk, ONE, [ONE])
    assert (result.outcome, asked) == ("blocked", 1)
    assert "ghost" not in now


async def test_a_model_that_goes_round_in_circles_is_ended_within_its_rounds(talk: Talk) -> None:
    result, asked, _ = await changed(talk, ONE, [OTHER, ONE, OTHER, ONE])
    assert result.outcome == "blocked"
    assert asked <= MAX_REPAIRS


async def test_repairs_that_cannot_be_applied_are_asked_for_in_three_forms_and_no_more(talk: Talk) -> None:
    result, asked, now = await changed(talk, TWO, ["\n\ndef broken(:\n"])
    assert (result.outcome, asked) == ("blocked", 3)
    assert "broken" not in now
