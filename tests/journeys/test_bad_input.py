"""Whatever comes in: a clear message, the head where it was, nothing lost, and the next message works."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response

from adapters.preview.answers import Answer, problem_of, title_of
from bot.app import App
from bot.settings import Settings
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from core.errors import OutsideError
from core.messages import Para, TurnResult
from tests.needs import small_disk
from tests.servers.model import ModelServer, model_server, refused
from tests.servers.process import ROOT, BotProcess, free_port, running_bot, seeded


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator["Talk"]:
    """A bot whose model is a server that misbehaves on demand."""
    async with AsyncExitStack() as stack:
        model = stack.enter_context(model_server())
        settings = Settings(
            data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none", model_base_url=model.url, model_name="m", model_seconds=4,
        )  # fmt: skip
        yield Talk(await stack.enter_async_context(opened(settings, previews=False)), model)


class Talk:
    """Speaks in one thread."""

    def __init__(self, app: App, model: ModelServer) -> None:
        self.app, self.model, self.count = app, model, 0

    async def say(self, text: str) -> TurnResult | str:
        """Return the turn's result, or the notice that the message got instead of a turn."""
        self.count += 1
        accepted = await self.app.intake.accept(Event(f"e{self.count}", thread_key("t"), YOU, text=text))
        assert accepted.session is not None
        if not accepted.turn_id:
            doc = (await self.app.messages.since(accepted.session.id))[-1].doc
            return "\n".join(block.text for block in doc.blocks if isinstance(block, Para))
        while (result := await self.app.turns.result(accepted.turn_id)) is None:
            await asyncio.sleep(0.02)
        return result

    async def head(self) -> str | None:
        sessions = await self.app.sessions.list()
        return await self.app.repository.head(sessions[0].id) if sessions else None

    async def works_again(self) -> None:
        """The next message works."""
        self.model.fault = lambda _: None
        result = await self.say("Build a todo app" if await self.head() is None else "Add search")
        assert isinstance(result, TurnResult)
        assert result.commit


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("  \n\t ", "empty"), ("x" * 1_000_000, "1,000,000 characters"), ("\x00\x01\x02PNG" * 50, "binary"),
     ("\ud800\udfff\ud800 broken", "")],
)  # fmt: skip
async def test_messages_that_cannot_be_meant_get_a_clear_answer(talk: Talk, text: str, said: str) -> None:
    answer = await talk.say(text)
    if said:
        assert isinstance(answer, str)
        assert said in answer
    await talk.works_again()


def planned(paths: list[str]) -> dict[str, Any]:
    return {
        "manifest": {"name": "a", "title": "A", "analysis": "a", "kind": "static",
                     "files": [{"path": path, "role": "uix", "description": "x"} for path in paths]},
        "write": paths, "summary": "s",
    }  # fmt: skip


@pytest.mark.parametrize(
    "paths",
    [
        ["../../etc/passwd"],
        [".git/config"],
        ["/etc/passwd"],
        ["Readme.md", "README.md"],
        [f"f{number}" for number in range(10_000)],
    ],
    ids=["up", "git", "absolute", "case", "many"],
)
async def test_a_manifest_with_bad_paths_is_not_followed(talk: Talk, paths: list[str]) -> None:
    import json

    def bad(body: dict[str, Any]) -> str | None:
        return json.dumps(planned(paths)) if body["messages"][0]["content"].startswith("You plan") else None

    talk.model.fault = bad
    result = await talk.say("Build a todo app")
    assert isinstance(result, TurnResult)
    assert "no usable plan" in result.notes[0]
    assert {file.path for file in result.files} <= {"app.json", "index.html", "styles.css"}
    assert not Path("/etc/passwd").read_text().startswith("FILE")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I am sorry, I cannot do that.",
        "FILE: main.py\n```python\nimport os\ndef half(",
        '{"manifest": {',
        "对不起。",
    ],
)
async def test_a_model_that_talks_nonsense_blocks_the_turn(talk: Talk, answer: str) -> None:
    talk.model.fault = lambda _: answer
    result = await talk.say("Build a todo app")
    assert isinstance(result, TurnResult)
    assert (result.outcome, result.commit) == ("blocked", "")
    assert await talk.head() is None
    await talk.works_again()


async def test_a_model_that_fails_gives_an_error_id_and_keeps_the_head(talk: Talk) -> None:
    await talk.works_again()
    head = await talk.head()
    for fault, said in (
        (refused(401), "check it"),
        (Response(b"\xff" * 100, media_type="text/event-stream"), "did not answer"),
    ):
        talk.model.fault = lambda _, fault=fault: fault  # type: ignore[misc]
        result = await talk.say("Make it blue")
        assert isinstance(result, TurnResult)
        assert result.outcome == "failed"
        assert said in result.message
        assert f"(error {result.error_id})" in result.message
        assert await talk.head() == head
    await talk.works_again()


async def test_what_a_turn_that_failed_has_spent_is_told_and_paid_once(talk: Talk) -> None:
    talk.model.fault = lambda body: refused(401) if "<write>" in body["messages"][1]["content"] else None
    failed = await talk.say("Build a todo app")
    assert isinstance(failed, TurnResult)
    # Each answer of the server is said to have taken 100 tokens and 10: to read the message, and to plan.
    assert (failed.outcome, failed.usage.input_tokens, failed.usage.output_tokens) == ("failed", 200, 20)
    talk.model.fault, asked = lambda _: None, len(talk.model.bodies)
    done = await talk.say("continue")
    assert isinstance(done, TurnResult)
    assert done.commit
    assert done.usage.input_tokens == 100 * (len(talk.model.bodies) - asked)


async def test_a_model_that_hangs_is_given_up(talk: Talk) -> None:
    talk.model.delay = 100
    result = await talk.say("Build a todo app")
    assert isinstance(result, TurnResult)
    assert (result.outcome, "no answer within" in result.message) == ("failed", True)
    talk.model.delay = 0
    await talk.works_again()


async def test_an_answer_of_fifty_megabytes_is_cut_off(talk: Talk) -> None:
    talk.model.fault = lambda _: "x" * 50_000_000
    result = await talk.say("Build a todo app")
    assert isinstance(result, TurnResult)
    assert (result.outcome, "longer than" in result.message) == ("failed", True)
    await talk.works_again()


async def test_a_full_disk_loses_nothing_and_the_thread_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "120m") as disk, model_server() as model:
        settings = Settings(data_dir=disk, sandbox="none", browser="none", model_base_url=model.url, model_name="m")
        async with opened(settings, previews=False) as app:
            talk = Talk(app, model)
            await talk.works_again()
            head = await talk.head()
            filler = disk / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                for _ in range(256 * 1024):
                    file.write(b"x" * 1024)
            event = Event("while-full", thread_key("t"), YOU, text="Make it blue")
            with pytest.raises(OutsideError, match="disk"):
                for number in range(2_000):
                    # What is already reserved for the log may take a few more messages.
                    await app.intake.accept(
                        Event(f"small-{number}", thread_key("other"), YOU, text="status " + "x" * 5_000)
                    )
            assert await talk.head() == head
            filler.unlink()
            accepted = await app.intake.accept(event)
            while (result := await app.turns.result(accepted.turn_id)) is None:
                await asyncio.sleep(0.05)
            assert result.commit
            assert result.parent == head


async def test_a_database_that_is_locked_for_a_while_only_delays(talk: Talk) -> None:
    talk.model.delay = 0.3
    task = asyncio.create_task(talk.say("Build a todo app"))
    await asyncio.sleep(0.2)
    with sqlite3.connect(talk.app.settings.data_dir / "threadwright.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(2)
        other.execute("COMMIT")
    result = await asyncio.wait_for(task, 60)
    assert isinstance(result, TurnResult)
    assert result.commit


def test_a_second_process_on_one_data_directory_refuses_with_a_sentence(tmp_path: Path) -> None:
    with running_bot(tmp_path / "data", THREADWRIGHT_SANDBOX="none", THREADWRIGHT_BROWSER="none"):
        argv = [sys.executable, "-m", "bot", "serve", "--data-dir", str(tmp_path / "data")]
        env = os.environ | {"THREADWRIGHT_PORT": str(free_port())}
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Another process already uses the data directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with running_bot(tmp_path / "one", THREADWRIGHT_SANDBOX="none", THREADWRIGHT_BROWSER="none") as first:
        second = BotProcess(tmp_path / "two", {"THREADWRIGHT_PORT": str(first.port)})
        argv = [sys.executable, "-m", "bot", "serve"]
        done = subprocess.run(argv, cwd=ROOT, env=second._env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"Port {first.port}" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("THREADWRIGHT_PRT", "1", "no setting THREADWRIGHT_PRT"), ("THREADWRIGHT_PORT", "secret-thing", "THREADWRIGHT_PORT"),
     ("THREADWRIGHT_MODEL_BASE_URL", "http://127.0.0.1:1", "needs THREADWRIGHT_MODEL_NAME")],
)  # fmt: skip
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str, said: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "THREADWRIGHT_DATA_DIR": str(tmp_path), name: value}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "threads"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "secret-thing" not in done.stderr


@pytest.mark.parametrize(
    "body", [b"<script " * 8_000, b"<title" * 10_000, b"<!--" * 16_000, b"<" * 65_000, b"</script>" * 7_000]
)
def test_hostile_pages_cost_no_time(body: bytes) -> None:
    assert problem_of(Answer(200, body)) == "the page is empty"
    assert title_of(body) == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html><body><h1>Hi</h1></body></html>", ""),
        (b"plain", ""),
        (b"<title>Only</title><script>x</script><!-- c -->", "the page is empty"),
        (b"", "the page is empty"),
        (b'<div id="root"></div><script type="module" src="/a.js"></script>', ""),
        (b"<div></div><script>let src = 1</script>", "the page is empty"),
        (b"<style>a{}</style> text", ""),
    ],
)
def test_a_page_is_blank_when_it_shows_no_text(body: bytes, problem: str) -> None:
    assert problem_of(Answer(200, body)) == problem
