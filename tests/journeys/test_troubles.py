"""A running app raises an error: its thread hears of it once, and one tap starts the turn that looks into it."""

import asyncio
from pathlib import Path

import httpx

from bot.app import App
from bot.settings import Settings
from bot.troubles import Troubles
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from core.manifests import MANIFEST_PATH, read_manifest
from core.messages import TurnResult
from core.thread.troubles import wish
from tests.needs import bubblewrap
from tests.servers.model import ModelServer
from tests.servers.process import free_port, seeded

BROKEN = b"""
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
@app.get("/", response_class=HTMLResponse)
def page():
    return "<h1>Works</h1>"
@app.get("/broken")
def broken():
    return {}["missing"]
"""


async def finished(app: App, turn_id: str) -> TurnResult:
    async with asyncio.timeout(120):
        while (result := await app.turns.result(turn_id)) is None:
            await asyncio.sleep(0.05)
    return result


async def test_an_error_of_the_running_app_is_told_once_and_can_be_mended(tmp_path: Path, slow: ModelServer) -> None:
    await bubblewrap(tmp_path / "probe")
    # The built-in builder mends nothing and offers no button.
    settings = Settings(
        data_dir=seeded(tmp_path / "data"), sandbox="bubblewrap", browser="none", preview_port=free_port(),
        model_base_url=slow.url, model_name="m",
    )  # fmt: skip
    async with opened(settings) as app:
        accepted = await app.intake.accept(Event("e1", thread_key("t"), YOU, text="Build a todo app"))
        built = await finished(app, accepted.turn_id)
        session = accepted.session
        assert session is not None
        assert built.preview.state == "ready"
        tree = (await app.repository.tree(session.id, built.commit)).changed({"main.py": BROKEN})
        manifest = read_manifest(tree.get(MANIFEST_PATH))
        shown = await app.previews.show(session.id, session.slug, "b" * 40, tree, manifest)
        assert shown.state == "ready", shown
        served = app.previews.serving(session.slug)
        assert served is not None
        assert served.instance is not None
        for _ in range(3):
            # After an error uvicorn closes the connection.
            transport = httpx.AsyncHTTPTransport(uds=served.instance.upstream.removeprefix("unix/"))
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                assert (await client.get("/broken")).status_code == 500
        troubles = Troubles(app.database, app.sessions, app.messages, app.previews, app.board)
        for _ in range(2):
            await asyncio.sleep(0.2)
            await troubles.look()
        (told,) = [one for one in await app.messages.since(session.id) if ":trouble:" in one.key]
        assert "KeyError: 'missing'" in wish(told.doc)
        pressed = Event("e2", session.key, YOU, "reaction_added", message_id=told.id, emoji="🔧")
        mending = (await app.intake.accept(pressed)).turn_id
        assert "KeyError: 'missing'" in (await app.turns.request(mending)).text
        await finished(app, mending)
        again = await app.intake.accept(Event("e3", session.key, YOU, text="fix"))
        assert again.turn_id
        await finished(app, again.turn_id)
