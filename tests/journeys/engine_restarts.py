"""What `test_engine_restarts` runs beside an engine of its own: a bot, whose engine is restarted under it."""

import asyncio
import sys
from pathlib import Path

import httpx

from bot.app import App
from bot.settings import Settings
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from core.messages import TurnResult
from tests.servers.process import free_port


async def say(app: App, text: str) -> TurnResult:
    """Say something in the thread, and wait for what came of it."""
    accepted = await app.intake.accept(Event(text, thread_key("t"), YOU, text=text))
    async with asyncio.timeout(120):
        while (result := await app.turns.result(accepted.turn_id)) is None:
            await asyncio.sleep(0.05)
    return result


async def main(data: Path) -> None:
    """Print what happens; a word on standard input tells when the engine was ended, and when it is there again."""
    settings = Settings(
        data_dir=data, sandbox="docker", browser="none", preview_port=free_port(), pypi_url="", npm_url=""
    )
    async with opened(settings) as app:
        first = await say(app, "Build a todo app")
        print("built", first.outcome, first.preview.runtime, flush=True)
        session = await app.sessions.at(thread_key("t"))
        host = f"{session.slug}.{settings.preview_zone}"
        cookie = {
            "Host": host,
            "Cookie": f"tw_preview={app.signer.token(session.slug)}",
            "Sec-Fetch-Mode": "navigate",
            "Accept": "text/html",
        }

        async def page() -> httpx.Response:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                return await client.get(f"http://127.0.0.1:{settings.preview_port}/", headers=cookie)

        print("page", (await page()).status_code, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        # Nobody hangs, and whoever reloads is told what is wrong.
        gone = [await page() for _ in range(3)]
        print(
            "without",
            *sorted({one.status_code for one in gone}),
            "Docker" in gone[-1].text or "moment" in gone[-1].text,
            flush=True,
        )
        await asyncio.to_thread(sys.stdin.readline)
        async with asyncio.timeout(90):
            while (again := await page()).status_code != 200:
                await asyncio.sleep(0.5)
        print("again", again.status_code, "Todo" in again.text or "todo" in again.text, flush=True)
        second = await say(app, "Add a priority (low, high) to tasks")
        print("changed", second.outcome, second.preview.runtime, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
