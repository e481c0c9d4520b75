"""Docker dies in the middle of a turn: the reply says so, the app is kept, and the next message works."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from bot.app import App
from bot.settings import Settings
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from core.messages import TurnResult
from tests.needs import docker_client
from tests.servers.process import free_port, seeded
from tests.servers.tunnel import tunnel_to


async def say(app: App, text: str) -> TurnResult:
    accepted = await app.intake.accept(Event(text, thread_key("t"), YOU, text=text))
    while (result := await app.turns.result(accepted.turn_id)) is None:
        await asyncio.sleep(0.05)
    return result


async def test_a_dying_engine_leaves_the_turn_unverified_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_client().close()
    with (
        tempfile.TemporaryDirectory(prefix="tw-") as short,
        tunnel_to("/var/run/docker.sock", Path(short)) as (tunnel, address),
    ):
        monkeypatch.setenv("DOCKER_HOST", address)
        settings = Settings(
            data_dir=seeded(tmp_path / "data"), sandbox="docker", browser="none", preview_port=free_port()
        )
        async with opened(settings) as app:
            assert app.sandbox == "docker"
            turn = asyncio.create_task(say(app, "Build a todo app"))
            await asyncio.sleep(1)
            tunnel.cut()
            result = await asyncio.wait_for(turn, 180)
            assert (result.outcome, bool(result.commit)) == ("unverified", True)
            assert any("Docker failed" in note for note in result.notes)
            assert result.preview.state == "failed"
            tunnel.mend()
            after = await asyncio.wait_for(say(app, "Add a priority (low, high) to tasks"), 180)
            assert after.outcome == "done", after
            assert after.preview.runtime == "docker"
            assert {check.name: check.status for check in after.checks}["build"] == "passed"
